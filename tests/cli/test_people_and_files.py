"""Inviting, joining, pairing, importing, verifying: what is data, what is a secret, what is left behind."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from typing import Any

import pytest

from aidmesh_cli.problems import CONFLICT, FAILURE, NOT_FOUND, OK
from tests.cli.answers import HILLSIDE, peer
from tests.cli.recorded_node import RecordedNode, Terminal, sequence, write_token

DONE = {"id": "a" * 32, "version": 2, "position": 9}


def test_pairing_shows_the_words_and_how_to_confirm_them(node: RecordedNode, aidmesh: Terminal) -> None:
    words = ["tape", "music", "double", "calm"]
    node.answer("POST /peers", {"gid": HILLSIDE, "name": "Hillside", "state": "pending", "words": words})
    said = aidmesh("peer", "accept", "aidmesh:x#y,z,1")
    assert node.posted() == [("/peers", {"invitation": "aidmesh:x#y,z,1"})]
    assert said.out == "The four words with Hillside: tape music double calm\n"
    assert f"aidmesh peer accept ko3ixn4o --words 'tape music double calm' --home {node.home}" in said.err
    assert aidmesh("peer", "accept", "aidmesh:x#y,z,1", "-q").out == "tape music double calm\n"


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("active", "Linked with Hillside: both groups have confirmed the words."),
        ("pending", "Confirmed. Hillside has not confirmed the words yet."),
    ],
)
def test_words_are_confirmed_for_a_group_by_its_name(
    state: str, line: str, node: RecordedNode, aidmesh: Terminal
) -> None:
    node.answer("GET /peers", sequence([peer(state="pending")]))
    node.answer(f"POST /peers/{HILLSIDE}/confirm", {"gid": HILLSIDE, "name": "Hillside", "state": state})
    assert aidmesh("peer", "accept", "hill", "--words", "a b c d").out == line + "\n"
    assert node.posted() == [(f"/peers/{HILLSIDE}/confirm", {"words": "a b c d"})]


def test_waiting_is_for_the_other_group_to_confirm(
    node: RecordedNode, aidmesh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("aidmesh_cli.session.time.sleep", waited.append)
    node.answer("GET /peers", sequence([peer(state="pending")]))
    node.answer(f"POST /peers/{HILLSIDE}/confirm", {"gid": HILLSIDE, "name": "Hillside", "state": "pending"})
    node.answer(f"GET /peers/{HILLSIDE}", peer(state="pending"), peer(state="pending"), peer(state="active"))
    said = aidmesh("peer", "accept", "Hillside", "--words", "a b c d", "--wait", "60", "-q")
    assert (said.code, said.out) == (OK, "active\n")
    assert len(waited) == 2


def test_an_invitation_is_data_and_what_to_do_with_it_is_not(node: RecordedNode, aidmesh: Terminal) -> None:
    node.answer("POST /peers/invitations", {"invitation": "aidmesh:x", "expires": "2026-11-25T08:00:00Z"})
    said = aidmesh("peer", "invite", "--expires-hours", "24")
    assert node.posted() == [("/peers/invitations", {"expires_hours": 24})]
    assert said.out == "aidmesh:x\n"
    assert "until 2026-11-25 08:00" in said.err
    node.answer("POST /members", {**DONE, "invitation": "amesh-invite_x", "expires": "2026-11-29T08:00:00Z"})
    assert aidmesh("member", "invite", "Ana", "--role", "coordinator", "--contact", "771").out == "amesh-invite_x\n"
    assert node.posted()[-1] == ("/members", {"name": "Ana", "role": "coordinator", "contact": "771"})


def join(aidmesh: Terminal, node: RecordedNode, file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("sys.stdin", io.StringIO("amesh-invite_secret\n"))
    return aidmesh.alone("member", "join", "--node", node.url, "--token-file", file)


def test_joining_writes_a_token_that_only_its_owner_reads(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.answer("POST /join", {"member": "b" * 32, "role": "member", "token": "amesh_t", "version": 2, "position": 3})
    file = tmp_path / "ana.token"
    said = join(aidmesh, node, file, monkeypatch)
    assert (said.code, " ".join(said.out.split())) == (OK, f"Joined as member; your token is in {file}.")
    assert node.posted() == [("/join", {"invitation": "amesh-invite_secret"})]
    assert "Authorization" not in node.asked[0].headers
    assert file.read_text() == "amesh_t\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "amesh_t" not in said.out + said.err


def test_an_existing_token_is_not_overwritten_and_the_invitation_not_spent(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_token(tmp_path / "ana.token")
    before = file.read_text()
    assert join(aidmesh, node, file, monkeypatch).code == CONFLICT
    assert (file.read_text(), node.asked) == (before, [])


def test_a_refused_invitation_leaves_no_file(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.refuse("POST /join", 422, "bad_invitation", "This is not an invitation to this group.")
    file = tmp_path / "ana.token"
    assert join(aidmesh, node, file, monkeypatch).code == FAILURE
    assert not file.exists()


def test_an_import_sends_the_files_and_tells_the_notes(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    reply = {
        "needs": ["a" * 32],
        "offers": [],
        "unchanged": 2,
        "shifted_days": 3,
        "notes": ["Dates moved."],
        "position": 4,
    }
    node.answer("POST /imports", reply)
    (tmp_path / "a.csv").write_bytes("\ufeffItem;Menge\nDecke;1\n".encode())
    (tmp_path / "b.csv").write_bytes("Stück\n1\n".encode("cp1252"))
    command = ["import", "csv", str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    options = ["--as-of", "2026-12-01", "--where", "Site=Dili = north", "--where", "Kind=x"]
    said = aidmesh(*command, *options)
    assert said.code == OK, said.err
    assert node.asked[0].body == {
        "files": [{"name": "a.csv", "text": "Item;Menge\nDecke;1\n"}, {"name": "b.csv", "text": "Stück\n1\n"}],
        "as_of": "2026-12-01",
        "where": {"Site": "Dili = north", "Kind": "x"},
    }
    assert said.out == "Imported: 1 need, 0 offers, 2 already there.\n"
    assert "b.csv is not UTF-8 and was read as Windows-1252" in said.told
    assert said.err.endswith("Note: Dates moved.\n")
    assert aidmesh(*command, "--dry-run").out.startswith("Would import: 1 need")
    assert node.asked[1].headers["Dry-Run"] == "true"
    assert node.asked[1].body["files"] == node.asked[0].body["files"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04rest", "no CSV text"),
        (b"\xff\xfea\x00", "UTF-16"),
        ("Stück\n".encode() + b"St\xfcck\n", "line 2: the text is damaged"),
        (b"ok\n\x81\n", "line 2: the text is damaged"),
    ],
)
def test_a_file_that_is_no_text_is_refused_here(
    data: bytes, words: str, node: RecordedNode, aidmesh: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    said = aidmesh("import", "csv", str(tmp_path / "x.csv"))
    assert said.code == FAILURE
    assert words in said.told
    assert node.asked == []


def test_a_file_that_is_not_there_is_named(node: RecordedNode, aidmesh: Terminal) -> None:
    said = aidmesh("import", "csv", "nothing.csv")
    assert said.code == NOT_FOUND
    assert "nothing.csv" in said.err


def test_a_running_node_verifies_and_its_verdict_is_the_exit_code(node: RecordedNode, aidmesh: Terminal) -> None:
    checked = {"events": 18, "feeds": 4}
    node.answer("POST /verify", {"schema_version": 1, "ok": True, "checked": checked, "first_problem": None})
    assert aidmesh("verify") == aidmesh("verify")
    assert aidmesh("verify").out == "All is as it was written: 18 events, 4 feeds.\n"
    assert aidmesh("verify", "-q").out == ""
    wrong = {"where": "entries f:3", "detail": "not the bytes that were signed"}
    node.answers["POST /verify"] = [(200, {"ok": False, "checked": checked, "first_problem": wrong})]
    for options in ([], ["-q"], ["--json"]):
        assert aidmesh("verify", *options).code == FAILURE
    assert aidmesh("verify").out == "WRONG: entries f:3: not the bytes that were signed\n"
