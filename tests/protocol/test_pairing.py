"""Pairing: the invitation, the words both screens show, the terms both groups sign."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_protocol import invitation, pairing_messages, words
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.invitation import Invitation
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import ENDPOINT_BYTES_MAX, ENDPOINTS_MAX, INVITATION_BYTES_MAX, SECOND_MAX
from aidmesh_protocol.pairing_messages import Hello, Sign, SignAnswer
from aidmesh_protocol.terms import Terms, circle_id, sign_terms, verify_terms_signature
from tests.support.hostile import hostile

ALICE, BOB, EVE = "a" * 32, "b" * 32, "e" * 32
ALICES_KEY = SigningKey.from_seed(b"a" * 32)
ALICES_NONCE, BOBS_NONCE = b"1" * 32, b"2" * 32
INVITATION = Invitation(ALICE, ("https://aid.example.org", "http://10.0.0.7:8080"), b"s" * 16, 1_795_420_800)
TERMS = Terms(1, (ALICE, BOB), 498_728, b"s" * 16, "L1", 30)


def test_alice_reads_out_the_words_that_bob_sees() -> None:
    seen_by_alice = words.four_words(ALICE, BOB, ALICES_NONCE, BOBS_NONCE)
    assert seen_by_alice == words.four_words(BOB, ALICE, BOBS_NONCE, ALICES_NONCE)
    assert len(seen_by_alice) == 4


def test_with_eve_in_the_middle_the_words_differ() -> None:
    assert words.four_words(ALICE, EVE, ALICES_NONCE, BOBS_NONCE) != words.four_words(
        EVE, BOB, ALICES_NONCE, BOBS_NONCE
    )


def test_the_list_is_the_one_of_bip_39() -> None:
    listed = "".join(f"{word}\n" for word in words.word_list())
    digest = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
    assert hashlib.sha256(listed.encode()).hexdigest() == digest


def test_an_invitation_can_be_read_from_paper() -> None:
    text = invitation.format(INVITATION)
    secret = "onzxg43tonzxg43tonzxg43tom"
    assert text == f"aidmesh:{ALICE}#https://aid.example.org;http://10.0.0.7:8080,{secret},1795420800"
    assert invitation.parse(text) == INVITATION


def test_the_longest_invitation_fits() -> None:
    endpoints = tuple(f"http://{number}{'a' * (ENDPOINT_BYTES_MAX - 8)}" for number in range(ENDPOINTS_MAX))
    longest = Invitation(ALICE, endpoints, b"s" * 16, SECOND_MAX)
    assert len(invitation.format(longest)) <= INVITATION_BYTES_MAX
    assert invitation.parse(invitation.format(longest)) == longest


def test_an_invitation_has_a_whole_secret() -> None:
    with pytest.raises(ProtocolError) as refused:
        Invitation(ALICE, INVITATION.endpoints, b"s" * 15, 1)
    assert refused.value.code == "malformed"


def test_both_groups_sign_the_same_terms_and_found_the_same_circle() -> None:
    data = TERMS.encode()
    signature = sign_terms(data, ALICE, ALICES_KEY)
    verify_terms_signature(data, ALICE, ALICES_KEY.verify_key, signature)
    assert Terms.decode(data) == TERMS
    assert circle_id(data) == hashlib.sha256(data).digest()


def test_eve_cannot_sign_terms_she_is_no_party_of() -> None:
    with pytest.raises(ProtocolError) as refused:
        sign_terms(TERMS.encode(), EVE, ALICES_KEY)
    assert refused.value.code == "not_member"


def test_a_signature_waits_until_people_have_confirmed() -> None:
    assert pairing_messages.decode(pairing_messages.encode(SignAnswer(None))) == SignAnswer(None)
    with pytest.raises(ProtocolError):
        Sign(ALICE, TERMS.encode(), None)  # type: ignore[arg-type]


@given(st.one_of(st.text(), hostile(invitation.format(INVITATION).encode()).map(lambda d: d.decode("latin-1"))))
def test_every_text_is_one_invitation_or_none(text: str) -> None:
    with contextlib.suppress(ProtocolError):
        assert invitation.format(invitation.parse(text)) == text


@given(hostile(TERMS.encode()))
def test_no_bytes_make_reading_terms_fail_otherwise(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert Terms.decode(data).encode() == data


@given(hostile(pairing_messages.encode(Hello(b"s" * 16, b"AIDMESH1\n", b"c" * 32))))
def test_no_bytes_make_reading_a_pairing_message_fail_otherwise(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert pairing_messages.encode(pairing_messages.decode(data)) == data
