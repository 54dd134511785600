"""A command that was acknowledged and is not there, or is there twice, is found out, whatever it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aidmesh_node.demo.agreement import Account
from aidmesh_node.demo.audit import Audit, check_journal
from aidmesh_node.demo.journal import Command

BOB = "bob"


def told() -> Account:
    """Alice's node after one of each: an import, a share, a pledge offered, and one accepted, and received."""
    shared = [{"peer": BOB, "state": "shared"}]
    given = {"id": "p1", "role": "giver", "version": 4, "offered": "5", "accepted": "5", "committed": "5"}
    asked = {"id": "p2", "role": "home", "version": 5, "offered": "9", "accepted": "6", "committed": "6"}
    return Account(
        "alice", "alice", {}, [],
        [{"id": "n1", "ours": True, "version": 3, "shared_with": shared},
         {"id": "n9", "ours": False, "version": 1, "shared_with": []}],
        [{"id": "o1", "ours": True, "version": 1, "shared_with": []}],
        [{**given, "handed": "5", "received": "0"}, {**asked, "handed": "6", "received": "6"}],
    )  # fmt: skip


def journal() -> list[Command]:
    return [
        Command("/imports", {}, "k1", {"needs": ["n1"], "offers": ["o1"]}),
        Command("/needs/n1/share", {"peer": BOB}, "k2", {"id": "n1", "version": 2}),
        Command("/pledges", {}, "k3", {"id": "p1", "version": 1}),
        Command("/pledges/p2/accept", {}, "k4", {"id": "p2", "version": 2}),
        Command("/pledges/p1/hand-over", {}, "k5", {"id": "p1", "version": 4}),
        Command("/pledges/p2/receive", {}, "k6", {"id": "p2", "version": 5}),
        Command("/peers/bob/confirm", {"words": "a b c d"}, "k7", {"state": "active"}),
        Command("/pledges/p1/hand-over", {}, "k8", None),  # never answered: nothing is promised about it
    ]


def audited(account: Account) -> Audit:
    audit = Audit()
    check_journal(journal(), account, audit)
    return audit


def test_what_is_there_once_is_right() -> None:
    assert audited(told()) == Audit()


LOSSES: dict[str, tuple[Callable[[Account], Any], str]] = {
    "an imported need": (lambda one: one.needs.pop(0), "n1 of alice's needs is not there"),
    "an imported offer": (lambda one: one.offers.clear(), "o1 of alice's offers is not there"),
    "a share": (lambda one: one.needs[0]["shared_with"].clear(), "/needs/n1/share with bob is not there"),
    "a pledge": (lambda one: one.pledges.pop(0), "p1 of alice's pledges is not there"),
    "an acceptance": (lambda one: one.pledges[1].update(accepted="0"), "/pledges/p2/accept is not there"),
    "a hand-over": (lambda one: one.pledges[0].update(handed="0"), "/pledges/p1/hand-over is not there"),
    "a receipt": (lambda one: one.pledges[1].update(received="0"), "/pledges/p2/receive is not there"),
    "the newest change": (lambda one: one.pledges[0].update(version=3), "made version 4; there is only 3"),
}

DOUBLES: dict[str, tuple[Callable[[Account], Any], str]] = {
    "an import": (lambda one: one.needs.append({**one.needs[0], "id": "n2"}), "n2 of alice's needs is there, and no"),
    "a pledge": (lambda one: one.pledges.append({**one.pledges[0], "id": "p3"}), "p3 of alice's pledges is there"),
    "a listing": (lambda one: one.offers.append(one.offers[0]), "o1 of alice's offers is there 2 times"),
    "a share": (lambda one: one.needs[0]["shared_with"].append(one.needs[0]["shared_with"][0]), "is there 2 times"),
    "a hand-over": (lambda one: one.pledges[0].update(handed="10"), "/pledges/p1/hand-over is there 2 times"),
    "a receipt": (lambda one: one.pledges[1].update(received="12"), "/pledges/p2/receive is there 2 times"),
}


@pytest.mark.parametrize("what", LOSSES)
def test_what_was_lost_is_named(what: str) -> None:
    account = told()
    lose, sentence = LOSSES[what]
    lose(account)
    audit = audited(account)
    assert sentence in "; ".join(audit.lost) and audit.doubled == []


@pytest.mark.parametrize("what", DOUBLES)
def test_what_was_doubled_is_named(what: str) -> None:
    account = told()
    double, sentence = DOUBLES[what]
    double(account)
    audit = audited(account)
    assert sentence in "; ".join(audit.doubled) and audit.lost == []
