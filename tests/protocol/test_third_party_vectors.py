"""Other people's vectors, read in place: what they accept and refuse, this package does too.

Needs the folder AIDMESH_SHARED (default ../shared beside the repository); SOURCES.md there names the origins.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aidmesh_protocol import canonical, merkle
from aidmesh_protocol.checkpoint import key_id, open_checkpoint
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import VerifyKey
from tests.support import hpke_reference

REPOSITORY = Path(__file__).parents[2]
VECTORS = (REPOSITORY / os.environ.get("AIDMESH_SHARED", "../shared") / "vectors").resolve()
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not VECTORS.is_dir(), reason=f"AIDMESH_SHARED: there is no folder {VECTORS}"),
]


def read(path: str) -> Any:
    return json.loads((VECTORS / path).read_text())


def verdict(check: Callable[[], object]) -> str:
    try:
        check()
    except ProtocolError as error:
        return error.code
    return "ok"


def base64_list(values: list[str] | None) -> list[bytes]:
    return [b64decode(value or "") for value in values or []]


def test_merkle_proofs_of_transparency_dev() -> None:
    folder = VECTORS / "transparency-dev-merkle" / "testdata"
    judged = 0
    for path in sorted((folder / "inclusion").rglob("*.json")):
        row = json.loads(path.read_text())
        leaf, root = base64_list([row["leafHash"], row["root"]])
        proof = base64_list(row["proof"])
        check = partial(merkle.verify_inclusion, row["leafIdx"], row["treeSize"], leaf, proof, root)
        assert verdict(check) == ("proof_invalid" if row["wantErr"] else "ok"), path
        judged += 1
    for path in sorted((folder / "consistency").rglob("*.json")):
        row = json.loads(path.read_text())
        root1, root2 = base64_list([row["root1"], row["root2"]])
        proof = base64_list(row["proof"])
        check = partial(merkle.verify_consistency, row["size1"], row["size2"], root1, root2, proof)
        assert verdict(check) == ("proof_invalid" if row["wantErr"] else "ok"), path
        judged += 1
    assert judged == 196


def test_the_log_of_tessera() -> None:
    folder = VECTORS / "tessera-testlog" / "testdata" / "log"
    origin, identifier, encoded = (
        "example.com/log/testdata",
        "33d7b496",
        "AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
    )
    key = VerifyKey.admit(b64decode(encoded)[1:])
    assert key_id(origin, key).hex() == identifier
    opened = {path.name: open_checkpoint(path.read_bytes(), origin, key) for path in folder.glob("checkpoint*")}
    assert len(opened) == 17
    assert opened["checkpoint"].root == opened[f"checkpoint.{opened['checkpoint'].size}"].root
    roots = {checkpoint.size: checkpoint.root for checkpoint in opened.values()}
    assert sorted(roots) == list(range(16))

    leaves: list[bytes] = []
    for size in range(1, 16):
        bundle = (folder / "tile" / "entries" / "000.p" / str(size)).read_bytes()
        leaves = [merkle.leaf_hash(entry) for entry in unbundled(bundle)]
        assert b"".join(leaves) == (folder / "tile" / "0" / "000.p" / str(size)).read_bytes()
        frontier, _ = merkle.Frontier.empty().extend(leaves)
        assert (frontier.size, frontier.root()) == (size, roots[size])
    assert roots[0] == merkle.EMPTY_ROOT

    hashes = merkle.subtree_reader(lambda start, stop: leaves[start:stop], lambda _level, _index: None)
    for size2 in range(1, 16):
        for size1 in range(1, size2 + 1):
            proof = merkle.consistency_proof(size1, size2, hashes)
            merkle.verify_consistency(size1, size2, roots[size1], roots[size2], proof)
            proof = merkle.inclusion_proof(size1 - 1, size2, hashes)
            merkle.verify_inclusion(size1 - 1, size2, leaves[size1 - 1], proof, roots[size2])


def unbundled(bundle: bytes) -> list[bytes]:
    """Split a C2SP tlog-tiles entry bundle: u16 length, entry."""
    entries = []
    while bundle:
        stop = 2 + int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2:stop])
        bundle = bundle[stop:]
    return entries


def test_ed25519_of_wycheproof() -> None:
    judged = 0
    for group in read("wycheproof/testvectors_v1/ed25519_test.json")["testGroups"]:
        key = VerifyKey.admit(bytes.fromhex(group["publicKey"]["pk"]))
        for row in group["tests"]:
            signature, message = bytes.fromhex(row["sig"]), bytes.fromhex(row["msg"])
            outcome = verdict(partial(key.verify, signature, message))
            assert outcome == {"valid": "ok", "invalid": "bad_signature"}[row["result"]], row
            judged += 1
    assert judged == 151


def admit_and_verify(raw: bytes, signature: bytes, message: bytes) -> None:
    VerifyKey.admit(raw).verify(signature, message)


def test_ed25519_edge_cases_of_cctv() -> None:
    outcomes: Counter[str] = Counter()
    accepted_with: Counter[str] = Counter()
    rows = read("cctv/ed25519/ed25519vectors.json")
    for row in rows:
        key, signature = bytes.fromhex(row["key"]), bytes.fromhex(row["sig"])
        outcome = verdict(partial(admit_and_verify, key, signature, row["msg"].encode()))
        flags = frozenset(row["flags"] or [])
        # No signature under a key with a small-order component, or a second encoding of a key, may ever pass.
        if flags & {"low_order_A", "low_order_component_A", "non_canonical_A"}:
            assert outcome == "unknown_key", row
        outcomes[outcome] += 1
        if outcome == "ok":
            accepted_with[" ".join(sorted(flags)) or "no flag"] += 1
    assert len(rows) == 914
    assert outcomes == {"unknown_key": 886, "bad_signature": 26, "ok": 2}
    # Harmless: a sound key's owner chose R of small order, which takes the private key to do.
    assert accepted_with == {"no flag": 1, "low_order_R": 1}


# group -> (accepted encodings: one for each value the profile has, all encodings)
MSGPACK_ACCEPTED = {
    "10.nil.yaml": (1, 1),
    "11.bool.yaml": (2, 2),
    "12.binary.yaml": (3, 9),
    "20.number-positive.yaml": (11, 73),
    "21.number-negative.yaml": (8, 33),
    "22.number-float.yaml": (0, 4),
    "23.number-bignum.yaml": (4, 19),
    "30.string-ascii.yaml": (4, 13),
    "31.string-utf8.yaml": (5, 10),
    "32.string-emoji.yaml": (2, 4),
    "40.array.yaml": (5, 14),
    "41.map.yaml": (0, 9),
    "42.nested.yaml": (1, 12),
    "50.timestamp.yaml": (0, 19),
    "60.ext.yaml": (0, 11),
}


def test_the_msgpack_suite_has_one_accepted_encoding_for_each_value_of_the_profile() -> None:
    counted = {}
    for group, rows in read("msgpack-test-suite/dist/msgpack-test-suite.json").items():
        accepted_count = encodings_count = 0
        for row in rows:
            encodings = [bytes.fromhex(encoding.replace("-", "")) for encoding in row["msgpack"]]
            outcomes = [verdict(partial(canonical.decode, encoding)) for encoding in encodings]
            # The suite lists the shortest encoding first; a value has that one or, outside the profile, none.
            assert outcomes[0] in ("ok", "malformed")
            assert set(outcomes[1:]) <= {"malformed"}
            accepted_count += outcomes.count("ok")
            encodings_count += len(encodings)
        counted[group] = accepted_count, encodings_count
    assert counted == MSGPACK_ACCEPTED
    assert sum(encodings for _, encodings in counted.values()) == 233


def test_hpke_of_rfc_9180() -> None:
    """Our vectors for sealed files are made with these steps, and opened by the library."""
    (row,) = (
        row
        for row in read("cryptography_vectors/hpke_x25519_hkdfsha256_subset.json")
        if (row["mode"], row["aead_id"]) == (0, 3)
    )
    recipient, info, ephemeral = (bytes.fromhex(row[name]) for name in ("pkRm", "info", "skEm"))
    first = row["encryptions"][0]
    sealed = hpke_reference.seal(bytes.fromhex(first["pt"]), recipient, info, ephemeral, bytes.fromhex(first["aad"]))
    assert sealed.hex() == row["enc"] + first["ct"]
