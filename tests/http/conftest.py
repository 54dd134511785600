"""One group with a real node on a real port: its operator, and members of each role who joined by invitation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, web

from aidmesh_node.application.node import Node
from aidmesh_node.clock import Clock
from aidmesh_node.http.app import build_runner
from aidmesh_node.main import init, open_node
from tests.support.document import check_answer
from tests.support.federation import Mesh

CONSENT = {"given": "self", "text_version": "1", "language": "en"}
BLANKETS = {"category": "bedding", "item": "Blanket", "quantity": "100", "unit": "item"}


@dataclass(slots=True)
class Answer:
    """What came back, read to the end."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]
    text: str

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))

    @property
    def id(self) -> str:
        return str(self.body["id"])


@dataclass(slots=True)
class Group:
    """Speaks HTTP to one node as somebody: by role, by a token, or as nobody (None)."""

    node: Node
    session: ClientSession
    port: int
    tokens: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    position: str = "0"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(self, who: str | None, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request. `who` is a role that has joined, a whole token, or None; underlines in header names are
        hyphens. Reads are of everything this group has been told is written."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent.setdefault("Authorization", f"Bearer {self.tokens.get(who, who)}")
        if method == "GET":
            sent.setdefault("Aidmesh-Position", self.position)
        given: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        if body is None:
            given = {}
        async with self.session.request(method, self.url + path, headers=sent, **given) as response:
            answer = await _read(response)
        # Every test over HTTP holds what it is answered against the API document.
        check_answer(method, path, answer.status, answer.headers, answer.text)
        if "Aidmesh-Position" in answer.headers and answer.status < 300:
            self.position = str(max(int(self.position), int(answer.headers["Aidmesh-Position"])))
        return answer

    async def get(self, who: str | None, path: str, **headers: str) -> Answer:
        return await self.ask(who, "GET", f"/api/v1{path}", **headers)

    async def post(self, who: str | None, path: str, body: object = None, **headers: str) -> Answer:
        return await self.ask(who, "POST", f"/api/v1{path}", body, **headers)

    async def joins(self, name: str, role: str) -> str:
        """Somebody new with this role; their token. Known from now on by `name`."""
        invited = await self.post("operator", "/members", {"name": name.title(), "role": role})
        joined = await self.post(None, "/join", {"invitation": invited.body["invitation"]})
        assert joined.status == 201, joined.text
        self.tokens[name], self.members[name] = joined.body["token"], joined.id
        return self.tokens[name]

    async def need(self, who: str = "coordinator", **changed: object) -> str:
        posted = await self.post(who, "/needs", {**BLANKETS, **changed})
        assert posted.status == 201, posted.text
        return posted.id

    async def offer(self, who: str = "coordinator", **changed: object) -> str:
        posted = await self.post(who, "/offers", {**BLANKETS, **changed})
        assert posted.status == 201, posted.text
        return posted.id

    async def pledge(self, who: str, need: str, **more: object) -> str:
        offered = await self.post(who, "/pledges", {"need": need, "quantity": "10", **more})
        assert offered.status == 201, offered.text
        return offered.id


async def _read(response: ClientResponse) -> Answer:
    text = await response.text()
    kind = response.content_type
    body = await response.json(content_type=None) if kind.endswith("json") and text else {}
    return Answer(response.status, body, response.headers, text)


@asynccontextmanager
async def served(node: Node, home: Path) -> AsyncIterator[Group]:
    """This node, answering on a port of its own."""
    async with ClientSession() as session:
        runner = build_runner(node)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        try:
            yield Group(node, session, port, {"operator": (home / "operator.token").read_text().strip()})
        finally:
            await runner.cleanup()


@asynccontextmanager
async def opened(folder: Path, name: str = "North", clock: Clock | None = None) -> AsyncIterator[Group]:
    """The group in `folder`, a new one if there is none, its node answering."""
    home = folder / "home"
    if not home.exists():
        init(home, name, state_dir=folder / "state", clock=clock)
    async with open_node(home, clock=clock) as running, served(running.node, home) as group:
        yield group


@pytest.fixture
async def group(tmp_path: Path) -> AsyncIterator[Group]:
    """The operator, a coordinator and two members."""
    async with opened(tmp_path) as group:
        await group.joins("coordinator", "coordinator")
        await group.joins("member", "member")
        await group.joins("other", "member")
        yield group


@dataclass
class Two:
    """North asks, South gives; `settle` lets everything that was said arrive."""

    mesh: Mesh
    north: Group
    south: Group

    async def settle(self) -> None:
        await self.mesh.settle()
        for group in (self.north, self.south):
            await asyncio.to_thread(group.node.views.catch_up)

    async def meet(self) -> Answer:
        """South redeems North's invitation; the answer holds the words."""
        invited = await self.north.post("operator", "/peers/invitations", {})
        met = await self.south.post("operator", "/peers", {"invitation": invited.body["invitation"]})
        assert met.status == 201, met.text
        return met

    async def pair(self) -> None:
        words = " ".join((await self.meet()).body["words"])
        for group, other in ((self.north, "South"), (self.south, self.north.node.gid[:8])):
            confirmed = await group.post("operator", f"/peers/{other}/confirm", {"words": words})
            assert confirmed.status == 200, confirmed.text
        await self.settle()

    async def promised(self, quantity: str = "10") -> tuple[str, str]:
        """South's pledge towards a need of North's, made firm: its id in South and in North."""
        await self.pair()
        need = await self.north.need()
        await self.north.post("coordinator", f"/needs/{need}/share", {"consent": CONSENT})
        await self.settle()
        (seen,) = (await self.south.get("member", "/board")).body["needs"]
        offer = await self.south.offer(quantity="60")
        at_giver = await self.south.pledge("coordinator", seen["id"], offer=offer, quantity=quantity)
        await self.settle()
        (heard,) = (await self.north.get("member", "/pledges?role=home")).body["items"]
        return at_giver, str(heard["id"])

    async def firm(self, quantity: str = "10") -> tuple[str, str]:
        """As `promised`, accepted and committed."""
        at_giver, at_home = await self.promised(quantity)
        assert (await self.north.post("coordinator", f"/pledges/{at_home}/accept")).status == 200
        await self.settle()
        return at_giver, at_home

    def days_pass(self, days: float) -> None:
        self.mesh.clock.time += timedelta(days=days)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with Mesh(tmp_path) as mesh:
        north, south = await mesh.found("North"), await mesh.found("South")
        async with served(north.node, north.home) as one, served(south.node, south.home) as other:
            for group in (one, other):
                await group.joins("coordinator", "coordinator")
                await group.joins("member", "member")
            yield Two(mesh, one, other)
