"""Our own vectors for encoding, keys, tree, checkpoints, feeds and fork proofs: every row, read from the files.

`tests/support/make_core_vectors.py` writes them; the files must be what it writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aidmesh_protocol import canonical, merkle
from aidmesh_protocol.checkpoint import Checkpoint, open_checkpoint, parse_unverified, sign
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import Package, TrustedFeed, extend
from aidmesh_protocol.fork_file import decode_fork_file, encode_fork_file
from aidmesh_protocol.fork_proof import convict
from aidmesh_protocol.keys import SigningKey, VerifyKey
from tests.support.make_core_vectors import vector_files

FOLDER = Path(__file__).parents[2] / "protocol" / "vectors"


def rows(name: str) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in read(name)["rows"]]


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text())


def unhex(row: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(row[name]) for name in names]


def unhex_all(values: list[str]) -> tuple[bytes, ...]:
    return tuple(map(bytes.fromhex, values))


@pytest.mark.parametrize("name", ["canonical", "keys", "merkle", "checkpoint", "feed", "fork"])
def test_the_files_are_what_the_generator_writes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == vector_files()[name]


@pytest.mark.parametrize("name", ["canonical", "keys", "merkle", "checkpoint", "feed", "fork"])
def test_every_file_has_valid_and_invalid_rows_under_different_names(name: str) -> None:
    all_rows = read(name)["rows"]
    assert len({row["name"] for row in all_rows}) == len(all_rows)
    assert {"ok"} < {row["verdict"] for row in all_rows}


@pytest.mark.parametrize("row", rows("canonical"))
def test_canonical(row: dict[str, Any]) -> None:
    (data,) = unhex(row, "bytes")
    if row["verdict"] == "ok":
        value = plain(row["value"])
        assert repr(canonical.decode(data)) == repr(value)
        assert canonical.encode(value) == data
    else:
        refused(row, lambda: canonical.decode(data, bytes_max=row.get("bytes_max", 65_536)))


def plain(value: Any) -> Any:
    """JSON has no bytes: they stand as {"hex": ...}."""
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("row", rows("keys"))
def test_keys(row: dict[str, Any]) -> None:
    match row["kind"]:
        case "sign":
            seed, key, message, signature = unhex(row, "seed", "key", "message", "signature")
            signing_key = SigningKey.from_seed(seed)
            assert signing_key.verify_key.raw == key
            assert signing_key.sign(message) == signature
            judged(row, lambda: VerifyKey.admit(key).verify(signature, message))
        case "verify":
            key, message, signature = unhex(row, "key", "message", "signature")
            judged(row, lambda: VerifyKey.admit(key).verify(signature, message))
        case _:
            (key,) = unhex(row, "key")
            judged(row, lambda: VerifyKey.admit(key))


@pytest.mark.parametrize("row", rows("merkle"))
def test_merkle(row: dict[str, Any]) -> None:
    match row["kind"]:
        case "tree":
            leaves = [merkle.leaf_hash(data) for data in unhex_all(row["leaves"])]
            frontier, _ = merkle.Frontier.empty().extend(leaves)
            assert [frontier.root(), frontier.encode()] == unhex(row, "root", "frontier")
            assert merkle.Frontier.decode(frontier.encode()) == frontier
        case "frontier":
            (data,) = unhex(row, "bytes")
            judged(row, lambda: merkle.Frontier.decode(data))
        case "inclusion":
            leaf, root = unhex(row, "leaf", "root")
            proof = unhex_all(row["proof"])
            judged(row, lambda: merkle.verify_inclusion(row["index"], row["size"], leaf, proof, root))
        case _:
            root1, root2 = unhex(row, "root1", "root2")
            sizes, proof = (row["size1"], row["size2"]), unhex_all(row["proof"])
            judged(row, lambda: merkle.verify_consistency(*sizes, root1, root2, proof))


@pytest.mark.parametrize("row", rows("checkpoint"))
def test_checkpoint(row: dict[str, Any]) -> None:
    note, key = unhex(row, "note", "key")
    if row["verdict"] == "ok":
        opened = open_checkpoint(note, row["origin"], VerifyKey.admit(key))
        assert (opened.size, opened.root.hex(), opened.note) == (row["size"], row["root"], note)
        assert parse_unverified(note) == Checkpoint(opened.origin, opened.size, opened.root)
        if "seed" in row:
            assert sign(parse_unverified(note), SigningKey.from_seed(bytes.fromhex(row["seed"]))).note == note
    else:
        refused(row, lambda: open_checkpoint(note, row["origin"], VerifyKey.admit(key)))


@pytest.mark.parametrize("row", rows("feed"))
def test_feed(row: dict[str, Any]) -> None:
    feed = read("feed")
    origin, key = feed["origin"], VerifyKey.admit(bytes.fromhex(feed["key"]))
    notes = {name: open_checkpoint(bytes.fromhex(note), origin, key) for name, note in feed["checkpoints"].items()}
    entries = list(unhex_all(feed["entries"][row["start"] : row["stop"]]))
    for at, entry in row.get("replaced", {}).items():
        entries[int(at) - row["start"]] = bytes.fromhex(entry)
    trusted = TrustedFeed(
        origin,
        key,
        merkle.Frontier.decode(bytes.fromhex(row["frontier"])),
        notes[row["newest"]] if row["newest"] else None,
    )
    (origin_hash,) = unhex(row, "origin_hash")
    package = Package(origin_hash, row["start"], tuple(entries), unhex_all(row["proof"]))
    if row["verdict"] == "ok":
        extension = extend(trusted, package, notes[row["checkpoint"]])
        assert extension.feed.frontier.encode().hex() == row["frontier_after"]
        assert extension.skipped == row["skipped"]
        assert [[level, index, node.hex()] for level, index, node in extension.nodes] == row["nodes"]
    else:
        refused(row, lambda: extend(trusted, package, notes[row["checkpoint"]]))


@pytest.mark.parametrize("row", rows("fork"))
def test_fork(row: dict[str, Any]) -> None:
    (data,) = unhex(row, "bytes")
    if row["verdict"] == "ok":
        proof = decode_fork_file(data)
        convicted = convict(proof)
        assert (convicted.gid, convicted.origin) == (row["gid"], row["origin"])
        assert [convicted.smaller.size, convicted.larger.size] == row["sizes"]
        assert encode_fork_file(proof) == data
    else:
        refused(row, lambda: convict(decode_fork_file(data)))


def judged(row: dict[str, Any], check: Any) -> None:
    if row["verdict"] == "ok":
        check()
    else:
        refused(row, check)


def refused(row: dict[str, Any], check: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        check()
    assert caught.value.code == row["verdict"]
