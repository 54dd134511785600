"""Statements: sealed by one group, read by another, kept when they are from the future."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_protocol import canonical
from aidmesh_protocol.entry import TERMINAL, Entry, Part, Ref, SealedEntry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements import (
    EVERYTHING,
    REGISTRY,
    STATEMENTS,
    GroupDescribed,
    Incomplete,
    NeedClosed,
    NeedShared,
    NeedShareRevoked,
    NeedView,
    OfferView,
    PledgeOffered,
    Statement,
    Unknown,
    View,
    Vocabulary,
    read,
    seal,
)
from aidmesh_protocol.statements.rules import text
from aidmesh_protocol.statements.statement import parser_of, rules_of
from tests.support.hostile import hostile

VIEW = NeedView("shelter", "Plastic Sheets", "high", None, 29_925_120, "Dili")
NEED = NeedShared("31800", "m2", "200", VIEW)
REF = Ref(b"o" * 32, 7, b"l" * 32)


def sealed(statement: Statement, *, refs: tuple[Ref, ...] = (), flags: int = 0) -> SealedEntry:
    keys = iter(bytes([number]) * 16 for number in range(1, 9))
    return seal(
        statement,
        statement_id=b"s" * 16,
        subject_id=b"n" * 16,
        hour=498_728,
        refs=refs,
        flags=flags,
        part_keys=lambda: next(keys),
    )


def opened(made: SealedEntry, *tags: str) -> Statement | Unknown | Incomplete:
    return read(Entry.decode(made.entry), {tag: part for tag, part in made.parts if not tags or tag in tags})


def test_bobs_group_reads_the_need_that_alices_group_shared() -> None:
    assert opened(sealed(NEED)) == NEED


def test_each_part_has_a_key_of_its_own() -> None:
    (_, facts), (_, view) = sealed(NEED).parts
    assert facts[:18] != view[:18]


def test_after_the_description_is_erased_the_quantities_still_count() -> None:
    assert opened(sealed(NEED), "facts") == NeedShared("31800", "m2", "200", None)


def test_before_its_facts_arrive_a_statement_says_nothing() -> None:
    assert opened(sealed(NEED), "view") == Incomplete("need.shared", ("facts",))


def test_the_last_word_about_a_need_is_marked_as_the_last() -> None:
    entry = Entry.decode(sealed(NeedClosed("met"), flags=2).entry)
    assert entry.flags == TERMINAL | 2


def test_a_need_is_not_published_without_its_description() -> None:
    with pytest.raises(ValueError, match="view"):
        sealed(NeedShared("1", "kg", "1", None))


def test_a_pledge_is_not_published_without_the_need_it_answers() -> None:
    pledge = PledgeOffered(b"n" * 16, None, 1, "5", "kg", "deliver", None, None)
    with pytest.raises(ValueError, match=r"pledge\.offered"):
        sealed(pledge)
    assert opened(sealed(pledge, refs=(REF,))) == pledge


def test_what_breaks_a_rule_cannot_even_be_made() -> None:
    with pytest.raises(ProtocolError) as refused:
        NeedShared("1.50", "kg", "1", VIEW)
    assert refused.value.code == "malformed"


def test_a_statement_of_a_later_version_is_kept_unread() -> None:
    part = Part("facts", b"k" * 16, canonical.encode(["something", "new"]))
    header = part.header("need.closed", 2)
    entry = Entry("need.closed", 2, b"s" * 16, b"n" * 16, 0, (header,))
    assert read(entry, {"facts": part.encode()}) == Unknown("need.closed", 2)


def test_an_older_and_a_newer_program_read_the_same_entry_each_as_it_can() -> None:
    """SPEC §5.5a."""
    made = sealed(NeedShareRevoked())
    entry, parts = Entry.decode(made.entry), dict(made.parts)
    older = Vocabulary(kind for kind in STATEMENTS if kind is not NeedShareRevoked)
    assert older.read(entry, parts) == Unknown("need.share_revoked", 1)
    assert EVERYTHING.read(entry, parts) == NeedShareRevoked()
    assert EVERYTHING.schemas == {**older.schemas, "need.share_revoked": 1}


def test_a_statement_without_fields_has_its_facts_nevertheless() -> None:
    made = sealed(NeedShareRevoked())
    assert [tag for tag, _ in made.parts] == ["facts"]
    assert opened(made) == NeedShareRevoked()


@pytest.mark.parametrize("kind", STATEMENTS, ids=lambda kind: kind.TYPE)
def test_every_field_of_every_statement_has_a_rule(kind: type[Statement]) -> None:
    assert REGISTRY[kind.TYPE] is kind
    assert [name for name, _ in rules_of(kind)] == [
        field.name
        for field in fields(kind)  # type: ignore[arg-type]  # every statement is a dataclass
        if field.name != "view"
    ]
    assert (kind.VIEW is not None) == any(field.name == "view" for field in fields(kind))  # type: ignore[arg-type]


WHOLE_VALUES = st.sampled_from(
    ["food", "item", "low", "give", "1", "0", "1000", "1.5", " x", "x ", "a b", "\x7f", "é", "e\u0301", ""]
)
ANY_VALUES = st.one_of(st.none(), WHOLE_VALUES, st.text(max_size=4), st.integers(-1, 2**40), st.binary(max_size=17))


def said_or_refused(make: Callable[..., object], *given: object) -> object:
    try:
        return make(*given)
    except ProtocolError as refused:
        return refused.code, refused.detail


@given(st.data(), st.sampled_from([*STATEMENTS, NeedView, OfferView]))
def test_what_is_parsed_is_what_the_fields_would_make_or_the_same_refusal(
    data: st.DataObject, kind: type[Statement] | type[View]
) -> None:
    count = len(rules_of(kind))
    values = data.draw(st.lists(ANY_VALUES, min_size=count, max_size=count))
    view = (VIEW,) if any(field.name == "view" for field in fields(kind)) else ()  # type: ignore[arg-type]  # all are
    made, parsed = said_or_refused(kind, *values, *view), said_or_refused(parser_of(kind), values, *view)
    assert made == parsed
    assert type(made) is type(parsed)
    assert hash(made) == hash(parsed)


@pytest.mark.parametrize("facts", [b"", "", None, 0, [None], "x"])
def test_facts_that_are_no_list_of_the_fields_are_refused(facts: canonical.Encodable) -> None:
    part = Part("facts", b"k" * 16, canonical.encode(facts))
    entry = Entry("need.share_revoked", 1, b"s" * 16, b"n" * 16, 0, (part.header("need.share_revoked", 1),))
    with pytest.raises(ProtocolError) as refused:
        read(entry, {"facts": part.encode()})
    assert refused.value.code == "malformed"


def test_a_list_given_for_a_field_is_kept_as_a_tuple() -> None:
    addresses = ["https://alice.example", "https://alice.example:8443"]
    made = GroupDescribed("Alice's group", addresses)  # type: ignore[arg-type]  # as decoding gives it
    assert made.endpoints == tuple(addresses)
    assert parser_of(GroupDescribed)(["Alice's group", addresses]) == made


def test_what_was_read_stays_as_it_is() -> None:
    with pytest.raises(FrozenInstanceError):
        opened(sealed(NEED)).view = None  # type: ignore[union-attr]  # what must not work


@given(st.text(max_size=6) | st.text(" ax~\x1f\x7fé", max_size=6))
def test_a_visible_line_is_judged_by_the_same_rules_however_plain(line: str) -> None:
    visible = (
        0 < len(line.encode("utf-8", "surrogatepass")) <= 5
        and line == line.strip()
        and not any(
            unicodedata.category(char) == "Cc"
            or char in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
            for char in line
        )
        and unicodedata.is_normalized("NFC", line)
    )
    try:
        assert text(5, "name")(line) == line
    except ProtocolError:
        assert not visible
    else:
        assert visible


@given(hostile(canonical.encode(NEED.facts())), hostile(canonical.encode(VIEW.values())))
def test_no_content_makes_reading_fail_otherwise(facts: bytes, view: bytes) -> None:
    parts = [Part("facts", b"f" * 16, facts), Part("view", b"v" * 16, view)]
    headers = tuple(part.header("need.shared", 1) for part in parts)
    entry = Entry("need.shared", 1, b"s" * 16, b"n" * 16, 0, headers)
    with contextlib.suppress(ProtocolError):
        said = read(entry, {part.tag: part.encode() for part in parts})
        assert isinstance(said, NeedShared)
        assert canonical.encode(said.facts()) == facts
