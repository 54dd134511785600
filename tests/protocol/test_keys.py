"""Keys: RFC 8032 signatures, and admission of nothing but points of prime order in their one encoding."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import example, given
from hypothesis import strategies as st

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey, VerifyKey

# RFC 8032 §7.1, tests 1 to 3: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
]
IDENTITY = bytes([1]) + bytes(31)
UNSOUND = {
    "the identity": IDENTITY,
    "order 2": bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "order 4": bytes(32),
    "order 4, the other sign": bytes(31) + b"\x80",
    "order 8": bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    "a sound key plus order 8": bytes.fromhex("9158312a9a8d6e3b34c891d6d61444f8b8211c5117ebad15bdb0bd68b07e0245"),
    "y = p": bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "y = p + 1": bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "the identity with a sign": bytes([1]) + bytes(30) + b"\x80",
    "off the curve": bytes([2]) + bytes(31),
    "31 bytes": bytes(31),
    "33 bytes": bytes(33),
    "no bytes": b"",
}


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_keys_and_signatures_are_those_of_rfc_8032(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey.from_seed(bytes.fromhex(seed))
    assert key.verify_key.raw.hex() == public
    assert key.seed.hex() == seed
    assert key.sign(bytes.fromhex(message)).hex() == signature
    VerifyKey.admit(bytes.fromhex(public)).verify(bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize("raw", UNSOUND.values(), ids=UNSOUND.keys())
def test_an_unsound_key_is_not_admitted(raw: bytes) -> None:
    """SPEC §3.1a."""
    for make in (VerifyKey.admit, VerifyKey):
        with pytest.raises(ProtocolError) as caught:
            make(raw)
        assert caught.value.code == "unknown_key"


def test_admission_is_needed_because_one_signature_verifies_for_every_message_under_the_identity() -> None:
    forged = IDENTITY + bytes(32)
    library_key = Ed25519PublicKey.from_public_bytes(IDENTITY)
    library_key.verify(forged, b"alice owes nothing")
    library_key.verify(forged, b"alice owes everything")
    with pytest.raises(ProtocolError):
        VerifyKey.admit(IDENTITY)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_every_seed_gives_an_admissible_key_whose_signatures_verify(seed: bytes, message: bytes) -> None:
    key = SigningKey.from_seed(seed)
    VerifyKey.admit(key.verify_key.raw).verify(key.sign(message), message)


@given(st.binary(max_size=64))
@example(bytes(32))
def test_any_bytes_are_a_key_or_refused(raw: bytes) -> None:
    try:
        outcome: bytes | str = VerifyKey.admit(raw).raw
    except ProtocolError as error:
        outcome = error.code
    assert outcome in (raw, "unknown_key")


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_changed_signature_does_not_verify(at: int, change: int) -> None:
    key = SigningKey.from_seed(b"\x07" * 32)
    signature = bytearray(key.sign(b"forty blankets"))
    signature[at] ^= change
    with pytest.raises(ProtocolError) as caught:
        key.verify_key.verify(bytes(signature), b"forty blankets")
    assert caught.value.code == "bad_signature"


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_does_not_verify(length: int) -> None:
    key = SigningKey.from_seed(b"\x07" * 32)
    signature = (key.sign(b"forty blankets") + b"\0")[:length]
    with pytest.raises(ProtocolError) as caught:
        key.verify_key.verify(signature, b"forty blankets")
    assert caught.value.code == "bad_signature"


def test_another_message_or_another_key_does_not_verify() -> None:
    alice, bob = SigningKey.from_seed(b"\x01" * 32), SigningKey.from_seed(b"\x02" * 32)
    signature = alice.sign(b"forty blankets")
    for key, message in ((alice.verify_key, b"four blankets"), (bob.verify_key, b"forty blankets")):
        with pytest.raises(ProtocolError) as caught:
            key.verify(signature, message)
        assert caught.value.code == "bad_signature"


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_our_mistake(length: int) -> None:
    with pytest.raises(ValueError):
        SigningKey.from_seed(bytes(length))


def test_keys_are_compared_by_their_bytes_and_a_seed_is_never_shown() -> None:
    key = SigningKey.from_seed(b"\x07" * 32)
    other = SigningKey.from_seed(b"\x08" * 32)
    again = VerifyKey(key.verify_key.raw)
    assert again == key.verify_key
    assert hash(again) == hash(key.verify_key)
    assert again != other.verify_key
    assert again != key.verify_key.raw
    assert repr(again) == f"VerifyKey({again.raw.hex()})"
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)
