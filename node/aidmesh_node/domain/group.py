"""Our own group: its self-certifying id, its name, and where its node can be reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self
from uuid import NAMESPACE_URL, UUID, uuid5

from aidmesh_node.domain import event
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.label import label
from aidmesh_node.domain.refused import Refused, shortened

ENDPOINTS_MAX = 8
ENDPOINT_CHARACTERS_MAX = 200


class Group(Recorded):
    """`gid` never changes; `name` and `endpoints` are public to every peer."""

    TOPIC = "group"

    class Event(event.Event):
        pass

    class Created(Event, event.Created):
        TOPIC = "group:created"

    class Founded(Created):
        TOPIC = "group:founded"
        gid: str
        name: str
        endpoints: list[str]

    class Described(Event):
        TOPIC = "group:described"
        name: str
        endpoints: list[str]

        def apply(self, aggregate: Group) -> None:
            aggregate.name = self.name
            aggregate.endpoints = tuple(self.endpoints)

    def __init__(self, gid: str, name: str, endpoints: list[str]) -> None:
        self.gid = gid
        self.name = name
        self.endpoints = tuple(endpoints)

    @staticmethod
    def id_of(gid: str) -> UUID:
        """The aggregate id of the group with this gid."""
        return uuid5(NAMESPACE_URL, "aidmesh:group:" + gid)

    @classmethod
    def found(cls, by: Act, *, gid: str, name: str, endpoints: Sequence[str] = ()) -> Self:
        """Our group begins."""
        return cls._begin(
            cls.Founded,
            cls.id_of(gid),
            by,
            gid=gid,
            name=group_name(name),
            endpoints=endpoint_list(endpoints),
        )

    def describe(self, by: Act, *, name: str, endpoints: Sequence[str]) -> None:
        """Change the name or where the node answers. No event when both are the same."""
        new_name, new_endpoints = group_name(name), endpoint_list(endpoints)
        if (new_name, tuple(new_endpoints)) != (self.name, self.endpoints):
            self._record(self.Described, by, name=new_name, endpoints=new_endpoints)


def group_name(text: str) -> str:
    """A group's public name: one line, not empty."""
    name = label("name", text)
    if name is None:
        raise Refused("bad_name", "The group has no name.", "Give it the name your neighbours know it by.")
    return name


def endpoint_list(endpoints: Sequence[str]) -> list[str]:
    """Where a node answers, bounded; what an address looks like is the network's business."""
    if len(endpoints) > ENDPOINTS_MAX:
        raise Refused("bad_endpoint", f"More than {ENDPOINTS_MAX} addresses are given.", "Keep the ones that work.")
    for endpoint in endpoints:
        if not endpoint or len(endpoint) > ENDPOINT_CHARACTERS_MAX or not endpoint.isprintable() or " " in endpoint:
            raise Refused(
                "bad_endpoint",
                f"“{shortened(endpoint)}” is not an address.",
                "Use one like https://help.example.org.",
            )
    return list(endpoints)
