"""How much of what a peer said is interpreted in one transaction: everybody's writer is never held up for long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aidmesh_node.application.inbox import ACTED_MAX, ENTRIES_MAX, QUARANTINED, interpret
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_protocol.statements import NeedClosed, NeedShareRevoked
from tests.views.house import ALICE, NOON, House, PeerFeed


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[PeerFeed]:
    house = House(tmp_path)
    house.link(ALICE, "Alice's group")
    yield house.feed(ALICE)
    house.close()


def interpreted(feed: PeerFeed) -> tuple[bool, int]:
    """Whether there is more to do, and how far it has come."""
    more = feed.house.do(lambda work: interpret(work, feed.origin, NOON))
    return more, feed.house.do(lambda work: feed.head(work).folded)


def test_much_that_concerns_nobody_here_is_one_transaction(feed: PeerFeed) -> None:
    feed.append([feed.sealed(number.to_bytes(16, "big"), NeedClosed("met")) for number in range(ENTRIES_MAX + 1)])
    assert interpreted(feed) == (True, ENTRIES_MAX)
    assert interpreted(feed) == (False, ENTRIES_MAX + 1)
    assert interpreted(feed) == (False, ENTRIES_MAX + 1)


def test_much_that_concerns_us_is_several_and_each_goes_on_where_the_last_ended(feed: PeerFeed) -> None:
    """Each of these is answered with an event of our own."""
    said = [feed.sealed(number.to_bytes(16, "big"), NeedShareRevoked()) for number in range(2 * ACTED_MAX)]
    feed.append([said[0], feed.sealed(bytes(16), NeedClosed("met")), *said[1:]])
    assert interpreted(feed) == (True, ACTED_MAX + 1)
    assert interpreted(feed) == (False, 2 * ACTED_MAX + 1)
    assert feed.house.do(lambda work: work.evidence.count(ALICE, QUARANTINED)) == 0
    log = feed.house.home.read(lambda reading: reading.events.select(0, 1_000))
    assert sum(isinstance(event, PeerLink.RevocationAcknowledged) for _, event in log) == 2 * ACTED_MAX
