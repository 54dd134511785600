"""One command as somebody types it, and what the node answers meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """`answers` are by "METHOD route"; a tuple (status, document) is a problem."""

    name: str
    command: str
    answers: dict[str, Any] = field(default_factory=dict)
    home: str = " --home harbour"
