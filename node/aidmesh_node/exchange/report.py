"""What is wrong with an import, told to a person: file, row, column, what it says there, what to do.

Every problem of every row is counted, the first ones are kept. Never shows a value of a personal column.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from aidmesh_node.domain.refused import Refused

PROBLEMS_KEPT_MAX = 100  # more than a person corrects before trying again
VALUE_SHOWN_CHARS_MAX = 40
NAME_SHOWN_CHARS_MAX = 80  # Google Forms makes a whole paragraph into a column name
SENTENCE_CHARS_MAX = 1_000  # long enough to name the columns of a form


class Unreadable(ValueError):
    """A cell that cannot be understood: `message` says why, `hint` says what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `row`: the line where the row begins (header = 1, the whole file = 0)."""

    file: str
    row: int
    column: str
    value: str
    message: str
    hint: str


class ImportProblems(Refused):
    """The files cannot be imported, nothing of them was. `problems` holds the first, `count` counts all."""

    def __init__(self, problems: list[Problem], count: int) -> None:
        super().__init__(
            "import_problems",
            f"{count} {'problem was' if count == 1 else 'problems were'} found; nothing was imported.",
            "Correct what is named and import the files again.",
        )
        self.problems = problems
        self.count = count


@dataclass(slots=True)
class Findings:
    """Collects problems while files are read; bounded, because a file of 50,000 rows can have as many."""

    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, file: str, row: int, message: str, hint: str, *, column: str = "", value: str = "") -> None:
        """Count a problem and keep it if it is among the first."""
        self.count += 1
        if len(self.problems) < PROBLEMS_KEPT_MAX:
            problem = Problem(
                file=shown(file),
                row=row,
                column=shown(column),
                value=shown(value, VALUE_SHOWN_CHARS_MAX),
                message=shown(message, SENTENCE_CHARS_MAX),
                hint=shown(hint, SENTENCE_CHARS_MAX),
            )
            self.problems.append(problem)

    def error(self) -> ImportProblems:
        """All that was found, to be raised."""
        return ImportProblems(list(self.problems), self.count)

    def raise_if_any(self) -> None:
        """Raises ImportProblems when there is a problem."""
        if self.count:
            raise self.error()


def shown(text: str, chars_max: int = NAME_SHOWN_CHARS_MAX) -> str:
    """The text as it may be printed: one line, no control or bidirectional characters, shortened."""
    begin = text[: chars_max * 2]
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in begin)
    plain = " ".join(plain.split())
    return plain if len(plain) <= chars_max else plain[: chars_max - 1] + "…"
