"""schemathesis tries the API from its document alone: every operation, right and wrong requests, links followed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application.pledges import changing
from aidmesh_node.application.ports import Work
from aidmesh_node.application.retelling import RECOVERIES
from aidmesh_node.domain.act import NODE, PEER, Act
from aidmesh_node.domain.recovery import RECOVERED, Recovery
from aidmesh_node.views import shared_needs
from aidmesh_protocol.identity import identity_origin
from tests.house.tree import ROOT
from tests.support.api_examples import CONSENT, Example, make_ready, with_examples
from tests.support.federation import Mesh
from tests.support.thief import forked

from .conftest import Group, served
from .test_imports import REQUISITIONS

pytestmark = [pytest.mark.fuzz, pytest.mark.timeout(1_000)]

SEED = int(os.environ.get("FUZZ_SEED", "4"))
"""Another run than the one of every day: FUZZ_SEED=7."""
CASES_MIN = 2_000
LINKS_MIN = 20
"""Requests made of what an earlier answer told, by a link of the document; how many there are depends on the seed."""
RUN_SECONDS_MAX = 900

SETTINGS = """\
# Random cases for each operation; the coverage phase makes as many as there are bounds.
[generation]
max-examples = 15

# 412: a tag of If-Match that names another version. 422: right in form, and still what nobody can mean. 429: after
# many that were wrong.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "409", "412", "422", "429"]

# A tag that is none of ours names no version.
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "408", "409", "412", "413", "415", "422", "429"]

# Each operation's example is a thing made ready for it alone; other operations' answers would use it up.
[phases.examples.extra-data-sources]
responses = false

[phases.stateful.generation]
max-examples = 300

# This address is also what GET /api/v1/peers/{gid} means for a group called "invitations".
[[operations]]
include-path = "/api/v1/peers/invitations"
checks.allow_header_conformance.enabled = false
"""


@dataclass(slots=True)
class Tried:
    """What a run of schemathesis did: cases, those made by a link, and which statuses each operation answered with."""

    cases: int = 0
    linked: int = 0
    statuses: defaultdict[tuple[str, str], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    phases: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class World:
    """North, which is tried, and three groups it can meet, in one process; North answers on a real port."""

    mesh: Mesh
    groups: dict[str, Group]

    @property
    def north(self) -> Group:
        return self.groups["north"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    (tmp_path / "groups").mkdir()
    async with Mesh(tmp_path / "groups", SEED) as mesh, AsyncExitStack() as stack:
        groups = {}
        for name in ("north", "south", "east", "west"):
            found = await mesh.found(name)
            groups[name] = await stack.enter_async_context(served(found.node, found.home))
        yield World(mesh, groups)


async def test_nothing_it_is_asked_breaks_what_the_document_says(world: World, tmp_path: Path) -> None:
    group, examples = world.north, await _ready(world)
    document = (await group.ask(None, "GET", "/api/openapi.json")).body
    (tmp_path / "openapi.json").write_text(json.dumps(with_examples(document, examples)), encoding="utf-8")
    (tmp_path / "schemathesis.toml").write_text(SETTINGS, encoding="utf-8")
    operator = next(one for one in (await group.get("operator", "/members")).body["items"] if one["role"] == "operator")

    code, output = await _schemathesis(group, tmp_path, operator["id"])
    tried = _read_report(tmp_path / "report.ndjson")
    print(f"{tried.cases} cases, {tried.linked} by links, seed {SEED}: {dict(tried.phases)}")
    assert code == 0, output[-20_000:]
    assert (
        tried.cases >= CASES_MIN
        and tried.linked >= LINKS_MIN
        and set(tried.phases) == {"examples", "coverage", "fuzzing", "stateful"}
    )
    never = [
        f"{method} {path}: {dict(tried.statuses[method, path])}"
        for path, operations in document["paths"].items()
        for method in map(str.upper, operations)
        if not any(200 <= status < 300 for status in tried.statuses[method, path])
    ]
    assert never == []
    verified = await group.post("operator", "/verify")
    assert verified.body["ok"] is True, verified.text


async def _ready(world: World) -> dict[str, Example]:
    """A peer in force (South), one whose words are still to be confirmed (West), one not met yet (East)."""
    group, mesh = world.north, world.mesh
    await mesh.pair(mesh.groups["north"], mesh.groups["south"])
    invitations = {
        name: (await world.groups[name].post("operator", "/peers/invitations", {})).body["invitation"]
        for name in ("east", "west")
    }
    met = (await group.post("operator", "/peers", {"invitation": invitations["west"]})).body
    theirs = await world.groups["south"].need("operator")
    shared = await world.groups["south"].post("operator", f"/needs/{theirs}/share", {"consent": CONSENT})
    assert shared.status == 200, shared.text
    await mesh.settle()
    await asyncio.to_thread(group.node.views.catch_up)

    async def post(path: str, body: object) -> Any:
        answer = await group.post("operator", path, body)
        assert answer.status in (200, 201), (path, answer.text)
        return answer.body

    ready = await make_ready(post, invitations["east"], (met["gid"], " ".join(met["words"])), REQUISITIONS)
    ready["commit_pledge"] = Example({"id": await _accepted_by_a_peer(group)}, {})
    ready["presume_receipt"] = Example({"id": await _asked_about_in_vain(group)}, {})
    south = mesh.groups["south"]
    await mesh.groups["north"].federation.gossip.hear_fork(
        south.node.gid, await forked(south, identity_origin(south.node.gid))
    )
    await asyncio.to_thread(group.node.views.catch_up)
    (fork,) = (await group.get("operator", "/forks")).body["items"]
    ready["show_fork"] = Example({"id": fork["id"]})
    ready["resolve_fork"] = Example({"id": fork["id"]}, {"how": "explained"})
    await _left_to_people(group)
    ready["finish_task"] = Example({"number": "1"}, {})
    packed = (await world.groups["south"].post("operator", "/bundles", {"peer": "north"})).body["id"]
    piece = (await world.groups["south"].get("operator", f"/bundle-pieces?id={packed}&at=0")).body["data"]
    for name in ("inspect_bundle", "read_bundle"):
        ready[name] = Example({}, {"id": (await post("/bundle-pieces", {"at": 0, "data": piece}))["id"]})
    ready["bring_piece"] = Example({}, {"at": 0, "data": piece})
    ready["fetch_piece"] = Example({"id": (await post("/bundles", {"peer": "south"}))["id"], "at": "0"})
    return ready


async def _left_to_people(group: Group) -> None:
    """As after a restore: one thing for a coordinator to look at."""
    by = Act(group.node.entropy.uuid(), group.node.clock.now(), None, NODE)

    def restored(work: Work) -> None:
        work.positions.put(RECOVERIES, 1)
        recovery = Recovery.begin(by, group.node.gid, 1, reason="A backup.", log_position=1, log_known=1)
        recovery.leave_to_people(by, "changed_twice", "", "Look at it.")
        recovery.end(by, RECOVERED, statements=0, records=0)
        work.commit(recovery)

    await group.node.writer.run(restored)


async def _asked_about_in_vain(group: Group) -> str:
    """A pledge that was handed over more than a week ago, and about which somebody was asked twice since."""
    id = await group.pledge("operator", await group.need("operator"))
    assert (await group.post("operator", f"/pledges/{id}/accept", {})).status == 200

    def then(days_ago: int) -> Act:
        at = group.node.clock.now() - timedelta(days=days_ago)
        return Act(group.node.entropy.uuid(), at, None, "operator")

    def hand_over_and_ask(work: Work) -> dict[str, object]:
        with changing(work, then(8), UUID(id)) as pledge:
            pledge.hand_over(then(8), Decimal(10))
            pledge.ask_receipt(then(5))
            pledge.ask_receipt(then(2))
        return {}

    await group.node.commit(hand_over_and_ask, None)
    return id


async def _accepted_by_a_peer(group: Group) -> str:
    """A pledge of ours that a peer accepted, and that our node did not make firm by itself as it nearly always does."""
    (need,) = (await group.get("operator", "/needs?ours=false")).body["items"]
    id = await group.pledge("operator", need["id"])
    shown = await group.node.views.query(shared_needs.standing, need["id"])
    assert shown is not None
    cause = f"{shown['shared']['origin_hash']}:{shown['shared']['index']}"
    theirs = Act(group.node.entropy.uuid(), group.node.clock.now(), None, PEER, cause=cause, heard=True)

    def accept(work: Work) -> dict[str, object]:
        with changing(work, theirs, UUID(id)) as pledge:
            pledge.accept(theirs, Decimal(10), 1, 1)
        return {}

    await group.node.commit(accept, None)
    return id


async def _schemathesis(group: Group, folder: Path, operator: str) -> tuple[int, str]:
    """Its exit code, and what it said. It asks the node over HTTP, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", "openapi.json",
        "--url", group.url, "-H", f"Authorization: Bearer {group.tokens['operator']}",
        "--seed", str(SEED), "--generation-database", "none",
        # How much of what it makes up it throws away again says nothing of us.
        "--suppress-health-check", "filter_too_much",
        "--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure",
        "--no-color", "--report", "ndjson", "--report-ndjson-path", "report.ndjson",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.support.fuzz_hooks",
             "AIDMESH_FUZZ_MEMBER": operator},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), RUN_SECONDS_MAX)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


def _read_report(path: Path) -> Tried:
    tried = Tried()
    for line in path.read_text(encoding="utf-8").splitlines():
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is None or not scenario.get("recorder"):
            continue
        interactions = scenario["recorder"].get("interactions", {})
        for name, case in scenario["recorder"].get("cases", {}).items():
            response = interactions.get(name, {}).get("response")
            if response is not None:
                tried.cases += 1
                tried.linked += bool(case.get("is_transition_applied"))
                tried.phases[scenario["phase"]] += 1
                tried.statuses[case["value"]["method"], case["value"]["path"]][response["status_code"]] += 1
    return tried
