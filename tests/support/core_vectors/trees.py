"""Rows for the Merkle tree (SPEC §6): roots, frontiers, and proofs that hold or do not."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from tests.support.merkle_reference import consistency_path, inclusion_path, tree_root

# The leaves that certificate transparency implementations test with.
DATA = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes(range(0x50, 0x58)),
    bytes(range(0x60, 0x70)),
    b"nine",
    b"ten",
    b"eleven",
]
LEAVES = [sha256(b"\0" + data).digest() for data in DATA]
ZERO = bytes(32)


def merkle_file() -> dict[str, Any]:
    """The content of merkle.json."""
    sizes = range(len(LEAVES) + 1)
    rows = [_tree(size) for size in sizes]
    rows += [_inclusion(f"leaf {index} in {size}", index, size) for size in sizes for index in range(size)]
    rows += [_consistency(f"size {size1} to {size2}", size1, size2) for size2 in sizes for size1 in range(1, size2 + 1)]
    rows += [*_bad_inclusions(), *_bad_consistencies(), *_bad_frontiers()]
    return {
        "about": "SPEC §6. Hashes hex. Trees of the first leaves of one list; leaf: its hash.",
        "rows": rows,
    }


def _tree(size: int) -> dict[str, Any]:
    peaks, start = b"", 0
    for level in reversed(range(4)):
        if size >> level & 1:
            peaks += tree_root(LEAVES[start : start + (1 << level)])
            start += 1 << level
    return {
        "name": f"tree of {size}",
        "kind": "tree",
        "leaves": [data.hex() for data in DATA[:size]],
        "root": tree_root(LEAVES[:size]).hex(),
        "frontier": (b"\x92" + bytes([size]) + b"\xc4" + bytes([len(peaks)]) + peaks).hex(),
        "verdict": "ok",
    }


def _inclusion(name: str, index: int, size: int, /, **changed: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "kind": "inclusion",
        "index": index,
        "size": size,
        "leaf": LEAVES[index].hex(),
        "proof": [hashed.hex() for hashed in inclusion_path(index, LEAVES[:size])],
        "root": tree_root(LEAVES[:size]).hex(),
        "verdict": "ok",
    }
    return {**row, **changed, "verdict": "proof_invalid"} if changed else row


def _consistency(name: str, size1: int, size2: int, /, **changed: Any) -> dict[str, Any]:
    row = {
        "name": name,
        "kind": "consistency",
        "size1": size1,
        "size2": size2,
        "root1": tree_root(LEAVES[:size1]).hex(),
        "root2": tree_root(LEAVES[:size2]).hex(),
        "proof": [hashed.hex() for hashed in consistency_path(size1, LEAVES[:size2])],
        "verdict": "ok",
    }
    return {**row, **changed, "verdict": "proof_invalid"} if changed else row


def _bad_inclusions() -> list[dict[str, Any]]:
    proof = _inclusion("", 5, 11)["proof"]
    return [
        _inclusion("inclusion: another index", 5, 11, index=4),
        _inclusion("inclusion: a negative index", 5, 11, index=-1),
        _inclusion("inclusion: an index past the tree", 5, 11, index=11),
        _inclusion("inclusion: a larger tree", 5, 11, size=23),
        _inclusion("inclusion: the empty tree", 5, 11, index=0, size=0, proof=[]),
        _inclusion("inclusion: another leaf", 5, 11, leaf=LEAVES[4].hex()),
        _inclusion("inclusion: another root", 5, 11, root=ZERO.hex()),
        _inclusion("inclusion: a changed hash", 5, 11, proof=[ZERO.hex(), *proof[1:]]),
        _inclusion("inclusion: first hash missing", 5, 11, proof=proof[1:]),
        _inclusion("inclusion: last hash missing", 5, 11, proof=proof[:-1]),
        _inclusion("inclusion: no hashes", 5, 11, proof=[]),
        _inclusion("inclusion: a hash too many in front", 5, 11, proof=[ZERO.hex(), *proof]),
        _inclusion("inclusion: a hash too many at the end", 5, 11, proof=[*proof, ZERO.hex()]),
        _inclusion("inclusion: hashes swapped", 5, 11, proof=[proof[1], proof[0], *proof[2:]]),
        _inclusion("inclusion: a hash of 31 bytes", 5, 11, proof=[proof[0][2:], *proof[1:]]),
        _inclusion("inclusion: a hash of 33 bytes", 5, 11, proof=[proof[0] + "00", *proof[1:]]),
        _inclusion("inclusion: a leaf that is no hash", 0, 1, leaf="", root=""),
        _inclusion("inclusion: 65 hashes", 5, 11, proof=proof[:1] * 65),
    ]


def _bad_consistencies() -> list[dict[str, Any]]:
    proof = _consistency("", 6, 11)["proof"]
    whole = _consistency("", 8, 11)["proof"]
    root6 = tree_root(LEAVES[:6]).hex()
    return [
        _consistency("consistency: from nothing", 6, 11, size1=0, proof=[]),
        _consistency("consistency: backwards", 6, 11, size1=11, size2=6),
        _consistency("consistency: a negative size", 6, 11, size1=-6),
        _consistency("consistency: another old size", 6, 11, size1=7),
        _consistency("consistency: a deeper new tree", 6, 11, size2=23),
        _consistency("consistency: another old root", 6, 11, root1=ZERO.hex()),
        _consistency("consistency: another new root", 6, 11, root2=ZERO.hex()),
        _consistency("consistency: roots swapped", 6, 11, root1=_consistency("", 6, 11)["root2"], root2=root6),
        _consistency("consistency: a changed hash", 6, 11, proof=[ZERO.hex(), *proof[1:]]),
        _consistency("consistency: first hash missing", 6, 11, proof=proof[1:]),
        _consistency("consistency: last hash missing", 6, 11, proof=proof[:-1]),
        _consistency("consistency: no hashes", 6, 11, proof=[]),
        _consistency("consistency: a hash too many", 6, 11, proof=[*proof, ZERO.hex()]),
        _consistency("consistency: a hash of 31 bytes", 6, 11, proof=[proof[0][2:], *proof[1:]]),
        _consistency("consistency: from a power of two, no hashes", 8, 11, proof=[]),
        _consistency("consistency: from a power of two, old root sent", 8, 11, proof=[LEAVES[0].hex(), *whole]),
        _consistency("consistency: equal sizes with a proof", 6, 6, proof=[root6]),
        _consistency("consistency: equal sizes, other roots", 6, 6, root2=ZERO.hex()),
        _consistency("consistency: 65 hashes", 6, 11, proof=proof[:1] * 65),
    ]


def _bad_frontiers() -> list[dict[str, Any]]:
    stored = {
        "no bytes": "",
        "an integer": "03",
        "one item": "9101",
        "three items": "9301c420" + "00" * 32 + "c0",
        "a size that is a boolean": "92c3c420" + "00" * 32,
        "a negative size": "92ffc420" + "00" * 32,
        "a size past the limit": "92cf0020000000000001c440" + "00" * 64,
        "peaks as text": "9201d920" + "61" * 32,
        "a peak too few": "9203c420" + "00" * 32,
        "a peak too many": "9202c440" + "00" * 64,
        "a cut peak": "9201c41f" + "00" * 31,
    }
    return [
        {"name": f"frontier: {name}", "kind": "frontier", "bytes": data, "verdict": "malformed"}
        for name, data in stored.items()
    ]
