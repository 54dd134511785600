"""Pressing TAB: in real shells that have read what `aidmesh completion` prints, and what they are offered."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aidmesh_cli import words
from aidmesh_cli.candidates import offered
from aidmesh_cli.main import run
from aidmesh_cli.problems import OK, USAGE
from aidmesh_node.domain import act, category, consent, offer, pledge_words, units
from aidmesh_node.domain import need as needs
from tests.cli.answers import need, peer, pledge
from tests.cli.recorded_node import RecordedNode, sequence
from tests.cli.test_help import environment
from tests.house.test_readme import command_folder

SECONDS_MAX = 60

BASH = """
source <(aidmesh completion bash)
press_tab() {
    COMP_LINE="$1"
    read -ra COMP_WORDS <<< "$1"
    case "$1" in *" ") COMP_WORDS+=("") ;; esac
    COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    COMPREPLY=()
    compopt() { :; }
    _aidmesh_completion aidmesh
    printf '%s\\n' "${COMPREPLY[@]}"
}
press_tab "$LINE"
"""
FISH = 'aidmesh completion fish | source; complete --do-complete "$LINE"'


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str, str], set[str]]:
    """What a shell offers after a line."""
    variables = {
        **environment(),
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join([str(command_folder(tmp_path)), os.environ["PATH"]]),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
    }

    def press_tab(name: str, line: str, **more: str) -> set[str]:
        if shutil.which(name) is None:
            pytest.skip(f"probed absent: {name}")
        if name == "zsh":
            return zsh(line, {**variables, **more}, tmp_path)
        code = {"bash": BASH, "fish": FISH}[name]
        options = {"bash": ["--norc", "--noprofile"], "fish": ["--no-config"]}[name]
        done = subprocess.run(
            [name, *options, "-c", code],
            env={**variables, **more, "LINE": line},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return {one.split("\t")[0] for one in done.stdout.splitlines() if one}

    return press_tab


def zsh(line: str, variables: dict[str, str], folder: Path) -> set[str]:
    """zsh completes only in its line editor: it gets a terminal, and lists the candidates on it."""
    (folder / ".zshrc").write_text(
        "PS1='READY%% '\nautoload -U compinit && compinit -u -D\nsource <(aidmesh completion zsh)\n"
        "zstyle ':completion:*' list-prompt ''\nsetopt no_auto_menu no_always_last_prompt\nLISTMAX=999\n"
        "bindkey '^I' list-choices\n"
    )
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 80, 0, 0))  # room for every candidate
    process = subprocess.Popen(
        ["zsh", "-i"],
        env={**variables, "ZDOTDIR": str(folder)},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        read_until(master, "READY% ")
        os.write(master, line.encode())
        read_until(master, line[-5:])
        os.write(master, b"\t")
        seen = read_until(master, "READY% ")  # it writes the prompt again below the list
        return set(re.findall(r"[\w.-]+", seen))
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read_until(master: int, end: str) -> str:
    seen = ""
    deadline = time.monotonic() + SECONDS_MAX
    while end not in seen:
        assert time.monotonic() < deadline, seen
        seen += os.read(master, 4096).decode(errors="replace")
    return seen


SHELLS = ("bash", "zsh", "fish")
Shell = Callable[[str, str], set[str]]


@pytest.mark.parametrize(
    "name", ["bash", *(pytest.param(one, marks=pytest.mark.soak) for one in SHELLS if one != "bash")]
)
def test_a_shell_completes_commands_options_and_words(name: str, shell: Shell) -> None:
    assert {"need", "offer", "pledge"} <= shell(name, "aidmesh ")
    assert {"post", "share", "withdraw"} <= shell(name, "aidmesh need ")
    assert {"--category", "--quantity", "--dry-run"} <= shell(name, "aidmesh need post --")
    assert {"childcare", "clothing", "care", "company"} <= shell(name, "aidmesh need post --category c")
    assert {"open", "closed"} <= shell(name, "aidmesh need list --state ")


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_completes_what_a_running_node_knows(name: str, shell: Any, node: RecordedNode) -> None:
    open_needs = [need(), need(id="b" * 32, item="Plastic Sheets"), need(id="c" * 32, item="$(touch gone)\x1b[2J")]
    node.answer("GET /needs?state=open&limit=200", sequence(open_needs))
    seen = shell(name, "aidmesh need show ", AIDMESH_HOME=str(node.home))
    assert {"Blankets", "bbbbbbbb", "cccccccc"} <= seen
    assert not {"touch", "gone", "2J"} & (seen if name != "zsh" else set())
    assert not list(node.home.parent.rglob("gone"))


@pytest.mark.parametrize("name", ["bash"])
def test_without_a_node_ids_are_simply_not_completed(name: str, shell: Any, tmp_path: Path) -> None:
    assert shell(name, "aidmesh need show ", AIDMESH_HOME=str(tmp_path / "nowhere")) == set()
    assert shell(name, "aidmesh need show ") == set()


def complete(node: RecordedNode, line: str, capsysbinary: Any, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What bash would be told, without bash."""
    monkeypatch.setenv("_AIDMESH_COMPLETE", "fish_complete")
    monkeypatch.setenv("COMP_WORDS", f"aidmesh {line}")
    monkeypatch.setenv("COMP_CWORD", line.rpartition(" ")[2])
    monkeypatch.setenv("AIDMESH_HOME", str(node.home))
    with pytest.raises(SystemExit):
        run([])
    out = capsysbinary.readouterr().out.decode()
    return [one.removeprefix("plain,").split("\t") for one in out.splitlines() if one]


@pytest.mark.parametrize(
    ("line", "route", "answer", "wanted"),
    [
        ("need share Bl", "/needs?state=open&limit=200", sequence([need()]), ["Blankets", "5,100 Blankets, Harbour"]),
        ("pledge accept 2e", "/pledges?limit=200", sequence([pledge()]), ["2e4982cc", "2,000 Blankets, Hillside"]),
        ("pledge offer ", "/board", {"needs": [need()], "offers": []}, ["Blankets", "5,100 Blankets, Harbour"]),
        ("peer status h", "/peers", sequence([peer()]), ["Hillside", "Hillside"]),
        ("need share Blankets --with H", "/peers", sequence([peer()]), ["Hillside", "Hillside"]),
        ("member revoke ", "/members", sequence([{"id": "a" * 32, "name": "Ana Silva"}]), ["aaaaaaaa", "Ana Silva"]),
    ],
)
def test_each_id_is_looked_for_where_it_can_be(
    line: str, route: str, answer: Any, wanted: list[str], node: RecordedNode, capsysbinary: Any, monkeypatch: Any
) -> None:
    node.answer(f"GET {route}", answer)
    assert complete(node, line, capsysbinary, monkeypatch) == [wanted]


def test_names_that_two_have_and_names_of_two_words_go_by_their_id() -> None:
    known = [need(), need(id="b" * 32), need(id="c" * 32, item="Two words"), need(id="d" * 32, item="毛布")]
    assert {one.value for one in offered(known, "")} == {"f6fdd3c4", "bbbbbbbb", "cccccccc", "毛布"}
    assert [one.value for one in offered(known, "BBB")] == ["bbbbbbbb"]
    assert offered(known, "x") == []


@pytest.mark.parametrize("name", ["a;b", "$(x)", "`x`", "a b", "a,b", "-rf", "*", "a\nb", "\x1b[2J", "a" * 60, "a:b"])
def test_a_name_that_means_something_to_a_shell_is_not_offered(name: str) -> None:
    (one,) = offered([need(item=name)], "")
    assert one.value == "f6fdd3c4"
    assert one.help is not None and all(line.isprintable() for line in one.help.split("\n"))


def test_a_node_that_hangs_or_lies_is_not_waited_for(node: RecordedNode, capsysbinary: Any, monkeypatch: Any) -> None:
    for answer in (b"not json", {"items": "no list"}, {"items": [1, None, "x"]}, {}):
        node.answers.clear()
        node.answer("GET /needs?state=open&limit=200", answer)
        assert complete(node, "need show ", capsysbinary, monkeypatch) == []
    node.answers.clear()
    assert complete(node, "need show ", capsysbinary, monkeypatch) == []


def test_the_words_are_those_of_the_domain() -> None:
    assert words.CATEGORIES == category.CATEGORIES
    assert words.UNITS == units.UNITS
    assert words.URGENCIES == needs.URGENCIES
    assert words.CLOSE_REASONS == needs.CLOSE_REASONS
    assert words.URGENCY_REASONS == needs.URGENCY_REASONS
    assert words.CONTACT_OUTCOMES == needs.CONTACT_OUTCOMES
    assert words.MODES == offer.MODES
    assert words.CONSENTS == consent.HOW_GIVEN
    assert words.HOWS == pledge_words.HOWS
    assert words.OUTCOMES == pledge_words.OUTCOMES
    assert words.FAILURES == pledge_words.FAILURES
    assert words.DECLINE_REASONS == pledge_words.DECLINE_REASONS
    assert words.RELEASE_REASONS == pledge_words.RELEASE_REASONS
    assert words.CONDITIONS == pledge_words.CONDITIONS
    assert words.ROLES == act.ROLES


@pytest.mark.parametrize("name", SHELLS)
def test_it_prints_and_needs_no_node(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", name]) == OK
    said = capsys.readouterr()
    assert "_AIDMESH_COMPLETE" in said.out and said.err == ""


def test_other_shells_are_named_as_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == USAGE
    assert "bash" in capsys.readouterr().err
