"""Identity: the group id alone proves which keys a group started with."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.identity import (
    Inception,
    check_group_id,
    circle_origin,
    group_id,
    identity_origin,
    incept,
    next_key_hash,
    origin_hash,
    parse_origin,
    public_origin,
    read_inception,
)
from aidmesh_protocol.keys import SigningKey
from tests.support.hostile import hostile


def key(name: str) -> SigningKey:
    return SigningKey.from_seed(hashlib.sha256(name.encode()).digest())


INCEPTION = Inception(
    key("signing").verify_key.raw,
    key("witness").verify_key.raw,
    hashlib.sha256(b"hpke").digest(),
    next_key_hash(key("next").verify_key),
)
SEALED = incept(INCEPTION, b"k" * 16, 498_728)
PART = SEALED.parts[0][1]
GID = group_id(SEALED.entry)


def test_whoever_knows_the_id_learns_the_keys_from_anybody() -> None:
    assert read_inception(SEALED.entry, PART, GID) == INCEPTION


def test_another_part_key_makes_another_group() -> None:
    assert group_id(incept(INCEPTION, b"K" * 16, 498_728).entry) != GID


def test_eve_cannot_put_her_keys_under_alices_id() -> None:
    forged = incept(Inception(key("eve").verify_key.raw, *[b"e" * 32] * 3), b"k" * 16, 498_728)
    with pytest.raises(ProtocolError) as refused:
        read_inception(forged.entry, forged.parts[0][1], GID)
    assert refused.value.code == "proof_invalid"


def test_the_next_key_is_committed_to_without_being_shown() -> None:
    committed = next_key_hash(key("next").verify_key)
    assert committed == hashlib.sha256(key("next").verify_key.raw).digest()


def test_origins_name_feeds_and_read_back() -> None:
    circle = hashlib.sha256(b"terms").digest()
    names = [
        identity_origin(GID),
        identity_origin(GID, 2),
        public_origin(GID, 1),
        circle_origin(GID, circle, 3),
    ]
    assert names == [
        f"aidmesh/{GID}/id/0",
        f"aidmesh/{GID}/id/2",
        f"aidmesh/{GID}/public/1",
        f"aidmesh/{GID}/c/{circle.hex()}/3",
    ]
    assert [str(parse_origin(name)) for name in names] == names
    assert len({origin_hash(name) for name in names}) == len(names)


@pytest.mark.parametrize("text", [None, b"a" * 32, "", "a" * 31, "a" * 33, "A" * 32, "0" * 32, "a" * 32 + "\n"])
def test_what_is_no_group_id(text: object) -> None:
    with pytest.raises(ProtocolError) as refused:
        check_group_id(text)
    assert refused.value.code == "malformed"


@given(hostile(SEALED.entry), hostile(PART))
def test_no_bytes_but_these_are_the_inception(entry: bytes, part: bytes) -> None:
    for candidate in ((entry, PART), (SEALED.entry, part), (entry, part)):
        with contextlib.suppress(ProtocolError):
            read_inception(*candidate, GID)
            assert candidate == (SEALED.entry, PART)


@given(hostile(SEALED.entry), hostile(PART))
def test_an_id_made_from_noise_is_refused_all_the_same(entry: bytes, part: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        read_inception(entry, part, group_id(entry))
        assert (entry, part) == (SEALED.entry, PART)


@given(st.one_of(st.text(), hostile(identity_origin(GID).encode()).map(lambda data: data.decode(errors="replace"))))
def test_every_text_is_one_origin_or_none(text: str) -> None:
    with contextlib.suppress(ProtocolError):
        assert str(parse_origin(text)) == text
