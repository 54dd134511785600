"""Checkpoints: a feed's origin, size and root in a C2SP signed note (SPEC §7).

Two types carry the trust: Checkpoint is a claim, VerifiedCheckpoint a claim whose signature was checked.
Neither says that the feed's entries are here, nor that the checkpoint fits an older one: see `feed`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.limits import (
    CHECKPOINT_BYTES_MAX,
    CHECKPOINT_SIGNATURES_MAX,
    FEED_ENTRIES_MAX,
    HASH_BYTES,
    ORIGIN_BYTES_MAX,
)
from aidmesh_protocol.merkle import EMPTY_ROOT

ED25519_TYPE = b"\x01"
KEY_ID_BYTES = 4
SIGNATURE_MARK = "\N{EM DASH}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a note claims: the feed `origin` has `size` entries under `root` (32 bytes).

    Raises ValueError for values that have no checkpoint form.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not _is_key_name(self.origin) or len(self.origin.encode()) > ORIGIN_BYTES_MAX:
            raise ValueError("the origin is not a key name of C2SP signed-note")
        if not 0 <= self.size <= FEED_ENTRIES_MAX:
            raise ValueError("the size is out of range")
        if len(self.root) != HASH_BYTES:
            raise ValueError(f"the root is not {HASH_BYTES} bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise ValueError("the root is not that of the empty tree")

    def text(self) -> str:
        """Return the signed text: three lines, each with its newline (C2SP tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint(Checkpoint):
    """A checkpoint that `key` signed under its origin's name; `note` is the signed note, verbatim (SPEC §7.3a).

    Making one checks the signature, so holding one is the proof. Raises ProtocolError "malformed",
    "too_large" or "bad_signature" for the note, ValueError when the other fields are not what the note says.
    """

    note: bytes
    key: VerifyKey

    def __post_init__(self) -> None:
        claimed, signatures = _parse(self.note)
        if (claimed.origin, claimed.size, claimed.root) != (self.origin, self.size, self.root):
            raise ValueError("these fields are not from this note")
        own_id = key_id(self.origin, self.key)
        # SPEC §7.2a: exactly one. All other lines were read for their form, and say nothing (SPEC §7.2b).
        own = [line.signature for line in signatures if (line.name, line.key_id) == (self.origin, own_id)]
        if not own:
            raise ProtocolError("bad_signature", "no signature line of the origin's key")
        if len(own) > 1:
            raise ProtocolError("malformed", "more than one signature line of the origin's key")
        self.key.verify(own[0], claimed.text().encode())

    def alone(self) -> bytes:
        """Return the note with its owner's signature line only: what others have signed beside it is left out."""
        own = key_id(self.origin, self.key)
        line = next(line for line in _parse(self.note)[1] if (line.name, line.key_id) == (self.origin, own))
        return f"{self.text()}\n{_signature_line(line)}".encode()


def key_id(name: str, key: VerifyKey) -> bytes:
    """Return the 4 bytes that name an Ed25519 key in a signature line (C2SP signed-note)."""
    return sha256(name.encode() + b"\n" + ED25519_TYPE + key.raw).digest()[:KEY_ID_BYTES]


def sign(checkpoint: Checkpoint, key: SigningKey) -> VerifiedCheckpoint:
    """Return the checkpoint signed by its origin's key; the same checkpoint gives the same `note` bytes.

    The note is opened again before it is returned, so what does not verify is never published.
    """
    text = checkpoint.text()
    own_id = key_id(checkpoint.origin, key.verify_key)
    line = _SignatureLine(checkpoint.origin, own_id, key.sign(text.encode()))
    return open_checkpoint(f"{text}\n{_signature_line(line)}".encode(), checkpoint.origin, key.verify_key)


def open_checkpoint(note: bytes, origin: str, key: VerifyKey) -> VerifiedCheckpoint:
    """Return the checkpoint in `note` when it is about `origin` and carries the signature of `key` (SPEC §7).

    Signature lines of other names and keys are parsed and ignored. Raises ProtocolError: "too_large" past
    CHECKPOINT_BYTES_MAX, "malformed" for the form or another origin, "bad_signature".
    """
    claimed = parse_unverified(note)
    if claimed.origin != origin:
        raise ProtocolError("malformed", "the checkpoint is about another origin")
    return VerifiedCheckpoint(claimed.origin, claimed.size, claimed.root, note, key)


def parse_unverified(note: bytes) -> Checkpoint:
    """Return what `note` claims, for finding the feed it is about; nothing in it is to be believed.

    Raises ProtocolError "malformed" or "too_large", exactly where `open_checkpoint` would.
    """
    return _parse(note)[0]


class _SignatureLine(NamedTuple):
    name: str
    key_id: bytes
    signature: bytes


def _signature_line(line: _SignatureLine) -> str:
    """Return the one form of a signature line, with its newline."""
    return f"{SIGNATURE_MARK} {line.name} {b64encode(line.key_id + line.signature).decode()}\n"


def _parse(note: bytes) -> tuple[Checkpoint, list[_SignatureLine]]:
    if len(note) > CHECKPOINT_BYTES_MAX:
        raise ProtocolError("too_large", f"a checkpoint has at most {CHECKPOINT_BYTES_MAX} bytes")
    try:
        text, _, signatures = note.decode().rpartition("\n\n")
        return _parse_text(text + "\n"), _parse_signatures(signatures)
    except ValueError as error:
        raise ProtocolError("malformed", f"not a checkpoint: {error}") from None


def _parse_text(text: str) -> Checkpoint:
    # An extension line would be signed without being understood, so there is none (SPEC §7).
    origin, size, root = text.removesuffix("\n").split("\n")
    checkpoint = Checkpoint(origin, int(size), b64decode(root, validate=True))
    if checkpoint.text() != text:  # SPEC §7.1a
        raise ValueError("the text is not in canonical form")
    return checkpoint


def _parse_signatures(block: str) -> list[_SignatureLine]:
    *lines, rest = block.split("\n")
    if rest or not 0 < len(lines) <= CHECKPOINT_SIGNATURES_MAX:
        raise ValueError(f"not 1 to {CHECKPOINT_SIGNATURES_MAX} signature lines")
    return [_parse_signature(line) for line in lines]


def _parse_signature(line: str) -> _SignatureLine:
    mark, name, encoded = line.split(" ")
    signature = b64decode(encoded, validate=True)
    if mark != SIGNATURE_MARK or not _is_key_name(name) or b64encode(signature).decode() != encoded:
        raise ValueError("a signature line is not in canonical form")
    if len(signature) <= KEY_ID_BYTES:
        raise ValueError("a signature line without a signature")
    return _SignatureLine(name, signature[:KEY_ID_BYTES], signature[KEY_ID_BYTES:])


def _is_key_name(name: str) -> bool:
    """Say whether `name` may name a key (C2SP signed-note): no spaces, plus signs or control characters."""
    return bool(name) and not any(mark == "+" or mark < " " or mark.isspace() for mark in name)
