"""Forks on the command line: the proof to a file, and the file checked where there is no node."""

from __future__ import annotations

import json
import shlex
from base64 import b64encode
from pathlib import Path

import pytest

from aidmesh_cli.problems import FAILURE, OK, USAGE
from tests.cli.answers import fork
from tests.cli.golden_cases import TELLS
from tests.cli.recorded_node import RecordedNode, Said, Terminal
from tests.support.verifier import PROGRAM, run_alone

ID = "aaaaaaaa"
ROWS = {row["name"]: row for row in json.loads((PROGRAM.parent / "vectors" / "fork.json").read_text())["rows"]}
PROOF = bytes.fromhex(ROWS["7 entries that 9 do not begin with"]["bytes"])
GID = ROWS["7 entries that 9 do not begin with"]["gid"]


def typed(aidmesh: Terminal, command: str) -> Said:
    """What is typed for this node; checking a file needs none."""
    words = shlex.split(command)
    return aidmesh.alone(*words) if words[1] == "verify" else aidmesh(*words)


def test_what_is_exported_convinces_whoever_gets_it(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    node.answer(f"GET /forks/{ID}", fork(tells=TELLS, proof=b64encode(PROOF).decode()))
    out = tmp_path / "hillside.fork"
    done = typed(aidmesh, f"fork export {ID} --out {out}")
    assert done.code == OK
    assert out.read_bytes() == PROOF
    assert "aidmesh fork verify" in done.err

    again = typed(aidmesh, f"fork export {ID} --out {out}")
    assert again.code == USAGE and "is there already" in again.err
    away = typed(aidmesh, f"fork export {ID} --out {tmp_path}/nowhere/proof")
    assert away.code == FAILURE and "cannot be written" in away.err

    done = typed(aidmesh, f"fork verify {out}")
    assert done.code == OK
    assert "a history of 9 entries that does not begin with the 7" in " ".join(done.out.split())
    assert GID in done.out
    assert typed(aidmesh, f"fork verify {out} --quiet").out == f"{GID}\n"
    shown = json.loads(typed(aidmesh, f"fork verify {out} --json").out)
    assert (shown["gid"], shown["smaller"], shown["larger"]) == (GID, 7, 9)
    assert run_alone(tmp_path, "fork", out).returncode == 0


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row["verdict"] != "ok"])
def test_what_proves_nothing_accuses_nobody(name: str, aidmesh: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes.fromhex(ROWS[name]["bytes"]))
    done = typed(aidmesh, f"fork verify {file}")
    assert (done.code, done.out) == (FAILURE, "")
    assert "proves nothing against anybody" in " ".join(done.err.split())


def test_a_file_that_is_not_there(aidmesh: Terminal, tmp_path: Path) -> None:
    done = typed(aidmesh, f"fork verify {tmp_path}/nowhere")
    assert done.code == FAILURE and "cannot be read" in " ".join(done.err.split())
