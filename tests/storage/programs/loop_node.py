"""The server for the design's crashloop: a real node. `loop_node.py DATA PORT [hasty]`.

Everything it has lies in DATA, the mark too, so that a cut takes it all at one moment. `hasty` plants the defect that
the loop must find: a writer that answers before it commits, on a disk slow enough to be caught at it.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from uuid import UUID

from aidmesh_node import main
from aidmesh_node.storage import writer
from aidmesh_node.storage.delivery import Accepted, deliver

COMMIT_SECONDS = 0.03


class SlowDisk:
    """A connection whose COMMIT takes its time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            threading.Event().wait(COMMIT_SECONDS)
        return self._connection.execute(sql, *rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class HastyWriter(writer.Writer):
    """Tells the outcome of each job as soon as it ran."""

    def _job(self, accepted: Accepted, touched: set[UUID]) -> bool:
        if not isinstance(self._connection, SlowDisk):
            self._connection = SlowDisk(self._connection)  # type: ignore[assignment]
        good = super()._job(accepted, touched)
        early = Accepted(accepted.job, accepted.future, accepted.loop, accepted.after)
        early.outcome = accepted.outcome
        deliver([early])
        accepted.loop, accepted.future, accepted.after = None, Future(), None
        return good


def serve(data: Path, port: int) -> int:
    home = data / "home"
    if not (home / "group.json").exists():
        main.init(home, "Harbour", f"127.0.0.1:{port}", state_dir=data / "state")
    return main.run(home)


if __name__ == "__main__":
    if sys.argv[3:] == ["hasty"]:
        writer.Writer = HastyWriter  # type: ignore[misc]
    sys.exit(serve(Path(sys.argv[1]), int(sys.argv[2])))
