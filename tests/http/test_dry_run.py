"""`Dry-Run: true`: the node answers as if it were done, with every check, and nothing is done."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.http.app import API, ROUTES
from tests.http.conftest import BLANKETS, Group

TRY = {"Dry_Run": "true"}
CONSENT = {"consent": {"given": "self", "text_version": "v1", "language": "en"}}


async def log(group: Group) -> int:
    return await group.node.readers.run(lambda reading: reading.events.max_position())


async def test_a_need_that_is_tried_is_not_there(group: Group) -> None:
    before = await log(group)
    body = {**BLANKETS, "for": {"name": "Ana Silva"}, "note": "ring twice"}
    tried = await group.post("coordinator", "/needs", body, **TRY)
    assert tried.status == 200
    assert (tried.body["dry_run"], tried.body["would_record"]) == (True, {"need:posted": 1})
    assert "id" not in tried.body
    assert "Ana" not in tried.text
    assert await log(group) == before
    assert (await group.get("coordinator", "/needs")).body["items"] == []


async def test_keys_of_people_in_a_trial_are_forgotten(group: Group, tmp_path: Path) -> None:
    """The next real command must not carry them to the disk."""
    (file,) = (tmp_path / "home").rglob("person.keys")

    def key_bytes() -> int:
        return file.stat().st_size

    keys = key_bytes()
    for _ in range(3):
        await group.post("coordinator", "/needs", {**BLANKETS, "for": {"name": "Ana Silva"}}, **TRY)
    await group.post("coordinator", "/needs", BLANKETS)
    assert key_bytes() == keys
    await group.post("coordinator", "/needs", {**BLANKETS, "for": {"name": "Ana Silva"}})
    assert key_bytes() > keys


async def test_what_would_be_refused_is_refused_in_the_same_words(group: Group) -> None:
    wrong: list[tuple[str | None, str, Any]] = [
        ("member", "/needs", {**BLANKETS, "quantity": "-1"}),
        ("member", "/needs", {**BLANKETS, "unknown": 1}),
        ("member", "/needs/ffffffff/withdraw", {}),
        ("member", "/members", {"name": "Eve", "role": "operator"}),
        ("coordinator", "/needs/ffffffff/share", CONSENT),
        (None, "/join", {"invitation": "amesh-invite_x"}),
        (None, "/needs", BLANKETS),
        ("operator", "/peers", {"invitation": "aidmesh:x"}),
        ("coordinator", "/imports", {"files": [{"name": "x.csv", "text": "a"}]}),
    ]
    for who, path, body in wrong:
        tried = await group.post(who, path, body, **TRY)
        done = await group.post(who, path, body)
        assert tried.status >= 400
        assert (tried.status, tried.body) == (done.status, done.body), path


async def test_a_trial_spends_no_idempotency_key(group: Group) -> None:
    key = {"Idempotency_Key": "one"}
    await group.post("coordinator", "/needs", BLANKETS, **TRY, **key)
    done = await group.post("coordinator", "/needs", BLANKETS, **key)
    assert done.status == 201
    again = await group.post("coordinator", "/needs", BLANKETS, **TRY, **key)
    assert again.body["dry_run"] is True
    assert "Idempotent-Replay" not in again.headers
    assert len((await group.get("coordinator", "/needs")).body["items"]) == 1


@pytest.mark.parametrize("said", ["false", "True", "1", "", "yes", "true, true"])
async def test_a_header_that_is_not_clear_does_nothing(said: str, group: Group) -> None:
    before = await log(group)
    answer = await group.post("coordinator", "/needs", BLANKETS, Dry_Run=said)
    assert (answer.status, answer.code) == (400, "malformed")
    assert await log(group) == before


async def test_an_invitation_that_is_tried_opens_nothing(group: Group) -> None:
    tried = await group.post("operator", "/members", {"name": "Rosa", "role": "member"}, **TRY)
    assert tried.status == 200
    assert "invitation" not in tried.body
    peer = await group.post("operator", "/peers/invitations", {}, **TRY)
    assert (peer.status, peer.body["dry_run"]) == (200, True)
    assert "invitation" not in peer.body


async def test_somebody_who_tries_to_join_can_still_join(group: Group) -> None:
    made = await group.post("operator", "/members", {"name": "Rosa", "role": "member"})
    body = {"invitation": made.body["invitation"]}
    tried = await group.post(None, "/join", body, **TRY)
    assert (tried.status, tried.body["role"]) == (200, "member")
    assert "token" not in tried.body
    assert (await group.post(None, "/join", body)).status == 201


async def test_fifty_trials_beside_fifty_commands_leave_the_commands(group: Group) -> None:
    """One is undone inside the transaction of the other."""
    asked = [group.post("coordinator", "/needs", {**BLANKETS, "quantity": str(n)}, **TRY) for n in range(1, 51)]
    asked += [group.post("coordinator", "/needs", {**BLANKETS, "quantity": str(n)}) for n in range(1, 51)]
    answers = await asyncio.gather(*asked)
    assert {answer.status for answer in answers[:50]} == {200}
    made = {answer.id for answer in answers[50:]}
    listed = (await group.get("coordinator", "/needs?limit=500")).body["items"]
    assert {need["id"] for need in listed} == made
    assert len(made) == 50
    assert (await group.post("operator", "/verify", {})).body["ok"] is True


async def test_fifty_trials_of_one_withdrawal_all_say_yes_and_the_need_stays_open(group: Group) -> None:
    need = (await group.post("coordinator", "/needs", BLANKETS)).id
    answers = await asyncio.gather(
        *(group.post("coordinator", f"/needs/{need}/withdraw", {}, **TRY) for _ in range(50))
    )
    assert {(answer.status, answer.body["state"]) for answer in answers} == {(200, "closed")}
    assert (await group.get("coordinator", f"/needs/{need}")).body["state"] == "open"


async def test_what_people_say_about_a_pledge_and_an_offer_can_be_tried(group: Group) -> None:
    """One after the other: each is tried, leaves nothing, and is then done."""
    need = (await group.post("coordinator", "/needs", BLANKETS)).id
    offer = (await group.post("coordinator", "/offers", {**BLANKETS, "until": "2027-01-01T12:00:00Z"})).id
    pledge = (await group.post("coordinator", "/pledges", {"need": need, "quantity": "10", "offer": offer})).id
    said: list[tuple[str, Any, str]] = [
        (f"/pledges/{pledge}/counter", {"until": "2026-12-24T12:00:00Z"}, "pledge:time-proposed"),
        (f"/pledges/{pledge}/revise", {"from": "2026-12-20T12:00:00Z"}, "pledge:time-proposed"),
        (f"/pledges/{pledge}/accept", {}, "need:coverage-changed"),
        (f"/pledges/{pledge}/hand-over", {"quantity": "8"}, "pledge:handed-over"),
        (f"/pledges/{pledge}/ask", {"how": "phone"}, "pledge:receipt-asked"),
        (f"/pledges/{pledge}/receive", {"quantity": "6"}, "pledge:received"),
        (f"/pledges/{pledge}/leave", {}, "pledge:discrepancy-left"),
        (f"/pledges/{pledge}/correct", {"quantity": "7", "side": "home"}, "pledge:receipt-corrected"),
        (f"/offers/{offer}/extend", {"until": "2027-02-01T12:00:00Z"}, "offer:expiry-extended"),
        (f"/offers/{offer}/close", {"reason": "superseded"}, "offer:closed"),
        (f"/offers/{offer}/reopen", {}, "offer:reopened"),
        (f"/pledges/{pledge}/disputes", {"about": "quality", "text": "Ana says: wet"}, "dispute:opened"),
    ]
    for path, body, topic in said:
        before = await log(group)
        tried = await group.post("coordinator", path, body, **TRY)
        assert tried.status == 200 and topic in tried.body["would_record"], (path, tried.text)
        assert await log(group) == before and "Ana" not in tried.text
        done = await group.post("coordinator", path, body)
        assert done.status in (200, 201), (path, done.text)
    dispute = f"/disputes/{done.id}"
    for path, body, topic in (
        (f"{dispute}/add", {"text": "Ana says: dry by now"}, "dispute:statement-added"),
        (f"{dispute}/resolve", {"how": "explained"}, "dispute:resolved"),
    ):
        tried = await group.post("coordinator", path, body, **TRY)
        assert (tried.status, tried.body["would_record"]) == (200, {topic: 1})
    shown = (await group.get("coordinator", dispute)).body
    assert (shown["state"], [one["text"] for one in shown["statements"]]) == ("open", ["Ana says: wet"])


async def test_every_post_can_be_tried_and_leaves_the_log_alone(group: Group) -> None:
    """Whatever is asked, with whatever body: a route that does it all the same would move the log."""
    need = (await group.post("coordinator", "/needs", BLANKETS)).id
    offer = (await group.post("coordinator", "/offers", BLANKETS)).id
    promised = {"need": need, "quantity": "5", "offer": offer}
    pledge = (await group.post("coordinator", "/pledges", promised)).id
    member = group.members["member"]
    before = await log(group)
    bodies: list[Any] = [{}, BLANKETS, CONSENT, {"reason": "met"}, {"reason": "timing"}, {"reason": "other"}]
    bodies += [{"quantity": "5"}, promised, {"name": "X", "role": "member"}, {"role": "coordinator"}]
    bodies += [{"files": [{"name": "a.csv", "text": "kind,item,category,quantity,unit\nneed,Soap,hygiene,5,item\n"}]}]
    taken = set()
    for route in ROUTES:
        if route.method != "POST":
            continue
        for one in (need, offer, pledge, member):
            path = route.path.removeprefix(API).replace("{id}", one).replace("{gid}", "a" * 32).replace("{number}", "1")
            for body in bodies:
                answer = await group.post("operator", path, body, **TRY)
                if answer.status < 300:
                    taken.add(route.path.removeprefix(API))
    assert await log(group) == before
    assert {
        "/needs",
        "/offers",
        "/pledges",
        "/imports",
        "/members",
        "/needs/{id}/close",
        "/pledges/{id}/accept",
    } <= taken
