"""Rows for canonical encoding (SPEC §2): bytes, and the value they are or the code they are refused with."""

from __future__ import annotations

from typing import Any

VALID: dict[str, tuple[str, Any]] = {
    "nil": ("c0", None),
    "false": ("c2", False),
    "true": ("c3", True),
    "zero": ("00", 0),
    "largest fixint": ("7f", 127),
    "uint8": ("cc80", 128),
    "uint16": ("cd0100", 256),
    "uint32": ("ce00010000", 65_536),
    "uint64": ("cf0000000100000000", 2**32),
    "largest integer": ("cf0020000000000000", 2**53),
    "minus one": ("ff", -1),
    "smallest fixint": ("e0", -32),
    "int8": ("d0df", -33),
    "int16": ("d1ff7f", -129),
    "int32": ("d2ffff7fff", -32_769),
    "int64": ("d3ffffffff7fffffff", -(2**31) - 1),
    "smallest integer": ("d3ffe0000000000000", -(2**53)),
    "empty bytes": ("c400", {"hex": ""}),
    "bytes": ("c40300ff80", {"hex": "00ff80"}),
    "bytes of 256": ("c50100" + "ab" * 256, {"hex": "ab" * 256}),
    "empty text": ("a0", ""),
    "text": ("a7696e73756c696e", "insulin"),
    "text of 32 bytes": ("d920" + "61" * 32, "a" * 32),
    "text of 256 bytes": ("da0100" + "61" * 256, "a" * 256),
    "text in NFC": ("a2c3a9", "\u00e9"),
    "text beyond the basic plane": ("a4f09f8dba", "\U0001f37a"),
    "text with a control character": ("a10a", "\n"),
    "empty array": ("90", []),
    "array": ("93c0a16101", [None, "a", 1]),
    "array of 16": ("dc0010" + "01" * 16, [1] * 16),
    "array of 1024": ("dc0400" + "c0" * 1_024, [None] * 1_024),
    "eight arrays deep": ("9191919191919190", [[[[[[[[]]]]]]]]),
    "a value beside a deep one": ("92" + "91" * 6 + "9001", [[[[[[[[]]]]]]], 1]),
}

MALFORMED: dict[str, str] = {
    "no bytes": "",
    "trailing byte": "c0c0",
    "cut short": "93c0",
    "cut inside bytes": "c40300ff",
    "never used code": "c1",
    "zero as uint8": "cc00",
    "127 as uint8": "cc7f",
    "255 as uint16": "cd00ff",
    "65535 as uint32": "ce0000ffff",
    "a uint32 as uint64": "cf00000000ffffffff",
    "five as int8": "d005",
    "minus one as int8": "d0ff",
    "minus 128 as int16": "d1ff80",
    "minus 32768 as int32": "d2ffff8000",
    "minus 2**31 as int64": "d3ffffffff80000000",
    "128 as int16": "d10080",
    "largest integer plus one": "cf0020000000000001",
    "largest uint64": "cfffffffffffffffff",
    "smallest integer minus one": "d3ffdfffffffffffff",
    "smallest int64": "d38000000000000000",
    "float32": "ca3f800000",
    "float64": "cb3ff0000000000000",
    "not a number": "cb7ff8000000000000",
    "bytes with bin16 length": "c5000141",
    "bytes with bin32 length": "c60000000141",
    "bytes longer than the data": "c6ffffffff41",
    "text with str8 length": "d90161",
    "text with str16 length": "da000161",
    "text with str32 length": "db0000000161",
    "text longer than the data": "dbffffffff61",
    "text that is not UTF-8": "a1ff",
    "overlong UTF-8": "a2c081",
    "lone surrogate": "a3eda080",
    "beyond Unicode": "a4f4908080",
    "text with NUL": "a3610062",
    "text not in NFC": "a365cc81",
    "text in NFC's excluded composition": "a3e0a598",
    "empty array with array16 length": "dc0000",
    "array with array16 length": "dc000101",
    "array with array32 length": "dd0000000101",
    "array longer than the data": "ddffffffff",
    "array of 1025": "dc0401" + "c0" * 1_025,
    "nine arrays deep": "91" * 8 + "90",
    "two thousand arrays deep": "91" * 2_000 + "c0",
    "empty map": "80",
    "map": "81a16101",
    "map16": "de000100c0",
    "map inside an array": "9180",
    "fixext1": "d40110",
    "empty ext8": "c70001",
    "timestamp32": "d6ff5a4af6a5",
    "timestamp64": "d7ffa1dcd7c85a4af6a5",
    "timestamp96": "c70cff00000000" + "00" * 8,
    "ext inside an array": "91d40110",
}


def canonical_file() -> dict[str, Any]:
    """The content of canonical.json."""
    valid = [
        {"name": name, "bytes": data, "verdict": "ok", "value": value}
        for name, (data, value) in VALID.items()
    ]
    malformed = [{"name": name, "bytes": data, "verdict": "malformed"} for name, data in MALFORMED.items()]
    long = {"name": "more bytes than asked for", "bytes": "c40200ff", "bytes_max": 3, "verdict": "too_large"}
    return {
        "about": 'SPEC §2. bytes: hex. value: JSON, {"hex": ..} for bytes. verdict: ok or the refusal code.',
        "rows": [*valid, *malformed, long],
    }
