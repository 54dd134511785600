"""Rows into one table, many of them a statement: each statement lets go of the interpreter and takes it again, which
costs more than a row. Opens no transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain

ROWS_A_STATEMENT = 64
"""Some 20 KiB of a feed's rows: beyond it SQLite's own work is what is left. What remains goes in one by one."""


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """`into` is the statement up to its VALUES; every row has the same number of values, in its columns' order."""
    if not rows:
        return
    one = f"({','.join('?' * len(rows[0]))})"
    whole = len(rows) - len(rows) % ROWS_A_STATEMENT
    statement = f"{into} VALUES {','.join([one] * ROWS_A_STATEMENT)}"
    for begin in range(0, whole, ROWS_A_STATEMENT):
        connection.execute(statement, tuple(chain.from_iterable(rows[begin : begin + ROWS_A_STATEMENT])))
    connection.executemany(f"{into} VALUES {one}", rows[whole:])
