"""Files that only their owner may read, written so that a crash leaves the old one or the new one, never a
mixture."""

from __future__ import annotations

import os
from pathlib import Path

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700

PIECE_BYTES = 64 * 1024


class FsyncFailed(OSError):
    """fsync said no: what reached the disk is unknown, and asking again would only hide it (fsyncgate)."""


def private_directory(path: Path) -> None:
    """Make the directory (and its parents), readable by the owner alone."""
    path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(DIRECTORY_MODE)


def private_file(path: Path) -> None:
    """Create an empty file if there is none, and make it readable by the owner alone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        os.fchmod(descriptor, FILE_MODE)
    finally:
        os.close(descriptor)


def fsync(descriptor: int) -> None:
    """fsync once; raises FsyncFailed, which must never be answered by trying again."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise FsyncFailed(error.errno, f"fsync failed: {error.strerror}") from error


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path, bytes_max: int) -> bytes:
    """The content, or its first ``bytes_max`` and a little. Each call to the system lets go of the interpreter and
    has to get it back: a file object would make three times as many."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = piece = os.read(descriptor, PIECE_BYTES)
        while len(piece) == PIECE_BYTES and len(content) <= bytes_max:
            piece = os.read(descriptor, PIECE_BYTES)
            content += piece
        return content
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Durable on return. A crash inside leaves the old content; after the rename, old or new, whole either
    way."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        write_all(descriptor, content, 0)
        fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)
    fsync_directory(path.parent)


def write_all(descriptor: int, content: bytes, offset: int) -> None:
    """Write everything at ``offset``: the system may take less than it is given. Raises OSError (disk full,
    ...)."""
    view = memoryview(content)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written
