"""Forks over the API: everybody of the group sees them and the proof, operators say what is made of one."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from pathlib import Path

from aidmesh_protocol.fork_file import decode_fork_file
from aidmesh_protocol.fork_proof import convict
from aidmesh_protocol.identity import circle_origin, identity_origin
from tests.support.thief import forked
from tests.support.verifier import run_alone

from .conftest import Two


async def south_forks(two: Two) -> str:
    """Somebody signs with South's key; North hears of it. The id of the fork."""
    await two.pair()
    north, south = two.mesh.groups["North"], two.mesh.groups["South"]
    proof = await forked(south, circle_origin(south.node.gid, south.circle))
    await north.federation.gossip.hear_fork(south.node.gid, proof)
    await asyncio.to_thread(two.north.node.views.catch_up)
    (fork,) = (await two.north.get("member", "/forks")).body["items"]
    return str(fork["id"])


async def test_a_fork_is_listed_and_shown_with_its_proof(two: Two, tmp_path: Path) -> None:
    assert (await two.north.get("member", "/forks")).body["items"] == []
    assert (await two.north.get("member", "/status")).body["forks"] == 0
    id = await south_forks(two)
    (listed,) = (await two.north.get("member", "/forks?state=open")).body["items"]
    assert (listed["gid"], listed["group_name"], listed["ours"]) == (two.south.node.gid, "South", False)
    assert (listed["smaller"], listed["larger"], listed["state"]) == (3, 3, "open")
    assert listed["shown_by"] == two.south.node.gid
    assert "Call South" in listed["next"]
    assert (await two.north.get("member", "/forks?state=resolved")).body["items"] == []
    assert (await two.north.get("member", "/status")).body["forks"] == 1

    shown = (await two.north.get("member", f"/forks/{id[:8]}")).body
    assert shown["tells"] == "the feed's owner signed two different histories of 3 entries"
    proof = b64decode(shown["proof"])
    assert convict(decode_fork_file(proof)).gid == two.south.node.gid
    done = await asyncio.to_thread(judged, tmp_path / "alone", proof)
    assert done.startswith(f"FORKED: group {two.south.node.gid}")
    assert {name: shown[name] for name in listed} == listed


def judged(folder: Path, proof: bytes) -> str:
    folder.mkdir()
    (folder / "proof").write_bytes(proof)
    return run_alone(folder, "fork", "proof").stdout


async def test_operators_say_what_is_made_of_it(two: Two) -> None:
    id = await south_forks(two)
    for who in ("member", "coordinator"):
        assert (await two.north.post(who, f"/forks/{id}/resolve", {"how": "explained"})).status == 403
    odd = await two.north.post("operator", f"/forks/{id}/resolve", {"how": "forgotten"})
    assert (odd.status, odd.code) == (422, "unknown_way_to_resolve_a_fork")
    done = await two.north.post("operator", f"/forks/{id}/resolve", {"how": "explained"})
    assert (done.status, done.body["resolution"], done.body["version"]) == (200, "explained", 2)
    again = await two.north.post("operator", f"/forks/{id}/resolve", {"how": "explained"})
    assert (again.status, again.code) == (409, "already_resolved")
    (over,) = (await two.north.get("member", "/forks?state=resolved")).body["items"]
    assert (over["state"], over["resolution"]) == ("resolved", "explained")
    assert over["next"].startswith("Nothing: what was taken in stays readable")
    assert (await two.north.get("member", "/status")).body["forks"] == 0
    late = await two.north.post("operator", f"/forks/{id}/resolve", {"how": "distrusted"}, If_Match='"1"')
    assert late.status == 412, "somebody else has decided meanwhile"
    assert (await two.north.post("operator", f"/forks/{id}/resolve", {"how": "distrusted"})).status == 200
    assert (await two.north.get("member", f"/forks/{'f' * 32}")).status == 404
    (peer,) = (await two.north.get("member", "/peers")).body["items"]
    assert peer["frozen"] == "fork_detected", "the feed stands still, whatever was said"


async def test_a_fork_of_our_own_feed_says_that_it_is_ours(two: Two) -> None:
    await two.pair()
    north = two.mesh.groups["North"]
    await north.federation.gossip.hear_fork(two.south.node.gid, await forked(north, identity_origin(north.node.gid), 2))
    (fork,) = (await two.north.get("member", "/forks")).body["items"]
    assert fork["ours"] and "Somebody else signs with your group's key" in fork["next"]
    status = (await two.north.get("member", "/status")).body
    assert (status["standing"], status["signing"], status["forks"]) == ("recovering", False, 1)


async def test_live_pages_are_told(two: Two) -> None:
    before = (await two.north.get("member", "/events?follow=false")).text
    place = [line.removeprefix("id: ") for line in before.splitlines() if line.startswith("id: ")][-1]
    id = await south_forks(two)
    told = (await two.north.get("member", "/events?kinds=fork&follow=false", Last_Event_ID=place)).text
    changes = [json.loads(line.removeprefix("data: ")) for line in told.splitlines() if line.startswith("data: ")]
    assert [(one["kind"], one["id"]) for one in changes if "kind" in one] == [("fork", id)]
