"""Write protocol/vectors/*.json for messages: `python -m tests.support.make_message_vectors`.

The same input gives the same bytes; a test compares the committed files with what this would write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.message_vectors import FILES

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"


def render(document: dict[str, Any]) -> str:
    """A vector file: one row a line, so that a change shows as the rows it changes."""
    sections = []
    for name, value in document.items():
        if isinstance(value, list):
            rows = ",\n".join(f"  {_line(row)}" for row in value)
            sections.append(f" {_line(name)}: [\n{rows}\n ]")
        else:
            sections.append(f" {_line(name)}: {_line(value)}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def main() -> None:
    for name, document in FILES.items():
        (VECTORS / f"{name}.json").write_text(render(document()), encoding="utf-8")


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


if __name__ == "__main__":
    main()
