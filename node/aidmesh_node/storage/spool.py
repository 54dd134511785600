"""Files on their way in or out, in a folder of the home: 0600, sealed as they came, never in a backup of the database.

What is under way has its id as a name; what is kept until it can be read ends in `.kept`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.files import FILE_MODE, fsync, fsync_directory, private_directory, write_all

UNDER_WAY_MAX = 8
"""Files that nobody asked to keep: a few people at once, each of whom may have gone away in the middle."""

KEPT_MAX = 64
"""Files kept until what they follow has come: what one stick may bring in the wrong order."""

KEPT = ".kept"
_ID = re.compile(r"[0-9a-f]{32}")


class FileSpool:
    """See application/spool.py."""

    def __init__(self, folder: Path, random: Callable[[int], bytes]) -> None:
        self._folder = folder
        self._random = random
        private_directory(folder)
        for left in self._under_way():
            left.unlink(missing_ok=True)

    def create(self) -> str:
        under_way = self._under_way()
        for old in under_way[: max(0, len(under_way) + 1 - UNDER_WAY_MAX)]:
            old.unlink(missing_ok=True)
        id = self._random(16).hex()
        os.close(os.open(self._folder / id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
        return id

    def append(self, id: str, at: int, data: bytes) -> int:
        path = self._path(id)
        descriptor = os.open(path, os.O_WRONLY)
        try:
            size = os.fstat(descriptor).st_size
            if not 0 <= at <= size:
                raise ValueError(f"{size} bytes are here")
            write_all(descriptor, data, at)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            path.unlink(missing_ok=True)
            raise Unavailable(
                "storage_full", "There is no room on the disk for this file.", "Make room, or ask for smaller files."
            ) from error
        finally:
            os.close(descriptor)
        return max(size, at + len(data))

    def read(self, id: str, at: int, count: int) -> bytes:
        descriptor = os.open(self._path(id), os.O_RDONLY)
        try:
            return os.pread(descriptor, count, at)
        finally:
            os.close(descriptor)

    def size(self, id: str) -> int:
        return self._path(id).stat().st_size

    def keep(self, id: str) -> bool:
        path = self._path(id)
        if path.suffix == KEPT:
            return True
        if len(self.kept()) >= KEPT_MAX:
            return False
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fsync(descriptor)
        finally:
            os.close(descriptor)
        path.rename(path.with_suffix(KEPT))
        fsync_directory(self._folder)
        return True

    def kept(self) -> list[str]:
        return [path.stem for path in self._files() if path.suffix == KEPT]

    def remove(self, id: str) -> None:
        for suffix in ("", KEPT):
            (self._folder / f"{id}{suffix}").unlink(missing_ok=True)

    def _under_way(self) -> list[Path]:
        return [path for path in self._files() if path.suffix != KEPT]

    def _files(self) -> list[Path]:
        """Oldest first."""
        return sorted(self._folder.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _path(self, id: str) -> Path:
        """Raises LookupError, also for what is no id: nothing else may become a path."""
        for suffix in ("", KEPT):
            if _ID.fullmatch(id) and (path := self._folder / f"{id}{suffix}").exists():
                return path
        raise LookupError(id)
