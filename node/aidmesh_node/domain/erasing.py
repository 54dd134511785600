"""Erasing what was shared of a need or an offer: for whoever asks to be forgotten, and for what should not have been
written. It stays what it is to our group, without the words people typed; totals and pledges stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aidmesh_node.domain.act import Act
from aidmesh_node.domain.refused import Refused

if TYPE_CHECKING:
    from aidmesh_node.domain.sharing import ShareState


class Erasable:
    """What can be shared, and then erased: once, and for good. Part of an aggregate with `shares` and an event
    Erased."""

    erased = False

    if TYPE_CHECKING:  # the aggregate's own, which the library would otherwise take for fields of this class
        shares: dict[str, ShareState]
        item: str | None
        area: str | None
        Erased: Any

        def unshare(self, by: Act, circle: str) -> None: ...
        def _record(self, event_class: Any, by: Act, **fields: Any) -> None: ...

    def erase(self, by: Act) -> None:
        """Take it back from every circle, and forget item and area, here and wherever they were shown."""
        if self.erased:
            raise Refused("erased", "This was erased already.", "See which groups have confirmed it: erasure list.")
        for circle in [circle for circle, share in self.shares.items() if share.live]:
            self.unshare(by, circle)
        self._record(self.Erased, by)

    def check_not_erased(self) -> None:
        """Refuse to show again what was erased."""
        if self.erased:
            raise Refused("erased", "What was shared of this was erased, for good.", "Post it anew, and share that.")


def forget_words(thing: Erasable) -> None:
    """What an Erased event does."""
    thing.item = thing.area = None
    thing.erased = True
