"""One process per home: a lock the system drops when its holder dies, however it dies. Never stale, never
waits."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from aidmesh_node.storage.files import FILE_MODE, private_directory

LOCK_NAME = "lock"
NOTE_BYTES_MAX = 4_096


class HomeBusy(Exception):
    """Another process holds the home (or its mark). ``pid`` is None in the instant before it has written its
    own."""

    def __init__(self, pid: int | None, path: Path, started: str) -> None:
        who = "another process" if pid is None else f"process {pid}"
        since = f" ({started})" if started else ""
        super().__init__(f"{path.parent} is in use by {who}{since}: stop it first, or choose another --home")
        self.pid = pid
        self.path = path
        self.started = started


class HomeLock:
    """Holds ``lock`` files in all given directories (the home, and where the mark lies) until ``close``."""

    def __init__(self, directories: Sequence[Path], started: str) -> None:
        """``started`` is one line for people: what was started, when. Raises HomeBusy; then nothing is
        held."""
        self._descriptors: list[int] = []
        try:
            for directory in directories:
                self._hold(directory / LOCK_NAME, started)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go. The files stay: removing one would let two processes lock two files of the same name."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def __enter__(self) -> HomeLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hold(self, path: Path, started: str) -> None:
        private_directory(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid, since = _read_note(descriptor)
            os.close(descriptor)
            raise HomeBusy(pid, path, since) from error
        self._descriptors.append(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n{started}\n".encode()[:NOTE_BYTES_MAX], 0)


def _read_note(descriptor: int) -> tuple[int | None, str]:
    first, _, rest = os.pread(descriptor, NOTE_BYTES_MAX, 0).decode(errors="replace").partition("\n")
    return (int(first) if first.isascii() and first.isdigit() else None), rest.strip()
