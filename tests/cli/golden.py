"""Golden files: what people see at 80 columns, as it is in tests/cli/golden/. Written anew by

    python -m tests.cli.golden

Look at the difference before you commit it: it is what changes for everybody who uses the command.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

from aidmesh_cli.main import run
from tests.cli.golden_case import Case
from tests.cli.golden_cases import CASES
from tests.cli.recorded_node import recorded_node

FOLDER: Final = Path(__file__).parent / "golden"
COLUMNS: Final = 80


@contextmanager
def surroundings(columns: int) -> Iterator[None]:
    """The same on every machine: width, time zone, no home, nobody at the keyboard."""
    before, stdin = dict(os.environ), sys.stdin
    sys.stdin = io.StringIO()
    os.environ.update({"COLUMNS": str(columns), "TZ": "UTC"})
    os.environ.pop("AIDMESH_HOME", None)
    time.tzset()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        sys.stdin = stdin
        time.tzset()


def written(case: Case, folder: Path, columns: int = COLUMNS) -> tuple[str, str, int]:
    """What a case writes to stdout and to stderr, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    with surroundings(columns), chdir(folder), recorded_node(Path("harbour")) as node:
        Path("a.csv").write_text("Item,Quantity\n", encoding="utf-8")
        for route, answer in case.answers.items():
            status, document = answer if isinstance(answer, tuple) else (200, answer)
            node.answer(route, document, status=status)
        with redirect_stdout(out), redirect_stderr(err):
            code = run([*case.command.split(), *case.home.split()])
    return _told(out, folder), _told(err, folder), code


def _told(stream: io.StringIO, folder: Path) -> str:
    return stream.getvalue().replace(str(folder.resolve()), "/folder")


def page(case: Case, folder: Path) -> str:
    """A golden file."""
    out, err, code = written(case, folder)
    said = f"--- standard error\n{err}" if err else ""
    return f"$ aidmesh {case.command}{case.home}\n{out}{said}--- exit code {code}\n"


def main() -> None:
    """Write every golden file anew, and remove those without a case."""
    FOLDER.mkdir(exist_ok=True)
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            (FOLDER / f"{case.name}.txt").write_text(page(case, Path(folder)), encoding="utf-8")
    for file in FOLDER.glob("*.txt"):
        if file.stem not in {case.name for case in CASES}:
            file.unlink()
    print(f"{len(CASES)} golden files are in {FOLDER}", file=sys.stderr)


if __name__ == "__main__":
    main()
