"""Which statements a program reads, and reading them: everything else is kept, passed on and hidden (SPEC §5.5).

A vocabulary is a value, so that a node can be an older or a newer one than this version of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aidmesh_protocol import canonical
from aidmesh_protocol.entry import ERASE, FACTS, TERMINAL, VIEW, Entry, check_part
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements.statement import Statement, parser_of


@dataclass(frozen=True, slots=True)
class Unknown:
    """A statement of a type or schema version this code does not know: kept, relayed, not shown (SPEC §5.5a)."""

    type: str
    schema: int


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A statement whose parts named here have not arrived yet, so that it has no meaning yet."""

    type: str
    missing: tuple[str, ...]


def flags_of(kind: type[Statement]) -> int:
    """The flags that an entry of this type carries."""
    return (TERMINAL if kind.TERMINAL else 0) | (ERASE if kind.ERASES else 0)


class Vocabulary:
    """The statements given, each in every schema up to its newest."""

    __slots__ = ("_shapes",)

    def __init__(self, statements: Iterable[type[Statement]]) -> None:
        # By type: newest schema, tags of parts, refs and flags that an entry has, what parses its facts and view.
        self._shapes = {
            kind.TYPE: (
                kind.SCHEMA,
                (FACTS,) if kind.VIEW is None else (FACTS, VIEW),
                kind.REFS_MIN,
                flags_of(kind),
                parser_of(kind),
                None if kind.VIEW is None else parser_of(kind.VIEW),
            )
            for kind in statements
        }

    @property
    def schemas(self) -> dict[str, int]:
        """By type, the newest schema."""
        return {name: shape[0] for name, shape in self._shapes.items()}

    def read(
        self, entry: Entry, parts: Mapping[str, bytes], content: Callable[[Entry, str, bytes], bytes] = check_part
    ) -> Statement | Unknown | Incomplete:
        """What an entry says, given the part bytes that are at hand, by tag.

        Checks every part it uses against the entry, unless `content` is `kept_content`: then that was done when they
        came. Without its view a statement has `view=None`; without its facts it is Incomplete. Raises ProtocolError: as
        `check_part`, or "malformed" if the parts are not what the statement's type says.
        """
        shape = self._shapes.get(entry.type)
        if shape is None or entry.schema > shape[0]:
            return Unknown(entry.type, entry.schema)
        _, needed, refs_min, flags, parse, parse_view = shape
        headers = entry.parts
        # Parts stand in order, each once: with the last that is needed at its place, all before it are there.
        if len(headers) < len(needed) or headers[len(needed) - 1].tag != needed[-1]:
            raise ProtocolError("malformed", f"{entry.type} without its {' and '.join(needed)}")
        if len(entry.refs) < refs_min:
            raise ProtocolError("malformed", f"{entry.type} does not point at what it answers")
        if entry.flags & flags != flags:
            raise ProtocolError("malformed", f"{entry.type} without the flags of its type")
        if (part := parts.get(FACTS)) is None:
            return Incomplete(entry.type, (FACTS,))
        facts = canonical.decode(content(entry, FACTS, part))
        if parse_view is None:
            return parse(facts)
        if (part := parts.get(VIEW)) is None:
            return parse(facts, None)
        return parse(facts, parse_view(canonical.decode(content(entry, VIEW, part))))
