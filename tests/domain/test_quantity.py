"""Amounts, units, windows, labels: what people write is understood exactly, or refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_node.domain.category import CATEGORIES, category_id
from aidmesh_node.domain.label import LABEL_CHARACTERS_MAX, label, language_tag
from aidmesh_node.domain.quantity import Quantity, amount_text, check_amount, parse_amount
from aidmesh_node.domain.refused import Refused, one_of, shortened
from aidmesh_node.domain.units import UNITS, WHOLE_UNITS, unit_code
from aidmesh_node.domain.window import Window


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", "1"), ("31800", "31800"), ("2.5", "2.5"), ("2.500", "2.5"), (" 007 ", "7"), ("0.001", "0.001")],
)
def test_an_amount_is_read_exactly(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)
    assert amount_text(parse_amount(text)) == amount


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an amount"),
        ("many", "not an amount"),
        ("1e3", "not an amount"),
        ("1,000", "not an amount"),
        ("1 000", "not an amount"),
        (".5", "not an amount"),
        ("5.", "not an amount"),
        ("+5", "not an amount"),
        ("NaN", "not an amount"),
        ("Infinity", "not an amount"),
        ("٣", "not an amount"),
        ("\uff13", "not an amount"),
        ("9" * 5000, "more than anybody can mean"),
        ("-3", "negative"),
        ("-0.5", "negative"),
        ("0", "zero"),
        ("0.000", "zero"),
        ("1000000001", "more than anybody"),
        ("0.0005", "finer"),
    ],
)
def test_what_is_not_an_amount_is_refused_in_words(text: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_amount(text)
    assert refused.value.reason == "bad_quantity"
    assert says in refused.value.detail
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "-1E+999999", "1E+999999", "1E-999999"])
def test_numbers_of_any_kind_are_refused_in_little_time_and_space(number: str) -> None:
    with pytest.raises(Refused) as refused:
        check_amount(Decimal(number))
    assert len(refused.value.detail) < 200


def test_digits_beyond_what_decimals_carry_are_not_rounded_away() -> None:
    with pytest.raises(Refused, match="finer"):
        check_amount(Decimal("1." + "0" * 40 + "1"))


def test_zero_is_an_amount_only_where_asked_for() -> None:
    assert parse_amount("0.0", zero=True) == 0
    with pytest.raises(Refused, match="zero"):
        parse_amount("0")


@given(st.decimals(min_value="0.001", max_value=10**9, places=3))
def test_text_and_amount_are_inverse(amount: Decimal) -> None:
    text = amount_text(amount)
    assert parse_amount(text) == amount
    assert "E" not in text
    assert not (text.endswith("0") and "." in text)


@pytest.mark.parametrize("unit", sorted(WHOLE_UNITS))
def test_nobody_hands_over_half_a_blanket(unit: str) -> None:
    assert Quantity.parse("3", unit).amount == 3
    with pytest.raises(Refused, match="whole number"):
        Quantity.parse("2.5", unit)


@pytest.mark.parametrize("unit", sorted(set(UNITS) - WHOLE_UNITS))
def test_what_is_weighed_or_measured_has_parts(unit: str) -> None:
    assert str(Quantity.parse("2.50", unit)) == f"2.5 {unit}"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Pieces", "item"),
        ("pc", "item"),
        ("KILO", "kg"),
        ("kilograms", "kg"),
        (" litre ", "l"),
        ("Liters", "l"),
        ("m²", "m2"),
        ("sqm", "m2"),
        ("square  metres", "m2"),
        ("h", "hour"),
        ("Nights", "night"),
        *((unit, unit) for unit in UNITS),
    ],
)
def test_units_are_understood_as_people_write_them(text: str, code: str) -> None:
    assert unit_code(text) == code


@pytest.mark.parametrize("text", ["", "bushel", "kg;drop", "k" * 10_000])
def test_an_unknown_unit_is_refused_with_all_units_named(text: str) -> None:
    with pytest.raises(Refused) as refused:
        unit_code(text)
    assert refused.value.reason == "unknown_unit"
    assert all(unit in refused.value.hint for unit in UNITS)
    assert len(refused.value.detail) < 200


def test_a_quantity_cannot_be_made_of_nonsense() -> None:
    for amount, unit in ((Decimal(1), "bushel"), (Decimal(0), "kg"), (Decimal(-1), "kg"), (Decimal("0.5"), "item")):
        with pytest.raises(Refused):
            Quantity(amount, unit)


def test_equal_quantities_are_equal_however_they_were_written() -> None:
    assert Quantity.parse("2.50", "kilos") == Quantity.parse("2.5", "kg")
    assert hash(Quantity.parse("100", "kg")) == hash(Quantity(Decimal("1E+2"), "kg"))


def test_categories() -> None:
    assert all(category_id(category.upper()) == category for category in CATEGORIES)
    with pytest.raises(Refused) as refused:
        category_id("weapons")
    assert refused.value.reason == "unknown_category"
    assert "bedding" in refused.value.hint


def test_a_window_may_be_open_but_not_backwards() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert Window(noon, noon) == Window(start=noon, end=noon)
    Window(None, noon)
    Window(noon, None)
    with pytest.raises(Refused, match="before the start"):
        Window(noon, noon - timedelta(seconds=1))
    with pytest.raises(Refused, match="time zone"):
        Window(noon.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Plastic Sheets 4 x 5 m", "Plastic Sheets 4 x 5 m"),
        ("  Jerry\tCan \n 20 L ", "Jerry Can 20 L"),
        ("Cobertor térmico", "Cobertor térmico"),
        ("بطانية", "بطانية"),
        ("Pack of 12345", "Pack of 12345"),
        ("", None),
        ("   ", None),
        (None, None),
    ],
)
def test_a_label_is_one_line(text: str | None, shown: str | None) -> None:
    assert label("item", text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "x" * (LABEL_CHARACTERS_MAX + 1),
        "Blanket for ana@example.org",
        "Blanket, call 0173 555 0142",
        "Blanket +351 912-345-678",
        "Blan\x00ket",
        "Blan\x1b[31mket",
        "Blan\ud800ket",
    ],
)
def test_a_label_never_carries_contact_details_or_stories(text: str) -> None:
    with pytest.raises(Refused) as refused:
        label("item", text)
    assert refused.value.reason == "bad_item"


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "tet"])
def test_language_tags(tag: str) -> None:
    assert language_tag(f" {tag} ") == tag


@pytest.mark.parametrize("tag", ["english please", "e", "en_US", "p\u00fc"])
def test_what_is_not_a_language_tag(tag: str) -> None:
    with pytest.raises(Refused) as refused:
        language_tag(tag)
    assert refused.value.reason == "bad_language"


def test_no_language_is_no_language() -> None:
    assert language_tag(None) is None
    assert language_tag("  ") is None


def test_a_refusal_reads_like_a_sentence_and_names_what_is_allowed() -> None:
    with pytest.raises(Refused) as refused:
        one_of("way of handing over", "catapult", ("deliver", "pick_up"))
    assert refused.value.reason == "unknown_way_of_handing_over"
    assert str(refused.value) == "“catapult” is not a known way of handing over. Use one of: deliver, pick_up."


def test_what_somebody_sent_is_repeated_only_in_part() -> None:
    assert shortened("a\nb" + "c" * 1000) == "a b" + "c" * 56 + "…"
