"""Which circles something is shared with. Taking a share back is one act, effective at once, then
acknowledged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from aidmesh_node.domain.refused import Refused, shortened

SHARED, REVOKED, ACKNOWLEDGED, ENDED = "shared", "revoked", "acknowledged", "ended"

_CIRCLE = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ShareState:
    """`state` is shared, revoked (peers have not all answered yet), acknowledged, or ended (what was shared was closed,
    and opened again since); `since` when it became so.
    """

    state: str
    since: datetime
    level: str = "L1"

    @property
    def live(self) -> bool:
        return self.state == SHARED

    @property
    def unacknowledged(self) -> bool:
        return self.state == REVOKED


def check_circle(circle: str) -> str:
    """`circle` if it is a circle id as 64 hex digits, else Refused "unknown_circle"."""
    if not _CIRCLE.fullmatch(circle):
        raise Refused(
            "unknown_circle", f"“{shortened(circle)}” is not a circle.", "Choose one of your group's circles."
        )
    return circle


def check_not_shared(shares: dict[str, ShareState], circle: str) -> None:
    if circle in shares and shares[circle].live:
        raise Refused("already_shared", "This is already shared with that circle.")


def check_shared(shares: dict[str, ShareState], circle: str) -> None:
    if circle not in shares or not shares[circle].live:
        raise Refused("not_shared", "This is not shared with that circle, so there is nothing to take back.")
