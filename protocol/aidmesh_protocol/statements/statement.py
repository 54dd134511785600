"""What every statement has in common: fields with rules, one list per part (SPEC §5.4).

A statement or view that exists satisfies its rules, whether a peer's bytes or our own code made it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar, TypeVar, get_type_hints

from aidmesh_protocol.canonical import Encodable
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements.rules import Rule

F = TypeVar("F", bound="Fields")


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
    ERASES: ClassVar[bool] = False
    """It erases parts: the entry carries the erase flag."""
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


def parser_of(cls: type[F]) -> Callable[..., F]:
    """The function that reads `values()` of a statement or view class back; a view is the argument after them.

    It raises ProtocolError("malformed") for anything but a list of values that satisfy the rules.
    """
    rules = dict(rules_of(cls))
    given = [field.name for field in fields(cls)]  # type: ignore[arg-type]  # each is a dataclass
    names: dict[str, Any] = {"cls": cls, "new": object.__new__, "malformed": _not_these_fields}
    # Written out and compiled, as dataclasses write constructors: a loop over rules and fields takes twice as
    # long, and everything that peers say comes by here. Each field is set once, to what its rule returns.
    lines = [
        f"def parse({', '.join(['values', *(name for name in given if name not in rules)])}):",
        f" if type(values) is not list or len(values) != {len(rules)}: raise malformed()",
        f" [{', '.join(f'value_{name}' for name in rules)}] = values",
        " made = new(cls)",
    ]
    for name in given:
        names[f"set_{name}"] = vars(cls)[name].__set__
        names[f"rule_{name}"] = rules.get(name)
        lines.append(f" set_{name}(made, {f'rule_{name}(value_{name})' if name in rules else name})")
    exec("\n".join([*lines, " made.check()", " return made"]), names)
    parse: Callable[..., F] = names["parse"]
    return parse


def _not_these_fields() -> ProtocolError:
    return ProtocolError("malformed", "statement: not an array with one value per field")


# Reading annotations is slow, and every statement made needs its class's rules.
_RULES: dict[type[Any], tuple[tuple[str, Rule], ...]] = {}
