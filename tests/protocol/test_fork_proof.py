"""Fork proofs (SPEC §9.4a): whoever signs two histories is convicted by anybody, and nobody who signs one ever is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest

from aidmesh_protocol import merkle
from aidmesh_protocol.checkpoint import Checkpoint, VerifiedCheckpoint, open_checkpoint, sign
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.fork_file import decode_fork_file, encode_fork_file
from aidmesh_protocol.fork_proof import ForkProof, KeyRow, convict, prove
from aidmesh_protocol.gossip_frames import Fork
from aidmesh_protocol.identity import Inception, group_id, incept
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import FORK_FILE_BYTES_MAX, FORK_NOTE_BYTES_MAX, FRAME_PAYLOADS_MAX
from aidmesh_protocol.origin import circle_origin, identity_origin, origin_hash, public_origin
from tests.support.merkle_reference import inclusion_path, tree_root

LEAVES_MAX = 700
FORKS = 1_000


@dataclass(frozen=True)
class Owner:
    """A group that signs feeds, truly or not."""

    gid: str
    key: SigningKey
    keys: tuple[KeyRow, ...]

    @classmethod
    def named(cls, name: str) -> Owner:
        seeds = [sha256(f"{name} {what}".encode()).digest() for what in ("signs", "witnesses", "hpke", "next")]
        signing, witness = (SigningKey.from_seed(seed) for seed in seeds[:2])
        sealed = incept(
            Inception(signing.verify_key.raw, witness.verify_key.raw, seeds[2], seeds[3]), bytes(16), 498_728
        )
        entry, part = sealed.entry, sealed.parts[0][1]
        return cls(group_id(entry), signing, ((entry, part),))

    def signs(self, leaves: list[bytes], size: int, origin: str = "") -> VerifiedCheckpoint:
        return sign(Checkpoint(origin or identity_origin(self.gid), size, root_of(leaves[:size])), self.key)


MALLORY, HONEST, EVE = Owner.named("mallory"), Owner.named("honest"), Owner.named("eve")


def leaves_of(name: str, count: int) -> list[bytes]:
    return [sha256(f"{name} {index}".encode()).digest() for index in range(count)]


def root_of(leaves: list[bytes]) -> bytes:
    return merkle.Frontier.empty().extend(leaves)[0].root()


def hashes_of(leaves: list[bytes]) -> merkle.Hashes:
    return merkle.subtree_reader(lambda start, stop: leaves[start:stop], lambda level, index: None)


def path(leaves: list[bytes], size1: int, size2: int) -> list[bytes]:
    return merkle.consistency_path(size1, size2, hashes_of(leaves[:size2]))


def accuses_nobody(proof: Callable[[], object]) -> str:
    with pytest.raises(ProtocolError) as refused:
        proof()
    return refused.value.code


def test_1_000_generated_forks_are_all_convicted() -> None:
    """Any two sizes, any place where the histories part; proven by who holds the longer one, and by one entry of it."""
    draw = random.Random("forks")
    equal = 0
    for number in range(FORKS):
        size1, size2 = sorted(draw.randint(1, LEAVES_MAX) for _ in range(2))
        if number % 5 == 0:
            size2 = size1
        parted = draw.randrange(size1)
        one = leaves_of("both", LEAVES_MAX)
        other = [*one[:parted], *leaves_of(f"other {number}", LEAVES_MAX - parted)]
        origin = draw.choice([public_origin(MALLORY.gid), circle_origin(MALLORY.gid, bytes(32), number)])
        smaller, larger = MALLORY.signs(one, size1, origin), MALLORY.signs(other, size2, origin)
        way = [] if size1 == size2 else path(other, size1, size2)
        proof = prove(MALLORY.keys, larger, smaller, way)
        convicted = convict(proof)
        assert (convicted.gid, convicted.origin) == (MALLORY.gid, origin)
        assert {convicted.smaller.root, convicted.larger.root} == {smaller.root, larger.root}
        assert convicted.fork_id == origin_hash(origin)[:16]
        assert decode_fork_file(encode_fork_file(proof)) == proof
        equal += size1 == size2
    assert FORKS // 5 <= equal < FORKS // 4


def test_the_inclusion_of_one_entry_gives_the_same_path() -> None:
    """Who holds only the larger note asks for the smaller tree's last entry under it."""
    leaves = leaves_of("both", 70)
    for size2 in range(2, 71):
        for size1 in range(1, size2):
            proof = inclusion_path(size1 - 1, leaves[:size2])
            way = merkle.inclusion_to_consistency(size1 - 1, leaves[size1 - 1], proof)
            assert way == path(leaves, size1, size2), (size1, size2)
            roots = merkle.consistency_roots(size1, size2, way)
            assert roots == (tree_root(leaves[:size1]), tree_root(leaves[:size2]))
    assert merkle.inclusion_to_consistency(7, leaves[7], []) == [leaves[7]], "of a proof that is none, none is made"


def test_a_path_needs_two_sizes() -> None:
    with pytest.raises(ValueError, match="to itself"):
        merkle.consistency_path(3, 3, hashes_of(leaves_of("both", 3)))
    assert accuses_nobody(lambda: merkle.consistency_roots(3, 3, [])) == "proof_invalid"
    assert accuses_nobody(lambda: merkle.consistency_roots(2, 3, [])) == "proof_invalid"


Framing = Callable[[random.Random, list[bytes], int, int], ForkProof]


def _what_is_true(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    """Two honest checkpoints, the true path."""
    return _proof(HONEST.signs(leaves, size1), HONEST.signs(leaves, size2), path(leaves, size1, size2))


def _a_changed_path(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    true = _what_is_true(draw, leaves, size1, size2)
    at = draw.randrange(len(true.path))
    changed = [*true.path]
    match draw.randrange(4):
        case 0:
            changed[at] = draw.randbytes(32)
        case 1:
            changed.insert(at, draw.randbytes(32))
        case 2:
            del changed[at]
        case _:
            draw.shuffle(changed)
    return replace(true, path=tuple(changed))


def _another_trees_path(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    return replace(
        _what_is_true(draw, leaves, size1, size2), path=tuple(path(leaves_of("another", size2), size1, size2))
    )


def _a_path_between_other_sizes(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    other1 = draw.randint(1, size2 - 1)
    other2 = draw.randint(other1 + 1, size2)
    return replace(_what_is_true(draw, leaves, size1, size2), path=tuple(path(leaves, other1, other2)))


def _a_root_put_in(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    """The honest signature under another root: forged text, true signature line."""
    true = _what_is_true(draw, leaves, size1, size2)
    false = EVE.signs(leaves_of("another", size2), size2, identity_origin(HONEST.gid)).note
    text, _, _ = false.rpartition(b"\n\n")
    _, _, line = true.larger.rpartition(b"\n\n")
    return replace(true, larger=text + b"\n\n" + line, path=tuple(path(leaves_of("another", size2), size1, size2)))


def _signed_by_the_framer(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    """One note of the honest group, one by the framer's key under its name, with either group's inception."""
    origin = identity_origin(HONEST.gid)
    other = leaves_of("another", size2)
    notes = (HONEST.signs(leaves, size1).note, EVE.signs(other, size2, origin).note)
    keys = draw.choice([HONEST.keys, EVE.keys, ((HONEST.keys[0][0], EVE.keys[0][1]),)])
    return ForkProof(keys, *notes, tuple(path(other, size1, size2)))


def _two_feeds(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    """The honest group writes two feeds, and their checkpoints are held against each other."""
    other = leaves_of("another feed", size2)
    larger = HONEST.signs(other, size2, public_origin(HONEST.gid))
    return _proof(HONEST.signs(leaves, size1), larger, path(other, size1, size2))


def _sizes_exchanged(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    true = _what_is_true(draw, leaves, size1, size2)
    return replace(true, smaller=true.larger, larger=true.smaller)


def _one_checkpoint_twice(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    note = HONEST.signs(leaves, size1)
    return _proof(note, note, draw.choice([[], path(leaves, size1, size2)]))


def _a_conviction_with_the_name_changed(draw: random.Random, leaves: list[bytes], size1: int, size2: int) -> ForkProof:
    """A true proof against the framer, with the honest group's name in it."""
    other = [*leaves[: size1 - 1], *leaves_of("another", size2)]
    true = prove(EVE.keys, EVE.signs(leaves, size1), EVE.signs(other, size2), path(other, size1, size2))
    names = EVE.gid.encode(), HONEST.gid.encode()
    keys = draw.choice([EVE.keys, HONEST.keys])
    return ForkProof(keys, true.smaller.replace(*names), true.larger.replace(*names), true.path)


FRAMINGS: list[Framing] = [
    _what_is_true,
    _a_changed_path,
    _another_trees_path,
    _a_path_between_other_sizes,
    _a_root_put_in,
    _signed_by_the_framer,
    _two_feeds,
    _sizes_exchanged,
    _one_checkpoint_twice,
    _a_conviction_with_the_name_changed,
]


def _proof(smaller: VerifiedCheckpoint, larger: VerifiedCheckpoint, way: list[bytes]) -> ForkProof:
    return ForkProof(HONEST.keys, smaller.note, larger.note, tuple(way))


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.__name__.strip("_"))
def test_100_framings_of_each_of_ten_kinds_convict_nobody(framing: Framing) -> None:
    draw, leaves = random.Random(framing.__name__), leaves_of("honest", LEAVES_MAX)
    for _ in range(FORKS // len(FRAMINGS)):
        size1 = draw.randint(1, LEAVES_MAX - 1)
        size2 = draw.randint(size1 + 1, LEAVES_MAX)
        proof = framing(draw, leaves, size1, size2)
        assert accuses_nobody(lambda proof=proof: convict(proof)) in {  # type: ignore[misc]
            "malformed",
            "proof_invalid",
            "bad_signature",
        }


def test_nobody_can_be_made_to_accuse_by_what_does_not_hold() -> None:
    leaves = leaves_of("honest", 9)
    seven, nine = HONEST.signs(leaves, 7), HONEST.signs(leaves, 9)
    assert accuses_nobody(lambda: prove(HONEST.keys, seven, nine, path(leaves, 7, 9))) == "proof_invalid"
    assert accuses_nobody(lambda: prove(HONEST.keys, nine, nine)) == "proof_invalid"


def test_cosignatures_are_left_out_of_a_proof() -> None:
    """What others have signed beside it says nothing about the owner, and would be bytes that nobody checks."""
    one, other = (MALLORY.signs(leaves_of(name, 3), 3) for name in ("one", "other"))
    cosigned = open_checkpoint(
        one.note + "— witness.example/one d3h5egA=\n".encode(), one.origin, MALLORY.key.verify_key
    )
    assert cosigned.alone() == one.note == one.alone()
    assert prove(MALLORY.keys, cosigned, other) == prove(MALLORY.keys, other, one)


def test_a_conviction_says_in_one_sentence_what_happened() -> None:
    one, other = leaves_of("one", 9), leaves_of("other", 9)
    same = convict(prove(MALLORY.keys, MALLORY.signs(one, 9), MALLORY.signs(other, 9)))
    assert same.tells() == "the feed's owner signed two different histories of 9 entries"
    longer = convict(prove(MALLORY.keys, MALLORY.signs(one, 7), MALLORY.signs(other, 9), path(other, 7, 9)))
    assert longer.tells() == (
        "the feed's owner signed a history of 9 entries that does not begin with the 7 it had signed as well"
    )


def test_the_largest_proof_fits_its_frame_and_its_file() -> None:
    size = 2**53
    origin = circle_origin(MALLORY.gid, bytes(32), 2**32)
    notes = [sign(Checkpoint(origin, size, bytes([number]) * 32), MALLORY.key).note for number in (1, 2)]
    proof = ForkProof(MALLORY.keys, notes[0], notes[1], (bytes(range(32)),) * 64)
    assert max(map(len, notes)) < FORK_NOTE_BYTES_MAX
    assert len(encode_fork_file(proof)) < min(FORK_FILE_BYTES_MAX, FRAME_PAYLOADS_MAX["FORK"])
    assert Fork(proof).NAME == "FORK"
    one, other = (open_checkpoint(note, origin, MALLORY.key.verify_key) for note in notes)
    same = prove(MALLORY.keys, one, other)
    assert len(encode_fork_file(same)) < 1_600, "it can be printed and read out loud if it must"
