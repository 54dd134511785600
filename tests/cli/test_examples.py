"""The examples in the help are typed, one after the other, at two real groups that help each other."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from aidmesh_cli.main import run
from aidmesh_cli.problems import OK
from aidmesh_node.exchange import samples
from tests.cli.test_help import commands, examples
from tests.cli.test_real_node import start
from tests.cli.test_terminal import SECONDS_MAX
from tests.support.processes import free_port

SAMPLES = Path(samples.__file__).parent

ELSEWHERE = {
    ("run",): "the nodes of this test are started by it",
    ("demo",): "tests/cli/test_real_node.py runs it",
    ("pledge", "commit"): "the node does it by itself before anybody can type it; tests/cli/test_commands.py",
    ("pledge", "presume"): "that takes a week; tests/http/test_presumed.py lets it pass",
    ("fork", "show"): "that takes a group that signs two histories; tests/cli/golden_cases.py",
    ("fork", "export"): "as above; tests/cli/test_fork.py",
    ("fork", "verify"): "as above; tests/cli/test_fork.py",
    ("fork", "resolve"): "as above; tests/cli/test_commands.py",
    ("recover", "override"): "that takes a restored node; tests/deploy/test_restore_story.py restores one",
    ("recover", "done"): "the same",
    ("completion",): "tests/cli/test_completion.py runs it in three shells",
}


@dataclass(frozen=True, slots=True)
class Act:
    """The examples of `command` are typed for `home`, after everything in `before`."""

    command: str
    home: str = "harbour"
    before: tuple[str, ...] = ()


NEED = "need post Blankets --category bedding --quantity 20"
OFFER = "offer post Blankets --category bedding --quantity 500"
TENTS = "offer post Tents --category shelter --quantity 5 --until 2026-12-20"
PLEDGE = (NEED, "pledge offer Blankets --quantity 20")
WRITTEN = date(2026, 11, 22)
WORDS = "'anchor boat calm dune'"
CLEAR = "CLEAR"
"""Whatever is open is closed: a name means one thing again."""

STORY = [
    Act("init"),
    Act("peer invite"),
    Act("peer accept", "hillside"),
    Act("peer list", "hillside"),
    Act("peer status", "hillside"),
    Act("need post"),
    Act("need list"),
    Act("need show"),
    Act("need share"),
    Act("need review"),
    Act("need contact-attempt"),
    Act("need extend"),
    Act("need unshare"),
    Act("need emergency-advice"),
    Act(
        "need share-wider",
        before=("need post Insulin --category medicine --quantity 1 --urgency emergency --advice-acknowledged",),
    ),
    Act("board"),
    Act("pledge offer"),
    Act("pledge list"),
    Act("pledge show"),
    Act("pledge revise"),
    Act("pledge counter"),
    Act("pledge accept", before=("pledge revise Blankets --quantity 10",)),
    Act("pledge hand-over", before=(CLEAR, *PLEDGE, "pledge accept Blankets")),
    Act("pledge ask"),
    Act("pledge receive"),
    Act("pledge correct"),
    Act("pledge leave"),
    Act("dispute open"),
    Act("dispute list"),
    Act("dispute show"),
    Act("dispute add"),
    Act("dispute resolve"),
    Act("fork list"),
    Act("pledge withdraw", before=(CLEAR, *PLEDGE)),
    Act("pledge decline", before=(CLEAR, *PLEDGE)),
    Act("pledge release", before=(CLEAR, *PLEDGE, "pledge accept Blankets")),
    Act("need amend", before=(CLEAR, NEED)),
    Act("need urgency", before=(CLEAR, NEED)),
    Act("need withdraw", before=(CLEAR, NEED)),
    Act("need close", before=(CLEAR, NEED)),
    Act("need erase", before=(CLEAR, NEED)),
    Act("erasure list"),
    Act(
        "need reopen",
        before=(CLEAR, "need post Tarps --category shelter --quantity 3", "need close Tarps --reason met"),
    ),
    Act("offer post", "hillside"),
    Act("offer list", "hillside"),
    Act("offer show", "hillside"),
    Act("offer share", "hillside"),
    Act("offer unshare", "hillside"),
    Act("offer confirm", "hillside"),
    Act("offer withdraw", "hillside"),
    Act("offer extend", "hillside", before=(TENTS,)),
    Act("offer close", "hillside"),
    Act("offer reopen", "hillside"),
    Act("offer erase", "hillside"),
    Act("member invite"),
    Act("member list"),
    Act("member role", before=("member invite Nobody",)),
    Act("member join"),
    Act("member revoke"),
    Act("member forget"),
    Act("bundle write", before=(CLEAR,)),
    Act("bundle inspect", "hillside"),
    Act("bundle read", "hillside"),
    Act("bundle sizes"),
    Act("import csv"),
    Act("status"),
    Act("recover status"),
    Act("recover wait"),
    Act("config show"),
    Act("verify"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two homes with running nodes, in the folder where somebody types."""
    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack, chdir(folder):
        for name in ("harbour", "hillside"):
            listen = f"127.0.0.1:{free_port()}"
            assert (
                run(["init", "--home", name, "--name", name.title(), "--listen", listen, "--state-dir", "state"]) == OK
            )
            process = stack.enter_context(start(folder / name))
            stack.callback(process.terminate)
        for sample in SAMPLES.glob("*.csv"):
            (folder / sample.name).write_bytes(sample.read_bytes())
        yield folder


class Typist:
    """Types commands for one node or the other, and knows what people read to each other meanwhile."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, home: str, command: str) -> str:
        os.environ["AIDMESH_HOME"] = home
        self.capsys.readouterr()
        code = run(shlex.split(command))
        said = self.capsys.readouterr()
        assert code == OK, f"{command}\n{said.out}{said.err}"
        return said.out

    def clear(self, home: str) -> None:
        for pledge in json.loads(self(home, "pledge list --json"))["items"]:
            if pledge["phase"] in ("offered", "countered", "accepted", "committed"):
                self(home, f"pledge withdraw {pledge['id']}")
        for need in self(home, "need list --state open --ours --quiet").split():
            self(home, f"need withdraw {need}")


def test_every_command_has_its_act() -> None:
    played = {tuple(act.command.split()) for act in STORY}
    assert {path for path, _ in commands()} == played | set(ELSEWHERE)


def test_the_examples_are_typed_and_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIDMESH_HOME", "harbour")
    monkeypatch.chdir(folder)
    typist = Typist(folder, capsys)
    known = dict(commands())
    told: dict[str, str] = {}
    typed = 0
    for act in STORY:
        for command in act.before:
            if command == CLEAR:
                typist.clear(act.home)
            else:
                typist(act.home, as_here(command, {}))
        prepare(act.command, typist, told, monkeypatch)
        for line in examples(known[tuple(act.command.split())]):
            if WORDS in line:
                told[WORDS] = words(typist)
            typist(act.home, as_here(line.removeprefix("aidmesh "), told))
            typed += 1
    assert typed == sum(len(examples(known[tuple(act.command.split())])) for act in STORY) > len(STORY)


def prepare(command: str, typist: Typist, told: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What people would have from each other before they type this."""
    match command:
        case "init":
            told["--home harbour"] = "--home founded --state-dir state"
        case "peer invite":
            told.clear()
            typist("harbour", f"status --wait {SECONDS_MAX}")
        case "peer accept":
            typist("harbour", "peer invite --dry-run")
            told["aidmesh:INVITATION"] = shlex.quote(typist("harbour", "peer invite --quiet").strip())
            # Trying does not spend it, and tells nobody: the example still works.
            tried = typist("hillside", f"peer accept {told['aidmesh:INVITATION']} --dry-run --wait {SECONDS_MAX}")
            assert "Dry run: nothing was changed." in tried
            assert json.loads(typist("harbour", "peer list --json"))["items"] == []
        case "peer list":
            confirm = f"peer accept Hillside --words {words(typist)}"
            assert "confirmed" in typist("harbour", f"{confirm} --dry-run")
            assert json.loads(typist("harbour", "peer list --json"))["items"][0]["state"] == "pending"
            typist("harbour", f"{confirm} --wait {SECONDS_MAX}")
        case "bundle write":
            Path("sizes.txt").write_text(typist("hillside", "bundle sizes"))
            typist("harbour", NEED)
            typist("harbour", "need share Blankets --consent self")
        case "dispute show":
            told["1a2b3c4d"] = typist("harbour", "dispute list --quiet").strip()
        case "member join":
            monkeypatch.setattr("sys.stdin", io.StringIO(typist("harbour", "member invite Rosa --quiet")))
            told["http://192.168.1.5:8420"] = json.loads(Path("harbour/address").read_text())["url"]


def words(typist: Typist) -> str:
    """The four words as Hillside sees them."""
    (link,) = json.loads(typist("hillside", "peer list --json"))["items"]
    return shlex.quote(" ".join(link["words"]))


def as_here(line: str, told: dict[str, str]) -> str:
    """An example with this test's own invitation, words and address, and as far from today as it was when written."""
    for written, real in told.items():
        line = line.replace(written, real)
    gone_by = datetime.now(UTC).date() - WRITTEN
    return re.sub(r"\b20\d\d-\d\d-\d\d\b", lambda found: str(date.fromisoformat(found[0]) + gone_by), line)
