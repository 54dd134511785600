"""How our events name a feed entry: "<origin hash hex>:<index>", and the signed reference that name stands for."""

from __future__ import annotations

from aidmesh_node.application.ports import FeedReads, Work
from aidmesh_protocol.entry import Ref


def entry_name(origin_hash: bytes, index: int) -> str:
    """The name of one entry, for an event's `cause`."""
    return f"{origin_hash.hex()}:{index}"


def entry_ref(work: Work, name: str) -> Ref:
    """The reference with the entry's leaf hash, read from the rows we hold. Raises LookupError if we do not."""
    return find_ref(work.feeds, name)


def find_ref(feeds: FeedReads, name: str) -> Ref:
    """As `entry_ref`, over any reading of feeds."""
    origin_hex, _, index = name.partition(":")
    head = feeds.head_by_hash(bytes.fromhex(origin_hex))
    leaves = feeds.leaves(head.feed, int(index), int(index) + 1) if head else []
    if not leaves:
        raise LookupError(f"entry {name} is not held")
    return Ref(bytes.fromhex(origin_hex), int(index), leaves[0])
