"""Refusals: every code has a status, and an unknown code is our bug."""

import pytest

from aidmesh_protocol.errors import STATUS, ProtocolError


def test_a_refusal_says_what_is_wrong_and_keeps_the_evidence() -> None:
    error = ProtocolError("fork_detected", "two roots for size 4", (b"one note", b"another note"))
    assert (error.code, error.detail) == ("fork_detected", "two roots for size 4")
    assert error.evidence == (b"one note", b"another note")
    assert str(error) == "fork_detected: two roots for size 4"


def test_a_refusal_without_detail_is_its_code() -> None:
    error = ProtocolError("recovering")
    assert str(error) == "recovering"
    assert error.detail == ""
    assert error.evidence == ()


def test_a_code_that_is_not_in_the_protocol_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no_such_code"):
        ProtocolError("no_such_code")


def test_the_codes_and_their_statuses_are_those_of_the_specification() -> None:
    assert dict(STATUS) == {
        "malformed": 400,
        "bad_signature": 401,
        "clock_skew": 401,
        "unknown_key": 401,
        "not_member": 403,
        "severed": 403,
        "suspended": 403,
        "unknown_feed": 404,
        "size_conflict": 409,
        "stale_generation": 409,
        "part_erased": 410,
        "too_large": 413,
        "fork_detected": 422,
        "proof_invalid": 422,
        "root_mismatch": 422,
        "upgrade_required": 426,
        "quota": 429,
        "rate": 429,
        "recovering": 503,
    }
