"""The doors peers knock at: what is passed on, what is refused before, and how an answer ends that breaks off."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import ClientPayloadError, ClientSession, web

from aidmesh_node.application.node import Node
from aidmesh_node.application.peer_doors import PeerDoors, PeerRequest
from aidmesh_node.http.app import build_runner
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PAIRING_BYTES_MAX, SYNC_BODY_BYTES_MAX
from aidmesh_protocol.paths import BUNDLE_TYPE, PAIRING_TYPE

from .conftest import Group


class Doors:
    """Stands where the federation stands: keeps what it was asked, answers what it was told."""

    def __init__(self) -> None:
        self.asked: list[PeerRequest] = []
        self.refusal: Exception | None = None
        self.pieces: list[bytes | Exception] = []
        self.ended = asyncio.Event()

    async def sync(self, request: PeerRequest) -> AsyncIterator[bytes]:
        try:
            self._ask(request)
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.ended.set()

    def wake(self, request: PeerRequest) -> None:
        self._ask(request)

    async def pair(self, body: bytes, source: str = "") -> bytes:
        if self.refusal is not None:
            raise self.refusal
        return body[::-1]

    def _ask(self, request: PeerRequest) -> None:
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal


class Skewed(ProtocolError):
    server_time = 1_700_000_000
    nonce = "srv~1"


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
async def url(group: Group, doors: Doors) -> AsyncIterator[str]:
    node: Node = replace(group.node, peers=doors)  # type: ignore[arg-type]
    runner = build_runner(node)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_request_is_passed_on_as_it_came(url: str, doors: Doors) -> None:
    doors.pieces = [b"one", b"two" * 100_000, b"three"]
    async with ClientSession() as session:
        headers = [("Signature", "a=:b:"), ("X-Twice", "1"), ("X-Twice", "2")]
        async with session.post(f"{url}/aidmesh/1/sync?x=%41&y", data=b"\x00body", headers=headers) as answer:
            assert (answer.status, answer.content_type) == (200, BUNDLE_TYPE)
            assert await answer.read() == b"one" + b"two" * 100_000 + b"three"
    (asked,) = doors.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/aidmesh/1/sync", b"\x00body")
    assert asked.query.startswith("x=")
    assert [value for name, value in asked.headers if name == "X-Twice"] == ["1", "2"]


async def test_a_refusal_has_its_own_status_and_code(url: str, doors: Doors) -> None:
    async with ClientSession() as session:
        for refusal, status in (
            (ProtocolError("bad_signature", "no"), 401),
            (ProtocolError("severed", "no"), 403),
            (ProtocolError("rate", "no"), 429),
            (ProtocolError("recovering", "no"), 503),
        ):
            doors.refusal = refusal
            for path in ("sync", "wake", "pair"):
                async with session.post(f"{url}/aidmesh/1/{path}", data=b"x") as answer:
                    problem = await answer.json(content_type="application/problem+json")
                    assert (answer.status, problem["code"]) == (status, refusal.code), path
        doors.refusal = Skewed("clock_skew", "your clock differs")
        async with session.post(f"{url}/aidmesh/1/sync", data=b"x") as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["server_time"], problem["nonce"]) == (401, 1_700_000_000, "srv~1")


async def test_our_own_fault_tells_a_peer_nothing(url: str, doors: Doors) -> None:
    doors.refusal = RuntimeError("/home/ana/node.db")
    async with ClientSession() as session, session.post(f"{url}/aidmesh/1/sync", data=b"x") as answer:
        assert answer.status == 500 and "ana" not in await answer.text()


async def test_an_answer_that_breaks_off_is_cut_and_never_ends_well(url: str, doors: Doors) -> None:
    doors.pieces = [b"one", RuntimeError("disk")]
    async with ClientSession() as session:
        async with session.post(f"{url}/aidmesh/1/sync", data=b"x") as answer:
            assert answer.status == 200
            with pytest.raises(ClientPayloadError):
                await answer.read()
        async with session.get(f"{url}/healthz") as alive:
            assert alive.status == 200


async def test_a_peer_that_hangs_up_ends_the_work_for_it(url: str, doors: Doors) -> None:
    doors.pieces = [b"x" * 65536] * 400
    async with ClientSession() as session:
        answer = await session.post(f"{url}/aidmesh/1/sync", data=b"x")
        await answer.content.read(10)
        answer.close()
        await asyncio.wait_for(doors.ended.wait(), 10)


async def test_wakes_are_taken_and_pairing_answered(url: str, doors: Doors) -> None:
    async with ClientSession() as session:
        async with session.post(f"{url}/aidmesh/1/wake") as answer:
            assert (answer.status, await answer.read()) == (202, b"")
        async with session.post(f"{url}/aidmesh/1/pair", data=b"abc") as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (200, PAIRING_TYPE, b"cba")
    assert doors.asked[0].body == b""


async def test_bodies_have_their_limit_before_anything_is_verified(url: str, doors: Doors) -> None:
    async with ClientSession() as session:
        for path, most in (("sync", SYNC_BODY_BYTES_MAX), ("wake", SYNC_BODY_BYTES_MAX), ("pair", PAIRING_BYTES_MAX)):
            async with session.post(f"{url}/aidmesh/1/{path}", data=io.BytesIO(b"x" * (most + 1))) as answer:
                assert answer.status == 413, path
                assert (await answer.json(content_type="application/problem+json"))["code"] == "too_large"
    assert doors.asked == []


async def test_a_token_opens_no_door_of_peers(group: Group) -> None:
    for path in ("sync", "wake"):
        answer = await group.ask("operator", "POST", f"/aidmesh/1/{path}", b"")
        assert (answer.status, answer.code) == (401, "bad_signature")


def test_the_federation_fits_the_doors(group: Group) -> None:
    doors: PeerDoors = group.node.peers
    assert set(doors.well_known()) == {"gid", "versions"}
