"""SPEC.md and the code say the same: limits stand in §17, tables are complete, examples decode.

That sections are cited, and those that are cited exist: test_musts.py.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest

from aidmesh_protocol import bundle, canonical
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import STATUS
from aidmesh_protocol.frames import FRAMES
from aidmesh_protocol.statements import STATEMENTS, NeedShared, Statement, read
from aidmesh_protocol.statements.statement import rules_of
from tests.support.limits_table import SPEC, constants, shown, table

ROOT = SPEC.parents[1]
TEXT = SPEC.read_text(encoding="utf-8")
SECTIONS = set(re.findall(r"^#{2,3} ([0-9]+(?:\.[0-9]+)?)\.? ", TEXT, re.MULTILINE))


def section(number: str) -> str:
    """The text below one heading, up to the next."""
    found = re.search(rf"^#{{2,3}} {re.escape(number)}\.? .*?(?=^## |^### |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, number
    return found[0]


def example(info: str) -> str:
    """The fenced block of §0 with this info string."""
    (found,) = re.findall(rf"```{info}\n(.*?)```", section("0"), re.DOTALL)
    return str(found)


def in_hex(info: str) -> bytes:
    lines = example(f"hex {info}").splitlines()
    return bytes.fromhex("".join(line.partition("#")[0] for line in lines))


def test_every_section_that_the_specification_itself_cites_exists() -> None:
    own = re.sub(r"RFC [0-9]+ §[0-9.]+", "", TEXT)
    cited = re.findall(r"§([0-9]+(?:\.[0-9]+)?)", own)
    assert [number for number in cited if number not in SECTIONS] == []


def test_every_module_of_the_protocol_says_which_section_it_follows() -> None:
    package = ROOT / "protocol" / "aidmesh_protocol"
    exempt = {"__init__.py", "errors.py", "limits.py"}
    silent = [
        path.name
        for path in package.rglob("*.py")
        if path.name not in exempt and "SPEC §" not in path.read_text(encoding="utf-8").split('"""')[1]
    ]
    assert silent == []


@pytest.mark.parametrize("name", constants())
def test_every_limit_stands_in_section_17_with_its_value_and_reason(name: str) -> None:
    value, reason = constants()[name]
    assert reason
    assert f"| `{name}` | {shown(value)} | {' '.join(reason.split())} |" in section("17")


def test_section_17_has_no_limit_that_the_code_does_not_have() -> None:
    assert section("17").endswith(table())


def test_the_limits_that_other_sections_name_exist() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", TEXT))
    assert named <= set(constants())


def test_section_12_lists_every_refusal_with_its_status() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ([0-9]+) \|", section("12"), re.MULTILINE)
    assert {code: int(status) for code, status in rows} == dict(STATUS)


@pytest.mark.parametrize("kind", STATEMENTS, ids=lambda kind: kind.TYPE)
def test_section_5_4_lists_the_fields_of_every_statement(kind: type[Statement]) -> None:
    (row,) = re.findall(rf"^\| `{re.escape(kind.TYPE)}` \|(.*?)\|(.*?)\|(.*)\|$", section("5.4"), re.MULTILINE)
    facts, view, more = row
    assert re.findall(r"`([a-z_]+)`", facts) == [name for name, _ in rules_of(kind)]
    listed = [name for name, _ in rules_of(kind.VIEW)] if kind.VIEW else []
    assert re.findall(r"`([a-z_]+)`", view) == listed
    assert ("terminal" in more) == kind.TERMINAL
    assert ("ref:" in more) == bool(kind.REFS_MIN)


def test_section_8_2_lists_every_frame_with_its_kind() -> None:
    rows = re.findall(r"^\| ([0-9]+) \| ([A-Z]+) \|", section("8.2"), re.MULTILINE)
    assert {(int(kind), name) for kind, name in rows} == {(frame.KIND, frame.NAME) for frame in FRAMES}


def test_the_first_example_is_an_entry_and_its_facts() -> None:
    entry = Entry.decode(in_hex("entry"))
    said = read(entry, {"facts": in_hex("facts")})
    assert isinstance(said, NeedShared)
    facts = {field.name: getattr(said, field.name) for field in fields(said) if field.name != "view"}
    assert {"type": said.TYPE, **facts} == json.loads(example("json says"))


def test_the_annotations_of_the_first_example_are_true() -> None:
    data = in_hex("entry")
    entry = Entry.decode(data)
    assert f"{len(data)} bytes" in section("0")
    assert f"hour {entry.hour:,} since 1970" in section("0")
    assert [part.tag for part in entry.parts] == ["facts", "view"]


def test_the_second_example_is_a_bundle() -> None:
    data = in_hex("bundle")
    frames = bundle.decode_bundle(data, bytes_max=len(data))
    assert [[frame.NAME, *readable(frame.values())] for frame in frames] == json.loads(example("json frames"))
    assert b"".join(bundle.encode_bundle(frames[:-1])) == data


def test_the_example_of_section_2_decodes_to_what_it_says() -> None:
    (line,) = re.findall(r"^    (97 [0-9a-f ]+)$", section("2"), re.MULTILINE)
    assert canonical.decode(bytes.fromhex(line)) == [1, "insulin", b"\x00\xff", -33, True, None, []]


def readable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [readable(item) for item in value] if isinstance(value, list | tuple) else value
