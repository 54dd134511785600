"""Files on this machine that carry bundles: read in pieces, written so that nobody ever sees half of one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from aidmesh_cli.problems import CONFLICT, FAILURE, NOT_FOUND, Failed

PIECE_BYTES: Final = 768 * 1024
"""Of a file in one request: below what a node takes."""
FILE_MODE: Final = 0o600


def pieces(path: Path) -> Iterator[bytes]:
    """The file, piece by piece; one empty piece for an empty file. Raises Failed."""
    try:
        with path.open("rb") as file:
            yield file.read(PIECE_BYTES)
            while piece := file.read(PIECE_BYTES):
                yield piece
    except FileNotFoundError:
        raise Failed(NOT_FOUND, f"There is no file {path}.") from None
    except OSError as error:
        raise Failed(FAILURE, f"{path} cannot be read: {error.strerror}.") from None


def numbered(path: Path, number: int) -> Path:
    """ "news.aidmesh" -> "news.2.aidmesh" """
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def check_free(path: Path) -> None:
    """Raises Failed for a name that is taken, or a folder that is not there: before anything is packed."""
    if path.exists():
        raise Failed(CONFLICT, f"{path} is there already; it is left as it is.", "Choose another name: --out FILE")
    if not path.absolute().parent.is_dir():
        raise Failed(NOT_FOUND, f"There is no folder {path.absolute().parent}.", "Is the stick plugged in?")


def write(path: Path, fetch: Callable[[int], bytes]) -> None:
    """Write what `fetch` gives from each place on, until it gives nothing: under another name until all of it is on
    the disk, then at once under its own. Raises Failed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                at = 0
                while piece := fetch(at):
                    file.write(piece)
                    at += len(piece)
                file.flush()
                os.fsync(file.fileno())
            check_free(path)
            temporary.rename(path)
            _sync(path.absolute().parent)
        except OSError as error:
            raise Failed(FAILURE, f"{path} cannot be written: {error.strerror}.", "Is the disk full?") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """The name itself is on the disk: sticks are pulled out early. Some file systems cannot say so."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
