"""What the tests of hostile input have in common: what a group sees, stores and refuses of a hostile peer."""

from __future__ import annotations

import resource
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application.subject_ids import heard_pledge_id
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.views import needs as needs_view
from aidmesh_protocol import statements as said
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError
from tests.support.federation import Group
from tests.support.raw_peer import RawPeer, evidence, head, send
from tests.support.stories import (
    made,
)


def offered(need: bytes, quantity: str) -> said.PledgeOffered:
    return said.PledgeOffered(need, None, 1, quantity, "item", "deliver", None, None)


def flips(data: bytes) -> list[bytes]:
    """The bytes with one bit changed, for every bit."""
    found = []
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found.append(bytes(changed))
    return found


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def subject_in(x: RawPeer, index: int) -> bytes:
    return Entry.decode(x.feed.sealed[index].entry).subject_id


async def heard_from(group: Group, subject: bytes) -> UUID:
    """The id by which this group knows a pledge that a peer offered under `subject`."""
    found = made(group, Pledge.Offered)
    for each in found:
        if each.circle and heard_pledge_id(bytes.fromhex(each.circle), subject) == each.originator_id:
            return UUID(str(each.originator_id))
    raise AssertionError("nobody heard of this pledge")


async def needs_of(group: Group) -> list[dict[str, Any]]:
    """All needs of other groups as the members see them, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page: Any = await group.see(needs_view.list_page, ours=False, limit=500, cursor=cursor)
        found += page["items"]
        if (cursor := page["cursor"]) is None:
            return found


async def items(group: Group) -> set[str]:
    """Items of the open needs of other groups, as the members see them."""
    return {each["item"] for each in await needs_of(group) if each["state"] == "open"}


async def stored(group: Group, x: RawPeer) -> list[bytes]:
    held = await head(group, x.feed.origin)
    assert held is not None
    return (await group.node.writer.run(lambda work: work.feeds.entries(held.feed, 0, held.size))).value


async def count(group: Group, x: RawPeer) -> int:
    """How many faults of x were counted, kept or not."""
    codes = {row.code for row in await evidence(group, x.gid)}
    counted = await group.node.writer.run(lambda work: [work.evidence.count(x.gid, code) for code in codes])
    return sum(counted.value)


async def refused(group: Group, request: Any, code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        await send(group, request)
    assert caught.value.code == code
