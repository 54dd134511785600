"""The node's own secrets, one 0600 file each under `home/keys`. Never in the database, an argument or a log.

Written once by `init`, fsynced before the identity that depends on them becomes durable.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from aidmesh_node.entropy import Entropy
from aidmesh_protocol.keys import SigningKey

NAMES = ("signing", "next", "witness", "hpke", "subject")
KEY_BYTES = 32


class KeyFileError(Exception):
    """A key file is missing or not a key; says which and what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The secrets of one group's node. `subject` makes ids in feeds unlinkable between circles."""

    signing: SigningKey
    next: SigningKey
    witness: SigningKey
    hpke: bytes
    subject: bytes

    @property
    def hpke_public(self) -> bytes:
        """The 32-byte X25519 public key that goes into the inception."""
        return X25519PrivateKey.from_private_bytes(self.hpke).public_key().public_bytes_raw()


def create_keys(directory: Path, entropy: Entropy) -> Keys:
    """Draw and store all keys; durable on return. Refuses to overwrite: FileExistsError."""
    directory.mkdir(mode=0o700, parents=True)
    for name in NAMES:
        _write(directory / f"{name}.key", entropy.bytes(KEY_BYTES).hex() + "\n")
    _sync_directory(directory)
    return load_keys(directory)


def load_keys(directory: Path) -> Keys:
    """Read all keys back, or KeyFileError."""
    raw = {name: _read(directory / f"{name}.key") for name in NAMES}
    return Keys(
        signing=SigningKey.from_seed(raw["signing"]),
        next=SigningKey.from_seed(raw["next"]),
        witness=SigningKey.from_seed(raw["witness"]),
        hpke=raw["hpke"],
        subject=raw["subject"],
    )


def write_secret(path: Path, text: str) -> None:
    """A new 0600 file holding `text`, durable on return."""
    _write(path, text)
    _sync_directory(path.parent)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise KeyFileError(f"{path} is missing: restore it from your backup of the keys") from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path} is not a key of {KEY_BYTES} bytes: restore it from your backup of the keys")
    return key


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
