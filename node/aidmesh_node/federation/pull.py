"""One pull from one peer: what to ask, and reading the answer. Never trusts an answer as a whole.

A bundle verifies itself frame by frame; what is wrong with one feed ends that feed's part in this pull, is kept as
evidence, and leaves the other feeds alone. An interrupted link loses at most one package.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

from aidmesh_node.application.ports import FeedHead, Readers, Reading
from aidmesh_node.federation.gossip import Gossip
from aidmesh_node.federation.intake import Abandoned, Intake, Pulled
from aidmesh_node.federation.seen import newest_note
from aidmesh_node.federation.sender import Sender
from aidmesh_node.federation.tree_reading import size_of
from aidmesh_protocol.bundle import (
    MAGIC,
    Ask,
    CheckpointFrame,
    ColumnFrame,
    End,
    Fork,
    Frame,
    FrameReader,
    Heads,
    Reads,
    Sizes,
    Want,
    encode_frame,
)
from aidmesh_protocol.entry import FACTS
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX, SIZES_MAX, WANT_MAX

EVIDENCE_BYTES_MAX = 4096
"""Bytes kept of an answer that is no bundle: enough to see what it was."""

FRAMES_PER_TURN = 16
"""Frames taken in at a stretch: more than a piece of news has, and a few milliseconds of the worst."""

READ_KINDS = (Heads.KIND, Fork.KIND, ColumnFrame.KIND)
"""What we read and older nodes do not send unasked."""

AWAITED_MAX = 256
"""Entries after the first that waits whose facts are asked for in one request."""


async def ask_for_news(
    readers: Readers[Reading], gid: str, sender: Sender, wait_seconds: int, gossip: Gossip
) -> tuple[bytes, list[Frame]]:
    """The body of a sync request to the group `gid`: what is held of the feeds it may bring, what is missing of them,
    what it and others were seen to sign. With the frames of gossip in it."""
    gossiped, wanted = gossip.says(gid), tuple(gossip.wanted(gid))

    def ask(reading: Reading) -> list[Frame]:
        heads = [head for head in reading.feeds.heads() if sender.may_bring(head.owner, head.circle)]
        theirs = [head for head in heads if head.owner == gid]
        frames: list[Frame] = [
            Ask(BUNDLE_BYTES_ONLINE_MAX, wait_seconds),
            Sizes(tuple(size_of(head) for head in heads[:SIZES_MAX])),
            Reads(READ_KINDS),
            *gossiped,
        ]
        frames += [CheckpointFrame(note) for note in map(newest_note, theirs) if note]
        missing = tuple(
            (head.origin_hash, index, tag)
            for head in heads
            if head.circle is not None and head.folded < head.size
            for index, tag in reading.feeds.missing_parts(head.feed, _awaited(head))
        )[: WANT_MAX - len(wanted)]
        return [*frames, Want(missing, wanted), End()] if missing or wanted else [*frames, End()]

    frames = await readers.run(ask)
    return MAGIC + b"".join(encode_frame(frame) for frame in frames), gossiped


def _awaited(head: FeedHead) -> list[tuple[int, str]]:
    """The facts that interpretation needs next. It stops at the first that is missing; there may be more behind."""
    return [(index, FACTS) for index in range(head.folded, min(head.size, head.folded + AWAITED_MAX))]


async def read_answer(intake: Intake, stream: AsyncIterator[bytes]) -> Pulled:
    """Take in one answer. Raises ProtocolError when the bundle itself is broken; faults of feeds are collected."""
    reader, taken = FrameReader(), count(1)
    data = b""
    try:
        async for data in stream:
            for frame in reader.feed(data):
                await intake.take(frame)
                if next(taken) % FRAMES_PER_TURN == 0:
                    # Frames come as fast as the peer can send: everybody else has a turn now and then.
                    await asyncio.sleep(0)
        reader.close()
    except Abandoned:
        raise
    except ProtocolError as error:
        await intake.refuse(None, ProtocolError(error.code, error.detail, (data[:EVIDENCE_BYTES_MAX],)))
        raise
    finally:
        # What was complete before the line broke is verified by itself, and kept; after END nothing is left to do.
        await intake.cut_short()
    return intake.pulled
