"""Rows for feed extension (SPEC §9): packages of one written feed that a holder takes or refuses."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

from tests.support.core_vectors.checkpoints import signature_line
from tests.support.merkle_reference import consistency_path, tree_root
from tests.support.written_feed import WrittenFeed

FEED = WrittenFeed("alice", 300)
OTHER = WrittenFeed("eve", 3)
NO_ENTRY = b"\xc1"
STRANGER = FEED.entries[7].replace(b"need.share_revoked", b"bike.lent_and_kept")
ORIGIN_HASH = sha256(FEED.origin.encode()).hexdigest()


def feed_file() -> dict[str, Any]:
    """The content of feed.json."""
    return {
        "about": (
            "SPEC §9. A holder has the first entries (frontier) and the checkpoint newest, or none;"
            " a package of entries[start:stop], with those in replaced put in, arrives with a checkpoint."
            " All bytes hex."
        ),
        "origin": FEED.origin,
        "key": FEED.key.verify_key.raw.hex(),
        "entries": [entry.hex() for entry in FEED.entries],
        "checkpoints": _checkpoints(),
        "rows": [*_taken(), *_refused()],
    }


def _checkpoints() -> dict[str, str]:
    roots = {str(size): (size, tree_root(FEED.leaves[:size])) for size in (10, 12, 256, 300)}
    for name, entry in (("10 with no entry at 7", NO_ENTRY), ("10 with an unknown type at 7", STRANGER)):
        leaves = [*FEED.leaves[:7], sha256(b"\0" + entry).digest(), *FEED.leaves[8:10]]
        roots[name] = (10, tree_root(leaves))
    roots["10, another root"] = (10, bytes(32))
    notes = {}
    for name, (size, root) in roots.items():
        text = f"{FEED.origin}\n{size}\n{b64encode(root).decode()}\n"
        notes[name] = f"{text}\n{signature_line(text, FEED.key, FEED.origin)}".encode().hex()
    return notes


def _taken() -> list[dict[str, Any]]:
    tile = [[8, 0, tree_root(FEED.leaves[:256]).hex()]]
    return [
        _ok("a whole small feed", 0, 0, 10, "10"),
        _ok("a first package on the way to the head", 0, 0, 256, "300", nodes=tile),
        _ok("the last package", 256, 256, 300, "300", newest="300"),
        _ok("a package that ends at a boundary that is the head", 0, 0, 256, "256", nodes=tile),
        _ok("an overlap", 10, 0, 256, "300", newest="10", nodes=tile),
        _ok("an overlap whose known entries are garbled", 10, 0, 12, "12", replaced={"3": "c1", "9": ""}),
        _ok("known entries only", 256, 0, 10, "10", newest="256"),
        _ok("known entries only, up to the frontier", 256, 0, 256, "300", newest="256"),
        _ok("from a relay that is behind", 10, 10, 12, "12", newest="300"),
        _ok(
            "an entry of an unknown type",
            0,
            0,
            10,
            "10 with an unknown type at 7",
            replaced={"7": STRANGER.hex()},
        ),
    ]


def _refused() -> list[dict[str, Any]]:
    proof = _row("", 0, 0, 256, "300")["proof"]
    other_feed = sha256(OTHER.origin.encode()).hexdigest()
    changed = FEED.entries[7][:-1] + b"\x01"
    return [
        _no("a gap", "size_conflict", 10, 12, 256, "300"),
        _no("past the checkpoint", "size_conflict", 0, 0, 12, "10"),
        _no("neither at a boundary nor at the head", "malformed", 0, 0, 255, "300"),
        _no("no entries", "malformed", 0, 0, 0, "300"),
        _no("257 entries", "malformed", 0, 0, 257, "300"),
        _no("another feed's package", "malformed", 0, 0, 10, "10", origin_hash=other_feed),
        _no("a changed entry", "root_mismatch", 0, 0, 10, "10", replaced={"7": changed.hex()}),
        _no(
            "a changed entry before a boundary",
            "proof_invalid",
            0,
            0,
            256,
            "300",
            replaced={"7": changed.hex()},
        ),
        _no("another feed's entry", "root_mismatch", 0, 0, 10, "10", replaced={"7": OTHER.entries[0].hex()}),
        _no("no proof where one is needed", "proof_invalid", 0, 0, 256, "300", proof=[]),
        _no("a changed proof", "proof_invalid", 0, 0, 256, "300", proof=["00" * 32, *proof[1:]]),
        _no("a hash too many", "proof_invalid", 0, 0, 256, "300", proof=[*proof, "00" * 32]),
        _no("a proof at the head", "proof_invalid", 0, 0, 10, "10", proof=["00" * 32]),
        _no("another root at the head", "root_mismatch", 0, 0, 10, "10, another root"),
        _no("another root where one is known", "fork_detected", 10, 0, 10, "10, another root", newest="10"),
        _no(
            "what the owner signed is no entry",
            "malformed",
            0,
            0,
            10,
            "10 with no entry at 7",
            replaced={"7": NO_ENTRY.hex()},
        ),
    ]


def _ok(
    name: str,
    known: int,
    start: int,
    stop: int,
    checkpoint: str,
    *,
    nodes: list[Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    row = {**_row(name, known, start, stop, checkpoint), **more, "verdict": "ok"}
    entries = [
        bytes.fromhex(more.get("replaced", {}).get(str(at), entry.hex())) for at, entry in enumerate(FEED.entries)
    ]
    fresh = [sha256(b"\0" + entry).digest() for entry in entries[known:stop]]
    leaves = [*FEED.leaves[:known], *fresh]
    return {
        **row,
        "skipped": min(known - start, stop - start),
        "nodes": nodes or [],
        "frontier_after": _frontier(leaves),
    }


def _no(name: str, verdict: str, known: int, start: int, stop: int, checkpoint: str, **more: Any) -> dict[str, Any]:
    return {**_row(name, known, start, stop, checkpoint), **more, "verdict": verdict}


def _row(name: str, known: int, start: int, stop: int, checkpoint: str) -> dict[str, Any]:
    size = int(checkpoint.split(" ")[0].rstrip(","))
    proof = consistency_path(stop, FEED.leaves[:size]) if 0 < stop < size else []
    return {
        "name": name,
        "frontier": _frontier(FEED.leaves[:known]),
        "newest": None,
        "checkpoint": checkpoint,
        "origin_hash": ORIGIN_HASH,
        "start": start,
        "stop": stop,
        "proof": [hashed.hex() for hashed in proof],
    }


def _frontier(leaves: list[bytes]) -> str:
    """The stored frontier of SPEC §6.4, put together by hand: [size, peaks]."""
    size, peaks, start = len(leaves), b"", 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks += tree_root(leaves[start : start + (1 << level)])
            start += 1 << level
    head = bytes([size]) if size < 128 else b"\xcc" + bytes([size]) if size < 256 else b"\xcd" + size.to_bytes(2, "big")
    return (b"\x92" + head + b"\xc4" + bytes([len(peaks)]) + peaks).hex()
