"""The tree against RFC 6962's own recursive definition, proofs at every size, and every damage found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aidmesh_protocol import canonical
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import FEED_ENTRIES_MAX, TILE_HEIGHT
from aidmesh_protocol.merkle import (
    EMPTY_ROOT,
    Frontier,
    Hashes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    subtree_reader,
    verify_consistency,
    verify_inclusion,
)
from tests.support.merkle_reference import consistency_path, inclusion_path, tree_root

SIZES = range(71)
LEAVES = [leaf_hash(index.to_bytes(4, "big")) for index in range(1_300)]
ROOTS = [tree_root(LEAVES[:size]) for size in SIZES]


def definition(level: int, index: int) -> bytes:
    return tree_root(LEAVES[index << level : (index + 1) << level])


def must_be_invalid(verify: Callable[[], None]) -> None:
    with pytest.raises(ProtocolError) as caught:
        verify()
    assert caught.value.code == "proof_invalid"


def stored_reader(size: int) -> Hashes:
    """A reader over what a node stores after appending `size` leaves in uneven batches."""
    frontier, nodes, at = Frontier.empty(), {}, 0
    while at < size:
        step = min(at % 97 + 1, size - at)
        frontier, completed = frontier.extend(LEAVES[at : at + step])
        nodes.update({(level, index): hashed for level, index, hashed in completed})
        at += step
    assert all(level >= TILE_HEIGHT for level, _ in nodes)

    def leaf_hashes(start: int, stop: int) -> Sequence[bytes]:
        assert stop <= size
        assert stop - start < 1 << TILE_HEIGHT  # whole tiles are stored, so their leaves are never read again
        return LEAVES[start:stop]

    return subtree_reader(leaf_hashes, lambda level, index: nodes[level, index])


def test_hashes_are_those_of_rfc_6962() -> None:
    """SPEC §6.1a."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert node_hash(b"N123", b"N456").hex() == ("aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb")


@pytest.mark.parametrize("size", SIZES)
def test_the_frontier_has_the_root_of_the_definition_however_it_was_built(size: int) -> None:
    whole, _ = Frontier.empty().extend(LEAVES[:size])
    single = Frontier.empty()
    for leaf in LEAVES[:size]:
        single, _ = single.extend([leaf])
    assert whole == single
    assert whole.size == size
    assert whole.root() == ROOTS[size]


@given(st.lists(st.integers(0, 400), max_size=6))
@example([256, 256, 256])
@example([255, 1, 0, 512, 1])
def test_any_split_completes_the_same_subtrees_each_once(batches: list[int]) -> None:
    total = min(sum(batches), len(LEAVES))
    at, frontier, nodes = 0, Frontier.empty(), []
    for batch in batches:
        frontier, completed = frontier.extend(LEAVES[at : min(at + batch, total)])
        at = min(at + batch, total)
        nodes.extend(completed)
    whole, at_once = Frontier.empty().extend(LEAVES[:total])
    assert frontier == whole
    assert sorted(nodes) == at_once == sorted(at_once)
    expected = [
        (level, index, definition(level, index))
        for level in range(TILE_HEIGHT, total.bit_length())
        for index in range(total >> level)
    ]
    assert at_once == expected


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 1_023])
def test_a_stored_frontier_comes_back_the_same(size: int) -> None:
    frontier, _ = Frontier.empty().extend(LEAVES[:size])
    assert Frontier.decode(frontier.encode()) == frontier


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        canonical.encode(3),
        canonical.encode([1]),
        canonical.encode([True, bytes(32)]),
        canonical.encode([-1, bytes(32)]),
        canonical.encode([FEED_ENTRIES_MAX - 1, b""]),
        canonical.encode([3, bytes(63)]),
        canonical.encode([3, bytes(96)]),
        canonical.encode([1, "x" * 32]),
        canonical.encode([0, b"", None]),
    ],
    ids=range(10),
)
def test_damaged_frontiers_are_refused(stored: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        Frontier.decode(stored)
    assert caught.value.code == "malformed"


def test_a_frontier_holds_one_peak_per_bit_of_its_size_and_no_more_than_the_limit() -> None:
    for size, peaks in ((3, (bytes(32),)), (-1, (bytes(32),)), (FEED_ENTRIES_MAX * 2, (bytes(32),))):
        with pytest.raises(ValueError):
            Frontier(size, peaks)
    full = Frontier(FEED_ENTRIES_MAX, (bytes(32),))
    with pytest.raises(ValueError):
        full.extend([bytes(32)])


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_inclusion_proof_is_that_of_the_definition_and_verifies(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(index, size, definition)
        assert proof == inclusion_path(index, LEAVES[:size])
        verify_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


@pytest.mark.parametrize("size2", SIZES[1:])
def test_every_consistency_proof_is_that_of_the_definition_and_verifies(size2: int) -> None:
    for size1 in range(1, size2 + 1):
        proof = consistency_proof(size1, size2, definition)
        assert proof == consistency_path(size1, LEAVES[:size2])
        verify_consistency(size1, size2, ROOTS[size1], ROOTS[size2], proof)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 513, 700, 1_023, 1_024, 1_025, 1_300])
def test_stored_nodes_and_leaves_give_the_proofs_of_the_definition(size: int) -> None:
    hashes = stored_reader(size)
    for position in sorted({0, 1, 127, 255, 256, 257, 511, 512, 600, size // 2, size - 2, size - 1} & {*range(size)}):
        assert inclusion_proof(position, size, hashes) == inclusion_path(position, LEAVES[:size])
        assert consistency_proof(position + 1, size, hashes) == consistency_path(position + 1, LEAVES[:size])


def test_a_node_that_is_not_stored_is_computed_from_what_is() -> None:
    hashes = subtree_reader(lambda start, stop: LEAVES[start:stop], lambda _level, _index: None)
    assert hashes(10, 0) == tree_root(LEAVES[:1_024])
    assert hashes(8, 3) == tree_root(LEAVES[768:1_024])


def test_a_missing_leaf_is_our_mistake_and_not_a_wrong_hash() -> None:
    hashes = subtree_reader(lambda _start, _stop: LEAVES[:3], lambda _level, _index: None)
    with pytest.raises(ValueError, match="not all stored"):
        hashes(2, 0)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_there_is_no_inclusion_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError):
        inclusion_proof(index, size, definition)
    must_be_invalid(lambda: verify_inclusion(index, size, LEAVES[0], [], LEAVES[0]))


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_there_is_no_consistency_from_nothing_or_backwards(size1: int, size2: int) -> None:
    """SPEC §6.3a."""
    with pytest.raises(ValueError):
        consistency_proof(size1, size2, definition)
    must_be_invalid(lambda: verify_consistency(size1, size2, EMPTY_ROOT, ROOTS[5], []))


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_inclusion_proof_is_invalid(data: st.DataObject) -> None:
    """SPEC §6.2a."""
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_path(index, LEAVES[:size])
    leaf, root = LEAVES[index], ROOTS[size]
    kinds = ["leaf", "root", "index", "size", "longer"] + ["node", "shorter", "truncated"] * bool(proof)
    match data.draw(st.sampled_from(kinds)):
        case "leaf":
            leaf = flipped(leaf, data)
        case "root":
            root = flipped(root, data)
        case "index":
            index = data.draw(st.integers(0, size).filter(lambda other: other != index))
        case "size":
            # Another size can have the same path to the same leaf only with the same root, and roots differ.
            size = data.draw(st.sampled_from([2 * size + 1, 4 * size + 3]))
        case "longer":
            proof.insert(data.draw(st.integers(0, len(proof))), data.draw(st.sampled_from([leaf, root])))
        case "node":
            at = data.draw(st.integers(0, len(proof) - 1))
            proof[at] = flipped(proof[at], data)
        case "shorter":
            del proof[data.draw(st.integers(0, len(proof) - 1))]
        case _:
            proof[-1] = proof[-1][:31]
    must_be_invalid(lambda: verify_inclusion(index, size, leaf, proof, root))


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_consistency_proof_is_invalid(data: st.DataObject) -> None:
    size2 = data.draw(st.integers(2, 70))
    size1 = data.draw(st.integers(1, size2 - 1))
    proof = consistency_path(size1, LEAVES[:size2])
    root1, root2 = ROOTS[size1], ROOTS[size2]
    match data.draw(st.sampled_from(["root1", "root2", "swap", "longer", "node", "shorter", "truncated", "equal"])):
        case "root1":
            root1 = flipped(root1, data)
        case "root2":
            root2 = flipped(root2, data)
        case "swap":
            root1, root2 = root2, root1
        case "longer":
            proof.insert(data.draw(st.integers(0, len(proof))), data.draw(st.sampled_from([root1, root2])))
        case "node":
            at = data.draw(st.integers(0, len(proof) - 1))
            proof[at] = flipped(proof[at], data)
        case "shorter":
            del proof[data.draw(st.integers(0, len(proof) - 1))]
        case "truncated":
            proof[-1] = proof[-1] + b"\0"
        case _:
            size1 = size2
    must_be_invalid(lambda: verify_consistency(size1, size2, root1, root2, proof))


def test_trees_of_one_size_are_consistent_only_when_equal_and_without_a_proof() -> None:
    verify_consistency(5, 5, ROOTS[5], ROOTS[5], [])
    must_be_invalid(lambda: verify_consistency(5, 5, ROOTS[5], ROOTS[6], []))
    must_be_invalid(lambda: verify_consistency(5, 5, ROOTS[5], ROOTS[5], [ROOTS[5]]))


@pytest.mark.parametrize(("size1", "size2"), [(3, 7), (5, 6), (4, 5), (6, 8)])
def test_a_consistency_proof_that_ends_early_or_late_is_invalid(size1: int, size2: int) -> None:
    proof = consistency_path(size1, LEAVES[:size2])
    for other in (*(proof[:kept] for kept in range(len(proof))), [*proof, *proof]):
        with pytest.raises(ProtocolError) as caught:
            verify_consistency(size1, size2, ROOTS[size1], ROOTS[size2], other)
        assert caught.value.code == "proof_invalid"


def test_a_leaf_that_is_no_hash_is_in_no_tree() -> None:
    must_be_invalid(lambda: verify_inclusion(0, 1, b"", [], b""))


def test_an_endless_proof_is_refused_before_it_is_hashed() -> None:
    must_be_invalid(lambda: verify_inclusion(0, 2**53, LEAVES[0], [LEAVES[1]] * 10_000, ROOTS[1]))
    must_be_invalid(lambda: verify_consistency(1, 2**53, LEAVES[0], ROOTS[2], [LEAVES[1]] * 10_000))


def flipped(hashed: bytes, data: st.DataObject) -> bytes:
    at, change = data.draw(st.integers(0, 31)), data.draw(st.integers(1, 255))
    return hashed[:at] + bytes([hashed[at] ^ change]) + hashed[at + 1 :]
