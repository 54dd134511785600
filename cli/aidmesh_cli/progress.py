"""What happens while somebody waits, on stderr: bars on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aidmesh_cli.output import console, is_plain, say
from aidmesh_cli.plain import plain

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Lines:
    """One line for every step, and one for every thing that is done."""

    def step(self, text: str) -> None:
        """A new step begins."""
        say(f"{text} ...")

    def progress(self, text: str, done: int, total: int) -> None:
        """`done` of `total` of something; only the end of it is worth a line."""
        if done == total:
            say(f"{text}: {done} of {total}", lead="  ")

    def note(self, text: str) -> None:
        """A sentence."""
        say(text, lead="  ", rest="    ")

    def close(self) -> None:
        """Nothing moves, so nothing has to stop."""


class Bars:
    """Steps and sentences above, a bar for each thing that is under way below."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bars: Progress = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            console=console(sys.stderr),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()

    def step(self, text: str) -> None:
        """A new step begins; the bars of the last one go."""
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()
        self._bars.console.print(plain(text), style="bold")

    def progress(self, text: str, done: int, total: int) -> None:
        """`done` of `total` of something."""
        if text not in self._tasks:
            self._tasks[text] = self._bars.add_task(plain(text), total=total)
        self._bars.update(self._tasks[text], completed=done, total=total)

    def note(self, text: str) -> None:
        """A sentence."""
        self._bars.console.print(f"  {plain(text)}")

    def close(self) -> None:
        """The bars go; what was said stays."""
        self._bars.stop()


class Silence(Lines):
    """Nothing at all, for --quiet."""

    def step(self, text: str) -> None:
        """Not told."""

    def progress(self, text: str, done: int, total: int) -> None:
        """Not shown."""

    def note(self, text: str) -> None:
        """Not told."""


def stage_for(quiet: bool) -> Lines | Bars:
    """What suits stderr."""
    if quiet:
        return Silence()
    return Lines() if is_plain(sys.stderr) else Bars()
