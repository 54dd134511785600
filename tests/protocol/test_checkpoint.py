"""Checkpoints: what the owner signed opens, anything else is refused, and only opening makes one trusted."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aidmesh_protocol.checkpoint import (
    Checkpoint,
    VerifiedCheckpoint,
    key_id,
    open_checkpoint,
    parse_unverified,
    sign,
)
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import SigningKey, VerifyKey
from aidmesh_protocol.limits import CHECKPOINT_BYTES_MAX, FEED_ENTRIES_MAX
from aidmesh_protocol.merkle import EMPTY_ROOT

ALICE = SigningKey.from_seed(b"\x0a" * 32)
BOB = SigningKey.from_seed(b"\x0b" * 32)
ORIGIN = "aidmesh/" + "a" * 32 + "/id/0"
CLAIM = Checkpoint(ORIGIN, 5, b"\x05" * 32)
SIGNED = sign(CLAIM, ALICE)
TEXT = CLAIM.text()
LINE = SIGNED.note.decode().removeprefix(TEXT + "\n")
# The example of the Go package golang.org/x/mod/sumdb/note, from which C2SP signed-note comes.
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_KEY = VerifyKey.admit(b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:])
PETER_SIGNATURE = b64decode(
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def refusal(note: bytes | str, origin: str = ORIGIN) -> str:
    with pytest.raises(ProtocolError) as caught:
        open_checkpoint(note if isinstance(note, bytes) else note.encode(), origin, ALICE.verify_key)
    return caught.value.code


def signed_text(text: str) -> str:
    """A note over any text, signed by alice under the origin's name: only its form can be wrong."""
    signature = key_id(ORIGIN, ALICE.verify_key) + ALICE.sign(text.encode())
    return f"{text}\n— {ORIGIN} {b64encode(signature).decode()}\n"


def test_what_alice_signs_bob_opens() -> None:
    opened = open_checkpoint(SIGNED.note, ORIGIN, ALICE.verify_key)
    assert opened == SIGNED
    assert (opened.origin, opened.size, opened.root) == (ORIGIN, 5, b"\x05" * 32)
    assert opened.key == ALICE.verify_key
    assert parse_unverified(SIGNED.note) == CLAIM
    assert sign(CLAIM, ALICE).note == SIGNED.note


def test_the_note_is_three_lines_a_blank_and_a_signature() -> None:
    lines = SIGNED.note.decode().split("\n")
    assert lines[:4] == [ORIGIN, "5", b64encode(b"\x05" * 32).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_key_ids_and_signatures_are_those_of_the_signed_note_example() -> None:
    assert key_id("PeterNeumann", PETER_KEY) == PETER_SIGNATURE[:4] == bytes.fromhex("c74f20a3")
    PETER_KEY.verify(PETER_SIGNATURE[4:], PETER_TEXT.encode())
    note = f"{PETER_TEXT}\n— PeterNeumann {b64encode(PETER_SIGNATURE).decode()}\n"
    assert refusal(note, "PeterNeumann") == "malformed"  # a sound note, but no checkpoint


def test_an_empty_feed_has_the_root_of_the_empty_tree() -> None:
    assert sign(Checkpoint(ORIGIN, 0, EMPTY_ROOT), ALICE).size == 0
    assert refusal(signed_text(f"{ORIGIN}\n0\n{b64encode(bytes(32)).decode()}\n")) == "malformed"


def test_signature_lines_of_others_are_ignored_wherever_they_stand() -> None:
    """SPEC §7.2b."""
    cosigned = f"— witness.example {b64encode(b'wxyz' + bytes(72)).decode()}\n"
    bobs = sign(CLAIM, BOB).note.decode().removeprefix(TEXT + "\n")
    note = f"{TEXT}\n{cosigned}{bobs}{LINE}{cosigned}".encode()
    opened = open_checkpoint(note, ORIGIN, ALICE.verify_key)
    assert opened.note == note
    assert opened.size == 5


def test_sixty_four_signature_lines_are_read_and_one_more_is_not() -> None:
    other = f"— w {b64encode(b'wxyz' + bytes(64)).decode()}\n"
    assert open_checkpoint(f"{TEXT}\n{LINE}{other * 63}".encode(), ORIGIN, ALICE.verify_key).size == 5
    assert refusal(f"{TEXT}\n{LINE}{other * 64}") == "malformed"


def test_a_checkpoint_is_trusted_only_under_its_own_origin_and_key() -> None:
    assert refusal(SIGNED.note, ORIGIN[:-1] + "1") == "malformed"
    assert refusal(sign(CLAIM, BOB).note) == "bad_signature"
    renamed = LINE.replace(ORIGIN, "aidmesh/" + "b" * 32 + "/id/0")
    assert refusal(f"{TEXT}\n{renamed}") == "bad_signature"


def test_two_lines_of_the_owners_key_are_refused() -> None:
    """SPEC §7.2a."""
    assert refusal(f"{TEXT}\n{LINE}{LINE}") == "malformed"


def test_a_signature_over_another_text_is_refused() -> None:
    assert refusal(f"{TEXT.replace('5', '6', 1)}\n{LINE}") == "bad_signature"
    short = b64encode(b64decode(LINE.split(" ")[2])[:-1]).decode()
    assert refusal(f"{TEXT}\n— {ORIGIN} {short}\n") == "bad_signature"


ROOT = b64encode(b"\x05" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n5\n",
        f"{ORIGIN}\n5\n{ROOT}\nextension\n",
        f"{ORIGIN}\n5\n{ROOT}\n\n",
        f"{ORIGIN}\n05\n{ROOT}\n",
        f"{ORIGIN}\n+5\n{ROOT}\n",
        f"{ORIGIN}\n-5\n{ROOT}\n",
        f"{ORIGIN}\n 5\n{ROOT}\n",
        f"{ORIGIN}\n5_0\n{ROOT}\n",
        f"{ORIGIN}\n\uff15\n{ROOT}\n",
        f"{ORIGIN}\nfive\n{ROOT}\n",
        f"{ORIGIN}\n{FEED_ENTRIES_MAX + 1}\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5_000}\n{ROOT}\n",
        f"{ORIGIN}\r\n5\n{ROOT}\n",
        f"{ORIGIN}\n5\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n5\n{ROOT[:-2]}V=\n",
        f"{ORIGIN}\n5\n{b64encode(bytes(31)).decode()}\n",
        f"{ORIGIN}\n5\n{b64encode(bytes(33)).decode()}\n",
        f"{ORIGIN}\n5\n{b64encode(bytes([255] * 32)).decode().replace('/', '_')}\n",
        f"\n5\n{ROOT}\n",
        f"an origin\n5\n{ROOT}\n",
        f"an\u00a0origin\n5\n{ROOT}\n",
        f"an+origin\n5\n{ROOT}\n",
        f"an\torigin\n5\n{ROOT}\n",
        f"an\x00origin\n5\n{ROOT}\n",
        f"{'o' * 201}\n5\n{ROOT}\n",
    ],
    ids=range(27),
)
def test_a_signed_text_of_another_form_is_refused(text: str) -> None:
    """SPEC §7.1a."""
    assert refusal(signed_text(text), text.split("\n")[0]) == "malformed"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        TEXT,
        TEXT + "\n",
        TEXT + LINE,
        TEXT + "\n" + LINE.rstrip("\n"),
        TEXT + "\n" + LINE + "\n",
        TEXT + "\n\n" + LINE,
        TEXT + "\n" + LINE.replace("—", "-"),
        TEXT + "\n" + LINE.replace("— ", "—"),
        TEXT + "\n" + LINE.replace("— ", "—  "),
        TEXT + "\n" + LINE.replace("\n", " \n"),
        TEXT + "\n" + LINE.replace("=\n", "\n"),
        TEXT + "\n" + LINE + "— na+me d3h5egA=\n",
        TEXT + "\n" + LINE + "—  d3h5egA=\n",
        TEXT + "\n" + LINE + "— witness d3h5eg==\n",
        TEXT + "\n" + LINE + "— witness d3h5egB=\n",
        TEXT + "\n" + LINE + "— witness \n",
        TEXT + "\n" + LINE + "witness\n",
        SIGNED.note.replace(b"\n", b"\r\n"),
        b"\xff" + SIGNED.note,
        SIGNED.note + b"\xe2\x80",
    ],
    ids=range(21),
)
def test_a_note_of_another_form_is_refused(note: bytes | str) -> None:
    assert refusal(note) == "malformed"


def test_a_long_note_is_refused_unread() -> None:
    assert refusal(b"\n" * (CHECKPOINT_BYTES_MAX + 1)) == "too_large"


@given(st.integers(0, len(SIGNED.note) - 1), st.integers(1, 255))
def test_a_changed_byte_never_opens(at: int, change: int) -> None:
    note = bytearray(SIGNED.note)
    note[at] ^= change
    assert refusal(bytes(note)) in ("malformed", "bad_signature")


@given(st.binary(max_size=200) | st.text().map(str.encode))
@example(b"\n\n")
@example(b"\n\n\n")
@example(b"a\n1\n\n\n")
def test_any_bytes_are_refused_as_malformed(note: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_unverified(note)
    assert caught.value.code == "malformed"


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 5, bytes(32)),
        ("a b", 5, bytes(32)),
        (ORIGIN, -1, bytes(32)),
        (ORIGIN, 5, bytes(31)),
        (ORIGIN, 0, bytes(32)),
    ],
)
def test_a_claim_without_a_checkpoint_form_is_our_mistake(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(ValueError):
        Checkpoint(origin, size, root)


def test_a_verified_checkpoint_cannot_be_made_up() -> None:
    with pytest.raises(ValueError):
        VerifiedCheckpoint(ORIGIN, 6, SIGNED.root, SIGNED.note, ALICE.verify_key)
    with pytest.raises(ProtocolError):
        VerifiedCheckpoint(ORIGIN, 5, SIGNED.root, SIGNED.note, BOB.verify_key)
    with pytest.raises(ProtocolError):
        VerifiedCheckpoint(ORIGIN, 5, SIGNED.root, b"", ALICE.verify_key)
