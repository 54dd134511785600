"""Names of feeds: group ids, origins and their hashes (SPEC §1). Strict both ways: one name, one text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import GENERATION_MAX, GROUP_ID_CHARACTERS, ORIGIN_BYTES_MAX

Kind = Literal["id", "public", "c"]

_GROUP_ID = re.compile(rf"[a-z2-7]{{{GROUP_ID_CHARACTERS}}}")
_NUMBER = r"0|[1-9][0-9]{0,9}"
_ORIGIN = re.compile(
    rf"aidmesh/(?P<gid>{_GROUP_ID.pattern})/"
    rf"(?:(?P<kind>id|public)|(?P<c>c)/(?P<circle>[0-9a-f]{{64}}))/(?P<generation>{_NUMBER})"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """A feed's name taken apart. `circle` is 32 bytes for kind "c", else None.

    `generation` counts key rotations for kind "id", and new starts of the feed for the others.
    """

    gid: str
    kind: Kind
    circle: bytes | None
    generation: int

    def __str__(self) -> str:
        middle = self.kind if self.circle is None else f"{self.kind}/{self.circle.hex()}"
        return f"aidmesh/{self.gid}/{middle}/{self.generation}"


def check_group_id(text: object) -> str:
    """Return `text` if it has the form of a group id, else ProtocolError("malformed")."""
    if type(text) is not str or not _GROUP_ID.fullmatch(text):
        raise ProtocolError("malformed", "a group id is 32 characters of lower-case base32")
    return text


def identity_origin(gid: str, rotations: int = 0) -> str:
    """The origin of a group's identity feed after so many key rotations."""
    return str(Origin(gid, "id", None, rotations))


def public_origin(gid: str, generation: int = 0) -> str:
    """The origin of a group's public feed."""
    return str(Origin(gid, "public", None, generation))


def circle_origin(gid: str, circle_id: bytes, generation: int = 0) -> str:
    """The origin of what a group says to one circle; `circle_id` is 32 bytes."""
    return str(Origin(gid, "c", circle_id, generation))


def parse_origin(text: str) -> Origin:
    """Take an origin apart; ProtocolError("malformed") unless it is exactly what the functions above give."""
    match = _ORIGIN.fullmatch(text) if len(text) <= ORIGIN_BYTES_MAX else None
    if match is None:
        raise ProtocolError("malformed", "not the origin of an aidmesh feed")
    generation = int(match["generation"])
    if generation > GENERATION_MAX:
        raise ProtocolError("malformed", "the origin's generation is out of range")
    if match["c"]:
        return Origin(match["gid"], "c", bytes.fromhex(match["circle"]), generation)
    return Origin(match["gid"], "id" if match["kind"] == "id" else "public", None, generation)


def origin_hash(origin: str) -> bytes:
    """SHA-256 of the origin's UTF-8 text, 32 bytes: how frames and refs name a feed."""
    return hashlib.sha256(origin.encode()).digest()
