"""`protocol/verify.py`: a second pair of eyes that shares nothing with ours, and comes to the same verdicts."""

from __future__ import annotations

import ast
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aidmesh_protocol.bundle import CheckpointFrame, ColumnFrame, Frame, Head, PackageFrame, PartFrame, encode_bundle
from aidmesh_protocol.entry import FACTS
from aidmesh_protocol.feed import Package
from aidmesh_protocol.origin import identity_origin, public_origin
from tests.support.raw_feed import RawFeed
from tests.support.raw_group import RawGroup
from tests.support.verifier import PROGRAM, loaded, run_alone

ROWS = json.loads((PROGRAM.parent / "vectors" / "fork.json").read_text())["rows"]
PROOFS = [bytes.fromhex(row["bytes"]) for row in ROWS if row["verdict"] == "ok"]
MUTATIONS = 1_000
VERIFY = loaded()


def fork(tmp_path: Path, data: bytes, what: str = "fork") -> int:
    """The program's exit code for a file with these bytes, asked in this process."""
    path = tmp_path / "file"
    path.write_bytes(data)
    code: int = VERIFY.main([what, str(path)])
    return code


def test_it_imports_the_standard_library_and_cryptography_alone() -> None:
    names = set()
    for node in ast.walk(ast.parse(PROGRAM.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"__import__", "exec", "eval"}
    assert names - sys.stdlib_module_names == {"cryptography"}


def test_a_stranger_without_our_packages_convicts_a_fork(tmp_path: Path) -> None:
    for row in (ROWS[0], ROWS[3]):
        (tmp_path / "proof").write_bytes(bytes.fromhex(row["bytes"]))
        done = run_alone(tmp_path, "fork", tmp_path / "proof")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"FORKED: group {row['gid']}\nfeed {row['origin']}\nIts owner's key signed ")
    assert "a history of 9 entries that does not begin with the 7 it had signed as well." in done.stdout


def test_a_stranger_is_told_what_to_type_and_what_is_wrong(tmp_path: Path) -> None:
    asked = run_alone(tmp_path)
    assert asked.returncode == 2 and "python verify.py fork FILE" in asked.stderr
    missing = run_alone(tmp_path, "fork", "nowhere")
    assert (missing.returncode, missing.stderr) == (2, "cannot read nowhere: No such file or directory\n")
    (tmp_path / "framing").write_bytes(
        bytes.fromhex(next(row["bytes"] for row in ROWS if row["name"] == "a feed that has grown"))
    )
    framed = run_alone(tmp_path, "fork", "framing")
    assert framed.returncode == 1
    assert framed.stdout == "NOT TRUE: the two checkpoints agree: this accuses nobody\n"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_it_judges_every_vector_as_we_do(
    row: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fork(tmp_path, bytes.fromhex(row["bytes"])) == (0 if row["verdict"] == "ok" else 1)
    assert capsys.readouterr().out.startswith("FORKED" if row["verdict"] == "ok" else "NOT TRUE")


def test_it_rejects_1_000_of_1_000_changed_bytes(tmp_path: Path) -> None:
    """Any byte of any proof, changed to any other: so there is none without meaning."""
    draw, rejected = random.Random("mutations"), 0
    for _ in range(MUTATIONS):
        data = bytearray(draw.choice(PROOFS))
        data[draw.randrange(len(data))] ^= draw.randint(1, 255)
        rejected += fork(tmp_path, bytes(data)) == 1
    assert rejected == MUTATIONS


def test_it_rejects_every_byte_of_one_proof_changed_cut_off_or_added(tmp_path: Path) -> None:
    proof, draw = PROOFS[3], random.Random("every byte")
    for at in range(len(proof)):
        changed = bytearray(proof)
        changed[at] ^= draw.randint(1, 255)
        assert fork(tmp_path, bytes(changed)) == 1, at
        assert fork(tmp_path, proof[:at]) == 1
        assert fork(tmp_path, proof[:at] + draw.randbytes(1) + proof[at:]) == 1


def test_it_survives_any_bytes(tmp_path: Path) -> None:
    draw = random.Random("noise")
    for _ in range(500):
        data = bytearray(draw.choice(PROOFS))
        start = draw.randrange(len(data))
        data[start : start + draw.randrange(20)] = draw.randbytes(draw.randrange(20))
        for what in ("fork", "feed"):
            assert fork(tmp_path, bytes(data), what) in (0, 1)


@pytest.fixture
def carol() -> tuple[RawGroup, RawFeed]:
    """A group with a public feed of 600 needs."""
    group = RawGroup("carol", "http://carol.test")
    feed = RawFeed(public_origin(group.gid), group.key)
    feed.append(*(group.need(f"Need {number}") for number in range(600)))
    return group, feed


def as_bundle(*frames: Frame) -> bytes:
    return b"".join(encode_bundle(frames))


def test_a_stranger_checks_a_feed(carol: tuple[RawGroup, RawFeed], tmp_path: Path) -> None:
    group, feed = carol
    head = Head(bytes(16), group.gid, 0, 0, 2)
    (tmp_path / "feed").write_bytes(as_bundle(head, group.ident(), *feed.frames()))
    done = run_alone(tmp_path, "feed", "feed")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"TRUE: {identity_origin(group.gid)}\n2 of 2 entries and 2 parts are what its owner signed.\n"
        f"TRUE: {feed.origin}\n600 of 600 entries and 1200 parts are what its owner signed.\n"
    )


def test_a_feed_that_is_cut_off_is_true_as_far_as_it_goes(
    carol: tuple[RawGroup, RawFeed], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group, feed = carol
    column = ColumnFrame(feed.hash, FACTS, 0, (feed.part(0).part, None, feed.part(2).part))
    some: list[Frame] = [CheckpointFrame(feed.note()), PackageFrame(feed.package(0)), column]
    assert fork(tmp_path, as_bundle(group.ident(), *some), "feed") == 0
    assert "256 of 600 entries and 2 parts" in capsys.readouterr().out
    again = [*some, PackageFrame(feed.package(0)), PackageFrame(feed.package(256))]
    assert fork(tmp_path, as_bundle(group.ident(), *again), "feed") == 0
    assert "512 of 600 entries" in capsys.readouterr().out
    assert fork(tmp_path, as_bundle(group.ident(), *again)[:-7], "feed") == 1
    assert "stops before its END" in capsys.readouterr().out


def test_what_its_owner_did_not_sign_is_not_true(
    carol: tuple[RawGroup, RawFeed], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group, feed = carol
    ident, true = group.ident(), feed.frames()
    eve = RawGroup("eve", "http://eve.test")
    changed = feed.package(0)
    changed = Package(changed.origin_hash, 0, (*changed.entries[:7], b"\x01", *changed.entries[8:]), changed.proof)
    swapped = PartFrame(feed.hash, 1, FACTS, feed.part(0).part)
    by_eve = RawFeed(feed.origin, eve.key, feed.sealed, feed.leaves)
    wrong: dict[str, Sequence[Frame]] = {
        "without its owner's identity": true,
        "this bundle: it proves nothing": [CheckpointFrame(feed.note())],
        "not the entries its owner signed": [ident, true[0], PackageFrame(changed)],
        "commits to other bytes": [ident, *true, swapped],
        "an entry that is not here": [ident, true[0], feed.part(0)],
        "those before are not here": [ident, true[0], PackageFrame(feed.package(256))],
        "not one signature of the feed's owner": [ident, *by_eve.frames()],
        "that of another group": [forged(group, eve), *true],
    }
    for reason, frames in wrong.items():
        assert fork(tmp_path, as_bundle(*frames), "feed") == 1, reason
        said = capsys.readouterr().out
        assert said.startswith("NOT TRUE: ") and reason in said


def forged(named: RawGroup, made_of: RawGroup) -> Frame:
    """The identity of one group under the name of another."""
    ident, other = named.ident(), made_of.ident()
    return type(ident)(ident.checkpoint, 0, other.entries, (), other.parts)
