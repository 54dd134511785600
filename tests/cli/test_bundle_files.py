"""Files on a stick: whole or not there, private, never over another one; and what people are told of them."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from aidmesh_cli.bundle_files import PIECE_BYTES
from aidmesh_cli.phrases import length
from aidmesh_cli.problems import CONFLICT, FAILURE, NOT_FOUND, OK, USAGE
from tests.cli.recorded_node import RecordedNode, Terminal

ID = "f" * 32
SIZES = "aidmesh-sizes:QUlETUVTSDEK"


def packed(node: RecordedNode, *contents: bytes) -> None:
    """The node packs one file of each content, after another."""
    for number, content in enumerate(contents):
        last = number + 1 == len(contents)
        told = {"id": f"{number:032x}", "bytes": len(content), "entries": 10, "feeds": 1, "left": 0, "unsigned": 0}
        node.answer("POST /bundles", told | {"next": None if last else f"{SIZES}{number}"})
        for at, data in ((0, content), (len(content), b"")):
            piece = {"at": at, "data": base64.b64encode(data).decode(), "bytes": len(content)}
            node.answer(f"GET /bundle-pieces?id={number:032x}&at={at}", piece)


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def told(**more: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"bundle": "b" * 32, "packed_by": {"gid": "a" * 32, "name": "Hillside"}}
    known |= {"packed_at": "2026-11-22T08:00:00Z", "signature": "signed"}
    known |= {"feeds": 2, "whole": True, "trouble": "", "new": 3, "again": False, "kept": False, "waiting": 0}
    return {**known, "refused": [], **more}


def test_a_file_is_private_and_whole(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    packed(node, b"sealed")
    out = tmp_path / "news.aidmesh"
    said = aidmesh("bundle", "write", "--out", str(out))
    assert (said.code, on_one_line(said.out)) == (OK, f"Wrote {out}: 10 entries, 6 bytes.")
    assert f"aidmesh bundle read {out}" in said.err
    assert out.read_bytes() == b"sealed"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["news.aidmesh"]


def test_several_files_are_numbered_and_each_goes_on_from_the_one_before(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path
) -> None:
    packed(node, b"one", b"two!", b"three")
    said = aidmesh("bundle", "write", "--out", str(tmp_path / "news.aidmesh"), "--max-bytes", "9000", "-q")
    names = [str(tmp_path / f"news.{number}.aidmesh") for number in (1, 2, 3)]
    assert said.out.splitlines() == names
    assert [Path(name).read_bytes() for name in names] == [b"one", b"two!", b"three"]
    asked = [body for path, body in node.posted() if path == "/bundles"]
    assert [body.get("since") for body in asked] == [None, f"{SIZES}0", f"{SIZES}1"]
    assert {body["max_bytes"] for body in asked} == {9000}


def test_what_is_there_already_is_left_alone(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "thesis.txt"
    out.write_text("years of work")
    said = aidmesh("bundle", "write", "--out", str(out))
    assert said.code == CONFLICT and "left as it is" in said.err
    assert out.read_text() == "years of work" and node.posted() == []
    away = aidmesh("bundle", "write", "--out", str(tmp_path / "stick" / "news"))
    assert away.code == NOT_FOUND and "Is the stick plugged in?" in away.err


def test_a_line_that_is_lost_in_the_middle_leaves_no_half_a_file(
    node: RecordedNode, aidmesh: Terminal, tmp_path: Path
) -> None:
    packed(node, b"sealed")
    node.answers["GET /bundle-pieces?id=" + "0" * 32 + "&at=6"] = []
    node.refuse(f"GET /bundle-pieces?id={'0' * 32}&at=6", 404, "not_found")
    assert aidmesh("bundle", "write", "--out", str(tmp_path / "news")).code == NOT_FOUND
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_dry_run_writes_nothing(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    node.answer("POST /bundles", {"bytes": 6, "entries": 10, "left": 0, "dry_run": True})
    said = aidmesh("bundle", "write", "--out", str(tmp_path / "news"), "--dry-run")
    assert said.code == OK and "Dry run: nothing was changed." in said.out
    assert not (tmp_path / "news").exists()


def test_sizes_are_a_line_or_a_file_with_it(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    kept, other = tmp_path / "sizes.txt", tmp_path / "other.txt"
    kept.write_text(SIZES + "\n")
    other.write_text("hello")
    for number, given in enumerate((SIZES, str(kept))):
        packed(node, b"sealed")
        assert aidmesh("bundle", "write", "--out", str(tmp_path / f"{number}"), "--since", given).code == OK
        assert node.posted()[-1][1] == {"since": SIZES}
    assert aidmesh("bundle", "write", "--out", str(tmp_path / "x"), "--since", str(other)).code == USAGE
    missing = aidmesh("bundle", "write", "--out", str(tmp_path / "x"), "--since", str(tmp_path / "none"))
    assert missing.code == NOT_FOUND and "bundle sizes" in missing.err


def test_a_large_file_is_brought_in_pieces(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    data = bytes(range(256)) * 8_000
    file = tmp_path / "news"
    file.write_bytes(data)
    node.answer("POST /bundle-pieces", {"id": ID, "bytes": 1})
    node.answer("POST /bundles/read", told())
    assert on_one_line(aidmesh("bundle", "read", str(file)).out) == f"Read {file} by Hillside: 3 new entries."
    brought = [body for path, body in node.posted() if path == "/bundle-pieces"]
    assert [(body.get("id"), body["at"]) for body in brought] == [(None, 0), (ID, PIECE_BYTES), (ID, 2 * PIECE_BYTES)]
    assert b"".join(base64.b64decode(body["data"]) for body in brought) == data
    assert node.posted()[-1] == ("/bundles/read", {"id": ID})


@pytest.mark.parametrize(
    ("answer", "code", "out", "err"),
    [
        (told(again=True, new=0), OK, "was read before; nothing is new.", ""),
        (told(signature="unsigned"), OK, "3 new entries", "It is not signed by the group that it names."),
        (
            told(whole=False, trouble="interrupted", signature="unknown", new=0),
            FAILURE,
            "0 new entries",
            "Not read to its end: interrupted.",
        ),
        (
            told(refused=[{"code": "proof_invalid", "detail": "another part"}]),
            FAILURE,
            "3 new entries",
            "Refused, and kept as evidence: another part.",
        ),
    ],
)
def test_what_became_of_a_file(
    answer: dict[str, Any], code: int, out: str, err: str, node: RecordedNode, aidmesh: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "news"
    file.write_bytes(b"sealed")
    node.answer("POST /bundle-pieces", {"id": ID, "bytes": 6})
    node.answer("POST /bundles/read", answer)
    said = aidmesh("bundle", "read", str(file))
    assert said.code == code and out in on_one_line(said.out) and err in on_one_line(said.err)


def test_a_file_that_is_not_there(node: RecordedNode, aidmesh: Terminal, tmp_path: Path) -> None:
    for verb in ("read", "inspect"):
        assert aidmesh("bundle", verb, str(tmp_path / "none")).code == NOT_FOUND
    assert node.posted() == []


def test_circles_go_by_their_groups_or_their_id(node: RecordedNode, aidmesh: Terminal) -> None:
    def circle(letter: str, name: str, state: str = "active") -> dict[str, Any]:
        origin = f"aidmesh/{'a' * 32}/c/{letter * 64}/0"
        peers = [{"gid": letter * 32, "name": name}]
        ours = {"origin": origin, "size": 1}
        theirs = [{"gid": letter * 32, "origin": origin, "size": 1}]
        return {"id": letter * 64, "peers": peers, "state": state, "ours": ours, "theirs": theirs}

    items = [circle("b", "Hillside"), circle("c", "Hillfoot"), circle("d", "Riverside", "severed")]
    node.answer("GET /circles", {"items": items, "position": 1, "schema_version": 1})
    for letter in "bc":
        node.answer(f"GET /bundle-sizes?circle={letter * 64}", {"sizes": SIZES, "circle": letter * 64})
    assert aidmesh("bundle", "sizes", "--for", "hillside").out == SIZES + "\n"
    assert aidmesh("bundle", "sizes", "--for", "hillf", "-q").out == SIZES + "\n"
    assert aidmesh("bundle", "sizes", "--for", "cccccc").code == OK
    assert aidmesh("bundle", "sizes", "--for", "hill").code == CONFLICT
    assert aidmesh("bundle", "sizes", "--for", "Riverside").code == NOT_FOUND


def test_lengths_are_for_people() -> None:
    shown = [length(count) for count in (1, 999, 1_000, 5_763, 999_949, 12_345_678, 4_294_967_296)]
    assert shown == ["1 byte", "999 bytes", "1.0 kB", "5.8 kB", "999.9 kB", "12.3 MB", "4.3 GB"]
