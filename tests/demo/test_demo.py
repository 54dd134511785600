"""The demo is the main job: three real node processes, real files, one of them killed on the way."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node import main
from aidmesh_node.demo.input import FORM, ITEMS, REQUESTS, STOCK, SUBFOLDERS
from aidmesh_node.demo.play import play
from aidmesh_node.exchange import samples
from aidmesh_node.main import DemoEvent, DemoOptions

SAMPLES = Path(samples.__file__).parent

ASKING_GROUP_IS_CUT, GIVING_GROUP_IS_CUT = 1, 5
"""Seeds. The tests that use them check that they still choose this."""


class Listener:
    """What the demo told, and whether each home was where its node said while that ran."""

    def __init__(self) -> None:
        self.events: list[DemoEvent] = []
        self.homes_seen = 0

    def __call__(self, event: DemoEvent) -> None:
        self.events.append(event)
        if event.kind == "table" and event.report is not None:
            nodes: Any = event.report["nodes"]
            self.homes_seen = sum((Path(node["home"]) / "address").is_file() for node in nodes)

    def notes(self) -> list[str]:
        return [event.text for event in self.events if event.kind == "note"]


def run(folder: Path, data: Path, seed: int) -> tuple[dict[str, Any], Listener]:
    """One whole run that must succeed and leave nothing; its report as the command line prints it."""
    listener = Listener()
    result = main.demo(DemoOptions(exit=True, seed=seed, data=data, folder=folder), listener)
    assert result.ok, result.report
    assert [*folder.iterdir()] == [], "the nodes' folder is removed"
    assert (listener.homes_seen, listener.events[-1].kind) == (3, "done")
    report: dict[str, Any] = json.loads(json.dumps(result.report))
    assert (report["ok"], report["verified"], report["agree"], report["failed"]) == (True, True, True, None)
    agreed(report)
    return report, listener


def agreed(report: dict[str, Any]) -> None:
    """Every copy of every feed in the report is its owner's, size and root."""
    own = {
        feed["origin"]: (feed["size"], feed["root"])
        for node in report["nodes"]
        for feed in node["feeds"]
        if feed["owner"] == node["gid"]
    }
    held = [feed for node in report["nodes"] for feed in node["feeds"] if feed["owner"] != node["gid"]]
    assert len(own) == 3 + 4, "an identity each, and one feed for each side of the two circles"
    assert len(held) == 4 + 4, "what the members of each pair hold of each other"
    assert all((feed["size"], feed["root"]) == own[feed["origin"]] for feed in held)


def figures(report: dict[str, Any]) -> dict[str, tuple[str, str, str, str]]:
    return {one["item"]: (one["received"], one["wanted"], one["open"], one["unit"]) for one in report["items"]}


def test_two_real_requisitions_are_met_from_a_real_warehouse_list(shared: Path, tmp_path: Path) -> None:
    report, listener = run(tmp_path, shared / "data", GIVING_GROUP_IS_CUT)

    assert figures(report) == {
        "Blankets": ("5100", "5100", "0", "item"),
        "Hygiene Kits": ("1500", "1500", "0", "item"),
        "Jerry Cans": ("6000", "6000", "0", "item"),
        "Kitchen Sets": ("1000", "1000", "0", "item"),
        "Plastic Sheets": ("31800", "32000", "200", "m2"),
    }
    first, second, giving = report["nodes"]
    assert first["needs"] == second["needs"] == {"open": 5}
    assert (giving["needs"], giving["offers"]) == ({"closed": 1}, {"open": 33})
    pledges = giving["pledges"]["received"]
    assert giving["pledges"] == {"received": first["pledges"]["received"] + second["pledges"]["received"]}
    assert all(node["verified"] and node["checked"]["entries"] > pledges for node in report["nodes"])
    assert report["cut"]["name"] == giving["name"] and 0 < report["cut"]["after_pledges"] < pledges
    assert first["imports"][0]["shifted_days"] > 5_000
    assert any("All dates moved" in note for note in listener.notes())


def test_a_changed_file_changes_the_result(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in SUBFOLDERS:
        shutil.copy(SAMPLES / name, data)
    change(data / ITEMS, "Blankets", +37)
    change(data / STOCK, "Plastic Sheets", -150)
    (tmp_path / "nodes").mkdir()

    report, _ = run(tmp_path / "nodes", data, ASKING_GROUP_IS_CUT)

    assert report["cut"]["name"] in [node["name"] for node in report["nodes"][:2]]
    assert {item: (received, wanted) for item, (received, wanted, *_) in figures(report).items()} == expected(data)
    assert figures(report)["Blankets"][1] == "5137"
    assert figures(report)["Plastic Sheets"] == ("31650", "32000", "350", "m2")


def test_a_node_that_does_not_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    def found(home: Path, name: str, listen: str, url: str, state_dir: Path) -> None:
        main.init(home, name, listen, url, state_dir)
        if home.name == "group-2":
            (home / "group.json").unlink()

    listener = Listener()
    result = play(DemoOptions(exit=True, data=SAMPLES, folder=tmp_path), listener, found, {})

    assert not result.ok
    failed: Any = result.report["failed"]
    assert failed["step"] == "Three groups start their nodes"
    assert "stopped instead of starting" in failed["detail"] and "group.json is missing" in failed["detail"]
    assert (result.report["ok"], result.report["verified"], result.report["items"]) == (False, False, [])
    assert any("group.json is missing" in note for note in listener.notes())
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (ITEMS, '"Blankets","Piece",100,', '"Blankets","Piece",-100,', f"{ITEMS} row 3 Quantity"),
        (REQUESTS, '"03/02/25"', '"02/31/25"', f"{REQUESTS} row 2 Date Requested"),
        (FORM, "3/15/2025 18:20:00", "yesterday", f"{FORM} row 2 Timestamp"),
    ],
)
def test_a_damaged_file_is_named_before_any_node_starts(
    tmp_path: Path, name: str, old: str, new: str, told: str
) -> None:
    for file in SUBFOLDERS:
        shutil.copy(SAMPLES / file, tmp_path)
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    listener = Listener()
    result = main.demo(DemoOptions(exit=True, data=tmp_path), listener)

    failed: Any = result.report["failed"]
    assert not result.ok and told in failed["detail"]
    assert [event.text for event in listener.events if event.kind == "step"] == ["The files are read"]


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(12))
def test_whichever_node_is_cut_off_and_whenever_everything_completes(tmp_path: Path, seed: int) -> None:
    report, _ = run(tmp_path, SAMPLES, seed)
    assert {item: (received, wanted) for item, (received, wanted, *_) in figures(report).items()} == expected(SAMPLES)


def change(file: Path, item: str, by: int) -> None:
    """Change the quantity of the first row of an item."""
    rows = read(file)
    row = next(row for row in rows if item in row.values())
    row["Quantity"] = str(int(row["Quantity"]) + by)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def expected(data: Path) -> dict[str, tuple[str, str]]:
    """(received, wanted) per item, by arithmetic over the files alone."""
    stock = read(data / STOCK)
    ((owner, _),) = Counter(row["Organisation"] for row in stock).most_common(1)
    had = total((row["Item Name"], row["Quantity"]) for row in stock if row["Organisation"] == owner)
    wanted = total((row["Item"], row["Quantity"]) for row in read(data / ITEMS))
    return {item: (str(min(amount, had[item])), str(amount)) for item, amount in wanted.items()}


def total(rows: Any) -> Counter[str]:
    sums: Counter[str] = Counter()
    for item, quantity in rows:
        sums[item] += int(Decimal(quantity))
    return sums


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
