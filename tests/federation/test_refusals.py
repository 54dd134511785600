"""One table: every refusal of the protocol that this version can produce, how it is provoked, and what comes of it.

For every row: the code, its HTTP status and problem document where somebody is answered, the offending bytes kept where
a peer's data was at fault (nothing where only a request was refused), and that the next good entry of another, honest
group becomes visible all the same.
"""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from aidmesh_node.home import Home
from aidmesh_node.http.app import build_app
from aidmesh_protocol import paths
from aidmesh_protocol.bundle import (
    CheckpointFrame,
    End,
)
from aidmesh_protocol.errors import STATUS, ProtocolError
from aidmesh_protocol.origin import circle_origin
from tests.support.federation import Group
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer, Town, evidence, head, send, town
from tests.support.refused_answers import ASKED, shown_first
from tests.support.refused_questions import ANSWERED, Provoking, Question, recovering
from tests.support.stories import on_board

NOT_PRODUCED = {
    "part_erased": "erasing parts is another issue; a part that is withheld is simply not in the answer",
}


def test_the_table_knows_every_code() -> None:
    assert ANSWERED.keys() | ASKED.keys() | NOT_PRODUCED.keys() == STATUS.keys()
    assert not NOT_PRODUCED.keys() & (ANSWERED.keys() | ASKED.keys())


async def test_every_refusal_as_the_one_who_is_asked(tmp_path: Path) -> None:
    """SPEC §8.4a."""
    async with town(tmp_path) as here:
        for code, provocations in ANSWERED.items():
            for provoke in provocations:
                row = f"{code}: {provoke.__name__}"
                name = provoke.__name__.replace("_", "-")
                x, y = await here.mallory(f"{name}-said"), await here.mallory(f"{name}-sent")
                question = await provoke(here, x)
                assert await refusal(victim(here, provoke), question) == code, row
                here.mesh.clock.tick_seconds = 0.1  # type: ignore[attr-defined]
                question = await provoke(here, y)
                async with rim(victim(here, provoke)) as client:
                    status, problem = await over_http(client, question)
                here.mesh.clock.tick_seconds = 0.1  # type: ignore[attr-defined]
                assert (status, problem["code"], problem["status"]) == (STATUS[code], code, STATUS[code]), row
                assert problem["detail"], row
                assert ("nonce" in problem and "server_time" in problem) is (code == "clock_skew"), row
                for each in (x, y):
                    assert await evidence(victim(here, provoke), each.gid) == [], f"{row}: proves nothing to anybody"
                assert await here.good_news(victim(here, provoke)), row
                assert victim(here, provoke).node.verify().ok, row


def victim(town: Town, provoke: Provoking) -> Group:
    return town.mesh.groups["carol"] if provoke is recovering else town.alice


async def test_every_refusal_as_the_one_who_asks(tmp_path: Path) -> None:
    """SPEC §9.3a, §13a."""
    async with town(tmp_path) as here:
        for code, provocations in ASKED.items():
            for provoke in provocations:
                x = await here.mallory(provoke.__name__.replace("_", "-"))
                shown, row = await provoke(here, x), f"{code}: {provoke.__name__}"
                before = (await head(here.alice, x.feed.origin), len(await evidence(here.alice, x.gid)))
                assert await verdicts(here, x, shown.pieces) == [code], row
                kept = (await evidence(here.alice, x.gid))[before[1] :]
                assert [each.code for each in kept] == [code], row
                assert kept[0].detail and tuple(shown.kept) == kept[0].blobs[: len(shown.kept)], row
                after = await head(here.alice, x.feed.origin)
                # Of what was refused nothing is kept in the feed; a forked one stands still for good.
                assert (after.size if after else 0) == (before[0].size if before[0] else 0), row
                assert (after.frozen if after else None) == ("fork_detected" if shown.frozen else None), row
                assert await here.good_news(), row
                assert here.alice.node.verify().ok, row
                assert STATUS[code] >= 400


async def test_a_forked_feed_stays_readable_and_frozen_and_says_so(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        first = await shown_first(here, x)
        assert len(await boards(here.alice, x)) == 3
        second = x.feed.note(root=bytes(range(32)))
        await x.shows(here.alice, CheckpointFrame(second))

        x.feed.append(x.need("Stoves"))
        told = await x.shows(here.alice, *x.feed.frames(3))
        assert [each.code for each in told.refused] == ["fork_detected"], "it stays frozen, whatever comes"
        assert len(await boards(here.alice, x)) == 3, "what was there is still readable"
        (kept, *_) = await evidence(here.alice, x.gid)
        assert kept.blobs == (first, second)
        async with rim(here.alice) as client:
            token = Home(here.alice.home).token.read_text().strip()
            async with client.get(f"/api/v1/peers/{x.gid}", headers={"Authorization": f"Bearer {token}"}) as answer:
                peer = await answer.json()
        assert (peer["frozen"], peer["held"]["size"]) == ("fork_detected", 3)


async def test_a_nonce_of_ours_lets_a_dead_clock_in_once(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        try:
            await send(here.alice, x.request(here.alice, created=0))
        except ProtocolError as error:
            nonce = str(getattr(error, "nonce", ""))
        again = x.request(here.alice, created=0, nonce=nonce)
        assert isinstance((await send(here.alice, again))[-1], End)
        assert await refusal(here.alice, again) == "bad_signature"
        y = await here.mallory("oscar")
        assert await refusal(here.alice, y.request(here.alice, created=0, nonce=nonce)) == "clock_skew"


async def test_faults_of_one_feed_leave_the_other_feeds_of_the_same_answer_alone(tmp_path: Path) -> None:
    """SPEC §13b."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Tents"))
        bobs = RawFeed(circle_origin(here.bob.node.gid, x.circle), x.key)
        bobs.append(x.need())
        later = RawFeed(circle_origin(x.gid, x.circle, 7), x.witness)
        later.append(x.need())
        pulled = await x.shows(here.alice, *bobs.frames(), *later.frames(), *x.feed.frames())
        assert [each.code for each in pulled.refused] == ["unknown_feed", "bad_signature"]
        # SPEC §16.4a: nothing is kept of a feed that somebody else says was begun anew.
        kept = here.alice.node.readers.run_now(lambda reading: reading.feeds.heads(owner=x.gid))
        assert [head.generation for head in kept if head.circle] == [0]
        assert len(await boards(here.alice, x)) == 1


async def verdicts(town: Town, x: RawPeer, pieces: Sequence[bytes]) -> list[str]:
    """The codes alice's node found in an answer of x."""
    try:
        return [each.code for each in (await x.sends(town.alice, *pieces)).refused]
    except ProtocolError as error:
        return [error.code]


async def refusal(group: Group, question: Question) -> str:
    try:
        if isinstance(question, bytes):
            await group.federation.pair(question)
        elif question.path == paths.WAKE:
            group.federation.wake(question)
        else:
            await send(group, question)
    except ProtocolError as error:
        return error.code
    return "answered"


@asynccontextmanager
async def rim(group: Group) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """The group's HTTP on a port of this machine."""
    async with TestClient(TestServer(build_app(group.node))) as client:
        yield client


async def over_http(
    client: TestClient[web.Request, web.Application], question: Question
) -> tuple[int, dict[str, object]]:
    """Status and problem document for the same question."""
    path, headers, body = (
        (paths.PAIR, {}, question)
        if isinstance(question, bytes)
        else (question.path, dict(question.headers), question.body)
    )
    async with client.post(path, data=io.BytesIO(body), headers=headers) as answer:
        assert answer.content_type == "application/problem+json", await answer.text()
        return answer.status, json.loads(await answer.text())


async def boards(group: Group, x: RawPeer) -> list[str]:
    """The items of x on the group's board."""
    return [need["item"] for need in (await on_board(group)).values() if need["group"] == x.gid]
