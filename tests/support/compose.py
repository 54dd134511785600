"""A compose file as a program reads it: YAML, with `${NAME:-default}` filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+):-(?P<default>[^}]*)\}")


def read(path: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """The whole document. Raises ValueError for a variable without a default: nothing must be needed to look at it."""
    text = VARIABLE.sub(
        lambda match: variables.get(match["name"]) or match["default"], path.read_text(encoding="utf-8")
    )
    if "$" in text:
        raise ValueError(f"{path.name} uses a variable without a default: {text[text.index('$') :][:40]}")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def variables(path: Path) -> set[str]:
    """The names that a person may set."""
    return {match["name"] for match in VARIABLE.finditer(path.read_text(encoding="utf-8"))}
