"""A dispute about a pledge: opened by a person, over when both sides say so. One word says what it is about.

What people write about it lies in the vault under the dispute's own id, never in an event. One about somebody's conduct
stays in the group that opened it: nothing of it is ever published.
"""

from __future__ import annotations

from typing import Self
from uuid import UUID, uuid5

from aidmesh_node.domain import event
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.pledge import GIVER, HOME, LOCAL, Pledge
from aidmesh_node.domain.refused import Refused, one_of

CONDUCT = "conduct"
ABOUT = ("quantity", "quality", "not_received", "not_sent", "conduct", "money")
RESOLUTIONS = ("explained", "made_good", "corrected", "left", "withdrawn", "other")

NUMBER_MAX = 16
"""Disputes one side can open about one pledge: beyond that the groups should talk, not write."""


class Dispute(Recorded):
    """`side` (giver, home) opened it as its `number`-th, `ours` is the side we speak for, None where both are ours."""

    TOPIC = "dispute"

    class Event(event.Event):
        pass

    class Created(Event, event.Created):
        TOPIC = "dispute:created"

    class Opened(Created):
        TOPIC = "dispute:opened"
        pledge_id: UUID
        circle: str | None
        peer: str | None
        side: str
        ours: str | None
        number: int
        about: str

    class StatementAdded(Event):
        """Somebody of ours wrote something; `record` names it in the vault."""

        TOPIC = "dispute:statement-added"
        record: UUID

        def apply(self, aggregate: Dispute) -> None:
            aggregate.statements.append(self.record)

    class Resolved(Event):
        TOPIC = "dispute:resolved"
        side: str
        how: str

        def apply(self, aggregate: Dispute) -> None:
            aggregate.resolved[self.side] = self.how

    def __init__(
        self,
        pledge_id: UUID,
        circle: str | None,
        peer: str | None,
        side: str,
        ours: str | None,
        number: int,
        about: str,
    ) -> None:
        self.pledge_id = pledge_id
        self.circle = circle
        self.peer = peer
        self.side = side
        self.ours = ours
        self.number = number
        self.about = about
        self.statements: list[UUID] = []
        self.resolved: dict[str, str] = {}

    @classmethod
    def open(cls, by: Act, pledge: Pledge, side: str, number: int, about: str) -> Self:
        """A new one. `side` opens it: ours, or, heard, the other one."""
        one_of("side of a pledge", side, (GIVER, HOME))
        return cls._begin(
            cls.Opened,
            dispute_id(pledge.id, side, number, about),
            by,
            pledge_id=pledge.id,
            circle=None if about == CONDUCT else pledge.circle,
            peer=None if about == CONDUCT else pledge.peer,
            side=side,
            ours=None if pledge.role == LOCAL or about == CONDUCT else pledge.role,
            number=number,
            about=one_of("subject of a dispute", about, ABOUT),
        )

    @property
    def is_told(self) -> bool:
        """Whether the other group knows of it: never when it is about somebody's conduct."""
        return self.circle is not None and self.about != CONDUCT

    @property
    def is_over(self) -> bool:
        """Both sides have said so; where nobody else knows of it, one word of ours is enough."""
        return len(self.resolved) == (1 if self.ours is None else 2)

    def add_statement(self, by: Act, record: UUID) -> None:
        """Somebody wrote something more about it."""
        if self.is_over:
            raise Refused("dispute_over", "This dispute is over.", "Open another one if something new has happened.")
        if len(self.statements) >= STATEMENTS_MAX:
            raise Refused("too_many_statements", "Enough has been written about this.", "Talk with each other instead.")
        self._record(self.StatementAdded, by, record=record)

    def resolve(self, by: Act, how: str, side: str | None = None) -> None:
        """For us, or, heard, for the other `side`, it is over."""
        word = how if by.heard else one_of("way to resolve a dispute", how, RESOLUTIONS)
        speaks = side if side is not None else self.ours or self.side
        if speaks in self.resolved:
            if by.heard:
                return
            raise Refused(
                "already_resolved",
                "Your group has already said that this dispute is over.",
                "" if self.is_over else "It is over for both once the other group has said so too.",
            )
        self._record(self.Resolved, by, side=speaks, how=word)


STATEMENTS_MAX = 100
"""What people write about one dispute: more is a conversation, and belongs where people talk."""


def dispute_id(pledge_id: UUID, side: str, number: int, about: str) -> UUID:
    """Derived, so that hearing of one again finds the same. Those about conduct are counted apart: a gap in the
    numbers others see would tell of them.
    """
    kind = CONDUCT if about == CONDUCT else "dispute"
    return uuid5(pledge_id, f"{kind} {side} {number}")


def check_disputable(pledge: Pledge) -> None:
    """Refuse a dispute about what nobody has agreed on yet."""
    if not pledge.state.home.acceptance:
        raise Refused(
            "not_accepted",
            "This pledge was never accepted, so there is nothing to dispute.",
            "Decline it, or withdraw it.",
        )
