"""Rows for checkpoints (SPEC §7): notes that open under an origin and key, and notes that do not."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

from aidmesh_protocol.keys import SigningKey

ALICE = SigningKey.from_seed(b"\x0a" * 32)
BOB = SigningKey.from_seed(b"\x0b" * 32)
GROUP = "aidmesh/" + "a" * 32
ORIGIN = f"{GROUP}/c/{'c1' * 32}/0"
ROOT = b64encode(b"\x05" * 32).decode()
EMPTY = b64encode(sha256(b"").digest()).decode()
COSIGNED = f"— witness.example/one {b64encode(b'wxyz' + bytes(72)).decode()}\n"


def signature_line(text: str, key: SigningKey = ALICE, name: str = ORIGIN) -> str:
    """The line by which `key` signs `text` under `name`."""
    key_id = sha256(name.encode() + b"\n\x01" + key.verify_key.raw).digest()[:4]
    return f"— {name} {b64encode(key_id + key.sign(text.encode())).decode()}\n"


def note(text: str) -> str:
    """A note over any text, rightly signed."""
    return f"{text}\n{signature_line(text)}"


TEXT = f"{ORIGIN}\n5\n{ROOT}\n"
LINE = signature_line(TEXT)
LARGEST = f"{ORIGIN}\n{2**53}\n{ROOT}\n"
OTHER_SIZE = TEXT.replace("\n5\n", "\n6\n")

VALID = {
    "as signed": (note(TEXT), 5),
    "the empty feed": (note(f"{ORIGIN}\n0\n{EMPTY}\n"), 0),
    "the largest feed": (note(LARGEST), 2**53),
}
VALID_WITH_OTHERS = {
    "cosigned after": f"{TEXT}\n{LINE}{COSIGNED}",
    "cosigned before": f"{TEXT}\n{COSIGNED}{LINE}",
    "another key under the same name": f"{TEXT}\n{signature_line(TEXT, BOB)}{LINE}",
    "a cosignature twice": f"{TEXT}\n{LINE}{COSIGNED}{COSIGNED}",
    "64 signature lines": f"{TEXT}\n{LINE}" + f"— w {b64encode(b'wxyz1').decode()}\n" * 63,
}
MALFORMED = {
    "no bytes": "",
    "text only": TEXT,
    "no signature line": TEXT + "\n",
    "no blank line": TEXT + LINE,
    "two blank lines": f"{TEXT}\n\n{LINE}",
    "no last newline": f"{TEXT}\n{LINE}"[:-1],
    "an empty signature line": f"{TEXT}\n{LINE}\n",
    "carriage returns": note(TEXT).replace("\n", "\r\n"),
    "an extension line": note(TEXT + "extension\n"),
    "two lines": note(f"{ORIGIN}\n5\n"),
    "an empty line in the text": note(TEXT + "\n"),
    "size with a leading zero": note(f"{ORIGIN}\n05\n{ROOT}\n"),
    "size with a sign": note(f"{ORIGIN}\n+5\n{ROOT}\n"),
    "a negative size": note(f"{ORIGIN}\n-5\n{ROOT}\n"),
    "size with a space": note(f"{ORIGIN}\n5 \n{ROOT}\n"),
    "size with an underscore": note(f"{ORIGIN}\n5_0\n{ROOT}\n"),
    "size in full-width digits": note(f"{ORIGIN}\n\uff15\n{ROOT}\n"),
    "size in hexadecimal": note(f"{ORIGIN}\n0x5\n{ROOT}\n"),
    "no size": note(f"{ORIGIN}\n\n{ROOT}\n"),
    "size past 2**53": note(f"{ORIGIN}\n{2**53 + 1}\n{ROOT}\n"),
    "size of 5000 digits": note(f"{ORIGIN}\n{'9' * 5_000}\n{ROOT}\n"),
    "another root for the empty feed": note(f"{ORIGIN}\n0\n{ROOT}\n"),
    "a root of 31 bytes": note(f"{ORIGIN}\n5\n{b64encode(bytes(31)).decode()}\n"),
    "a root of 33 bytes": note(f"{ORIGIN}\n5\n{b64encode(bytes(33)).decode()}\n"),
    "a root without padding": note(f"{ORIGIN}\n5\n{ROOT.rstrip('=')}\n"),
    "a root with spare bits set": note(f"{ORIGIN}\n5\n{ROOT[:-2]}V=\n"),
    "another origin": note(TEXT.replace("/0\n", "/1\n")),
    "signed twice by its key": f"{TEXT}\n{LINE}{LINE}",
    "65 signature lines": f"{TEXT}\n{LINE}" + f"— w {b64encode(b'wxyz1').decode()}\n" * 64,
    "a hyphen for the dash": f"{TEXT}\n{LINE.replace('—', '-')}",
    "two spaces": f"{TEXT}\n{LINE.replace('— ', '—  ')}",
    "a space at the end": f"{TEXT}\n{LINE[:-1]} \n",
    "a signature with spare bits set": f"{TEXT}\n{LINE}— witness d3h5egB=\n",
    "a line with a key id only": f"{TEXT}\n{LINE}— witness d3h5eg==\n",
    "a line without a signature": f"{TEXT}\n{LINE}— witness \n",
    "a line with a plus in the name": f"{TEXT}\n{LINE}— wit+ness d3h5egA=\n",
    "a line without a name": f"{TEXT}\n{LINE}—  d3h5egA=\n",
}
BAD_SIGNATURE = {
    "another text": f"{OTHER_SIZE}\n{LINE}",
    "signed by another key": f"{TEXT}\n{signature_line(TEXT, BOB)}",
    "signed under another name": f"{TEXT}\n{signature_line(TEXT, name=GROUP + '/id/0')}",
    "cosigned only": f"{TEXT}\n{COSIGNED}",
    "a wrong line of its key beside cosignatures": f"{TEXT}\n{COSIGNED}{signature_line(OTHER_SIZE)}",
}


def checkpoint_file() -> dict[str, Any]:
    """The content of checkpoint.json."""
    rows: list[dict[str, Any]] = []
    for name, (text, size) in VALID.items():
        root = bytes.fromhex("05" * 32) if size else sha256(b"").digest()
        rows.append({**_row(name, text, "ok"), "seed": ALICE.seed.hex(), "size": size, "root": root.hex()})
    for name, text in VALID_WITH_OTHERS.items():
        rows.append({**_row(name, text, "ok"), "size": 5, "root": "05" * 32})
    rows += [_row(name, text, "malformed") for name, text in MALFORMED.items()]
    not_utf8 = _row("not UTF-8", note(TEXT), "malformed")
    rows.append({**not_utf8, "note": "ff" + not_utf8["note"]})
    rows += [_row(name, text, "bad_signature") for name, text in BAD_SIGNATURE.items()]
    rows.append(_row("more than 8192 bytes", f"{TEXT}\n{LINE}— w {'A' * 8_192}\n", "too_large"))
    rows.append({**_row("under an unsound key", note(TEXT), "unknown_key"), "key": "01" + "00" * 31})
    return {
        "about": "SPEC §7. note: hex; it is opened for origin under key. seed: signing gives this note.",
        "rows": rows,
    }


def _row(name: str, text: str, verdict: str) -> dict[str, Any]:
    return {
        "name": name,
        "note": text.encode().hex(),
        "origin": ORIGIN,
        "key": ALICE.verify_key.raw.hex(),
        "verdict": verdict,
    }
