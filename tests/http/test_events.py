"""Live pages: what changed is told at once, once and in order, and a line that breaks loses nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from aidmesh_node.http.app import ROUTES, build_runner
from aidmesh_node.http.live import LIVE, Bounds, Live
from tests.support.federation import Mesh
from tests.support.following import EventStream, Follower, Told, following
from tests.support.stories import post_need, share, two_groups

from .conftest import Group, opened, served


@asynccontextmanager
async def follows(group: Group, who: str, last_id: str = "", query: str = "") -> AsyncIterator[Follower]:
    async with following(group.session, group.url, group.tokens[who], last_id, query) as follower:
        yield follower


async def missed(group: Group, who: str, last_id: str, query: str = "") -> list[Told]:
    """What somebody who comes back is told."""
    async with follows(group, who, last_id, f"?follow=false{query}") as follower:
        return await follower.rest()


async def the_end(group: Group, who: str = "member") -> str:
    """The id of everything so far."""
    await group.get(who, "/status")
    (ready,) = await missed(group, who, "")
    assert ready.event == "ready"
    return ready.id


def brief(told: list[Told]) -> list[tuple[str, str, int]]:
    return [(one.data["kind"], one.data["id"], one.data["version"]) for one in told if one.event == "change"]


async def test_alices_page_sees_what_bobs_group_shares_as_it_happens(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        async with served(alice.node, alice.home) as page, follows(page, "operator") as follower:
            ready = await follower.next()
            assert ready is not None and ready.event == "ready"
            need = await post_need(bob, 20)
            subject = await share(bob, need, circle)
            await mesh.settle()
            (change,) = await follower.changes(1)
            assert (change["kind"], change["id"], change["ours"]) == ("need", subject, False)
            # No position is asked for: whoever is told sees it.
            (seen,) = (await page.get("operator", "/board", Aidmesh_Position="0")).body["needs"]
            assert (seen["id"], seen["item"], seen["version"]) == (subject, "Blankets", change["version"])


async def test_after_each_change_the_lists_show_it_already(group: Group) -> None:
    async with follows(group, "member") as follower:
        await follower.next()
        for quantity in range(1, 6):
            need = await group.need("coordinator", quantity=str(quantity))
            (change,) = await follower.changes(1)
            assert (change["kind"], change["id"], change["version"], change["ours"]) == ("need", need, 1, True)
            shown = await group.get("member", f"/needs/{need}", Aidmesh_Position="0")
            assert (shown.status, shown.body["version"]) == (200, 1)


async def test_a_page_that_was_away_for_ten_changes_is_told_of_those_ten(group: Group) -> None:
    async with follows(group, "member") as follower:
        await follower.next()
        first, (before,) = await group.need("member"), await follower.changes(1)
        away = follower.stream.last_id
    made = [("need", await group.need("coordinator"), 1) for _ in range(8)]
    for need, version in ((first, 2), (made[0][1], 2)):
        assert (await group.post("coordinator", f"/needs/{need}/withdraw")).status == 200
        made.append(("need", need, version))
    async with follows(group, "member", away) as follower:
        resumed = await follower.next()
        assert resumed is not None and (resumed.event, resumed.id) == ("resumed", away)
        told = await follower.changes(10)
        assert [(one["kind"], one["id"], one["version"]) for one in told] == made
        assert [one["position"] for one in told] == list(range(before["position"] + 1, before["position"] + 11))
        after = await group.need("coordinator")
        assert [one["id"] for one in await follower.changes(1)] == [after], "and goes on from there"


async def test_wherever_the_line_breaks_everything_is_told_once(group: Group) -> None:
    """Cut after every byte: what arrived whole, and what is told after coming back, make one story."""
    start = await the_end(group)
    needs = [await group.need("member") for _ in range(4)]
    await group.pledge("other", needs[0])
    async with group.session.get(
        f"{group.url}/api/v1/events?follow=false",
        headers={
            "Authorization": f"Bearer {group.tokens['member']}",
            "Last-Event-ID": start,
            "Aidmesh-Position": group.position,
        },
    ) as response:
        data = await response.read()
    whole = brief(list(EventStream(start).feed(data)))
    assert len(whole) == 6 and whole[:4] == [("need", need, 1) for need in needs]
    resumed: dict[str, list[tuple[str, str, int]]] = {}
    for cut in range(len(data) + 1):
        stream = EventStream(start)
        arrived = brief(list(stream.feed(data[:cut])))
        if stream.last_id not in resumed:
            resumed[stream.last_id] = brief(await missed(group, "member", stream.last_id))
        assert arrived + resumed[stream.last_id] == whole, f"cut after {cut} bytes"
    assert len(resumed) == 7


async def test_only_some_kinds_and_still_no_gap(group: Group) -> None:
    start = await the_end(group)
    need = await group.need("member")
    await group.offer("member")
    pledge = await group.pledge("other", need)
    await group.offer("member")
    told = await missed(group, "member", start, f"&kinds=pledge,need&after={group.position}")
    assert brief(told)[0] == ("need", need, 1) and ("pledge", pledge, 1) in brief(told)
    assert {kind for kind, _, _ in brief(told)} == {"need", "pledge"}
    async with follows(group, "member", start, "?kinds=member&follow=false") as follower:
        assert [one.event for one in await follower.rest()] == ["resumed"]
        assert follower.stream.last_id == await the_end(group), "what one does not ask for is passed over for good"


async def test_whoever_asks_wrongly_is_told_so(group: Group) -> None:
    for query in ("?kinds=", "?kinds=need,gossip", "?kinds=need&kinds=offer", "?since=4", "?follow=perhaps"):
        answer = await group.get("member", f"/events{query}")
        assert (answer.status, answer.code) == (400, "malformed"), query
    assert (await group.get(None, "/events?follow=false")).status == 401
    assert (await group.post("member", "/events", {})).status == 405


@pytest.mark.parametrize(
    ("id", "reason"),
    [
        ("1-0000000000000000", "other_history"),
        ("999999999999999999-0123456789abcdef", "other_history"),
        ("9" * 400, "other_history"),
        ("nothing of ours", "other_history"),
        ("-1-0123456789abcdef", "other_history"),
        ("0-0123456789abcdef", "too_old"),
        ("٣-0123456789abcdef", "other_history"),
    ],
)
async def test_an_id_that_is_not_ours_means_read_the_lists_anew(group: Group, id: str, reason: str) -> None:
    end = await the_end(group)
    (reset,) = await missed(group, "member", id)
    assert (reset.event, reset.data["reason"], reset.id) == ("reset", reason, end)
    (resumed,) = await missed(group, "member", reset.id)
    assert resumed.event == "resumed"


async def test_what_is_told_of_is_never_what_it_says(group: Group) -> None:
    start = await the_end(group)
    posted = await group.post(
        "member",
        "/needs",
        {
            "category": "medicine",
            "quantity": "1",
            "unit": "item",
            "note": "for my mother",
            "for": {"name": "Amara", "phone": "+670 7723 4411"},
        },
    )
    await group.joins("zawadi", "member")
    told = await missed(group, "other", start, f"&after={group.position}")
    assert {one.data["kind"] for one in told if one.event == "change"} == {"need", "member"}
    assert all(set(one.data) <= {"kind", "id", "ours", "version", "position"} for one in told)
    text, private = repr(told).lower(), ("mother", "amara", "7723", "zawadi", "medicine")
    assert posted.id in text and not [word for word in private if word in text]


async def test_the_headers_keep_proxies_from_holding_it_back(group: Group) -> None:
    async with follows(group, "member") as follower:
        headers = follower.response.headers
        assert headers["Content-Type"].startswith("text/event-stream")
        assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-cache", "no")
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Server"] == "aidmesh"


async def test_a_member_whose_access_is_taken_back_hears_nothing_after_it(group: Group) -> None:
    async with follows(group, "member") as follower:
        await follower.next()
        need = await group.need("coordinator")
        assert (await group.post("operator", f"/members/{group.members['member']}/revoke")).status == 200
        await group.need("coordinator")
        told = await follower.rest()
        assert [one.data["kind"] for one in told] == ["need", "member"] and told[0].data["id"] == need
    again = await group.get("member", "/events", Last_Event_ID=told[-1].id)
    assert (again.status, again.code) == (401, "unauthenticated")


async def test_who_becomes_a_coordinator_is_let_in_anew_and_misses_nothing(group: Group) -> None:
    async with follows(group, "member") as follower, follows(group, "other") as bystander:
        await follower.next()
        await bystander.next()
        body = {"role": "coordinator"}
        assert (await group.post("operator", f"/members/{group.members['member']}/role", body)).status == 200
        need = await group.need("operator")
        (change,) = await follower.rest()
        assert (change.data["kind"], change.data["id"]) == ("member", group.members["member"])
        assert [one["kind"] for one in await bystander.changes(2)] == ["member", "need"], "of others it is only told"
    assert brief(await missed(group, "member", change.id, f"&after={group.position}")) == [("need", need, 1)]


async def test_fifty_pages_are_all_told_once(group: Group) -> None:
    for number in range(4):
        await group.joins(f"visitor{number}", "member")
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(follows(group, who))
            for who in [*group.tokens, *group.tokens, *group.tokens, *group.tokens, *group.tokens, *group.tokens,
                        *list(group.tokens)[:2]]
        ]  # fmt: skip
        assert len(pages) == 50
        await asyncio.gather(*(page.next() for page in pages))
        needs = await asyncio.gather(*(group.need("coordinator") for _ in range(20)))
        for told in await asyncio.gather(*(page.changes(20) for page in pages)):
            assert sorted(one["id"] for one in told) == sorted(needs)
            assert [one["position"] for one in told] == sorted(one["position"] for one in told)


async def test_of_fifty_streams_of_one_member_as_many_are_opened_as_may_be(group: Group) -> None:
    headers = {"Authorization": f"Bearer {group.tokens['member']}"}
    async with ClientSession() as session:
        answers = await asyncio.gather(*(session.get(f"{group.url}/api/v1/events", headers=headers) for _ in range(50)))
        let_in = [answer for answer in answers if answer.status == 200]
        assert len(let_in) == Bounds().per_member
        for answer in answers:
            if answer.status != 200:
                problem = await answer.json(content_type="application/problem+json")
                assert (answer.status, problem["code"]) == (429, "too_many_streams")
                assert int(answer.headers["Retry-After"]) > 0 and problem["hint"]
        assert (await group.get("other", "/events?follow=false")).status == 200, "others are not affected"
        for answer in let_in:
            answer.close()
        assert (await group.get("member", "/events?follow=false")).status == 200, "who hung up is found out at once"


@dataclass
class Town:
    """A group's node behind a server of its own, whose connections have small buffers."""

    group: Group
    live: Live
    runner: web.AppRunner
    url: str


@pytest.fixture
async def town(group: Group) -> AsyncIterator[Town]:
    runner = build_runner(group.node)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    # What is accepted has it from here.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    await web.SockSite(runner, listening).start()
    live = runner.app[LIVE]
    live.bounds = Bounds(per_member=3, in_all=5, ping_seconds=0.02, unread_seconds=0.5)
    yield Town(group, live, runner, f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


async def test_a_silent_stream_is_kept_alive(town: Town) -> None:
    async with following(town.group.session, town.url, town.group.tokens["member"]) as follower:
        await follower.next()
        while follower.stream.pings < 3:
            assert list(follower.stream.feed(await follower.response.content.readany())) == []


async def test_the_node_has_only_so_many_streams(town: Town) -> None:
    group = town.group
    async with AsyncExitStack() as stack:
        for who in ("member", "member", "member", "other", "other"):
            await stack.enter_async_context(following(group.session, town.url, group.tokens[who]))
        headers = {"Authorization": f"Bearer {group.tokens['coordinator']}"}
        async with group.session.get(f"{town.url}/api/v1/events", headers=headers) as answer:
            problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["code"]) == (503, "busy") and answer.headers["Retry-After"]
        assert len(town.live) == 5
    async with following(group.session, town.url, group.tokens["member"], query="?follow=false") as follower:
        assert [one.event for one in await follower.rest()] == ["ready"]


async def test_who_does_not_read_is_cut_off_and_hurts_nobody(town: Town) -> None:
    """They come back to where they were; meanwhile nothing is kept for them but a page."""
    group = town.group
    start = await the_end(group)
    slow, loop = socket.socket(), asyncio.get_running_loop()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    host, port = town.url.removeprefix("http://").split(":")
    await loop.sock_connect(slow, (host, int(port)))
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {group.tokens['member']}\r\n\r\n"
    await loop.sock_sendall(slow, request.encode())
    assert (await loop.sock_recv(slow, 1000)).startswith(b"HTTP/1.1 200 OK"), "and that is all they read"
    async with following(group.session, town.url, group.tokens["other"]) as quick:
        await quick.next()
        sent = 0
        while len(town.live) == 2:
            made = await asyncio.gather(*(group.need("operator") for _ in range(200)))
            told = await quick.changes(200)
            assert sorted(one["id"] for one in told) == sorted(made)
            sent += 200
            assert sent < 20_000, "whoever does not read is cut off before that"
    assert sent > 0
    slow.close()
    async with following(group.session, town.url, group.tokens["member"], start, "?follow=false") as back:
        assert len(brief(await back.rest())) == sent


async def test_when_the_lists_cannot_be_read_that_is_said_and_passes(group: Group) -> None:
    """All readers are busy: nobody is let in to silence, and whoever comes back is."""
    start = await the_end(group)
    need = await group.need("member")
    await group.get("member", "/board")
    readers: Any = group.node.views._queries
    readers._waiting_max, waiting_max = 0, readers._waiting_max
    slow: Any = group.node.views._pace
    slow._took.clear()  # a question nobody has answered yet is not answered on the event loop
    answer = await group.ask("member", "GET", "/api/v1/events", Last_Event_ID=start, Aidmesh_Position="0")
    assert (answer.status, answer.code) == (503, "busy") and answer.headers["Retry-After"]
    readers._waiting_max = waiting_max
    assert brief(await missed(group, "member", start)) == [("need", need, 1)]


async def test_a_proxy_of_the_old_kind_can_pass_it_on(group: Group) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", group.port)
    token = group.tokens["member"]
    writer.write(
        f"GET /api/v1/events?follow=false HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b" 200 OK" in head and b"chunked" not in head
    assert [told.event for told in EventStream().feed(body)] == ["ready"]


async def test_a_node_that_stops_ends_its_streams_at_once(town: Town) -> None:
    group, loop = town.group, asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(following(group.session, town.url, group.tokens[who]))
            for who in ("member", "member", "other", "coordinator")
        ]
        for page in pages:
            await page.next()
        begun = loop.time()
        await town.runner.cleanup()
        assert loop.time() - begun < 1.0
        # A clean end: an error would be raised here.
        assert [await page.rest() for page in pages] == [[], [], [], []]
    assert len(town.live) == 0


async def test_the_place_is_kept_over_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as group:
        await group.joins("member", "member")
        start = await the_end(group)
        first = await group.need("member")
        await group.get("member", "/board")
    async with opened(tmp_path) as again:
        again.tokens = {**group.tokens}
        again.position = group.position
        second = await again.need("member")
        await again.get("member", "/board")
        assert brief(await missed(again, "member", start)) == [("need", first, 1), ("need", second, 1)]


async def test_views_that_are_rebuilt_mean_read_the_lists_anew(group: Group) -> None:
    start = await the_end(group)
    need = await group.need("member")
    async with follows(group, "member") as follower, follows(group, "member", start) as back:
        await follower.next()
        assert (resumed := await back.next()) is not None and resumed.event == "resumed"
        await asyncio.to_thread(group.node.views.rebuild)
        told: list[Any] = [one.event for one in await follower.rest()]
        assert told[-1] == "reset"
        known = follower.stream.last_id
    assert (await group.get("member", f"/needs/{need}")).status == 200
    later, told_of = await group.need("member"), set[str]()
    while later not in told_of:  # what is projected anew is told anew: their joining too, and with it a stream ends
        back_again = await missed(group, "member", known)
        told_of |= {one.data["id"] for one in back_again if one.event == "change"}
        known = back_again[-1].id or known


def test_live_updates_are_for_members() -> None:
    assert [one.role.name for one in ROUTES if one.path.endswith("/events")] == ["MEMBER"]
