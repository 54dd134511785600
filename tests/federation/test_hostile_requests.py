"""Requests captured and sent again, clocks that were set, and questions that only cost time: A13, J03, J04."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aidmesh_protocol.bundle import (
    CheckpointFrame,
    Sizes,
    Want,
    encode_frame,
)
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import FEED_ENTRIES_MAX
from aidmesh_protocol.origin import circle_origin
from tests.support.lies import (
    refused,
)
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import bundle, head, raw_frame, send, town
from tests.support.stories import (
    post_need,
    share,
)


async def test_a13_a_captured_request_counts_once(tmp_path: Path) -> None:
    """SPEC §10.3a."""
    async with town(tmp_path) as here:
        x, clock = await here.mallory(), here.mesh.clock
        captured = x.request(here.alice)
        await send(here.alice, captured)
        await refused(here.alice, captured, "bad_signature")
        await refused(here.bob, captured, "bad_signature")
        for other in (
            replace(captured, body=captured.body + b"\0"),
            replace(captured, path="/aidmesh/1/wake"),
            replace(captured, path="/aidmesh/1/Sync"),
            replace(captured, query="again"),
            replace(captured, method="GET"),
            replace(captured, method="PUT"),
        ):
            await refused(here.alice, other, "bad_signature")
        clock.time += timedelta(seconds=601)
        clock._ticks += 601
        await refused(here.alice, captured, "clock_skew")


async def test_a13_a_request_from_the_future_is_not_accepted_again_when_its_nonce_is_forgotten(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x, clock = await here.mallory(), here.mesh.clock
        captured = x.request(here.alice, created=int(clock.now().timestamp()) + 300)
        await send(here.alice, captured)
        clock.time += timedelta(seconds=600.9)
        clock._ticks += 600.9
        await refused(here.alice, captured, "clock_skew")
        await send(here.alice, x.request(here.alice))


async def test_a13_a_clock_set_back_lets_nothing_in_again(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x, clock = await here.mallory(), here.mesh.clock
        captured = x.request(here.alice)
        await send(here.alice, captured)
        clock._ticks += 1200
        clock.time += timedelta(seconds=1200)
        await send(here.alice, x.request(here.alice))
        clock.time -= timedelta(seconds=1200)
        await refused(here.alice, captured, "clock_skew")


async def test_a13_after_a_restart_what_was_captured_before_is_refused(tmp_path: Path) -> None:
    """SPEC §10.3b."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        captured = x.request(here.alice)
        await send(here.alice, captured)
        await here.mesh.stop("alice")
        alice = await here.mesh.start("alice")
        await refused(alice, captured, "clock_skew")


async def test_sizes_that_nobody_has(tmp_path: Path) -> None:
    """As answer and as question: acknowledged is at most what we served, and unknown feeds are not remembered."""
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        ours = circle_origin(alice.node.gid, x.circle)
        huge = [(RawFeed(ours, x.key).hash, FEED_ENTRIES_MAX, bytes(32))]
        noise = [(x.draw(32), FEED_ENTRIES_MAX, x.draw(32)) for _ in range(1000)]
        for _ in range(5):
            await x.asks(alice, Sizes((*huge, *noise)))
        held = await head(alice, ours)
        assert held is not None
        assert alice.federation.health(x.gid)["acknowledged"] == held.signed_size
        assert len(alice.federation.links._acknowledged) <= 4, "alice and bob share two feeds, so do alice and mallory"
        assert (await x.shows(alice, Sizes((*huge, *noise)))).refused == []
        assert alice.federation.standing()["standing"] == "active"
        x.feed.append(x.need())
        pulled = await x.shows(alice, CheckpointFrame(x.feed.note(FEED_ENTRIES_MAX, root=bytes(range(32)))))
        assert pulled.refused == []
        pulled = await x.pulled_by(alice)
        assert (pulled.entries, pulled.refused) == (1, []), "a claim does not keep true entries from coming"
        assert alice.node.verify().ok


async def test_a_peer_gets_nothing_that_is_not_served_to_it(tmp_path: Path) -> None:
    """It wants parts and entries of the circle with bob, of entries that are not signed, and everything twice.

    SPEC §8.4b.
    """
    async with town(tmp_path) as here:
        alice, x = here.alice, await here.mallory()
        with_bob = RawFeed(circle_origin(alice.node.gid, here.with_bob), x.key)
        with_x = RawFeed(circle_origin(alice.node.gid, x.circle), x.key)
        await share(alice, await post_need(alice, 5), x.circle)
        await alice.federation.publisher.publish()
        await share(alice, await post_need(alice, 6, "Secret"), x.circle)
        await alice.node.writer.run(alice.federation.publisher._append)
        held = await head(alice, with_x.origin)
        assert held is not None and held.size == held.signed_size + 1, "one entry is not signed yet"
        sizes = Sizes(((with_x.hash, held.signed_size, bytes(32)),))
        for feed in (with_bob, with_x):
            start = 0 if feed is with_bob else held.signed_size
            parts = tuple((feed.hash, index, tag) for index in range(start, start + 50) for tag in (FACTS, VIEW))
            entries = tuple((feed.hash, index) for index in range(start, start + 50))
            got = await x.asks(alice, sizes, Want(parts, entries))
            assert {type(each).__name__ for each in got} <= {"Head", "Sizes", "CheckpointFrame", "Ident", "End"}
        got = await x.asks(alice, sizes, Want(((with_x.hash, 0, FACTS),) * 500, ((with_x.hash, 0),) * 500))
        assert [type(each).__name__ for each in got].count("PartFrame") == 1, "each thing once"
        assert [type(each).__name__ for each in got].count("Inclusion") == 1


async def test_j04_what_anybody_may_send_costs_little(tmp_path: Path) -> None:
    """Half a megabyte of the most laborious bytes, before anybody has proved who they are, and of a peer's."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        row = b"\xdc\x03\xe8" + b"\x90" * 1000
        table = b"\xdc\x02\x58" + row * 600
        sizes = encode_frame(Sizes(((bytes(32), 1, bytes(32)),) * 1024))
        for start in (b"\x92\x01", b"\x94\x01\x02\x03", b"\xdc\x03\xc6", b"\x96" + b"\x01" * 6):
            body = start + table
            begun = time.process_time()
            with pytest.raises(ProtocolError):
                await here.alice.federation.pair(body)
            assert time.process_time() - begun < 0.05
        for frames in ([sizes] * 500, [raw_frame(b"\x92\x7f" + table[:60_000])] * 17):
            request = x.request(here.alice, b"".join(bundle(*frames)))
            begun = time.process_time()
            with suppress(ProtocolError):
                await send(here.alice, request)
            assert time.process_time() - begun < 0.05
