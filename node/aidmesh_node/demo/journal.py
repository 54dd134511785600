"""What was asked of a node and acknowledged, written down on the asking side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Command:
    """One command to one node; `answer` once it is acknowledged."""

    path: str
    body: Mapping[str, object]
    key: str
    answer: dict[str, Any] | None = None
