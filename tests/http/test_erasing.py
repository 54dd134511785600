"""Erasing over HTTP: what is answered, who may, and what is told openly."""

from __future__ import annotations

from pathlib import Path

from tests.support.taint import files, tainted

from .conftest import CONSENT, Group, Two

WORDS = {"item": "canary-item-crutches", "area": "canary-area-heron-row"}

ZENOBIA = {"name": "Zenobia Quill"}


async def shared(two: Two) -> str:
    await two.pair()
    need = await two.north.need("coordinator", **WORDS)
    path = f"/needs/{need}/share"
    assert (await two.north.post("coordinator", path, {"consent": CONSENT}, Idempotency_Key="k" * 16)).status == 200
    await two.settle()
    return need


async def test_erased_here_and_there_and_confirmed(two: Two, tmp_path: Path) -> None:
    need = await shared(two)
    (seen,) = (await two.south.get("member", "/board")).body["needs"]
    assert seen["item"] == WORDS["item"]
    erased = await two.north.post("coordinator", f"/needs/{need}/erase")
    assert erased.status == 200, erased.text
    assert (erased.body["erased"], erased.body["forgotten"], len(erased.body["circles"])) == (True, False, 1)
    assert "wrote down" in erased.body["elsewhere"]
    two.mesh.network.cut = set(two.mesh.network.nodes)
    await two.settle()
    (asked,) = (await two.north.get("coordinator", "/erasures")).body["items"]
    assert (asked["kind"], asked["id"], asked["outstanding"]) == ("need", need, True)
    (south,) = asked["groups"]
    assert (south["peer_name"], south["confirmed"]) == ("South", None) and south["had_it"] is not None
    two.mesh.network.cut = set()
    await two.settle()
    (asked,) = (await two.north.get("coordinator", "/erasures")).body["items"]
    assert asked["outstanding"] is False and asked["groups"][0]["confirmed"] is not None
    assert (await two.south.get("member", "/board")).body["needs"] == []
    shown = (await two.north.get("member", f"/needs/{need}")).body
    assert (shown["item"], shown["area"], shown["shared_with"][0]["state"]) == (None, None, "revoked")
    for group in (two.north, two.south):
        await group.node.writer.run(lambda work: None)
        assert (await group.post("operator", "/verify")).body["ok"]
    assert tainted(WORDS.values(), files(tmp_path)) == []


async def test_a_kept_answer_does_not_tell_it_again(two: Two) -> None:
    need = await shared(two)
    path = f"/needs/{need}/share"
    again = await two.north.post("coordinator", path, {"consent": CONSENT}, Idempotency_Key="k" * 16)
    assert again.body["leaves"]["item"] == WORDS["item"], "until it is erased"
    assert (await two.north.post("coordinator", f"/needs/{need}/erase")).status == 200
    again = await two.north.post("coordinator", path, {"consent": CONSENT}, Idempotency_Key="k" * 16)
    assert (again.status, again.code) == (409, "erased") and WORDS["item"] not in again.text


async def test_a_member_erases_their_own_and_has_nobody_forgotten(group: Group) -> None:
    theirs, mine = await group.need("coordinator"), await group.need("member", item="Blanket")
    refused = await group.post("member", f"/needs/{theirs}/erase")
    assert (refused.status, refused.code) == (403, "not_allowed")
    refused = await group.post("member", f"/needs/{mine}/erase", {"forget_person": True})
    assert (refused.status, refused.code) == (403, "not_allowed")
    assert (await group.get("member", f"/needs/{mine}")).body["item"] == "Blanket", "nothing of it was done"
    assert (await group.post("member", f"/needs/{mine}/erase")).status == 200
    again = await group.post("member", f"/needs/{mine}/erase")
    assert (again.status, again.code) == (409, "erased")


async def test_a_person_is_forgotten_with_a_need(group: Group) -> None:
    need = await group.need("coordinator", note="back door", **{"for": ZENOBIA})
    assert (await group.get("coordinator", f"/needs/{need}")).body["person"] == ZENOBIA
    erased = await group.post("coordinator", f"/needs/{need}/erase", {"forget_person": True})
    assert erased.status == 200 and erased.body["forgotten"] is True and "backup" in erased.body["elsewhere"]
    assert (await group.get("coordinator", f"/needs/{need}")).body["person"] is None
    # Whoever was found out only afterwards that the words had been shared: it is forgotten as well as erased.
    again = await group.post("coordinator", f"/needs/{need}/erase", {"forget_person": True})
    assert again.status == 200


async def test_a_member_is_forgotten_once_they_have_left(group: Group) -> None:
    left = group.members["other"]
    early = await group.post("coordinator", f"/members/{left}/forget")
    assert (early.status, early.code) == (409, "still_a_member")
    assert (await group.post("operator", f"/members/{left}/revoke")).status == 200
    assert (await group.get("coordinator", f"/members/{left}")).body["name"] == "Other"
    assert (await group.post("coordinator", f"/members/{left}/forget")).body["forgotten"] is True
    assert (await group.get("coordinator", f"/members/{left}")).body["name"] is None


async def test_a_trial_erases_nothing(group: Group) -> None:
    need = await group.need("coordinator", item="Blanket", **{"for": ZENOBIA})
    body = {"forget_person": True}
    tried = await group.post("coordinator", f"/needs/{need}/erase", body, Dry_Run="true")
    assert tried.status == 200 and tried.body["dry_run"] is True
    shown = (await group.get("coordinator", f"/needs/{need}")).body
    assert (shown["item"], shown["person"]) == ("Blanket", ZENOBIA)
