"""SPEC §17 from limits.py: `python -m tests.support.limits_table` writes it into SPEC.md, a test compares."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path
from typing import Any

from aidmesh_protocol import limits

SPEC = Path(__file__).resolve().parents[2] / "protocol" / "SPEC.md"
HEADING = "## 17. Limits\n"


def constants() -> dict[str, tuple[Any, str]]:
    """Name -> value and reason of each constant in limits.py; a reason nobody wrote is ""."""
    body = ast.parse(Path(limits.__file__).read_text(encoding="utf-8")).body
    found: dict[str, tuple[Any, str]] = {}
    for node, following in pairwise([*body, ast.Pass()]):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            reason = following.value.value if documented else ""  # type: ignore[attr-defined]
            found[name] = getattr(limits, name), reason
    return found


def table() -> str:
    """The rows of §17."""
    rows = [
        f"| `{name}` | {shown(value)} | {' '.join(reason.split())} |" for name, (value, reason) in constants().items()
    ]
    return "\n".join(["| name | value | what, and why this much |", "|---|---|---|", *rows]) + "\n"


def shown(value: Any) -> str:
    """A value as §17 writes it: `1,024`, `64 128 256`, `HEAD 4,096 · IDENT 524,288`."""
    if isinstance(value, dict):
        return " · ".join(f"{name} {shown(item)}" for name, item in value.items())
    if isinstance(value, tuple):
        return " ".join(shown(item) for item in value)
    return f"{value:,}"


def main() -> None:
    before, _, rest = SPEC.read_text(encoding="utf-8").partition(HEADING)
    intro = rest.partition("\n| name |")[0]
    SPEC.write_text(f"{before}{HEADING}{intro}\n{table()}", encoding="utf-8")


if __name__ == "__main__":
    main()
