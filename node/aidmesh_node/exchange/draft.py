"""What one shape made of its sheets, and the ids that the same row gets again."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from uuid import UUID, uuid5

from aidmesh_node.application.drafts import NeedDraft, OfferDraft
from aidmesh_node.exchange.table import heading


@dataclass(frozen=True, slots=True)
class Drafts:
    """What one shape made of its sheets. `filtered`: how many rows the filter left out."""

    needs: tuple[NeedDraft, ...] = ()
    offers: tuple[OfferDraft, ...] = ()
    filtered: int = 0


class Keys:
    """Ids that the same row gets again.

    They are hashes of what the row says, so `namespace` must be a secret of the home: whoever knows it can
    test guesses of names against ids.
    """

    def __init__(self, namespace: UUID) -> None:
        self._namespace = namespace
        self._seen: Counter[tuple[str, ...]] = Counter()

    def row(self, kind: str, *key: str) -> UUID:
        """The id of the next row with this key: the first and second row of equal content are two things."""
        self._seen[(kind, *key)] += 1
        return uuid5(self._namespace, _joined((kind, *key, str(self._seen[(kind, *key)]))))

    def person(self, *parts: str) -> str:
        """A key of somebody recognised by these texts, whatever their case and spacing; it shows none."""
        joined = _joined(tuple(heading(part) for part in parts))
        return hashlib.blake2b(joined.encode(), key=self._namespace.bytes, digest_size=16).hexdigest()


def _joined(parts: tuple[str, ...]) -> str:
    """One text for several, such that no two lists of texts give the same."""
    return "".join(f"{len(part)}:{part}" for part in parts)
