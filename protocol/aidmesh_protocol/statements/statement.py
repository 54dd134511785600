"""What every statement has in common: fields with rules, one list per part (SPEC §5.4).

A statement or view that exists satisfies its rules, whether a peer's bytes or our own code made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar, Self, get_type_hints

from aidmesh_protocol.canonical import Encodable
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements.rules import Rule


class Fields:
    """A frozen dataclass whose annotations carry rules; `values()` is its wire form, in order."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, rule in rules_of(type(self)):
            given = getattr(self, name)
            if (value := rule(given)) is not given:
                # Frozen against everybody else: rules also turn decoded lists into tuples.
                object.__setattr__(self, name, value)
        self.check()

    def check(self) -> None:
        """Rules between fields; raises ProtocolError("malformed")."""

    def values(self) -> list[Encodable]:
        """The fields as a canonical array."""
        return [getattr(self, name) for name, _ in rules_of(type(self))]

    @classmethod
    def parse(cls, values: object, *more: object) -> Self:
        """Read `values()` back; `more` are the arguments after them. Raises ProtocolError("malformed")."""
        if not isinstance(values, Sequence) or len(values) != len(rules_of(cls)):
            raise ProtocolError("malformed", "statement: not an array with one value per field")
        return cls(*values, *more)


class View(Fields):
    """The redacted description of a need or offer: erasable, so every reader must do without it."""

    __slots__ = ()


class Statement(Fields):
    """One thing a group can say: its fields are the `facts` part; a `view` follows them if VIEW is set."""

    __slots__ = ()

    TYPE: ClassVar[str]
    SCHEMA: ClassVar[int] = 1
    VIEW: ClassVar[type[View] | None] = None
    TERMINAL: ClassVar[bool] = False
    """Nothing about this subject follows: the entry carries the terminal flag."""
    REFS_MIN: ClassVar[int] = 0
    """Entries it must point at, because it answers them."""

    def facts(self) -> list[Encodable]:
        """The values of the `facts` part."""
        return self.values()


def rules_of(cls: type[Any]) -> tuple[tuple[str, Rule], ...]:
    """`(field name, rule)` of a statement or view class, in wire order."""
    found = _RULES.get(cls)
    if found is None:
        hints = get_type_hints(cls, include_extras=True)
        found = _RULES[cls] = tuple(
            (field.name, hints[field.name].__metadata__[0]) for field in fields(cls) if field.name != "view"
        )
    return found


# Reading annotations is slow, and every statement made or read needs its class's rules.
_RULES: dict[type[Any], tuple[tuple[str, Rule], ...]] = {}
