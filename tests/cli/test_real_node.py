"""The command line and a real node: what neither side's own tests can show."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aidmesh_cli.main import run
from aidmesh_cli.problems import AUTH, CONFLICT, FAILURE, NOT_FOUND, OK, UNREACHABLE, USAGE
from aidmesh_node.exchange import samples
from aidmesh_node.views.attempts import DONE, FAILED
from tests.cli.recorded_node import TOKEN, Terminal, write_token
from tests.cli.test_help import environment
from tests.cli.test_terminal import AIDMESH, SECONDS_MAX
from tests.support.processes import free_port

SAMPLES = Path(samples.__file__).parent


@dataclass(frozen=True, slots=True)
class Running:
    """A node that runs as a process of its own."""

    home: Path
    url: str
    process: subprocess.Popen[str]


def start(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*AIDMESH, "run", "--home", str(home)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("real")
    home, listen = folder / "home", f"127.0.0.1:{free_port()}"
    options = ["--home", str(home), "--listen", listen, "--state-dir", str(folder / "state")]
    assert run(["init", "--name", "Harbour", "--quiet", *options]) == OK
    with start(home) as process:
        try:
            assert run(["status", "--home", str(home), "--wait", str(SECONDS_MAX), "--quiet"]) == OK
            yield Running(home, f"http://{listen}", process)
        finally:
            process.terminate()


@pytest.fixture
def operator(capsys: pytest.CaptureFixture[str], harbour: Running) -> Terminal:
    return Terminal(capsys, harbour.home)


def test_rosa_joins_and_may_do_what_her_role_says(
    operator: Terminal, harbour: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = operator("member", "invite", "Rosa Lima", "-q").out
    monkeypatch.setattr("sys.stdin", io.StringIO(invitation))
    rosa = ["--node", harbour.url, "--token-file", str(tmp_path / "rosa.token")]
    joined = operator.alone("member", "join", *rosa)
    assert joined.out.startswith("Joined as member; your token is in")
    need = operator("need", "post", "Tents", "--category", "shelter", "--quantity", "3", "-q").out.strip()
    assert operator.alone("need", "show", "Tents", *rosa).code == OK
    refused = operator.alone("need", "share", need, "--consent", "self", *rosa)
    assert refused.code == AUTH
    assert "coordinator" in refused.err
    assert "Rosa Lima" in operator("member", "list").out
    assert operator("member", "role", "Rosa Lima", "coordinator").code == OK
    assert operator.alone("need", "close", need, "--reason", "done_by_others", *rosa).code == OK
    assert operator("member", "revoke", "Rosa Lima", "--yes").code == OK
    assert operator.alone("need", "show", need, *rosa).code == AUTH


def test_a_spent_invitation_lets_nobody_in(
    operator: Terminal, harbour: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "invitation").write_text(operator("member", "invite", "Eve", "-q").out)
    for name, code in (("first", OK), ("second", CONFLICT)):
        arguments = ["--invitation-file", tmp_path / "invitation", "--token-file", tmp_path / name]
        assert operator.alone("member", "join", "--node", harbour.url, *arguments).code == code
        assert (tmp_path / name).exists() == (code == OK)


def test_a_strangers_token_opens_nothing(operator: Terminal, harbour: Running, tmp_path: Path) -> None:
    file = write_token(tmp_path / "stranger.token")
    said = operator.alone("board", "--node", harbour.url, "--token-file", file)
    assert said.code == AUTH
    assert TOKEN not in said.err


def firm_pledge(operator: Terminal, quantity: str) -> str:
    """A pledge inside our group, accepted."""
    need = operator("need", "post", "Stoves", "--category", "shelter", "--quantity", quantity, "-q").out.strip()
    pledge = operator("pledge", "offer", need, "--quantity", quantity, "-q").out.strip()
    assert operator("pledge", "accept", pledge).code == OK
    return pledge


def test_every_outcome_of_a_hand_over_is_told_and_what_is_next(operator: Terminal) -> None:
    pledge = firm_pledge(operator, "9")
    for why, told in FAILED.items():
        said = operator("pledge", "hand-over", pledge, "--failed", why)
        assert (said.code, said.out.startswith("Not handed over: pledge")) == (OK, True)
        assert told in said.err and "That happens" in said.err
    for how, told in DONE.items():
        said = operator("pledge", "hand-over", pledge, "--quantity", "2", "--outcome", how)
        assert (said.code, said.out.startswith("Handed over: pledge")) == (OK, True)
        assert told in said.err
    assert operator("pledge", "hand-over", pledge, "--failed", "rain").code == FAILURE
    assert operator("pledge", "receive", pledge, "--quantity", "7").code == OK
    assert "nobody is accused" in " ".join(operator("pledge", "show", pledge).out.split())
    assert operator("pledge", "correct", pledge, "--quantity", "7", "--side", "giver").code == OK
    shown = json.loads(operator("pledge", "show", pledge, "--json").out)
    assert (shown["handed"], shown["received"], shown["note"], shown["failures"]) == ("7", "7", None, 8)
    early = operator("pledge", "presume", pledge)
    assert early.code == CONFLICT and "Nothing that is still expected" in early.err


def test_a_dispute_from_the_first_word_to_the_last(operator: Terminal) -> None:
    pledge = firm_pledge(operator, "3")
    dispute = operator("dispute", "open", pledge, "--about", "quality", "--text", "Two were wet", "-q").out.strip()
    assert operator("dispute", "open", pledge, "--about", "quality").code == CONFLICT
    assert operator("dispute", "add", dispute, "--text", "They are dry now").code == OK
    shown = operator("dispute", "show", dispute).out
    assert "Two were wet" in shown and "They are dry now" in shown
    assert dispute[:8] in operator("dispute", "list", "--state", "open").out
    said = operator("dispute", "resolve", dispute, "--how", "explained")
    assert said.out == f"Resolved dispute {dispute[:8]}. It is over.\n"
    assert operator("dispute", "resolve", dispute, "--how", "explained").code == CONFLICT


def test_an_offer_is_confirmed_put_off_closed_and_reopened(operator: Terminal) -> None:
    post = ("offer", "post", "Wood", "--category", "energy", "--quantity", "5", "--until", "2030-01-01", "-q")
    offer = operator(*post).out.strip()
    for verb, *more in (("confirm",), ("close", "--reason", "superseded"), ("reopen",)):
        assert operator("offer", verb, offer, *more).code == OK, verb
    assert operator("offer", "extend", offer, "--until", "2029-01-01").code == FAILURE
    assert operator("offer", "reopen", offer).code == CONFLICT


def test_what_does_not_exist_is_not_found(operator: Terminal) -> None:
    for command in ("need show ffffffff", "offer withdraw ffffffff", "pledge accept ffffffff", "peer status Moon"):
        assert operator(*command.split()).code == NOT_FOUND, command


def test_what_makes_no_sense_is_refused_in_a_sentence(operator: Terminal) -> None:
    for option, value in (("--quantity", "-5"), ("--unit", "furlong"), ("--category", "love"), ("--urgency", "very")):
        given = {"--quantity": "5", "--category": "food", option: value}
        said = operator("need", "post", "Rice", *(f"{name}={text}" for name, text in given.items()))
        assert said.code == FAILURE
        assert value in said.err and "What to do:" in said.err
        assert said.out == ""


def test_files_are_imported_once_or_not_at_all(operator: Terminal, tmp_path: Path) -> None:
    stock = str(SAMPLES / "inv_item.csv")
    before = operator("offer", "list", "-q").out.split()
    planned = operator("import", "csv", stock, "--dry-run")
    assert planned.out.startswith("Would import: 0 needs, ")
    assert operator("offer", "list", "-q").out.split() == before
    first = operator("import", "csv", stock)
    assert first.out.replace("Imported", "Would import") == planned.out
    count = len(operator("offer", "list", "-q", "--limit", "500").out.split()) - len(before)
    assert f", {count} offers" in first.out
    again = operator("import", "csv", stock)
    assert again.out == f"Imported: 0 needs, 0 offers, {count} already there.\n"
    broken = tmp_path / "inv_item.csv"
    broken.write_text(Path(stock).read_text(encoding="utf-8").replace(",4200,", ",lots,"), encoding="utf-8")
    said = operator("import", "csv", str(broken))
    assert said.code == FAILURE
    assert "inv_item.csv:2:Quantity" in said.err and "lots" in said.err
    assert len(operator("offer", "list", "-q", "--limit", "500").out.split()) == len(before) + count


def test_the_configuration_is_shown_without_secrets(operator: Terminal, harbour: Running) -> None:
    said = operator("config", "show")
    assert "node.name" in said.out and "Harbour" in said.out
    assert (harbour.home / "operator.token").read_text().strip() not in said.out
    settings = {one["key"]: one["value"] for one in operator("config", "show", "--json").json["settings"]}
    assert settings["node.name"] == "Harbour"


def test_a_second_process_on_a_home_names_the_first(harbour: Running) -> None:
    second = start(harbour.home)
    out, err = second.communicate(timeout=SECONDS_MAX)
    assert (second.returncode, out) == (FAILURE, "")
    assert f"process {harbour.process.pid}" in " ".join(err.split())
    assert "Traceback" not in err


def test_a_running_node_verifies_itself(operator: Terminal) -> None:
    said = operator("verify")
    assert said.code == OK
    assert said.out.startswith("All is as it was written: ")


@pytest.fixture
def stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    terminal = Terminal(capsys, tmp_path / "home")
    listen = f"127.0.0.1:{free_port()}"
    made = terminal("init", "--name", "Hillside", "--listen", listen, "--state-dir", str(tmp_path / "state"))
    assert made.code == OK, made.err
    return terminal


def test_a_new_home_is_private_and_says_what_comes_next(stopped: Terminal) -> None:
    home = stopped.home
    assert [path for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []
    again = stopped("init", "--name", "Hillside")
    assert again.code == FAILURE
    assert "not empty" in again.told
    assert stopped("status").code == UNREACHABLE
    assert f"aidmesh run --home {home}" in stopped("status").err


def test_init_answers_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(capsys, tmp_path / "home")
    said = terminal("init", "--name", "Hillside", "--json", "--state-dir", str(tmp_path / "state"))
    assert set(said.json) == {"schema_version", "gid", "home", "token_file", "url"}
    assert Path(said.json["token_file"]).read_text().startswith("amesh_")
    other = Terminal(capsys, tmp_path / "other")
    assert other("init", "--name", "Hillside", "--listen", "nowhere").code == FAILURE
    assert other("init").code == USAGE


def test_a_stopped_home_is_verified_and_shown_too(stopped: Terminal) -> None:
    assert stopped("verify").code == OK
    assert "Hillside" in stopped("config", "show").out


def test_one_flipped_byte_is_named(stopped: Terminal) -> None:
    with sqlite3.connect(stopped.home / "node.db") as database:
        (state,) = database.execute("SELECT state FROM stored_events LIMIT 1").fetchone()
        flipped = bytes([state[0] ^ 1]) + state[1:]
        database.execute("UPDATE stored_events SET state = ? WHERE state = ?", (flipped, state))
    database.close()
    said = stopped("verify")
    assert said.code == FAILURE
    assert said.out.startswith("WRONG: stored_events ")
    report = stopped("verify", "--json").json
    assert report["ok"] is False
    assert report["first_problem"]["where"].startswith("stored_events ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_stops_when_it_is_told_to(number: signal.Signals, stopped: Terminal) -> None:
    process = start(stopped.home)
    try:
        assert stopped("status", "--wait", "30", "-q").out == "active\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS_MAX)
    finally:
        process.kill()
    assert (process.returncode, out) == (OK, "")
    assert "Hillside" in err and "listens on" in err
    assert not (stopped.home / "address").exists()
    assert stopped("verify").code == OK


@pytest.mark.soak
def test_the_demo_shows_what_arrived(tmp_path: Path) -> None:
    data = shutil.copytree(SAMPLES, tmp_path / "data")
    done = subprocess.run(
        [*AIDMESH, "demo", "--exit", "--seed", "1", "--data", str(data)],
        env={**environment(), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == OK, done.stdout + done.stderr
    assert max(map(len, [*done.stdout.splitlines(), *done.stderr.splitlines()])) <= 80
    assert not re.search(r"\b1 (events|feeds|entries|parts|checkpoints)\b", done.stderr)
    assert "ITEM" in done.stdout and "Blankets" in done.stdout
    assert "Every node has verified all it holds, and all agree." in " ".join(done.stdout.split())
    assert "The groups meet ..." in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.soak
def test_the_demo_left_running_says_where_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    """As JSON for programs: the report comes when the nodes are there to be used, not after they are gone."""
    process = subprocess.Popen(
        [*AIDMESH, "demo", "--json", "--seed", "1", "--data", str(SAMPLES)],
        env={**environment(), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        report = json.loads("".join(until_closing_brace(process.stdout)))
        assert report["ok"] is True
        assert len({node["url"] for node in report["nodes"]}) == 3
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(SECONDS_MAX) == OK
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    assert rest == ""


def until_closing_brace(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if line == "}\n":
            return


def test_a_need_is_cared_for_until_it_ends(operator: Terminal) -> None:
    """From a call at night to a need that is reopened: every verb, by the need's name where it is open."""

    def done(command: str) -> str:
        said = operator(*command.split())
        assert said.code == OK, (command, said.err)
        return said.out

    def refused(command: str, word: str) -> None:
        said = operator(*command.split())
        assert said.code not in (OK, UNREACHABLE) and word in said.told and "What to do" in said.told, (
            command,
            said.err,
        )

    post = "need post Insulin --category medicine --quantity 2 --urgency emergency"
    refused(post, "call 112 now")
    need = done(f"{post} --until 2199-12-01 --advice-acknowledged -q").strip()
    assert "Emergency. " in done("need show Insulin")
    assert done("need list").splitlines()[1].startswith(need[:8]), "first, although others may be newer"
    refused("need share-wider Insulin --consent by_phone", "not connected")
    refused("need close Insulin --reason unreachable", "3 are needed")
    for _ in range(3):
        done("need contact-attempt Insulin --outcome no_answer")
    done("need urgency Insulin high --reason better")
    done("need review Insulin")
    refused("need review Insulin --next 2199-01-01", "30 days")
    refused("need extend Insulin --until 2020-01-01", "later")
    done("need amend Insulin --quantity 3")
    refused("need amend Insulin --quantity 3", "already says 3")
    refused("need close Insulin --reason duplicate --of ffffffff", "Nothing is known")
    refused("need close Insulin --reason referred --to Clinic", "agreed to be referred")
    refused("need close Insulin --reason out_of_scope", "another place")
    refused("need close Insulin --reason expired", "by itself")
    assert "unreachable" in done("need close Insulin --reason unreachable")
    assert done("need reopen Insulin -q").strip() == need
    assert "referred" in done("need close Insulin --reason referred --to Clinic --consent by_phone")
    assert json.loads(done(f"need show {need} --json"))["closed_reason"] == "referred"
    assert "112" in done("need emergency-advice") and done("need emergency-advice -q") == "112\n"
    assert "emergency.number" in done("config show")
