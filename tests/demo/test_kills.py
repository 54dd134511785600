"""Fifty kills in the middle of everything: what arrives, what is open and what verify says are as without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aidmesh_cli.main import run as aidmesh
from aidmesh_cli.problems import USAGE
from aidmesh_node import main
from aidmesh_node.demo.schedule import KILLS_MIN, PHASES
from aidmesh_node.exchange import samples
from aidmesh_node.main import DemoEvent, DemoOptions

SAMPLES = Path(samples.__file__).parent
KILLS = 50


def demo(folder: Path, seed: int, kills: int) -> tuple[dict[str, Any], list[DemoEvent]]:
    events: list[DemoEvent] = []
    options = DemoOptions(exit=True, seed=seed, data=SAMPLES, folder=folder, kills=kills)
    result = main.demo(options, events.append)
    assert result.ok, (result.report, [event.text for event in events if event.kind == "note"])
    assert [*folder.iterdir()] == [], "the nodes' folder is removed"
    return result.report, events


def outcome(report: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on kills: quantities, what is open, the verdict, and how much each node recorded."""
    told = ("name", "needs", "offers", "pledges", "verified", "first_problem")
    return {
        **{name: report[name] for name in ("ok", "verified", "agree", "items", "disagreements")},
        "nodes": [{name: node[name] for name in told} for node in report["nodes"]],
        "recorded": [(node["checked"]["events"], node["checked"]["entries"]) for node in report["nodes"]],
    }


@pytest.mark.crash
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fifty_kills_change_nothing(tmp_path: Path, seed: int) -> None:
    undisturbed, _ = demo(tmp_path, seed, 0)
    report, events = demo(tmp_path, seed, KILLS)

    assert outcome(report) == outcome(undisturbed)
    assert report["kills"].keys() == set(PHASES) and min(report["kills"].values()) > 0
    assert sum(report["kills"].values()) == KILLS
    assert sum(report["killed"].values()) == KILLS + report["kills_between"]
    assert len(report["killed"]) == 3, "every node was killed"
    commands = report["commands"]
    assert (commands["lost"], commands["doubled"]) == (0, 0)
    assert commands["repeated"] > 0, "some commands were answered only when said again"
    told = [event.text for event in events if event.kind == "note" and event.text.startswith("Kill ")]
    assert len(told) == KILLS and told[-1].startswith(f"Kill {KILLS} of {KILLS}: ")
    assert "kills" not in undisturbed


@pytest.mark.parametrize("kills", [-1, 1, KILLS_MIN - 1])
def test_too_few_kills_for_every_phase_are_refused(kills: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert aidmesh(["demo", "--exit", "--kills", str(kills)]) == USAGE
    assert f"{KILLS_MIN}" in capsys.readouterr().err


def test_too_few_kills_are_refused_before_any_node_starts(tmp_path: Path) -> None:
    events: list[DemoEvent] = []
    result = main.demo(DemoOptions(exit=True, kills=3, data=SAMPLES, folder=tmp_path), events.append)
    failed: Any = result.report["failed"]
    assert not result.ok and "3 kills are too few" in failed["detail"]
    assert [event.text for event in events if event.kind == "step"] == ["The files are read"]
