"""bundle.json: streams of frames, good and bad. No zlib is asked to compress: each does it its own way."""

from __future__ import annotations

from typing import Any

from tests.support.message_vectors.raw import (
    ALICE_GID,
    LEAF_HASH,
    ORIGIN_HASH,
    fields,
    frame,
    pack,
    pad,
    part,
    show,
    stored_zlib,
)

MAGIC = b"AIDMESH1\n"
ENTRY = pack(fields())
PART = part(pad(b"hello"))
NOTE = b"aidmesh/x\n1\nroot\n\n\xe2\x80\x94 a signature\n"
ROOT = b"\x66" * 32
BUNDLE_ID = b"\x77" * 16
END = [13]
SIGNED_END = [13, b"\x99" * 64]

FRAMES: dict[str, list[Any]] = {
    "HEAD": [1, BUNDLE_ID, ALICE_GID, 1_795_334_400, 86_400, 2],
    "IDENT": [2, NOTE, 0, [ENTRY, ENTRY], [], [[0, "facts", PART], [1, "facts", PART]]],
    "CHECKPOINT": [3, NOTE],
    "PACKAGE": [4, ORIGIN_HASH, 256, [ENTRY], [LEAF_HASH, ROOT]],
    "PART": [5, ORIGIN_HASH, 7, "view", PART],
    "HEADS": [6, [NOTE, NOTE]],
    "FORK": [7, [[ENTRY, PART]], NOTE, NOTE, [LEAF_HASH, ROOT]],
    "SIZES": [8, [[ORIGIN_HASH, 300, ROOT], [LEAF_HASH, 0, ROOT]]],
    "WANT": [9, [[ORIGIN_HASH, 7, "facts"]], [[ORIGIN_HASH, 8]]],
    "INCLUSION": [10, ORIGIN_HASH, 7, 300, ENTRY, [ROOT] * 9],
    "ERASED": [11, [[ORIGIN_HASH, 7, "view"]]],
    "MORE": [12, 44],
    "ASK": [14, 33_554_432, 25],
    "COLUMN": [15, ORIGIN_HASH, "view", 7, [PART, None, PART]],
    "READS": [16, [15, 127]],
}
# pack([3, b"a" * 1000]) and pack([100, b"\0" * 2000]) as zlib once packed them.
DEFLATED = bytes.fromhex("78da9bc47c94f945e2281805a360d80300de0f7d3d")
BOMB = bytes.fromhex("78da9b947294fd02c3281805a360148c8251300a863c000025380293")


def document() -> dict[str, Any]:
    return {
        "about": "SPEC 8. A stream, or the first bytes of one, with the bytes its receiver allows -> frames.",
        "rows": [*_good(), *_bad_streams(), *_bad_frames()],
    }


def stream(*payloads: list[Any]) -> bytes:
    return MAGIC + b"".join(frame(pack(payload)) for payload in payloads)


def _row(name: str, verdict: str, data: bytes, frames: Any = None, bytes_max: int = 1 << 20) -> dict[str, Any]:
    row = {"name": name, "bytes": data.hex(), "bytes_max": bytes_max, "verdict": verdict}
    return row if frames is None else row | {"frames": show(frames)}


def _good() -> list[dict[str, Any]]:
    every = [*FRAMES.values(), END]
    unknown = frame(pack([100, {"not": "ours"}]))
    smallest = stream(END)
    return [
        _row("END alone", "ok", smallest, [END]),
        _row("END with a signature, as in a file", "ok", stream(SIGNED_END), [SIGNED_END]),
        *(_row(f"{name} and END", "ok", stream(value, END), [value, END]) for name, value in FRAMES.items()),
        _row("every frame", "ok", stream(*every), every),
        _row(
            "HEAD, then an unknown kind",
            "ok",
            stream(FRAMES["HEAD"]) + unknown + frame(pack(END)),
            [FRAMES["HEAD"], END],
        ),
        _row(
            "a compressed frame",
            "ok",
            MAGIC + frame(stored_zlib(pack(FRAMES["PACKAGE"])), flags=1) + frame(pack(END)),
            [FRAMES["PACKAGE"], END],
        ),
        _row(
            "a frame that was deflated",
            "ok",
            MAGIC + frame(DEFLATED, flags=1) + frame(pack(END)),
            [[3, b"a" * 1000], END],
        ),
        _row(
            "an unknown kind, compressed",
            "ok",
            MAGIC + frame(stored_zlib(pack([100])), flags=1) + frame(pack(END)),
            [END],
        ),
        _row("exactly as long as allowed", "ok", smallest, [END], len(smallest)),
        _row(
            "nothing wanted, nothing held",
            "ok",
            stream([8, []], [9, [], []], END),
            [[8, []], [9, [], []], END],
        ),
    ]


def _bad_streams() -> list[dict[str, Any]]:
    end = frame(pack(END))
    package = pack(FRAMES["PACKAGE"])
    squeezed = stored_zlib(package)
    return [
        _row("no bytes", "malformed", b""),
        _row("another magic", "malformed", b"AIDMESH2\n" + end),
        _row("half a magic", "malformed", MAGIC[:4]),
        _row("the magic alone", "malformed", MAGIC),
        _row("no END", "malformed", stream(FRAMES["MORE"])),
        _row("half a header", "malformed", MAGIC + b"\0\0\0"),
        _row("half a frame", "malformed", MAGIC + end[:-1]),
        _row("a byte after END", "malformed", MAGIC + end + b"\0"),
        _row("a frame after END", "malformed", MAGIC + end + end),
        _row("HEAD in the middle", "malformed", stream(FRAMES["MORE"], FRAMES["HEAD"], END)),
        _row("two HEADs", "malformed", stream(FRAMES["HEAD"], FRAMES["HEAD"], END)),
        _row("unknown flags", "malformed", MAGIC + frame(pack(END), flags=2)),
        _row("an empty frame", "malformed", MAGIC + frame(b"") + end),
        _row("a frame of one byte", "malformed", MAGIC + frame(b"\x90") + end),
        _row("longer than any frame", "too_large", MAGIC + frame(b"", length=0xFFFFFFFF)),
        _row("a MORE frame announced with 65 bytes", "too_large", MAGIC + frame(pack([12, 1]), length=65)),
        _row(
            "an unknown frame announced with 65,537 bytes",
            "too_large",
            MAGIC + frame(pack([100]), length=65537),
        ),
        _row("a frame that is text", "malformed", MAGIC + frame(pack("text")) + end),
        _row("a frame that is an empty array", "malformed", MAGIC + frame(b"\x90\x00") + end),
        _row("a kind that is text", "malformed", MAGIC + frame(pack(["1"])) + end),
        _row("not canonical", "malformed", MAGIC + frame(b"\x92\x0c\xcc\x01") + end),
        _row("something behind the array", "malformed", MAGIC + frame(pack([12, 1]) + b"\0") + end),
        _row("one byte longer than allowed", "too_large", MAGIC + end, None, len(MAGIC + end) - 1),
        _row("257 unknown frames", "too_large", MAGIC + frame(pack([100])) * 257 + end),
        _row("compressed data that is none", "malformed", MAGIC + frame(b"none", flags=1) + end),
        _row("compressed data cut short", "malformed", MAGIC + frame(squeezed[:-1], flags=1) + end),
        _row(
            "compressed data with a wrong checksum",
            "malformed",
            MAGIC + frame(squeezed[:-1] + b"!", flags=1) + end,
        ),
        _row("compressed data that goes on", "malformed", MAGIC + frame(squeezed + b"\0", flags=1) + end),
        _row("one compressed byte", "malformed", MAGIC + frame(stored_zlib(b"\x90"), flags=1) + end),
        _row("compressed text", "malformed", MAGIC + frame(stored_zlib(pack("text")), flags=1) + end),
        _row(
            "a MORE frame that unpacks to 65 bytes",
            "too_large",
            MAGIC + frame(stored_zlib(pack([12, b"x" * 61])), flags=1) + end,
        ),
        _row(
            "a frame that unpacks to more than all may",
            "too_large",
            MAGIC + frame(BOMB, flags=1) + end,
            None,
            64,
        ),
    ]


def _bad_frames() -> list[dict[str, Any]]:
    def spoiled(name: str, position: int, value: Any) -> list[Any]:
        return [*FRAMES[name][:position], value, *FRAMES[name][position + 1 :]]

    bad: dict[str, list[Any]] = {
        "HEAD with a short bundle id": spoiled("HEAD", 1, BUNDLE_ID[:15]),
        "HEAD with a bad group id": spoiled("HEAD", 2, "A" * 32),
        "HEAD from before 1970": spoiled("HEAD", 3, -1),
        "HEAD to be carried for 367 days": spoiled("HEAD", 4, 367 * 86_400),
        "HEAD with 1,025 feeds": spoiled("HEAD", 5, 1025),
        "HEAD with a field too many": [*FRAMES["HEAD"], 0],
        "IDENT that does not start at 0": spoiled("IDENT", 2, 1),
        "IDENT without entries": spoiled("IDENT", 3, []),
        "IDENT with an empty note": spoiled("IDENT", 1, b""),
        "IDENT with a part of an unknown tag": spoiled("IDENT", 5, [[0, "photo", PART]]),
        "IDENT with half a part": spoiled("IDENT", 5, [[0, "facts"]]),
        "IDENT with an empty part": spoiled("IDENT", 5, [[0, "facts", b""]]),
        "CHECKPOINT that is text": [3, "note"],
        "CHECKPOINT without a note": [3],
        "CHECKPOINT longer than a note may be": [3, bytes(8193)],
        "PACKAGE with a short origin hash": spoiled("PACKAGE", 1, ORIGIN_HASH[:31]),
        "PACKAGE that starts at true": spoiled("PACKAGE", 2, True),
        "PACKAGE without entries": spoiled("PACKAGE", 3, []),
        "PACKAGE with 257 entries": spoiled("PACKAGE", 3, [b"x"] * 257),
        "PACKAGE with an empty entry": spoiled("PACKAGE", 3, [b""]),
        "PACKAGE with an entry of 1,025 bytes": spoiled("PACKAGE", 3, [bytes(1025)]),
        "PACKAGE with entries that are nil": spoiled("PACKAGE", 3, None),
        "PACKAGE with 65 proof hashes": spoiled("PACKAGE", 4, [ROOT] * 65),
        "PACKAGE with a short proof hash": spoiled("PACKAGE", 4, [ROOT[:31]]),
        "PART with a tag that is a number": spoiled("PART", 3, 1),
        "PART past the last index": spoiled("PART", 2, 2**53),
        "HEADS with 33 notes": [6, [NOTE] * 33],
        "HEADS with an empty note": [6, [b""]],
        "HEADS without notes": [6],
        "HEADS with a note that is text": [6, ["note"]],
        "FORK with 17 keys": spoiled("FORK", 1, [[ENTRY, PART]] * 17),
        "FORK with half a key": spoiled("FORK", 1, [[ENTRY]]),
        "FORK with an empty entry": spoiled("FORK", 1, [[b"", PART]]),
        "FORK with a note too long": spoiled("FORK", 2, bytes(641)),
        "FORK with a note that is nil": spoiled("FORK", 3, None),
        "FORK with a short hash": spoiled("FORK", 4, [ROOT[:31]]),
        "FORK without a path": FRAMES["FORK"][:-1],
        "SIZES with a feed of two fields": [8, [[ORIGIN_HASH, 1]]],
        "SIZES with a feed that is bytes": [8, [ORIGIN_HASH]],
        "SIZES of a feed too long": [8, [[ORIGIN_HASH, 2**53 + 1, ROOT]]],
        "WANT without entries": [9, []],
        "WANT with an entry of three fields": [9, [], [[ORIGIN_HASH, 7, "facts"]]],
        "INCLUSION with an empty entry": spoiled("INCLUSION", 4, b""),
        "ERASED without a list": [11],
        "ERASED with 1,025 parts": [11, [[ORIGIN_HASH, 7, "view"]] * 1025],
        "ERASED of an unknown tag": [11, [[ORIGIN_HASH, 7, "photo"]]],
        "MORE without an estimate": [12],
        "END with a field that is no signature": [13, 0],
        "END with a signature that is too short": [13, b"\x99" * 63],
        "END with two fields": [13, b"\x99" * 64, 0],
        "ASK to wait for 61 seconds": [14, 0, 61],
        "COLUMN without parts": spoiled("COLUMN", 4, []),
        "COLUMN with an empty part": spoiled("COLUMN", 4, [PART, b""]),
        "COLUMN with text for a part": spoiled("COLUMN", 4, ["part"]),
        "COLUMN with 257 parts": spoiled("COLUMN", 4, [None] * 257),
        "COLUMN of an unknown tag": spoiled("COLUMN", 2, "photo"),
        "COLUMN past the last index": spoiled("COLUMN", 3, 2**53),
        "READS with 33 kinds": [16, [15] * 33],
        "READS with a kind of two bytes": [16, [128]],
    }
    return [_row(name, "malformed", stream(value, END)) for name, value in bad.items()]
