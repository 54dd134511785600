"""A bar on stderr for whatever takes longer than a second: only on a terminal, gone when it is done.

Runs on a thread of its own, as the one who waits is busy waiting; touches nothing but the terminal.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from aidmesh_cli.output import console, is_plain
from aidmesh_cli.plain import plain

SHOWN_AFTER_SECONDS: Final = 1.0
"""Before that a bar would only flicker."""
REFRESH_SECONDS: Final = 0.1


class Patience:
    """`with Patience("Importing 3 files"):` the bar shows the seconds gone by, of `seconds` where there is a limit."""

    def __init__(
        self,
        text: str,
        seconds: float | None = None,
        *,
        quiet: bool = False,
        after: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._text, self._seconds, self._clock = plain(text), seconds, clock
        self._after = SHOWN_AFTER_SECONDS if after is None else after
        self._over = threading.Event()
        self._thread = None if quiet or is_plain(sys.stderr) else threading.Thread(target=self._show, daemon=True)

    def __enter__(self) -> Self:
        self._began = self._clock()
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _show(self) -> None:
        if self._over.wait(self._after):
            return
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(30), TextColumn("{task.fields[spent]}"))
        with Progress(*columns, console=console(sys.stderr), transient=True) as bars:
            task = bars.add_task(self._text, total=self._seconds, spent="")
            while not self._over.is_set():
                gone = self._clock() - self._began
                limit = "" if self._seconds is None else f" of {self._seconds:g}"
                bars.update(task, completed=gone, spent=f"{gone:.0f}{limit} s")
                self._over.wait(REFRESH_SECONDS)
