"""Nodes that do not tell the same story are found out, whatever they differ in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.demo.agreement import NEED_FIELDS, OFFER_FIELDS, PLEDGE_FIELDS, Account, disagreements
from aidmesh_node.demo.failure import DemoFailed
from aidmesh_node.demo.input import SUBFOLDERS, find_data
from aidmesh_node.demo.waiting import each, until
from aidmesh_node.exchange import samples

CIRCLE = "c" * 64


def told() -> dict[str, Account]:
    """Alice needs, bob offers and has pledged: both tell it alike."""
    need = dict.fromkeys(NEED_FIELDS, "n")
    offer = dict.fromkeys(OFFER_FIELDS, "o")
    pledge = {**dict.fromkeys(PLEDGE_FIELDS, "p"), "circle": CIRCLE}
    shared = [{"circle": CIRCLE, "state": "shared"}]
    return {
        "alice": Account(
            "alice", "alice", status(), [circle("alice", "bob")],
            [{**need, "ours": True, "shared_with": shared}],
            [{**offer, "ours": False, "group": "bob", "circle": CIRCLE}],
            [{**pledge, "role": "home"}],
        ),
        "bob": Account(
            "bob", "bob", status(), [circle("bob", "alice")],
            [{**need, "ours": False, "group": "alice", "circle": CIRCLE}],
            [{**offer, "ours": True, "shared_with": shared}],
            [{**pledge, "role": "giver"}],
        ),
    }  # fmt: skip


def status() -> dict[str, Any]:
    return {
        "feeds": [
            {"origin": f"aidmesh/{gid}/{kind}", "owner": gid, "size": 3, "root": "aa"}
            for gid in ("alice", "bob")
            for kind in ("id/0", f"c/{CIRCLE}/0")
        ]
    }


def circle(us: str, them: str) -> dict[str, Any]:
    return {"id": CIRCLE, "peers": [{"gid": them}], "ours": {"origin": f"aidmesh/{us}/c/{CIRCLE}/0"}}


def change(account: Account, part: str, field: str, value: object) -> None:
    getattr(account, part)[0][field] = value


BREAKS: dict[str, tuple[Callable[[Account], None], str]] = {
    "a root": (lambda one: change_feed(one, 0, root="bb"), "alice holds 3 of 3 entries of bob's aidmesh/bob/id/0"),
    "a size": (lambda one: change_feed(one, 1, size=2), "alice holds 2 of 3 entries of bob's"),
    "a feed that is not there": (lambda one: one.status["feeds"].pop(2), "alice holds 0 of 3 entries of bob's"),
    "a phase": (lambda one: change(one, "pledges", "phase", "x"), "bob and alice differ on 1 of bob's pledges"),
    "a quantity": (lambda one: change(one, "pledges", "received", "7"), "differ on 1 of bob's pledges"),
    "a pledge nobody knows": (lambda one: one.pledges.append(one.pledges[0]), "differ on 1 of bob's pledges"),
    "a lost pledge": (lambda one: one.pledges.clear(), "differ on 1 of bob's pledges"),
    "a need's total": (lambda one: change(one, "needs", "received", "7"), "differ on 1 of alice's needs"),
    "an offer": (lambda one: change(one, "offers", "available", "7"), "differ on 1 of bob's offers"),
}


def change_feed(account: Account, place: int, **fields: object) -> None:
    [feed for feed in account.status["feeds"] if feed["owner"] == "bob"][place].update(fields)


def test_two_nodes_that_tell_the_same_agree() -> None:
    assert disagreements(list(told().values())) == []


@pytest.mark.parametrize("what", BREAKS)
def test_what_one_node_tells_differently_is_named(what: str) -> None:
    accounts = told()
    break_it, sentence = BREAKS[what]
    break_it(accounts["alice"])
    assert sentence in "; ".join(disagreements(list(accounts.values())))


def test_a_share_that_was_taken_back_must_be_gone_at_the_other_node() -> None:
    accounts = told()
    change(accounts["alice"], "needs", "shared_with", [{"circle": CIRCLE, "state": "revoked"}])
    assert disagreements(list(accounts.values())) == ["alice and bob differ on 1 of alice's needs"]


async def test_waiting_ends_and_says_what_is_missing() -> None:
    asked = 0

    async def missing() -> str:
        nonlocal asked
        asked += 1
        return "bob has heard 3 of 4 pledges"

    with pytest.raises(DemoFailed, match=r"After 0 seconds: bob has heard 3 of 4 pledges\."):
        await until(missing, 0)
    assert asked >= 1


async def test_each_thing_is_done_once_and_begun_in_order() -> None:
    begun: list[int] = []

    async def do(thing: int) -> None:
        begun.append(thing)

    await each(range(100), do)
    assert begun == list(range(100))


def test_the_data_is_looked_for_where_people_have_it(tmp_path: Path) -> None:
    shipped = Path(samples.__file__).parent
    here = tmp_path / "aidmesh"
    here.mkdir()
    elsewhere = tmp_path / "elsewhere"
    for name, folder in SUBFOLDERS.items():
        for shared in (tmp_path / "shared", elsewhere):
            file = shared / "data" / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("a,b\n1,2\n")

    assert find_data(None, {}, here) == tmp_path / "shared" / "data"
    assert find_data(None, {"AIDMESH_SHARED": str(elsewhere)}, here) == elsewhere / "data"
    assert find_data(None, {"AIDMESH_SHARED": "absent"}, here) == shipped
    assert find_data(elsewhere / "data", {"AIDMESH_SHARED": "absent"}, here) == elsewhere / "data"
    with pytest.raises(DemoFailed, match=r"has no inv_req\.csv"):
        find_data(here, {}, here)
