"""Looking for texts that must not be somewhere, in the forms in which they could have slipped out."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

INFLATED_BYTES_MAX = 16 * 1024 * 1024


def forms(secret: str) -> dict[str, bytes]:
    """One text as bytes that a careless program might write."""
    raw = secret.encode()
    found = {
        "raw": raw,
        "upper": secret.upper().encode(),
        "utf-16le": secret.encode("utf-16-le"),
        "utf-16be": secret.encode("utf-16-be"),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
    }
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            # What the bytes before and after the text share with it is not its own.
            whole = encode(bytes(shift) + raw)
            found[f"{name}+{shift}"] = whole[(shift * 8 + 5) // 6 : -4].rstrip(b"=")
    return found


def tainted(secrets: Iterable[str], where: Iterable[tuple[str, bytes]]) -> list[str]:
    """`place: secret in this form`, for every secret found in any of the named bytes, also inside what is packed."""
    table = {form: (secret, name) for secret in secrets for name, form in forms(secret).items()}
    found = []
    for place, data in where:
        for layer in layers(data):
            found += [f"{place}: {secret} ({name})" for form, (secret, name) in table.items() if form in layer]
    return found


def layers(data: bytes) -> Iterator[bytes]:
    """The bytes as they are, and every zlib or gzip stream in them unpacked."""
    yield data
    for start in _starts(data):
        unpacker = zlib.decompressobj(47)
        try:
            plain = unpacker.decompress(data[start : start + INFLATED_BYTES_MAX], INFLATED_BYTES_MAX)
        except zlib.error:
            continue
        if len(plain) > 8:
            yield plain


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of these folders, with its name as part of what is searched."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(folder.parent)), path.name.encode() + b"\n" + path.read_bytes()


def _starts(data: bytes) -> Iterator[int]:
    for magic in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08"):
        at = data.find(magic)
        while at >= 0:
            yield at
            at = data.find(magic, at + 1)
