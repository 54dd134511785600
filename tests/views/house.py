"""A node's storage and views in a temporary folder, as main builds them, and a peer whose feeds are written by hand."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from aidmesh_node.application.ports import FeedHead, NewEntry, Work
from aidmesh_node.domain.act import PEER, Act
from aidmesh_node.domain.group import Group
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.storage.readers import Readers
from aidmesh_node.views.views import Views
from aidmesh_protocol.entry import SealedEntry
from aidmesh_protocol.merkle import Frontier, leaf_hash
from aidmesh_protocol.origin import circle_origin, identity_origin, origin_hash
from aidmesh_protocol.statements import Statement, seal
from tests.storage.home import SqliteHome

P = ParamSpec("P")
T = TypeVar("T")

OURS, ALICE, BOB = "o" * 32, "a" * 32, "b" * 32
CIRCLE, OTHER_CIRCLE = b"\x01" * 32, b"\x02" * 32
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = 498_876
PERSON, COORDINATOR, MEMBER = UUID(int=1), UUID(int=2), UUID(int=3)

LONG = 30.0
"""Seconds that no wait of a test takes unless something is wrong."""


class House:
    """Our node. Time goes on by a minute with every act; nothing is projected unless a test says so."""

    def __init__(self, path: Path, seed: int = 1) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.home = SqliteHome(path, seed)
        self.acts = 0
        self.views = self.open_views()

    def open_views(self) -> Views:
        return Views(
            self.path / "views.db", OURS, self.home.readers, lambda path: Readers(path, lambda it: it), monotonic
        )

    def reopen_views(self) -> None:
        self.views.close()
        self.views = self.open_views()

    def reopen(self) -> None:
        self.views.close()
        self.home.reopen()
        self.views = self.open_views()

    def close(self) -> None:
        self.views.close()
        self.home.close()

    def id(self) -> UUID:
        return UUID(bytes=self.random.randbytes(16), version=4)

    def act(self, role: str = "coordinator", actor: UUID | None = COORDINATOR, *, heard: bool = False) -> Act:
        self.acts += 1
        at = NOON + timedelta(minutes=self.acts)
        if heard:
            return Act(self.id(), at, None, PEER, cause=f"{'00' * 32}:{self.acts}", heard=True)
        return Act(self.id(), at, actor, role)

    def do(self, job: Callable[[Work], T]) -> T:
        return self.home.do(job)

    def change(self, kind: type[T], id: UUID, change: Callable[[Any], object]) -> None:
        """Get, act, commit."""

        def job(work: Work) -> None:
            thing: Any = work.get(kind, id)  # type: ignore[type-var]
            change(thing)
            work.commit(thing)

        self.do(job)

    def ask(self, ask: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Catch up, then ask."""
        self.views.catch_up()
        return self.views.read(ask, *args, **kwargs)

    def found(self) -> None:
        self.do(lambda work: work.commit(Group.found(self.act("operator"), gid=OURS, name="Our group")))

    def link(self, gid: str, name: str, circle: bytes = CIRCLE) -> UUID:
        """A peer, all the way to a circle in force."""

        def job(work: Work) -> None:
            link = PeerLink.invite(self.act("operator"), gid=gid, endpoints=["http://127.0.0.1:1"])
            link.meet(
                self.act("operator"),
                name=name,
                endpoints=["http://127.0.0.1:2"],
                words=["one", "two", "three", "four"],
                our_nonce="00",
                their_nonce="01",
                terms="02",
            )
            link.confirm(self.act("operator"), words=["one", "two", "three", "four"], signature="03")
            link.sign(self.act(heard=True), signature="04")
            link.activate(self.act("operator"), circle=circle.hex(), our_gid=OURS)
            work.commit(link)

        self.do(job)
        return PeerLink.id_of(gid)

    def need(self, amount: str = "100", item: str | None = "Blankets", by: Act | None = None, **more: Any) -> UUID:
        id = self.id()
        fields: dict[str, Any] = {
            "category": "bedding",
            "person": PERSON,
            "quantity": Quantity.parse(amount, "item"),
        } | more
        self.do(lambda work: work.commit(Need.post(id, by or self.act(), item=item, **fields)))
        return id

    def offer(self, amount: str | None = "100", item: str | None = "Blankets", **more: Any) -> UUID:
        id = self.id()
        quantity = None if amount is None else Quantity.parse(amount, "item")
        fields: dict[str, Any] = {"category": "bedding", "person": PERSON, "quantity": quantity, "unit": "item"} | more
        self.do(lambda work: work.commit(Offer.post(id, self.act(), item=item, **fields)))
        return id

    def feed(self, gid: str, circle: bytes | None = CIRCLE) -> PeerFeed:
        return PeerFeed(self, gid, circle)

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every view. Not in which order, and in how many goes, they came to be: that is `changes`."""

        def rows(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'changes' ORDER BY name"
            )
            return {
                name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
                for (name,) in tables.fetchall()
            }

        return self.views.read(rows)


class PeerFeed:
    """A feed of a peer as it lies in our rows after verification."""

    def __init__(self, house: House, gid: str, circle: bytes | None) -> None:
        self.house = house
        self.origin = identity_origin(gid) if circle is None else circle_origin(gid, circle)
        self.gid, self.circle = gid, circle

    def head(self, work: Work) -> FeedHead:
        empty = Frontier.empty().encode()
        return work.feeds.open_feed(self.origin, origin_hash(self.origin), self.gid, self.circle, 0, empty)

    def sealed(self, subject: bytes, statement: Statement) -> SealedEntry:
        return seal(
            statement,
            statement_id=self.house.random.randbytes(16),
            subject_id=subject,
            hour=HOUR,
            part_keys=lambda: self.house.random.randbytes(16),
        )

    def say(self, subject: bytes, *statements: Statement, without: str | None = None) -> int:
        """Append statements about one subject, keeping back the parts tagged `without`. The last one's index."""
        return self.append([self.sealed(subject, statement) for statement in statements], without)

    def append(self, sealed: list[SealedEntry], without: str | None = None) -> int:
        new = [
            NewEntry(
                one.entry,
                leaf_hash(one.entry),
                None,
                [(tag, part) for tag, part in one.parts if tag != without],
            )
            for one in sealed
        ]

        def job(work: Work) -> int:
            head = self.head(work)
            frontier, nodes = Frontier.decode(head.frontier).extend([one.leaf for one in new])
            work.feeds.append(head.feed, new, frontier.encode(), frontier.size, nodes)
            return frontier.size - 1

        return self.house.do(job)

    def deliver(self, index: int, tag: str, sealed: SealedEntry) -> None:
        """A part that comes late."""
        part = dict(sealed.parts)[tag]
        self.house.do(lambda work: work.feeds.put_part(self.head(work).feed, index, tag, part))


def subject(number: int) -> bytes:
    """A subject id."""
    return number.to_bytes(16, "big")


def follow(house: House) -> None:
    """From here on the views follow by themselves what is committed."""
    house.home.writer.on_commit(house.views.notify)
    house.views.start()
