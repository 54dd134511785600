"""Giving a group its own feeds back, after it was restored: SPEC §16.3. Only to itself, only what it has signed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import partial

from aidmesh_node.application.ports import FeedHead, Readers, Reading
from aidmesh_node.federation.serve_pages import page_of
from aidmesh_protocol.bundle import CheckpointFrame, More, encode_frame
from aidmesh_protocol.checkpoint import parse_unverified


def asked_of_own(reading: Reading, peer: str, sizes: Mapping[bytes, object]) -> list[FeedHead]:
    """The feeds of the peer itself that it says it holds something of: nobody asks so unless it misses the rest."""
    return [head for head in reading.feeds.heads(owner=peer) if head.origin_hash in sizes]


async def frames_of_own(
    readers: Readers[Reading], heads: list[FeedHead], sizes: Mapping[bytes, tuple[int, bytes]], left: int, columns: bool
) -> AsyncIterator[bytes]:
    """For each feed what we hold beyond what its owner holds, as far as its owner has signed it."""
    more = 0
    for head in heads:
        at = sizes[head.origin_hash][0]
        if head.checkpoint is None or at >= head.signed_size:
            continue
        yield encode_frame(CheckpointFrame(head.checkpoint))
        shown = parse_unverified(head.checkpoint)
        while at < head.signed_size and left > 0:
            page = await readers.run(partial(page_of, shown, at, columns))
            yield page.data
            left -= len(page.data)
            at = page.stop
        more += head.signed_size - at
    if more:
        yield encode_frame(More(more))
