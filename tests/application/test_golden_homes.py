"""Homes written by an earlier version open, verify, show what they showed, and go on helping each other."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import pledges
from tests.support.federation import Group, Mesh
from tests.support.make_golden_homes import shown
from tests.support.stories import check_all_agree

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
NAMES = ("alice", "bob")
WRITTEN_ANEW = {"next"}
"""Sentences for people may be said better; everything else stays what it was."""


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Any]:
    """What the earlier version showed of the homes now lying in `tmp_path`."""
    told: dict[str, Any] = json.loads((GOLDEN / "homes.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(GOLDEN / "homes.zip") as archive:
        archive.extractall(tmp_path)
    for name in NAMES:
        config = tmp_path / name / "config.toml"
        config.write_text(config.read_text().replace(told["folder"], str(tmp_path)))
    return told


async def the_same(group: Group, before: dict[str, list[dict[str, Any]]]) -> None:
    """Every field that was shown is shown as it was; there may be more of them."""
    now = await shown(group)
    for kind, items in before.items():
        for old, new in zip(items, now[kind], strict=True):
            assert {name: new[name] for name in old if name not in WRITTEN_ANEW} == {
                name: value for name, value in old.items() if name not in WRITTEN_ANEW
            }


async def test_homes_of_an_earlier_version_show_what_they_showed(tmp_path: Path, told: dict[str, Any]) -> None:
    async with Mesh(tmp_path) as mesh:
        for name in NAMES:
            group = await mesh.start(name)
            await the_same(group, told[name])
            report = group.node.verify()
            assert report.ok, report.first_problem


async def test_they_go_on_where_they_were(tmp_path: Path, told: dict[str, Any]) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = [await mesh.start(name) for name in NAMES]
        await mesh.settle()
        for group, name in ((alice, "alice"), (bob, "bob")):
            await the_same(group, told[name])
        (local,) = [one for one in told["alice"]["pledges"] if one["role"] == "local"]
        await alice.do(pledges.hand_over, UUID(local["id"]))
        await alice.do(pledges.receive_pledge, UUID(local["id"]))
        await check_all_agree(mesh)
