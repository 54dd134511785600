"""A package's entries and parts, checked in one go: exactly as one by one, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_protocol.entry import SEALED, Entry, Part, Ref, check_part
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.many_entries import check_entries
from tests.support.hostile import hostile

KEY = bytes(range(16))
FACTS, OTHER_FACTS = Part("facts", KEY, b"5100 blankets"), Part("facts", KEY[::-1], b"9 tents" * 40)
VIEW, TEXT, FOR_ONE = Part("view", KEY, b"warm"), Part("text", KEY, b"by the door"), Part(SEALED, KEY, b"street")
REF = Ref(b"o" * 32, 7, b"l" * 32)


def entry_of(*parts: Part, type: str = "need.shared", schema: int = 1, refs: tuple[Ref, ...] = ()) -> bytes:
    headers = tuple(part.header(type, schema) for part in parts)
    return Entry(type, schema, b"s" * 16, b"n" * 16, 498_728, headers, refs).encode()


ENTRIES = (
    entry_of(FACTS),
    entry_of(FACTS, VIEW),
    entry_of(OTHER_FACTS, VIEW),
    entry_of(VIEW),
    entry_of(),
    entry_of(FACTS, VIEW, TEXT),
    entry_of(FACTS, FOR_ONE, type="pledge.committed"),
    entry_of(FACTS, refs=(REF,)),
    entry_of(FACTS, type="bicycle.lent", schema=31),
    entry_of(FACTS, VIEW, schema=32),
    entry_of(FACTS, type="need.shared"),
)
PARTS: dict[str, tuple[Part | None, ...]] = {
    "facts": (FACTS, FACTS, OTHER_FACTS, None, None, FACTS, FACTS, FACTS, FACTS, FACTS, None),
    "view": (None, VIEW, VIEW, VIEW, None, VIEW, None, None, None, VIEW, None),
    "text": (None, None, None, None, None, TEXT, *[None] * 5),
    "sealed": (None, None, None, None, None, None, FOR_ONE, *[None] * 4),
}
COLUMNS = {tag: tuple(part.encode() if part else None for part in parts) for tag, parts in PARTS.items()}

Package = tuple[list[bytes], dict[str, list[bytes | None]]]


def one_by_one(package: Package) -> str | None:
    """The code of what is wrong with the first entry that has something, None if none has."""
    entries, columns = package
    try:
        for tags in (("facts", "view"), ("text", "sealed")):
            for place, data in enumerate(entries):
                entry = Entry.decode(data)
                for tag in tags:
                    if tag in columns and (part := columns[tag][place]) is not None:
                        check_part(entry, tag, part)
    except ProtocolError as error:
        return error.code
    return None


def at_once(package: Package) -> str | None:
    try:
        check_entries(0, *package)
    except ProtocolError as error:
        return error.code
    return None


def test_entries_of_all_kinds_pass_with_their_parts_with_some_of_them_and_with_none() -> None:
    check_entries(0, ENTRIES, COLUMNS)
    check_entries(0, ENTRIES, {})
    for left_out in COLUMNS:
        check_entries(0, ENTRIES, {tag: column for tag, column in COLUMNS.items() if tag != left_out})


@pytest.mark.parametrize("tag", COLUMNS)
@pytest.mark.parametrize("place", range(len(ENTRIES)))
@pytest.mark.parametrize("wrong", [Part("facts", KEY, b"9100 blankets"), Part("facts", KEY, b"much" * 200)])
def test_another_part_than_the_one_committed_to_is_refused_and_its_entry_named(
    tag: str, place: int, wrong: Part
) -> None:
    column = [*COLUMNS[tag][:place], wrong.encode(), *COLUMNS[tag][place + 1 :]]
    with pytest.raises(ProtocolError, match=f"entry {500 + place}: the entry commits to") as refused:
        check_entries(500, ENTRIES, {**COLUMNS, tag: column})
    assert refused.value.code == "proof_invalid"


@pytest.mark.parametrize("named", [b"needshared.", b".needshared", b"need.shared", b"needsshared", b"ne.ed.share"])
def test_what_is_laid_out_like_an_entry_must_have_a_type_like_one(named: bytes) -> None:
    data = entry_of(FACTS, VIEW).replace(b"need.shared", named)
    wanted = one_by_one(([data], {}))
    assert at_once(([data], {})) == wanted
    assert wanted == (None if named == b"need.shared" else "malformed")


def test_a_column_is_as_long_as_the_package() -> None:
    for tag, column in COLUMNS.items():
        for wrong in (column[:-1], (*column, None)):
            with pytest.raises(ValueError, match="argument"):
                check_entries(0, ENTRIES, {tag: wrong})


@st.composite
def packages(draw: st.DrawFn) -> Package:
    """Some of the entries with their parts; one of each may have other bytes."""
    places = draw(st.lists(st.integers(0, len(ENTRIES) - 1), min_size=1, max_size=4))
    entries = [ENTRIES[place] for place in places]
    columns = {tag: [column[place] for place in places] for tag, column in COLUMNS.items()}
    at = draw(st.integers(0, len(places) - 1))
    if draw(st.booleans()):
        entries[at] = draw(hostile(entries[at]))
    if draw(st.booleans()):
        column = columns[draw(st.sampled_from(list(columns)))]
        column[at] = draw(hostile(column[at] or FACTS.encode()))
    return entries, columns


@given(packages())
def test_no_bytes_pass_that_do_not_pass_one_by_one(package: Package) -> None:
    assert at_once(package) == one_by_one(package)
