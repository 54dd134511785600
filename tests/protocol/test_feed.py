"""Extending a feed: bob follows alice's feed in packages, from her or through careless and hostile relays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aidmesh_protocol import canonical
from aidmesh_protocol.checkpoint import Checkpoint, VerifiedCheckpoint, sign
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.feed import Extension, Package, TrustedFeed, extend, package_stop, weigh
from aidmesh_protocol.merkle import leaf_hash
from tests.support.merkle_reference import tree_root
from tests.support.written_feed import WrittenFeed

ALICE = WrittenFeed("alice", 600)
FORK = WrittenFeed("alice, to others", 600, shared=ALICE, common=300)
EVE = WrittenFeed("eve", 40)


def refusal(trusted: TrustedFeed, package: Package, checkpoint: VerifiedCheckpoint) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        extend(trusted, package, checkpoint)
    return caught.value


def follow(trusted: TrustedFeed, size: int) -> list[Extension]:
    """Take packages from where `trusted` stands to alice's checkpoint at `size`."""
    taken = []
    while trusted.frontier.size < size:
        start = trusted.frontier.size
        package = ALICE.package(start, package_stop(start, size), size)
        taken.append(extend(trusted, package, ALICE.checkpoint(size)))
        trusted = taken[-1].feed
    return taken


def with_entry(package: Package, at: int, entry: bytes) -> Package:
    return replace(package, entries=(*package.entries[:at], entry, *package.entries[at + 1 :]))


def test_bob_takes_alices_whole_feed_in_three_packages() -> None:
    extensions = follow(ALICE.trusted(), 600)
    assert [len(extension.leaf_hashes) for extension in extensions] == [256, 256, 88]
    assert [hashed for extension in extensions for hashed in extension.leaf_hashes] == ALICE.leaves
    assert [node[:2] for extension in extensions for node in extension.nodes] == [(8, 0), (8, 1), (9, 0)]
    assert all(extension.skipped == 0 for extension in extensions)
    assert extensions[-1].feed == ALICE.trusted(600, 600)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=6))
@example([256, 512, 600])
@example([255, 256, 257, 600])
@settings(max_examples=40, deadline=None)
def test_any_way_of_catching_up_ends_in_the_same_place(sizes: list[int]) -> None:
    feed = ALICE.trusted()
    for size in sizes:
        for extension in follow(feed, size):
            feed = extension.feed
    newest = max(sizes)
    assert feed.frontier.size == newest
    assert feed == ALICE.trusted(newest, newest)


@pytest.mark.parametrize("known", [1, 99, 100, 255])
def test_an_overlap_is_skipped_unread(known: int) -> None:
    package = ALICE.package(0, 256, 600)
    garbled = replace(package, entries=(b"\xc1",) * known + package.entries[known:])
    for overlapping in (package, garbled):
        extension = extend(ALICE.trusted(known), overlapping, ALICE.checkpoint(600))
        assert extension.skipped == known
        assert extension.leaf_hashes == tuple(ALICE.leaves[known:256])
        assert extension.feed == ALICE.trusted(256, 600)


def test_parts_of_known_entries_are_passed_over_unread_and_the_others_come_with_their_entries() -> None:
    parts = [b"whatever", b"it is", None, None]
    extension = extend(ALICE.trusted(2), ALICE.package(0, 4, 4), ALICE.checkpoint(4), {"view": parts})
    assert extension.columns == {"view": [None, None]}
    with pytest.raises(ProtocolError, match="entry 1: the entry commits to no such part") as refused:
        extend(ALICE.trusted(1), ALICE.package(0, 4, 4), ALICE.checkpoint(4), {"view": parts})
    assert refused.value.code == "proof_invalid"


@pytest.mark.parametrize("known", [256, 300, 600])
def test_a_package_of_known_entries_changes_nothing(known: int) -> None:
    trusted = ALICE.trusted(known, known)
    extension = extend(trusted, ALICE.package(0, 256, 600), ALICE.checkpoint(600))
    assert extension == Extension({}, (), (), trusted, 256)


def test_a_gap_is_refused() -> None:
    """SPEC §9.2b."""
    assert refusal(ALICE.trusted(255), ALICE.package(256, 512, 600), ALICE.checkpoint(600)).code == "size_conflict"


def test_a_package_past_its_checkpoint_is_refused() -> None:
    assert refusal(ALICE.trusted(), ALICE.package(0, 256, 256), ALICE.checkpoint(200)).code == "size_conflict"


@pytest.mark.parametrize("at", [0, 100, 255])
@pytest.mark.parametrize(("size", "code"), [(600, "proof_invalid"), (256, "root_mismatch")])
def test_another_entry_is_refused(at: int, size: int, code: str) -> None:
    """SPEC §9.2c."""
    package = with_entry(ALICE.package(0, 256, size), at, EVE.entries[0])
    assert refusal(ALICE.trusted(), package, ALICE.checkpoint(size)).code == code


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_anywhere_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([40, 300]))
    package = ALICE.package(0, min(size, 256), size)
    at = data.draw(st.integers(0, len(package.entries) - 1))
    changed = bytearray(package.entries[at])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    error = refusal(ALICE.trusted(), with_entry(package, at, bytes(changed)), ALICE.checkpoint(size))
    assert error.code == ("root_mismatch" if size == 40 else "proof_invalid")


def test_entries_in_another_order_missing_or_twice_are_refused() -> None:
    package, checkpoint = ALICE.package(0, 40, 40), ALICE.checkpoint(40)
    entries = package.entries
    swapped = replace(package, entries=(entries[1], entries[0], *entries[2:]))
    repeated = replace(package, entries=(entries[0], *entries[:-1]))
    for damaged in (swapped, repeated):
        assert refusal(ALICE.trusted(), damaged, checkpoint).code == "root_mismatch"
    for damaged in (replace(package, entries=entries[:-1]), replace(package, entries=entries[1:])):
        assert refusal(ALICE.trusted(), damaged, checkpoint).code == "malformed"


@pytest.mark.parametrize("damage", ["missing", "short", "long", "changed", "truncated", "endless"])
def test_a_wrong_proof_is_refused(damage: str) -> None:
    """SPEC §9.2e."""
    package = ALICE.package(0, 256, 600)
    first, *rest = package.proof
    proofs = {
        "missing": (),
        "short": tuple(rest),
        "long": (*package.proof, first),
        "changed": (bytes(32), *rest),
        "truncated": (first[:-1], *rest),
        "endless": (first,) * 1_000,
    }
    error = refusal(ALICE.trusted(), replace(package, proof=proofs[damage]), ALICE.checkpoint(600))
    assert error.code == "proof_invalid"


def test_at_the_head_the_root_itself_is_compared_and_no_proof_belongs_there() -> None:
    """SPEC §9.2d."""
    package = ALICE.package(0, 40, 40)
    signed_other = sign(Checkpoint(ALICE.origin, 40, b"\x01" * 32), ALICE.key)
    error = refusal(ALICE.trusted(), package, signed_other)
    assert error.code == "root_mismatch"
    assert error.evidence == (signed_other.note,)
    useless = replace(package, proof=(bytes(32),))
    assert refusal(ALICE.trusted(), useless, ALICE.checkpoint(40)).code == "proof_invalid"


def test_packages_end_at_a_boundary_or_at_the_head() -> None:
    assert refusal(ALICE.trusted(), ALICE.package(0, 255, 600), ALICE.checkpoint(600)).code == "malformed"
    assert extend(ALICE.trusted(), ALICE.package(0, 255, 255), ALICE.checkpoint(255)).feed.frontier.size == 255
    assert [package_stop(*ends) for ends in ((0, 600), (255, 600), (256, 600), (512, 600), (0, 0))] == [
        256,
        256,
        512,
        600,
        0,
    ]


def test_a_package_of_another_form_is_refused() -> None:
    """SPEC §9.2a."""
    package, checkpoint = ALICE.package(0, 256, 600), ALICE.checkpoint(600)
    for damaged in (
        replace(package, entries=()),
        replace(package, start=-1),
        replace(package, entries=ALICE.entries[:512]),
        replace(package, entries=(bytes(1_025),) * 256),
        replace(package, origin_hash=EVE.package(0, 40, 40).origin_hash),
        replace(package, origin_hash=b""),
    ):
        assert refusal(ALICE.trusted(), damaged, checkpoint).code == "malformed"


@pytest.mark.parametrize(
    ("signed", "code"),
    [
        (b"\xc1", "malformed"),
        (canonical.encode([1, "no entry"]), "malformed"),
        (bytes(1_025), "too_large"),
        (canonical.encode([2]), "upgrade_required"),
    ],
    ids=["no encoding", "no entry", "too long", "another version"],
)
def test_what_alice_signed_but_is_no_entry_rejects_the_package_and_names_it(signed: bytes, code: str) -> None:
    entries = (*ALICE.entries[:7], signed, *ALICE.entries[8:20])
    root = tree_root([leaf_hash(entry) for entry in entries])
    package = replace(ALICE.package(0, 20, 20), entries=entries)
    error = refusal(ALICE.trusted(), package, sign(Checkpoint(ALICE.origin, 20, root), ALICE.key))
    assert error.code == code
    assert error.detail.startswith("entry 7: ")


def test_an_entry_of_an_unknown_type_is_kept() -> None:
    stranger = Entry("bicycle.lent", 9, bytes(16), bytes(16), 500_000, ()).encode()
    entries = (*ALICE.entries[:7], stranger)
    checkpoint = sign(Checkpoint(ALICE.origin, 8, tree_root([*map(leaf_hash, entries)])), ALICE.key)
    package = replace(ALICE.package(0, 8, 8), entries=entries)
    assert extend(ALICE.trusted(), package, checkpoint).feed.frontier.size == 8


def test_a_larger_checkpoint_is_claimed_until_its_packages_arrive() -> None:
    first = extend(ALICE.trusted(), ALICE.package(0, 256, 600), ALICE.checkpoint(600)).feed
    assert first.checkpoint == ALICE.checkpoint(600)
    assert first.frontier.size == 256
    # A relay that is behind still helps: its older checkpoint proves its entries, and the newest stays known.
    second = extend(first, ALICE.package(256, 300, 300), ALICE.checkpoint(300)).feed
    assert second.checkpoint == ALICE.checkpoint(600)
    assert second.frontier.size == 300


def test_weighing_a_checkpoint_against_the_newest_known() -> None:
    trusted = ALICE.trusted(256, 300)
    assert weigh(ALICE.trusted(), ALICE.checkpoint(0)) == "larger"
    assert weigh(trusted, ALICE.checkpoint(299)) == "stale"
    assert weigh(trusted, ALICE.checkpoint(300)) == "same"
    assert weigh(trusted, ALICE.checkpoint(301)) == "larger"


def test_two_roots_for_one_size_are_a_fork_and_both_notes_are_kept() -> None:
    """SPEC §9.1a."""
    trusted = ALICE.trusted(400, 400)
    for refuse in (
        lambda: weigh(trusted, FORK.checkpoint(400)),
        lambda: extend(trusted, FORK.package(256, 400, 400), FORK.checkpoint(400)),
    ):
        with pytest.raises(ProtocolError) as caught:
            refuse()
        assert caught.value.code == "fork_detected"
        assert caught.value.evidence == (ALICE.checkpoint(400).note, FORK.checkpoint(400).note)


def test_entries_of_the_other_branch_never_extend_this_one() -> None:
    code = refusal(ALICE.trusted(400, 400), FORK.package(256, 512, 600), FORK.checkpoint(600)).code
    assert code == "proof_invalid"
    code = refusal(ALICE.trusted(400, 400), FORK.package(256, 512, 512), FORK.checkpoint(512)).code
    assert code == "root_mismatch"


def test_a_checkpoint_opened_for_another_feed_is_our_mistake() -> None:
    with pytest.raises(ValueError):
        weigh(ALICE.trusted(), EVE.checkpoint(40))
    stolen = replace(ALICE.trusted(), key=EVE.key.verify_key)
    with pytest.raises(ValueError):
        extend(stolen, ALICE.package(0, 40, 40), ALICE.checkpoint(40))
