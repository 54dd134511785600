"""The mark: what this node last let itself sign, per own feed. Lies outside the home and outside every
backup.

It only ever goes forward. A node whose feeds do not reach the mark was restored, cloned or rolled back.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.mark import MarkConflict, MarkValue
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.files import FILE_MODE, private_directory, read_file, replace_file

FORMAT = 1
FILE_BYTES_MAX = 16 * 1024 * 1024
ROOT_HEX_LENGTH = 64


class MarkFile:
    """One small JSON file with its own checksum, and a lock file beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path.with_name(path.name + ".lock")
        self._decoded: tuple[bytes, dict[str, MarkValue]] | None = None

    def read(self) -> dict[str, MarkValue] | None:
        """Origin hash (64 hex) -> value, None when no mark was ever written. Raises Damaged, Unavailable."""
        try:
            content = read_file(self.path, FILE_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable("mark", f"The mark {self.path} cannot be read: {error}") from error
        if self._decoded is None or content != self._decoded[0]:
            self._decoded = content, _decode(self.path, content)
        return dict(self._decoded[1])

    def swap(self, origin: str, expected: MarkValue | None, new: MarkValue) -> None:
        """Compare and swap, durable on return; after a crash inside, the old mark or the new one is there.

        Raises MarkConflict when the file does not say ``expected``, or ``new`` lies behind it; Damaged;
        Unavailable."""
        if len(origin) != ROOT_HEX_LENGTH or len(new.root) != ROOT_HEX_LENGTH or new.size < 0 or new.generation < 0:
            raise ValueError(f"not a mark: {origin} {new}")
        try:
            with self._locked():
                values = self.read() or {}
                found = values.get(origin)
                if found != expected:
                    raise MarkConflict(f"the mark of {origin} is {found}, not {expected}: another process moved it")
                if expected is not None and not _goes_forward(expected, new):
                    raise MarkConflict(f"the mark of {origin} would go from {expected} back to {new}")
                replace_file(self.path, _encode({**values, origin: new}))
        except OSError as error:
            raise Unavailable(
                "mark",
                f"The mark {self.path} could not be written ({error}); nothing was signed.",
                "Make room on that disk and check that the folder is writable.",
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Its own file: the mark itself is replaced, and a lock on a replaced file guards nothing.
        try:
            descriptor = os.open(self._lock_path, os.O_RDWR)
        except FileNotFoundError:
            private_directory(self.path.parent)
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _goes_forward(old: MarkValue, new: MarkValue) -> bool:
    if new.generation != old.generation:
        return new.generation > old.generation
    return new.size > old.size or new[:2] == old[:2]


def _encode(values: Mapping[str, MarkValue]) -> bytes:
    # Marks from before the log's position was kept are read, and written, as they were.
    feeds = {origin: list(value if value.log else value[:3]) for origin, value in values.items()}
    body = _canonical({"aidmesh_mark": FORMAT, "feeds": feeds})
    return _canonical({"aidmesh_mark": FORMAT, "feeds": feeds, "sha256": sha256(body).hexdigest()}) + b"\n"


def _decode(path: Path, content: bytes) -> dict[str, MarkValue]:
    try:
        feeds = json.loads(content)["feeds"]
        values = {origin: MarkValue(*fields) for origin, fields in feeds.items()}
        if content != _encode(values):
            raise ValueError("its checksum does not match")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Damaged(
            path.name,
            str(path),
            f"the mark is damaged ({error}). Do not delete it: it keeps this node from contradicting itself. "
            "Let a peer show what this node signed last, or confirm as operator",
        ) from error
    return values


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
