#!/usr/bin/env python3
"""Check a fork proof or a feed with nothing of ours: Python and the package `cryptography` (SPEC §9.4, §9.2, §4.1).

    python verify.py fork FILE    a fork proof, as `aidmesh fork export` writes it
    python verify.py feed FILE    a bundle with the identity and the feeds of a group, not sealed

Exit code 0: what the file says is true; 1: it is not, or proves nothing; 2: it could not be read. Written from SPEC.md
a second time, on purpose: it shares no line with the node, so a mistake in one is found by the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import sys
import unicodedata
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAGIC, END = b"AIDMESH1\n", b"\x00\x00\x00\x02\x00\x91\x0d"
FORK_BYTES, FRAME_BYTES, NOTE_BYTES, FORK_NOTE_BYTES, HASHES, LARGEST = 8_224, 524_288, 8_192, 640, 64, 2**53
IDENT, CHECKPOINT, PACKAGE, PART, FORK, LAST, COLUMN = 2, 3, 4, 5, 7, 13, 15
ORIGIN = re.compile(r"aidmesh/([a-z2-7]{32})/(?:id|public|c/[0-9a-f]{64})/(?:0|[1-9][0-9]{0,9})")
NOTE = re.compile(r"((\S+)\n(0|[1-9][0-9]{0,16})\n([A-Za-z0-9+/]{43}=)\n)\n((?:— [^\s+]+ [A-Za-z0-9+/]{6,}=*\n){1,64})")
# SPEC §2.2 by first byte: bytes of the number that follows, what it counts, and the least that needs this form.
FORMS = {
    0xCC: (1, "int", 128), 0xCD: (2, "int", 256), 0xCE: (4, "int", 2**16), 0xCF: (8, "int", 2**32),
    0xD0: (1, "neg", 33), 0xD1: (2, "neg", 129), 0xD2: (4, "neg", 2**15 + 1), 0xD3: (8, "neg", 2**31 + 1),
    0xC4: (1, "bin", 0), 0xC5: (2, "bin", 256), 0xC6: (4, "bin", 2**16),
    0xD9: (1, "str", 32), 0xDA: (2, "str", 256), 0xDB: (4, "str", 2**16),
    0xDC: (2, "array", 16),
}  # fmt: skip


class Wrong(Exception):
    """What the file says is not true, or not said in the one way there is."""


def need(holds: object, otherwise: str) -> None:
    if not holds:
        raise Wrong(otherwise)


def decode(data: bytes) -> Any:
    """The value of canonical bytes (SPEC §2)."""
    value, end = _value(data, 0, 0)
    need(end == len(data), "something follows the value")
    return value


def _value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    need(at < len(data), "a value is cut short")
    head, at = data[at], at + 1
    if head <= 0x7F or head >= 0xE0:
        return head - 256 * (head > 0x7F), at
    if head in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[head], at
    if 0x90 <= head <= 0xBF:
        kind, count = ("array", head & 0x0F) if head < 0xA0 else ("str", head & 0x1F)
    else:
        need(head in FORMS, "a map, a float or an extension")
        width, kind, least = FORMS[head]
        count = int.from_bytes(data[at : at + width], "big", signed=kind == "neg")
        at += width
        need(at <= len(data) and (-count if kind == "neg" else count) >= least, "not the shortest encoding")
    if kind in ("int", "neg"):
        need(abs(count) <= LARGEST, "an integer beyond 2**53")
        return count, at
    if kind == "array":
        need(depth < 8 and count <= 1_024, "too many arrays inside each other, or too many items")
        items = []
        for _ in range(count):
            item, at = _value(data, at, depth + 1)
            items.append(item)
        return items, at
    need(at + count <= len(data), "a value is cut short")
    piece, at = data[at : at + count], at + count
    if kind == "bin":
        return piece, at
    text = piece.decode()
    need("\0" not in text and unicodedata.is_normalized("NFC", text), "text that is not in NFC, or with a NUL")
    return text, at


@lru_cache
def admit(key: Any) -> Ed25519PublicKey:
    """A public key of prime order, in its one encoding (SPEC §3.1): under others signatures prove nothing."""
    p, order = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p
    need(type(key) is bytes and len(key) == 32, "a key has 32 bytes")
    number = int.from_bytes(key, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    u, v = y * y - 1, d * y * y + 1
    square = u * pow(v, -1, p) % p
    x = pow(square, (p + 3) // 8, p)
    if x * x % p != square:
        x = x * pow(2, (p - 1) // 4, p) % p
    need(y < p and x * x % p == square and not (x == 0 and sign), "a key is not a point of the curve")
    x = x if x & 1 == sign else p - x

    def add(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
        zz, xx, yy = a[2] * b[2] % p, a[0] * b[0] % p, a[1] * b[1] % p
        e, low, high = d * xx * yy % p, zz * zz, (a[0] + a[1]) * (b[0] + b[1]) - xx - yy
        return zz * (low - e) * high % p, zz * (low + e) * (yy + xx) % p, (low - e) * (low + e) % p

    total, double = (0, 1, 1), (x, y, 1)
    for bit in range(order.bit_length()):
        total = add(total, double) if order >> bit & 1 else total
        double = add(double, double)
    need((x, y) != (0, 1) and total[0] == 0 and total[1] == total[2], "a key does not have prime order")
    return Ed25519PublicKey.from_public_bytes(key)


def check_part(data: bytes, tag: str, part: bytes) -> bytes:
    """The content of a part, once the entry `data` is shown to commit to it (SPEC §5.1, §5.3)."""
    entry, value = decode(data), decode(part)
    need(type(entry) is list and len(entry) == 9 and entry[0] == 1 and len(data) <= 1_024, "an entry is none")
    need(re.fullmatch(r"[a-z_]+\.[a-z_]+", entry[1]) and type(entry[6]) is list, "an entry is none")
    need(type(value) is list and list(map(type, value)) == [bytes, bytes] and len(value[0]) == 16, "a part is none")
    key, body = bytes(value[0]), bytes(value[1])
    # Type and schema as the entry encodes them: they stand between its version and its statement id.
    what = b"\x93" + data[2 : _value(data, _value(data, 2, 1)[1], 1)[1]] + bytes([0xA0 | len(tag)]) + tag.encode()
    header = [tag, hmac.digest(key, what + body, "sha256"), len(body)]
    need(len(tag) < 32 and header in entry[6], "the entry commits to other bytes")
    end = int.from_bytes(body[:2], "big") + 2
    need(end <= len(body) and not body[end:].strip(b"\0"), "a part's padding is not canonical")
    return body[2:end]


def read_inception(data: bytes, part: bytes, gid: str) -> Ed25519PublicKey:
    """The signing key of a group, proven by its id alone (SPEC §4.1)."""
    named = base64.b32encode(hashlib.sha256(data).digest()).decode().lower()[:32]
    need(named == gid, "the inception is that of another group")
    keys, (kind, schema, *ids) = decode(check_part(data, "facts", part)), decode(data)[1:5]
    need((kind, schema, ids) == ("group.incepted", 1, [bytes(16)] * 2), "the first entry is no inception")
    need(type(keys) is list and [(type(key), len(key)) for key in keys] == [(bytes, 32)] * 4, "an inception is none")
    admit(keys[1])
    return admit(keys[0])


def group_of(note: bytes) -> tuple[str, str]:
    """Origin and group id that a note names; nothing of it is proven."""
    origin = note.partition(b"\n")[0].decode()
    found = ORIGIN.fullmatch(origin)
    need(found and int(origin.rpartition("/")[2]) <= 2**32, "a checkpoint of no feed of ours")
    assert found
    return origin, found[1]


def open_note(note: bytes, origin: str, key: Ed25519PublicKey, *, alone: bool) -> tuple[int, bytes]:
    """Size and root of a checkpoint its owner signed (SPEC §7); `alone`: no other signature stands beside it."""
    found = NOTE.fullmatch(note.decode())
    need(found and found[2] == origin and len(note) <= NOTE_BYTES, "a checkpoint is not in its one form")
    assert found
    text, size, lines = found[1], int(found[3]), re.findall(r"— ([^ \n]+) (\S+)\n", found[5])
    root = base64.b64decode(found[4])
    need(base64.b64encode(root).decode() == found[4] and size <= LARGEST, "a checkpoint is not in its one form")
    need(size or root == hashlib.sha256(b"").digest(), "the empty feed has another root")
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]
    signed = [(name, base64.b64decode(line, validate=True), line) for name, line in lines]
    need(all(base64.b64encode(data).decode() == line for _, data, line in signed), "a signature is not in its one form")
    own = [data[4:] for name, data, _ in signed if (name, data[:4]) == (origin, key_id)]
    need(len(own) == 1, "not one signature of the feed's owner")
    need(not alone or len(lines) == 1, "other signatures stand beside the owner's")
    try:
        key.verify(own[0], text.encode())
    except InvalidSignature:
        raise Wrong("the owner's signature does not verify") from None
    return size, root


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def roots(size1: int, size2: int, path: list[bytes]) -> tuple[bytes, bytes]:
    """The roots at both sizes of the tree that a path is from, its left-most node there (SPEC §9.4, RFC 9162)."""
    need(0 < size1 < size2 and 0 < len(path) <= HASHES and all(len(each) == 32 for each in path), "a path is none")
    at, last = size1 - 1, size2 - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for hashed in path[1:]:
        need(last, "a path is too long")
        if at & 1 or at == last:
            first, second = node(hashed, first), node(hashed, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, hashed)
        at, last = at >> 1, last >> 1
    need(last == 0, "a path is too short")
    return first, second


def verify_fork(data: bytes) -> str:
    """What a fork proof shows. Raises Wrong unless it convicts somebody."""
    need(len(data) <= FORK_BYTES and data.startswith(MAGIC) and data.endswith(END), "not the file of a fork proof")
    frame = data[len(MAGIC) : -len(END)]
    need(len(frame) > 5 and frame[:5] == (len(frame) - 5).to_bytes(4) + b"\0", "not the file of a fork proof")
    value = decode(frame[5:])
    need(type(value) is list and len(value) == 5 and value[0] == FORK and len(frame) <= 8_197, "not a fork proof")
    _, keys, smaller, larger, path = value
    need(type(path) is list and all(type(each) is bytes for each in path), "a path is none")
    need(all(type(note) is bytes and len(note) <= FORK_NOTE_BYTES for note in (smaller, larger)), "a note is none")
    need(type(keys) is list and len(keys) == 1, "a proof without one inception, or of a later version")
    need(type(keys[0]) is list and list(map(type, keys[0])) == [bytes, bytes], "a proof without one inception")
    origin, gid = group_of(larger)
    key = read_inception(keys[0][0], keys[0][1], gid)
    (size1, root1), (size2, root2) = (open_note(note, origin, key, alone=True) for note in (smaller, larger))
    need((size1, root1) < (size2, root2), "the two checkpoints are the same, or the wrong way round")
    if size1 == size2:
        need(not path, "a path where none belongs")
        said = f"two different histories of {size1} entries"
    else:
        before, after = roots(size1, size2, path)
        need(after == root2, "the path is not from the tree of the larger checkpoint")
        need(before != root1, "the two checkpoints agree: this accuses nobody")
        said = f"a history of {size2} entries that does not begin with the {size1} it had signed as well"
    return f"FORKED: group {gid}\nfeed {origin}\nIts owner's key signed {said}."


def frames(path: Path) -> Iterator[list[Any]]:
    """The frames of a bundle, one at a time (SPEC §8.1)."""
    with path.open("rb") as file:
        need(file.read(len(MAGIC)) == MAGIC, "not an aidmesh/1 bundle")
        while header := file.read(5):
            length = int.from_bytes(header[:4], "big")
            payload = file.read(length) if length <= FRAME_BYTES else b""
            need(len(header) == 5 and header[4] < 2 and 2 <= length == len(payload), "a frame is cut short or too long")
            if header[4]:
                stream = zlib.decompressobj()
                payload = stream.decompress(payload, FRAME_BYTES)
                need(stream.eof and not stream.unused_data, "compressed data that is cut short or goes on")
            if payload[1] > 16:
                continue
            value = decode(payload)
            need(type(value) is list and value and type(value[0]) is int, "a frame is none")
            yield value
            if value[0] == LAST:
                need(not file.read(1), "the bundle goes on after its END")
                return
    raise Wrong("the bundle stops before its END")


class Feed:
    """One feed of a bundle: what its owner signed, and the entries that have been shown to be those."""

    def __init__(self) -> None:
        self.origin, self.signed, self.parts = "", (0, b""), 0
        self.entries: list[bytes] = []
        self.peaks: list[tuple[int, bytes]] = []

    def extend(self, start: int, entries: list[bytes], proof: list[bytes]) -> None:
        """Entries from `start` on, with the proof from their end to what was signed (SPEC §9.2)."""
        need(self.origin, "entries of a feed without its owner's identity and checkpoint before them")
        need(start <= len(self.entries), f"{self.origin}: entries from {start} on, and those before are not here")
        for entry in entries[len(self.entries) - start :]:
            self.entries.append(entry)
            self.peaks.append((0, hashlib.sha256(b"\0" + entry).digest()))
            while len(self.peaks) > 1 and self.peaks[-1][0] == self.peaks[-2][0]:
                (level, left), (_, right) = self.peaks[-2:]
                self.peaks[-2:] = [(level + 1, node(left, right))]
        reached = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            reached = node(peak, reached)
        size, root = self.signed
        held = len(self.entries)
        if held == size:
            need(reached == root and not proof, f"{self.origin}: not the entries its owner signed")
        else:
            path = [reached, *proof] if held.bit_count() == 1 else proof
            need(
                roots(held, size, path) == (reached, root), f"{self.origin}: these are not the entries its owner signed"
            )

    def check_part(self, index: int, tag: str, part: bytes) -> None:
        need(0 <= index < len(self.entries), "a part of an entry that is not here")
        check_part(self.entries[index], tag, part)
        self.parts += 1


def verify_feed(path: Path) -> str:
    """What the feeds of a bundle show. Raises Wrong for the first thing that is not as its owner signed it."""
    feeds: dict[bytes, Feed] = {}
    keys: dict[str, Ed25519PublicKey] = {}

    def signed(note: bytes) -> Feed:
        origin, gid = group_of(note)
        feed = feeds.setdefault(hashlib.sha256(origin.encode()).digest(), Feed())
        if gid in keys:
            feed.origin, feed.signed = origin, open_note(note, origin, keys[gid], alone=False)
        return feed

    for kind, *fields in frames(path):
        if kind == IDENT:
            note, start, entries, proof, parts = fields
            origin, gid = group_of(note)
            need(origin == f"aidmesh/{gid}/id/0", "an identity after a key rotation, which this program cannot judge")
            inception = [part for index, tag, part in parts if (index, tag) == (0, "facts")]
            need(inception, "an identity without its inception")
            keys[gid] = read_inception(entries[0], inception[0], gid)
            feed = signed(note)
            feed.extend(start, entries, proof)
            for index, tag, part in parts:
                feed.check_part(index, tag, part)
        elif kind == CHECKPOINT:
            signed(fields[0])
        elif kind == PACKAGE:
            feeds.setdefault(fields[0], Feed()).extend(*fields[1:])
        elif kind == PART:
            feeds.setdefault(fields[0], Feed()).check_part(*fields[1:])
        elif kind == COLUMN:
            origin_hash, tag, start, column = fields
            for index, part in enumerate(column, start):
                if part is not None:
                    feeds.setdefault(origin_hash, Feed()).check_part(index, tag, part)
    shown = [feed for feed in feeds.values() if feed.entries]
    need(shown, "no entries in this bundle: it proves nothing")
    return "\n".join(
        f"TRUE: {feed.origin}\n{len(feed.entries)} of {feed.signed[0]} entries and {feed.parts} parts "
        f"are what its owner signed." for feed in shown
    )  # fmt: skip


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in ("fork", "feed"):
        print(__doc__, file=sys.stderr)
        return 2
    path = Path(arguments[1])
    try:
        print(verify_fork(path.read_bytes()) if arguments[0] == "fork" else verify_feed(path))
    except OSError as error:
        print(f"cannot read {path}: {error.strerror}", file=sys.stderr)
        return 2
    except (Wrong, ValueError, TypeError, LookupError, AttributeError, zlib.error) as error:
        # The last five: something else stands where a value of another form belongs.
        print(f"NOT TRUE: {error if isinstance(error, Wrong) else 'the file is not of this form'}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
