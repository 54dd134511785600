"""Rows for fork proofs (SPEC §9.4): files that convict a group, and files that accuse nobody."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

from tests.support.core_vectors.checkpoints import COSIGNED, signature_line
from tests.support.merkle_reference import consistency_path, inclusion_path, tree_root
from tests.support.message_vectors.identity import IDENTITY_POINT, KEYS, gid_of, inception
from tests.support.message_vectors.raw import ALICE, BOB, frame, pack, stored_zlib

MAGIC = b"AIDMESH1\n"
END = frame(pack([13]))
INCEPTION = inception()
GID = gid_of(INCEPTION[0])
ORIGIN = f"aidmesh/{GID}/c/{'c1' * 32}/0"
OTHER_FEED = f"aidmesh/{GID}/public/0"
TOLD_BOB = [sha256(b"\0" + b"told bob %d" % index).digest() for index in range(300)]
TOLD_EVE = [*TOLD_BOB[:5], *(sha256(b"\0" + b"told eve %d" % index).digest() for index in range(5, 300))]
"""Two histories that part after five entries."""


def fork_file() -> dict[str, Any]:
    """The content of fork.json."""
    return {
        "about": (
            "SPEC §9.4. bytes: a fork proof as a file, hex. A verdict of ok convicts group gid of having forked"
            " the feed origin at these two sizes; a file with any other verdict accuses nobody."
        ),
        "rows": [*_convicting(), *_framing(), *_misshapen()],
    }


def note(size: int, leaves: list[bytes], *, origin: str = ORIGIN, key: Any = ALICE, more: str = "") -> bytes:
    text = f"{origin}\n{size}\n{b64encode(tree_root(leaves[:size])).decode()}\n"
    return f"{text}\n{signature_line(text, key, origin)}{more}".encode()


def path(size1: int, size2: int, leaves: list[bytes]) -> list[bytes]:
    """The path with its left-most node always there."""
    proof = consistency_path(size1, leaves[:size2])
    return [tree_root(leaves[:size1]), *proof] if size1.bit_count() == 1 else proof


def file(smaller: bytes, larger: bytes, hashes: list[bytes], keys: Any = (INCEPTION,)) -> bytes:
    payload = pack([7, [list(row) for row in keys], smaller, larger, hashes])
    return MAGIC + frame(payload) + END


def by_root(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Two notes of one size, in the order of their roots."""
    smaller, larger = sorted((one, other), key=_root)
    return smaller, larger


def _root(signed: bytes) -> bytes:
    return b64decode(signed.split(b"\n")[2])


def between(size1: int, size2: int) -> bytes:
    """The proof that bob's checkpoint of the smaller size is not of the tree eve was told."""
    return file(note(size1, TOLD_BOB), note(size2, TOLD_EVE), path(size1, size2, TOLD_EVE))


def _row(name: str, verdict: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "bytes": data.hex(), "verdict": verdict}


def _convicting() -> list[dict[str, Any]]:
    told = _row("two roots for one size", "ok", file(*by_root(note(9, TOLD_BOB), note(9, TOLD_EVE)), []))
    rows = [told | {"sizes": [9, 9]}]
    for size1, size2 in ((6, 7), (6, 300), (7, 9), (8, 9), (8, 256), (64, 300), (255, 256), (256, 300), (299, 300)):
        row = _row(f"{size1} entries that {size2} do not begin with", "ok", between(size1, size2))
        rows.append(row | {"sizes": [size1, size2]})
    return [row | {"gid": GID, "origin": ORIGIN} for row in rows]


def _framing() -> list[dict[str, Any]]:
    honest7, honest9, forked9 = note(7, TOLD_BOB), note(9, TOLD_BOB), note(9, TOLD_EVE)
    good, true = path(7, 9, TOLD_EVE), path(7, 9, TOLD_BOB)
    foreign = inception([BOB.verify_key.raw, *KEYS[1:]])
    other_feed = note(9, TOLD_EVE, origin=OTHER_FEED)
    return [
        _row("a feed that has grown", "proof_invalid", file(honest7, honest9, true)),
        _row("a feed that has not grown", "proof_invalid", file(honest9, honest9, [])),
        _row("sizes below the parting", "proof_invalid", between(4, 5)),
        _row("another tree's path", "proof_invalid", file(honest7, honest9, good)),
        _row("a changed left-most node", "proof_invalid", file(honest7, honest9, [bytes(32), *true[1:]])),
        _row("a changed node", "proof_invalid", file(honest7, forked9, [*good[:-1], bytes(32)])),
        _row("no path", "proof_invalid", file(honest7, forked9, [])),
        _row("a node too few", "proof_invalid", file(honest7, forked9, good[:-1])),
        _row("a node too many", "proof_invalid", file(honest7, forked9, [*good, bytes(32)])),
        _row("the path of RFC 6962, which has no left-most node at 8",
             "proof_invalid", file(note(8, TOLD_BOB), forked9, consistency_path(8, TOLD_EVE[:9]))),
        _row("an inclusion proof for the path",
             "proof_invalid", file(honest7, forked9, inclusion_path(6, TOLD_EVE[:9]))),
        _row("the empty feed", "proof_invalid", file(note(0, []), forked9, [bytes(32)])),
        _row("another root without a signature", "bad_signature", file(
            honest7, honest9.replace(honest9.split(b"\n")[2], forked9.split(b"\n")[2]), good)),
        _row("signed by somebody else", "bad_signature", file(honest7, note(9, TOLD_EVE, key=BOB), good)),
        _row("the inception of another group", "proof_invalid", file(honest7, forked9, good, (foreign,))),
        _row("the part of another inception",
             "proof_invalid", file(honest7, forked9, good, ((INCEPTION[0], foreign[1]),))),
        _row("a checkpoint of another feed", "malformed", file(honest7, other_feed, good)),
    ]  # fmt: skip


def _misshapen() -> list[dict[str, Any]]:
    smaller, larger = note(7, TOLD_BOB), note(9, TOLD_EVE)
    hashes, same = path(7, 9, TOLD_EVE), by_root(note(9, TOLD_BOB), note(9, TOLD_EVE))
    whole = between(7, 9)
    unsound = inception([IDENTITY_POINT, *KEYS[1:]])
    origin = f"aidmesh/{gid_of(unsound[0])}/public/0"
    of_unsound = (note(7, TOLD_BOB, origin=origin), note(9, TOLD_EVE, origin=origin))
    payload = whole[len(MAGIC) + 5 : -len(END)]
    return [
        _row("the larger first", "malformed", file(larger, smaller, hashes)),
        _row("the larger root first", "malformed", file(same[1], same[0], [])),
        _row("a path at one size", "malformed", file(*same, [bytes(32)])),
        _row("cosigned by others", "malformed", file(smaller, note(9, TOLD_EVE, more=COSIGNED), hashes)),
        _row("an origin that is none of ours", "malformed", file(
            note(7, TOLD_BOB, origin="example.org/log"), note(9, TOLD_EVE, origin="example.org/log"), hashes)),
        _row("without an inception", "malformed", file(smaller, larger, hashes, ())),
        _row("over a rotation", "upgrade_required", file(smaller, larger, hashes, (INCEPTION, INCEPTION))),
        _row("under an unsound key", "unknown_key", file(*of_unsound, hashes, (unsound,))),
        _row("seventeen keys", "malformed", file(smaller, larger, hashes, (INCEPTION,) * 17)),
        _row("a note of 641 bytes", "malformed", file(smaller, bytes(641), hashes)),
        _row("65 hashes", "malformed", file(smaller, larger, [bytes(32)] * 65)),
        _row("a short hash", "malformed", file(smaller, larger, [bytes(31)])),
        _row("a field too many", "malformed", MAGIC + frame(b"\x96" + payload[1:] + b"\0") + END),
        _row("compressed", "malformed", MAGIC + frame(stored_zlib(payload), flags=1) + END),
        _row("compressed END", "malformed", whole[: -len(END)] + frame(stored_zlib(pack([13])), flags=1)),
        _row("two proofs", "malformed", whole[: -len(END)] + whole[len(MAGIC) :]),
        _row("no proof", "malformed", MAGIC + END),
        _row("a frame nobody knows", "malformed", MAGIC + frame(pack([100])) + whole[len(MAGIC) :]),
        _row("no END", "malformed", whole[: -len(END)]),
        _row("longer than a proof may be", "too_large", whole + bytes(8_300)),
    ]  # fmt: skip
