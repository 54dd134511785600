"""The answers of the API as types of the command line, made from the API document: cli/aidmesh_cli/api.py.

`python -m tests.support.typed_answers` renews it.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from typing import Any

from tests.house.tree import ROOT
from tests.support.document import document

Json = dict[str, Any]

FILE = ROOT / "cli" / "aidmesh_cli" / "api.py"
RENEW = "python -m tests.support.typed_answers"
HEAD = f'''\
"""What a node answers, as far as it is read here, as types for mypy: made from the API document by
`{RENEW}`.

Nothing here runs: the command line takes answers as they come, and mypy knows what is in them.
"""

from __future__ import annotations

from typing import
'''
WHOLE = "Shown"
"""How a struct is called that holds all of another, and more."""
USE = re.compile(r"\bapi\.([A-Z]\w+)")
_NAMES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_LINE_MAX = 120


def source() -> str:
    """The whole file."""
    schemas = document()["components"]["schemas"]
    used = _used()
    classes = [_class(name, schemas[name], name.removesuffix(WHOLE), used) for name in sorted(used)]
    text = "\n\n".join([HEAD, *classes])
    imported = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if re.search(rf"\b{name}\b", text)]
    return text.replace("from typing import", f"from typing import {', '.join(imported)}", 1)


def _used() -> set[str]:
    """The names of the structs that the command line reads, and of those inside them."""
    schemas = document()["components"]["schemas"]
    read = {name for path in FILE.parent.glob("*.py") for name in USE.findall(path.read_text(encoding="utf-8"))}
    waiting, found = [schemas[name] for name in sorted(read)], set(read)
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return {name for name in found if "properties" in schemas[name]}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield _name(schema)
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _name(schema: Json) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _class(name: str, schema: Json, part: str, used: set[str]) -> str:
    """`part` is what the struct called `name` may begin with."""
    members = _typed(schema)
    above = "TypedDict"
    if part != name and part in used:
        held = _typed(document()["components"]["schemas"][part])
        assert held.items() <= members.items(), f"{name} does not hold all of {part}"
        members, above = {member: kind for member, kind in members.items() if member not in held}, part
    if any(keyword.iskeyword(member) for member in members):
        lines = (f'        "{member}": {_quoted(kind)},' for member, kind in members.items())
        return "\n".join((f"{name} = TypedDict(", f'    "{name}",', "    {", *lines, "    },", ")")) + "\n"
    return "\n".join((f"class {name}({above}):", *_said(schema), *_members(members))) + "\n"


def _typed(schema: Json) -> dict[str, str]:
    required = set(schema.get("required", ()))
    return {
        member: _type(part) if member in required else f"NotRequired[{_type(part)}]"
        for member, part in schema["properties"].items()
    }


def _said(schema: Json) -> Iterator[str]:
    if "description" in schema:
        yield f'    """{schema["description"].partition(chr(10))[0]}"""'
        yield ""


def _members(members: dict[str, str]) -> Iterator[str]:
    for member, kind in members.items():
        yield f"    {member}: {kind}"


def _quoted(kind: str) -> str:
    """As a value: what is no name by itself goes in quotes, so that nothing has to exist yet."""
    return kind if kind in ("str", "int", "float", "bool") else f"'{kind}'" if '"' in kind else f'"{kind}"'


def _type(schema: Json) -> str:
    schemas = document()["components"]["schemas"]
    if "$ref" in schema:
        name = _name(schema)
        return name if "properties" in schemas[name] else _type(schemas[name])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(part) for part in schema["anyOf"]))
    if "enum" in schema and all(isinstance(word, str) for word in schema["enum"]):
        words = "Literal[" + ", ".join(f'"{word}"' for word in schema["enum"]) + "]"
        return words if len(words) <= _LINE_MAX // 2 else "str"
    match schema.get("type"):
        case "array":
            return f"list[{_type(schema['items'])}]"
        case "object":
            return f"dict[str, {_type(schema['additionalProperties'])}]"
        case str(kind):
            return _NAMES[kind]
    return "Any"


if __name__ == "__main__":
    FILE.write_text(source(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
