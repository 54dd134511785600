"""Each command, the one request it makes, and what it says."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest

from aidmesh_cli.problems import OK, USAGE
from tests.cli.answers import need, pledge
from tests.cli.recorded_node import RecordedNode, Terminal, sequence

ID = "aaaaaaaa"
DONE = {"id": "a" * 32, "version": 2, "position": 9}
PHONE = {"given": "by_phone", "text_version": "v1", "language": "en"}

COMMANDS: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "need post Blankets --category bedding --quantity 20",
        "/needs",
        {
            "item": "Blankets",
            "category": "bedding",
            "quantity": "20",
            "unit": "item",
            "urgency": "normal",
            "on_behalf": False,
        },
        "Posted need aaaaaaaa: 20 Blankets.",
    ),
    (
        "need post --category childcare --quantity 2.5 --unit hour --urgency high --from 2026-12-01 --until 2026-12-03"
        " --area Lospalos --language pt --on-behalf --name Ana --phone 771 --email a@b --address Dili --contact Rui"
        " --note ring",
        "/needs",
        {
            "category": "childcare",
            "quantity": "2.5",
            "unit": "hour",
            "urgency": "high",
            "from": "2026-12-01T00:00:00Z",
            "until": "2026-12-03T23:59:00Z",
            "area": "Lospalos",
            "language": "pt",
            "on_behalf": True,
            "for": {"name": "Ana", "phone": "771", "email": "a@b", "address": "Dili", "contact": "Rui"},
            "note": "ring",
        },
        "Posted need aaaaaaaa: 2.5 hours of childcare.",
    ),
    (f"need share {ID} --consent by_phone", f"/needs/{ID}/share", {"consent": PHONE}, "Shared need aaaaaaaa."),
    (
        f"need share {ID} --with Hillside --consent proxy --person-unaware --consent-text v2 --language tet",
        f"/needs/{ID}/share",
        {
            "peer": "Hillside",
            "consent": {"given": "proxy", "text_version": "v2", "language": "tet", "person_knows": False},
        },
        "Shared need aaaaaaaa.",
    ),
    (f"need unshare {ID} --circle cccc", f"/needs/{ID}/unshare", {"circle": "cccc"}, "Took back need aaaaaaaa."),
    (
        f"need erase {ID} --yes",
        f"/needs/{ID}/erase",
        {"forget_person": False},
        "Erased what was shared of need aaaaaaaa.",
    ),
    (f"need withdraw {ID}", f"/needs/{ID}/withdraw", {}, "Withdrew need aaaaaaaa."),
    (
        f"need close {ID} --reason partly_met",
        f"/needs/{ID}/close",
        {"reason": "partly_met"},
        "Closed need aaaaaaaa: partly met.",
    ),
    (
        f"need close {ID} --reason duplicate --of bbbbbbbb",
        f"/needs/{ID}/close",
        {"reason": "duplicate", "of": "bbbbbbbb"},
        "Closed need aaaaaaaa: duplicate.",
    ),
    (
        f"need close {ID} --reason referred --to Clinic --consent by_phone",
        f"/needs/{ID}/close",
        {"reason": "referred", "to": "Clinic", "consent": PHONE},
        "Closed need aaaaaaaa: referred.",
    ),
    (
        f"need close {ID} --reason out_of_scope --referral-offered",
        f"/needs/{ID}/close",
        {"reason": "out_of_scope", "referral_offered": True},
        "Closed need aaaaaaaa: out of scope.",
    ),
    (f"need reopen {ID}", f"/needs/{ID}/reopen", {}, "Reopened need aaaaaaaa."),
    (f"need review {ID}", f"/needs/{ID}/review", {}, "Reviewed need aaaaaaaa."),
    (
        f"need review {ID} --next 2026-12-01",
        f"/needs/{ID}/review",
        {"next": "2026-12-01T00:00:00Z"},
        "Reviewed need aaaaaaaa. Next look: 2026-12-01.",
    ),
    (
        f"need contact-attempt {ID} --outcome no_answer",
        f"/needs/{ID}/contact-attempt",
        {"outcome": "no_answer"},
        "Recorded a call for need aaaaaaaa.",
    ),
    (
        f"need extend {ID} --until 2026-12-03",
        f"/needs/{ID}/extend",
        {"until": "2026-12-03T23:59:00Z"},
        "Extended need aaaaaaaa until 2026-12-03.",
    ),
    (f"need amend {ID} --quantity 15", f"/needs/{ID}/amend", {"quantity": "15"}, "Amended need aaaaaaaa: 15."),
    (
        f"need urgency {ID} high --reason worse",
        f"/needs/{ID}/urgency",
        {"urgency": "high", "reason": "worse"},
        "Need aaaaaaaa is now high.",
    ),
    (
        f"need share-wider {ID} --consent by_phone",
        f"/needs/{ID}/share-wider",
        {"consent": PHONE},
        "Shared need aaaaaaaa with 0 more groups.",
    ),
    (
        "offer post Boat --category transport --quantity 4 --unit trip --mode lend",
        "/offers",
        {"item": "Boat", "category": "transport", "quantity": "4", "unit": "trip", "mode": "lend"},
        "Posted offer aaaaaaaa: 4 trips of Boat.",
    ),
    (
        "offer post --category skills --unlimited --unit hour --note evenings",
        "/offers",
        {"category": "skills", "quantity": None, "unit": "hour", "mode": "give", "note": "evenings"},
        "Posted offer aaaaaaaa: any amount of skills.",
    ),
    (f"offer share {ID}", f"/offers/{ID}/share", {}, "Shared offer aaaaaaaa."),
    (
        f"offer erase {ID} --person --yes",
        f"/offers/{ID}/erase",
        {"forget_person": True},
        "Erased what was shared of offer aaaaaaaa.",
    ),
    (f"offer unshare {ID} --with Hill", f"/offers/{ID}/unshare", {"peer": "Hill"}, "Took back offer aaaaaaaa."),
    (f"offer withdraw {ID}", f"/offers/{ID}/withdraw", {}, "Withdrew offer aaaaaaaa."),
    (
        f"pledge offer {ID} --quantity 20 --offer bbbbbbbb --how pick_up --until 2026-12-01T10:00:00+02:00",
        "/pledges",
        {"need": ID, "quantity": "20", "offer": "bbbbbbbb", "how": "pick_up", "until": "2026-12-01T08:00:00Z"},
        "Offered: pledge aaaaaaaa.",
    ),
    (f"pledge revise {ID} --quantity 5", f"/pledges/{ID}/revise", {"quantity": "5"}, "Revised: pledge aaaaaaaa."),
    (f"pledge commit {ID}", f"/pledges/{ID}/commit", {}, "Committed: pledge aaaaaaaa."),
    (f"pledge withdraw {ID}", f"/pledges/{ID}/withdraw", {}, "Withdrew: pledge aaaaaaaa."),
    (f"pledge hand-over {ID}", f"/pledges/{ID}/hand-over", {}, "Handed over: pledge aaaaaaaa."),
    (
        f"pledge hand-over {ID} --quantity 5 --outcome picked_up",
        f"/pledges/{ID}/hand-over",
        {"quantity": "5", "outcome": "picked_up"},
        "Handed over: pledge aaaaaaaa.",
    ),
    (
        f"pledge hand-over {ID} --failed not_home",
        f"/pledges/{ID}/hand-over",
        {"failed": "not_home"},
        "Not handed over: pledge aaaaaaaa.",
    ),
    (f"pledge counter {ID} --quantity 5", f"/pledges/{ID}/counter", {"quantity": "5"}, "Countered: pledge aaaaaaaa."),
    (f"pledge accept {ID}", f"/pledges/{ID}/accept", {}, "Accepted: pledge aaaaaaaa."),
    (f"pledge accept {ID} --quantity 5", f"/pledges/{ID}/accept", {"quantity": "5"}, "Accepted: pledge aaaaaaaa."),
    (
        f"pledge decline {ID} --reason timing",
        f"/pledges/{ID}/decline",
        {"reason": "timing"},
        "Declined: pledge aaaaaaaa.",
    ),
    (
        f"pledge release {ID} --reason other",
        f"/pledges/{ID}/release",
        {"reason": "other"},
        "Released: pledge aaaaaaaa.",
    ),
    (
        f"pledge receive {ID} --quantity 5 --condition damaged",
        f"/pledges/{ID}/receive",
        {"quantity": "5", "condition": "damaged"},
        "Received: pledge aaaaaaaa.",
    ),
    (
        f"pledge counter {ID} --from 2026-12-01 --until 2026-12-03",
        f"/pledges/{ID}/counter",
        {"from": "2026-12-01T00:00:00Z", "until": "2026-12-03T23:59:00Z"},
        "Countered: pledge aaaaaaaa.",
    ),
    (
        f"pledge revise {ID} --quantity 5 --until 2026-12-03",
        f"/pledges/{ID}/revise",
        {"quantity": "5", "until": "2026-12-03T23:59:00Z"},
        "Revised: pledge aaaaaaaa.",
    ),
    (f"pledge ask {ID} --how phone", f"/pledges/{ID}/ask", {"how": "phone"}, "Asked about: pledge aaaaaaaa."),
    (f"pledge presume {ID}", f"/pledges/{ID}/presume", {}, "Presumed: pledge aaaaaaaa."),
    (f"pledge correct {ID} --quantity 5", f"/pledges/{ID}/correct", {"quantity": "5"}, "Corrected: pledge aaaaaaaa."),
    (
        f"pledge correct {ID} --quantity 0 --side giver",
        f"/pledges/{ID}/correct",
        {"quantity": "0", "side": "giver"},
        "Corrected: pledge aaaaaaaa.",
    ),
    (f"pledge leave {ID}", f"/pledges/{ID}/leave", {}, "Left as it is: pledge aaaaaaaa."),
    (f"offer confirm {ID}", f"/offers/{ID}/confirm", {}, "Confirmed offer aaaaaaaa: it is still there."),
    (
        f"offer extend {ID} --until 2026-12-31",
        f"/offers/{ID}/extend",
        {"until": "2026-12-31T23:59:00Z"},
        "Extended offer aaaaaaaa until 2026-12-31.",
    ),
    (f"offer reopen {ID}", f"/offers/{ID}/reopen", {}, "Reopened offer aaaaaaaa."),
    (
        f"offer reopen {ID} --until 2026-12-31",
        f"/offers/{ID}/reopen",
        {"until": "2026-12-31T23:59:00Z"},
        "Reopened offer aaaaaaaa.",
    ),
    (
        f"offer close {ID} --reason superseded",
        f"/offers/{ID}/close",
        {"reason": "superseded"},
        "Closed offer aaaaaaaa: superseded.",
    ),
    (
        f"dispute open {ID} --about not_received --text wet --side home",
        f"/pledges/{ID}/disputes",
        {"about": "not_received", "text": "wet", "side": "home"},
        "Opened dispute aaaaaaaa about not received.",
    ),
    (
        f"fork resolve {ID} --how distrusted",
        f"/forks/{ID}/resolve",
        {"how": "distrusted"},
        "Resolved fork aaaaaaaa: distrusted.",
    ),
    (f"dispute add {ID} --text wet", f"/disputes/{ID}/add", {"text": "wet"}, "Added to dispute aaaaaaaa."),
    (
        f"dispute resolve {ID} --how explained",
        f"/disputes/{ID}/resolve",
        {"how": "explained"},
        "Resolved dispute aaaaaaaa. It is over once the other group says so too.",
    ),
    (f"member role {ID} operator", f"/members/{ID}/role", {"role": "operator"}, "Member aaaaaaaa is now operator."),
    (f"member forget {ID} --yes", f"/members/{ID}/forget", {}, "Forgot who member aaaaaaaa was."),
    (f"member revoke {ID} --yes", f"/members/{ID}/revoke", {}, "Member aaaaaaaa has no access any more."),
]


@pytest.mark.parametrize(("command", "path", "body", "line"), COMMANDS, ids=[command for command, *_ in COMMANDS])
def test_a_command_is_one_request_and_one_line(
    command: str, path: str, body: dict[str, Any], line: str, node: RecordedNode, aidmesh: Terminal
) -> None:
    node.answer(f"POST {path}", DONE)
    node.answer("GET /members", sequence([]))
    said = aidmesh(*command.split())
    assert said.code == OK, said.err
    assert node.posted() == [(path, body)]
    assert said.out == line + "\n"


@pytest.mark.parametrize("command", [command for command, *_ in COMMANDS])
def test_its_answer_can_be_json_or_only_the_id(command: str, node: RecordedNode, aidmesh: Terminal) -> None:
    path = next(path for known, path, *_ in COMMANDS if known == command)
    node.answer(f"POST {path}", DONE)
    node.answer("GET /members", sequence([]))
    said = aidmesh(*command.split(), "--json")
    assert (said.json, said.err) == ({"schema_version": 1, **DONE}, "")
    quiet = aidmesh(*command.split(), "--quiet")
    assert (quiet.out.strip(), quiet.err) in (("a" * 32, ""), (ID, ""))


def test_every_command_that_changes_something_is_in_the_table() -> None:
    told = {" ".join(command.split()[:2]) for command, *_ in COMMANDS}
    verbs = {
        "need": (
            *("post", "share", "share-wider", "unshare", "erase", "withdraw", "close", "reopen"),
            *("review", "contact-attempt", "extend", "amend", "urgency"),
        ),
        "offer": ("post", "share", "unshare", "erase", "withdraw", "confirm", "extend", "reopen", "close"),
        "pledge": (
            *("offer", "revise", "commit", "withdraw", "hand-over"),
            *("counter", "accept", "decline", "release", "receive"),
            *("ask", "presume", "correct", "leave"),
        ),
        "dispute": ("open", "add", "resolve"),
        "fork": ("resolve",),
        "member": ("role", "revoke", "forget"),
    }
    assert told == {f"{noun} {verb}" for noun, all_verbs in verbs.items() for verb in all_verbs}


def test_after_a_pledge_changed_it_says_what_comes_next(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("POST /pledges/2e4982cc/accept", {**DONE, "id": pledge()["id"]})
    node.answer(f"GET /pledges/{pledge()['id']}", pledge())
    said = aidmesh("pledge", "accept", "2e4982cc")
    assert said.out == "Accepted: pledge 2e4982cc, 1,500 Blankets from Hillside.\n"
    assert said.err == "Next: Hillside says 1500 item were handed over: confirm what arrived.\n"
    assert node.asked[-1].headers["Aidmesh-Position"] == "9"


def test_lists_ask_for_what_is_wanted(node: RecordedNode, aidmesh: Terminal) -> None:
    asked = {
        "need list --state open --ours --limit 5 --cursor abc": "/needs?state=open&ours=true&limit=5&cursor=abc",
        "offer list --theirs": "/offers?ours=false",
        "pledge list --role giver --phase committed --need f00d00": "/pledges?role=giver&phase=committed&need=f00d00",
        "board --item Blankets --category bedding": "/board?item=Blankets&category=bedding",
    }
    for command, path in asked.items():
        node.answer(f"GET {path}", {**sequence([]), "needs": [], "offers": []})
        assert aidmesh(*command.split()).code == OK
    assert [one.path for one in node.asked] == list(asked.values())


def test_a_note_can_come_from_standard_input(
    node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answer("POST /needs", DONE)
    monkeypatch.setattr("sys.stdin", io.StringIO("two\nlines\n"))
    assert aidmesh("need", "post", "--category", "food", "--quantity", "1", "--note", "-").code == OK
    assert node.asked[0].body["note"] == "two\nlines"


def test_personal_details_can_be_asked_for(
    node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answer("POST /needs", DONE)
    monkeypatch.setattr("sys.stdin", io.StringIO("Ana Silva\n771\n\n\n\nring twice\n"))
    said = aidmesh("need", "post", "--category", "food", "--quantity", "1", "--ask")
    assert said.code == OK
    assert node.asked[0].body["for"] == {"name": "Ana Silva", "phone": "771"}
    assert node.asked[0].body["note"] == "ring twice"
    assert said.out == "Posted need aaaaaaaa: 1 food.\n"


@pytest.mark.parametrize(
    "command",
    [
        "need post Blankets --category bedding",
        "need post Blankets --category bedding --quantity 1 --until tomorrow",
        "need post Blankets --category bedding --quantity 1 --until 2026-02-30",
        "need share aaaaaaaa",
        "need close aaaaaaaa",
        "need list --state closing",
        "need list --limit 0",
        "need fetch",
        "offer post Boat --category transport",
        "offer post Boat --category transport --quantity 1 --unlimited",
        "pledge offer aaaaaaaa",
        "pledge decline aaaaaaaa",
        "peer accept Harbour",
        "peer invite --expires-hours 0",
        "import csv",
        "import csv x.csv --as-of soon",
        "import xls",
        "board --wait -1",
        "board --unknown",
    ],
)
def test_a_wrong_command_line_asks_nothing_of_the_node(command: str, node: RecordedNode, aidmesh: Terminal) -> None:
    said = aidmesh(*command.split())
    assert (said.code, said.out) == (USAGE, "")
    assert said.err
    assert node.asked == []


def test_a_need_of_another_time_zone_is_meant_in_ours(
    node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC-9")  # POSIX: nine hours east, as in Dili
    time.tzset()
    node.answer("POST /needs", DONE)
    node.answer(f"GET /needs/{ID}", need(until="2026-12-01T14:59:00Z", posted_at="2026-11-21T23:30:00Z"))
    aidmesh("need", "post", "--category", "food", "--quantity", "1", "--until", "2026-12-01")
    assert node.asked[0].body["until"] == "2026-12-01T14:59:00Z"
    out = aidmesh("need", "show", ID).out
    assert "until        2026-12-01\n" in out
    assert "posted       2026-11-22 08:30\n" in out
