"""Who may act on which object. Routes have their own lowest role; this is the rule on the object itself."""

from __future__ import annotations

from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.refused import Refused

_RANK = {"member": 1, "coordinator": 2, "operator": 3, NODE: 3}


def require(by: Act, role: str, deed: str) -> None:
    """Raise Refused("not_allowed") unless the actor has at least `role`; the node itself may do all of it."""
    if _RANK.get(by.role, 0) < _RANK[role]:
        article = "an" if role[0] in "aeiou" else "a"
        raise Refused(
            "not_allowed",
            f"Only {article} {role} may {deed}.",
            f"Ask {article} {role} of your group to do it for you.",
        )


def require_own(by: Act, thing: Recorded, deed: str) -> None:
    """Refuse unless the actor made this thing, or is a coordinator."""
    if by.actor is None or by.actor != thing.made_by:
        require(by, "coordinator", deed)
