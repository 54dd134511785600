"""One time that this node found itself older than what it has signed: what came back, what did not, what people must
look at. Begins by itself; ends when everything is back and others agree, or when an operator decides to begin anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from aidmesh_node.domain import event
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.refused import Refused

RECOVERED, BEGUN_ANEW = "recovered", "begun_anew"
"""How it ended: all that was signed is here again; or an operator went on without it, in new feeds."""

TASKS_MAX = 1_000
"""Things for a coordinator to look at: more than anybody would. What is beyond is only counted."""


class Task(NamedTuple):
    """Something a coordinator should look at. `thing`: 32 hex digits of what it is about, "" for nothing that is
    here."""

    kind: str
    thing: str
    words: str


class Recovery(Recorded):
    """`log_position`: where our log ended when it began; `log_known`: how far the mark knows it had come, 0 if it does
    not say."""

    TOPIC = "recovery"

    class Event(event.Event):
        pass

    class Created(Event, event.Created):
        TOPIC = "recovery:created"

    class Began(Created):
        TOPIC = "recovery:began"
        reason: str
        log_position: int
        log_known: int

    class TaskFound(Event):
        """`words` say what there is to do, without a name of a person."""

        TOPIC = "recovery:task-found"
        kind: str
        thing: str
        words: str

        def apply(self, aggregate: Recovery) -> None:
            if len(aggregate.tasks) < TASKS_MAX:
                aggregate.tasks.append(Task(self.kind, self.thing, self.words))
            else:
                aggregate.more_tasks += 1

    class TaskDone(Event):
        TOPIC = "recovery:task-done"
        number: int

        def apply(self, aggregate: Recovery) -> None:
            aggregate.done.add(self.number)

    class Ended(Event):
        """`statements` of ours came back as `records` of our log; about `lost` records did not."""

        TOPIC = "recovery:ended"
        how: str
        statements: int
        records: int
        lost: int

        def apply(self, aggregate: Recovery) -> None:
            aggregate.how = self.how
            aggregate.ended_at = self.timestamp
            aggregate.statements = self.statements
            aggregate.records = self.records
            aggregate.lost = self.lost

    def __init__(self, reason: str, log_position: int, log_known: int) -> None:
        self.reason = reason
        self.log_position = log_position
        self.log_known = log_known
        self.tasks: list[Task] = []
        self.more_tasks = 0
        self.done: set[int] = set()
        self.how: str | None = None
        self.ended_at: datetime | None = None
        self.statements = 0
        self.records = 0
        self.lost = 0

    @staticmethod
    def id_of(gid: str, number: int) -> UUID:
        """The aggregate id of the group's first, second, ... recovery."""
        return uuid5(NAMESPACE_URL, f"aidmesh:recovery:{gid}:{number}")

    @classmethod
    def begin(cls, by: Act, gid: str, number: int, *, reason: str, log_position: int, log_known: int) -> Self:
        """The node has found that it is older than what it has signed."""
        return cls._begin(
            cls.Began, cls.id_of(gid, number), by, reason=reason, log_position=log_position, log_known=log_known
        )

    @property
    def is_over(self) -> bool:
        return self.how is not None

    def leave_to_people(self, by: Act, kind: str, thing: str, words: str) -> None:
        """Something only a coordinator can decide."""
        if Task(kind, thing, words) not in self.tasks:
            self._record(self.TaskFound, by, kind=kind, thing=thing, words=words)

    def finish_task(self, by: Act, number: int) -> None:
        """A coordinator has looked at it; tasks count from 1. Said again, it has been said."""
        if not 1 <= number <= len(self.tasks):
            raise Refused("unknown_task", f"There is no task {number}.", "See them with: aidmesh recover status.")
        if number not in self.done:
            self._record(self.TaskDone, by, number=number)

    def end(self, by: Act, how: str, *, statements: int, records: int) -> None:
        """It is over. What the mark knows to have been recorded and is not here again is lost."""
        gone = max(0, self.log_known - self.log_position - records)
        self._record(self.Ended, by, how=how, statements=statements, records=records, lost=gone)
