"""The domain's only way to say no. A refusal is not an error of ours: it is an answer for a person."""

from __future__ import annotations

from collections.abc import Collection


class Refused(Exception):
    """The domain says no; nothing has changed.

    `reason` is a stable code for programs, `detail` one sentence a tired coordinator understands,
    `hint` what they can do now ("" when there is nothing to do). The reason "illegal" is reserved for
    statements of a peer that its protocol could never have produced: the inbox quarantines those.
    """

    def __init__(self, reason: str, detail: str, hint: str = "") -> None:
        super().__init__(reason, detail, hint)
        self.reason = reason
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.detail} {self.hint}".rstrip()


def illegal(detail: str) -> Refused:
    """The refusal of a statement that no node following the protocol could have made."""
    return Refused("illegal", detail, "Ask the other group to look at their node.")


def one_of(what: str, value: str, allowed: Collection[str]) -> str:
    """Return `value` if it is one of `allowed`, else refuse and name what is allowed."""
    if value in allowed:
        return value
    code = "unknown_" + what.replace(" ", "_").replace("-", "_")
    raise Refused(code, f"“{shortened(value)}” is not a known {what}.", f"Use one of: {', '.join(allowed)}.")


def shortened(text: str, characters_max: int = 60) -> str:
    """`text` for repeating inside a refusal: one line and bounded, whatever somebody sent."""
    line = " ".join(str(text).split())
    return line if len(line) <= characters_max else line[: characters_max - 1] + "…"
