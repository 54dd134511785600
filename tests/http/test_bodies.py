"""Shapes and sizes of what members may send: what is refused names its place, nothing slips in."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from aidmesh_node.http import bodies
from aidmesh_node.http.problems import Problem

NEED = bodies.Body(bodies.NeedPosted)
GOOD = {"category": "food", "quantity": "2.5", "unit": "kg"}


def refused(body: object) -> Problem:
    with pytest.raises(Problem) as caught:
        NEED.read(body if isinstance(body, bytes) else json.dumps(body).encode())
    assert caught.value.status == 400
    return caught.value


def test_the_least_that_makes_a_need() -> None:
    need = NEED.read(json.dumps(GOOD).encode())
    assert (need.category, need.quantity, need.unit, need.urgency, need.on_behalf) == (
        "food", "2.5", "kg", "normal", False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "field", ["id", "actor", "role", "group", "version", "posted_at", "state", "received", "person"]
)
def test_fields_nobody_may_set_are_refused_by_name(field: str) -> None:
    problem = refused({**GOOD, field: "x"})
    assert problem.errors[0]["where"] == f"$.{field}"


def test_an_unknown_field_deep_inside_is_named_with_its_path() -> None:
    assert refused({**GOOD, "for": {"name": "Ana", "role": "operator"}}).errors[0]["where"] == "$.for.role"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", 100),
        ("quantity", 1.5),
        ("quantity", None),
        ("quantity", ""),
        ("quantity", "9" * 33),
        ("unit", ""),
        ("unit", 7),
        ("item", "x" * 201),
        ("item", "two\nlines"),
        ("item", "nul\u0000"),
        ("item", "trailing\n"),
        ("note", "y" * 4001),
        ("note", "bell\u0007"),
        ("from", "2026-11-22T08:00:00"),
        ("from", "tomorrow"),
        ("from", 1),
        ("from", "2026-13-01T00:00:00Z"),
        ("on_behalf", "yes"),
        ("for", []),
    ],
)
def test_wrong_types_sizes_and_characters_are_refused_where_they_stand(field: str, value: object) -> None:
    assert refused({**GOOD, field: value}).errors[0]["where"] == f"$.{field}"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff{}",
        b'{"category": "\xff"}',
        b'{"category":"\\ud800"}',
        b"{}" * 2,
        b"[" * 5000,
    ],
)
def test_bytes_that_are_not_such_an_object_are_refused(raw: bytes) -> None:
    assert refused(raw).code == "malformed"


def test_a_missing_field_is_named() -> None:
    assert refused({"category": "food", "unit": "kg"}).errors[0]["where"] == "$.quantity"


def test_an_endless_offer_must_be_said_and_not_forgotten() -> None:
    offer = bodies.Body(bodies.OfferPosted)
    assert offer.read(b'{"category":"care","unit":"hour","quantity":null}').quantity is None
    with pytest.raises(Problem) as caught:
        offer.read(b'{"category":"care","unit":"hour"}')
    assert caught.value.errors[0]["where"] == "$.quantity"


def test_a_body_may_be_left_out_only_where_everything_has_a_default() -> None:
    assert bodies.Body(bodies.Received, optional=True).read(b"").condition == "good"
    with pytest.raises(Problem):
        bodies.Body(bodies.Received).read(b"")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1970-01-01T00:00:00Z"])
def test_years_nobody_means_are_refused_before_their_arithmetic(text: str) -> None:
    need = NEED.read(json.dumps({**GOOD, "from": text}).encode())
    with pytest.raises(Problem) as caught:
        bodies.moment(need.from_, "$.from")
    assert caught.value.errors[0]["where"] == "$.from"


def test_times_are_brought_to_utc() -> None:
    need = NEED.read(json.dumps({**GOOD, "until": "2026-11-22T08:00:00+09:00"}).encode())
    assert bodies.moment(need.until, "$.until") == datetime(2026, 11, 21, 23, tzinfo=UTC)


def test_an_import_names_its_files_and_has_at_least_one() -> None:
    shape = bodies.Body(bodies.Imported)
    assert shape.read(b'{"files":[{"name":"a.csv","text":"x,y"}]}').dry_run is False
    for raw in (b'{"files":[]}', b'{"files":[{"name":"a.csv"}]}', b'{"files":"a.csv"}', b"{}"):
        with pytest.raises(Problem):
            shape.read(raw)
