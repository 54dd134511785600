"""Every error becomes a problem document that says what was wrong, and not how the node is built."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import Erased
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.domain.refused import Refused
from aidmesh_node.entropy import Entropy
from aidmesh_node.http.hosts import Hosts
from aidmesh_node.http.problems import Problem, rim
from aidmesh_protocol.errors import ProtocolError

Client = TestClient[web.Request, web.Application]

SECRET = "Ana Lopez +670 7712 3456 /home/ana/node.db SELECT"

THROWN: dict[str, Exception] = {
    "not_allowed": Refused("not_allowed", "Only a coordinator may share a need.", "Ask one."),
    "more_than_offered": Refused("more_than_offered", "That is more than is open.", "Accept less."),
    "already_closed": Refused("already_closed", "It is closed.", ""),
    "bad_quantity": Refused("bad_quantity", "The amount is zero.", "Write more."),
    "missing": NotFound("need", UUID(int=7)),
    "busy": Unavailable("busy", "Too much at once.", "Wait."),
    "storage_full": Unavailable("storage_full", "The disk is full.", "Make room."),
    "erased": Erased(UUID(int=7)),
    "peer": ProtocolError("fork_detected", "two roots at one size"),
    "bug": RuntimeError(SECRET),
    "damaged": Damaged("events", "7", SECRET),
    "lookup": KeyError(SECRET),
    "problem": Problem(418, "teapot", "No.", errors=({"where": "$.x", "message": "y"},), headers={"Retry-After": "9"}),
}


async def throw(request: web.Request) -> web.Response:
    raise THROWN[request.match_info["name"]]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application(middlewares=[rim(Hosts("127.0.0.1", "").check, Entropy())])
    app.router.add_get("/api/{name}", throw)
    app.router.add_get("/aidmesh/1/{name}", throw)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/not_allowed", 403, "not_allowed"),
        ("/api/more_than_offered", 409, "more_than_offered"),
        ("/api/already_closed", 409, "already_closed"),
        ("/api/bad_quantity", 422, "bad_quantity"),
        ("/api/missing", 404, "not_found"),
        ("/api/busy", 503, "busy"),
        ("/api/storage_full", 507, "storage_full"),
        ("/api/erased", 410, "erased"),
        ("/api/peer", 502, "peer_answered_badly"),
        ("/aidmesh/1/peer", 422, "fork_detected"),
        ("/api/problem", 418, "teapot"),
        ("/api/bug", 500, "internal"),
        ("/api/damaged", 500, "internal"),
        ("/api/lookup", 500, "internal"),
        ("/nowhere", 404, "unknown_route"),
        ("/", 404, "unknown_route"),
        ("/api/a/b", 404, "unknown_route"),
    ],
)
async def test_each_fault_has_its_status_and_the_one_shape(client: Client, path: str, status: int, code: str) -> None:
    answer = await client.get(path)
    body = await answer.json()
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:aidmesh:problem:{code}")
    assert body["title"] and body["detail"].endswith((".", "size")) and isinstance(body["hint"], str)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "aiohttp" not in answer.headers["Server"]


async def test_what_may_be_tried_again_says_when(client: Client) -> None:
    assert (await client.get("/api/busy")).headers["Retry-After"] == "1"
    assert (await client.get("/api/problem")).headers["Retry-After"] == "9"


async def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    answer = await client.delete("/api/bug")
    assert (answer.status, (await answer.json())["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD"}


@pytest.mark.parametrize("name", ["bug", "damaged", "lookup"])
async def test_our_own_fault_shows_a_correlation_id_and_nothing_else(
    client: Client, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        text = await (await client.get(f"/api/{name}")).text()
    correlation = json.loads(text)["detail"].split()[-1].rstrip(".")
    assert correlation in caplog.text and "in throw" in caplog.text
    for word in SECRET.split():
        assert word not in text
        assert word not in caplog.text
    assert "Traceback" not in text and ".py" not in text


async def test_other_hosts_and_packed_bodies_are_refused_before_any_route(client: Client) -> None:
    rebound = await client.get("/api/bug", headers={"Host": "evil.example"})
    assert (rebound.status, (await rebound.json())["code"]) == (421, "unknown_host")
    packed = await client.get("/nowhere", headers={"Content-Encoding": "gzip"})
    assert (packed.status, (await packed.json())["code"]) == (415, "encoded_body")
