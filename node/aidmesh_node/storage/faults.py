"""What an error of the disk or the database means for the writer: try later, or never trust this process
again."""

from __future__ import annotations

import errno
import sqlite3

from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.storage.files import FsyncFailed

FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})

# Errors of the whole database rather than of one statement: no job of the transaction may count as kept.
STORAGE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
PASSING_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_LOCKED})


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, 0 when the error did not come from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_storage_fault(error: BaseException) -> bool:
    """Whether the error is the storage's own, so that the whole transaction is lost."""
    return isinstance(error, sqlite3.Error) and primary_code(error) in STORAGE_CODES


def breaks_writer(error: BaseException) -> bool:
    """Whether what is on disk is now unknown: after a failed fsync or any I/O error nothing is tried
    again."""
    if isinstance(error, FsyncFailed):
        return True
    if isinstance(error, OSError):
        return error.errno not in FULL_ERRNOS
    return not (isinstance(error, sqlite3.Error) and primary_code(error) in PASSING_CODES)


def unavailable(error: BaseException) -> Unavailable:
    """What the callers of a lost transaction are told."""
    if isinstance(error, OSError):
        full = error.errno in FULL_ERRNOS
    else:
        full = isinstance(error, sqlite3.Error) and primary_code(error) == sqlite3.SQLITE_FULL
    if full:
        return Unavailable("storage_full", "The disk is full; nothing was stored.", "Make room, then try again.")
    if not breaks_writer(error):
        return Unavailable("storage", f"The database is held by another program ({error}).", "Try again in a moment.")
    return Unavailable(
        "storage",
        f"Storage failed ({error}), so nothing more is stored. "
        "Whether the last changes were kept shows after a restart.",
        "Check the disk, run aidmesh verify, start the node again, then repeat the request as it was.",
    )
