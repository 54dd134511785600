"""Contract of FeedRows and FeedReads: entries come back exactly as received, in order, and only once."""

from __future__ import annotations

from hashlib import sha256

import pytest

from aidmesh_node.application.ports import FeedConflict, FeedHead, NewEntry, Work
from tests.storage.home import Home

ORIGIN = "aidmesh/gid/c/abc/0"
ORIGIN_HASH = sha256(ORIGIN.encode()).digest()


def opened(work: Work) -> FeedHead:
    return work.feeds.open_feed(ORIGIN, ORIGIN_HASH, "gid", b"c" * 32, 0, b"empty")


def entry(index: int, own: bool = False, parts: tuple[tuple[str, bytes], ...] = ()) -> NewEntry:
    return NewEntry(b"entry %d" % index, b"leaf %d" % index, b"id %d" % index if own else None, parts)


class FeedRowsContract:
    """Subclass with a ``home`` fixture."""

    def fill(self, home: Home, count: int, own: bool = False, parts: tuple[tuple[str, bytes], ...] = ()) -> int:
        def job(work: Work) -> int:
            feed = opened(work).feed
            work.feeds.append(feed, [entry(index, own, parts) for index in range(count)], b"frontier", count)
            return feed

        return home.do(job)

    def test_a_new_feed_is_empty(self, home: Home) -> None:
        head = home.do(opened)
        assert head == FeedHead(
            feed=head.feed,
            origin=ORIGIN,
            origin_hash=ORIGIN_HASH,
            owner="gid",
            circle=b"c" * 32,
            generation=0,
            size=0,
            frontier=b"empty",
            checkpoint=None,
            signed_size=0,
            claimed=None,
            claimed_size=0,
            folded=0,
            frozen=None,
        )

    def test_opening_again_gives_the_same_feed(self, home: Home) -> None:
        feed = self.fill(home, 2)
        head = home.do(opened)
        assert (head.feed, head.size, head.frontier) == (feed, 2, b"frontier")

    def test_an_origin_cannot_change_its_owner(self, home: Home) -> None:
        home.do(opened)
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.open_feed(ORIGIN, ORIGIN_HASH, "other", b"c" * 32, 0, b"empty"))

    def test_heads_are_found_by_origin_hash_owner_and_circle(self, home: Home) -> None:
        head = home.do(opened)
        second = home.do(lambda work: work.feeds.open_feed("aidmesh/x/id/0", b"h" * 32, "x", None, 0, b"empty"))
        assert home.read(lambda reading: reading.feeds.head(ORIGIN)) == head
        assert home.read(lambda reading: reading.feeds.head_by_hash(b"h" * 32)) == second
        assert home.read(lambda reading: reading.feeds.head("unknown")) is None
        assert home.read(lambda reading: reading.feeds.heads()) == [head, second]
        assert home.read(lambda reading: reading.feeds.heads(owner="x")) == [second]
        assert home.read(lambda reading: reading.feeds.heads(circle=b"c" * 32)) == [head]
        assert home.read(lambda reading: reading.feeds.heads("x", b"c" * 32)) == []

    def test_entries_and_leaves_come_back_as_they_were(self, home: Home) -> None:
        feed = self.fill(home, 5)
        home.reopen()
        assert home.read(lambda reading: reading.feeds.entries(feed, 1, 3)) == [b"entry 1", b"entry 2"]
        assert home.read(lambda reading: reading.feeds.leaves(feed, 3, 99)) == [b"leaf 3", b"leaf 4"]
        assert home.read(lambda reading: reading.feeds.entries(feed + 1, 0, 99)) == []

    def test_entries_are_read_together_with_their_parts(self, home: Home) -> None:
        feed = home.do(opened).feed
        new = [entry(0), entry(1, parts=(("facts", b"f"), ("view", b"v"))), entry(2, parts=(("facts", b"g"),))]
        home.do(lambda work: work.feeds.append(feed, new, b"frontier", 3))
        home.do(lambda work: work.feeds.withhold_parts(feed, [1], "view"))
        assert home.read(lambda reading: reading.feeds.held(feed, 1, 99)) == [
            (b"entry 1", b"leaf 1", {"facts": b"f"}),
            (b"entry 2", b"leaf 2", {"facts": b"g"}),
        ]
        assert home.read(lambda reading: reading.feeds.held(feed, 0, 1)) == [(b"entry 0", b"leaf 0", {})]
        assert home.read(lambda reading: reading.feeds.held(feed + 1, 0, 99)) == []

    @pytest.mark.parametrize("size", [1, 3, 4])
    def test_appending_anywhere_but_at_the_end_is_a_conflict(self, home: Home, size: int) -> None:
        feed = self.fill(home, 1)
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.append(feed, [entry(1)], b"f", size))
        assert home.read(lambda reading: reading.feeds.entries(feed, 0, 99)) == [b"entry 0"]

    def test_a_refused_job_leaves_neither_entries_nor_size(self, home: Home) -> None:
        feed = self.fill(home, 1)

        def job(work: Work) -> None:
            work.feeds.append(feed, [entry(1, True, (("facts", b"f"),))], b"later", 2, [(8, 0, b"n")])
            work.feeds.store_checkpoint(feed, b"note", 2)
            raise LookupError

        with pytest.raises(LookupError):
            home.do(job)
        head = home.read(lambda reading: reading.feeds.head(ORIGIN))
        assert head is not None
        assert (head.size, head.frontier, head.checkpoint) == (1, b"frontier", None)
        assert home.read(lambda reading: reading.feeds.entries(feed, 0, 9)) == [b"entry 0"]
        assert home.read(lambda reading: reading.feeds.parts(feed, 0, 9)) == []
        assert home.read(lambda reading: reading.feeds.node(feed, 8, 0)) is None
        assert not home.read(lambda reading: reading.feeds.holds_statement(feed, b"id 1"))

    def test_a_frozen_feed_takes_nothing_and_keeps_its_first_reason(self, home: Home) -> None:
        feed = self.fill(home, 1)
        home.do(lambda work: work.feeds.freeze(feed, "fork_detected"))
        home.do(lambda work: work.feeds.freeze(feed, "malformed"))
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.append(feed, [entry(1)], b"f", 2))
        head = home.read(lambda reading: reading.feeds.head(ORIGIN))
        assert head is not None
        assert (head.frozen, head.size) == ("fork_detected", 1)

    def test_the_checkpoint_only_grows_and_never_beyond_the_entries(self, home: Home) -> None:
        feed = self.fill(home, 3)
        home.do(lambda work: work.feeds.store_checkpoint(feed, b"two", 2))
        home.do(lambda work: work.feeds.store_checkpoint(feed, b"two, cosigned", 2))
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.store_checkpoint(feed, b"smaller", 1))
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.store_checkpoint(feed, b"beyond", 4))
        head = home.read(lambda reading: reading.feeds.head(ORIGIN))
        assert head is not None
        assert (head.checkpoint, head.signed_size) == (b"two, cosigned", 2)

    def test_a_claim_may_be_ahead_and_a_smaller_one_changes_nothing(self, home: Home) -> None:
        feed = self.fill(home, 1)
        home.do(lambda work: work.feeds.store_claim(feed, b"nine", 9))
        home.do(lambda work: work.feeds.store_claim(feed, b"five", 5))
        head = home.read(lambda reading: reading.feeds.head(ORIGIN))
        assert head is not None
        assert (head.claimed, head.claimed_size) == (b"nine", 9)

    def test_interpretation_goes_forward_within_the_entries(self, home: Home) -> None:
        feed = self.fill(home, 3)
        home.do(lambda work: work.feeds.set_folded(feed, 2))
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.set_folded(feed, 1))
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.set_folded(feed, 4))
        assert home.do(opened).folded == 2

    def test_parts_come_with_their_entries_or_later(self, home: Home) -> None:
        feed = self.fill(home, 2, parts=(("view", b"v"), ("facts", b"f")))
        home.do(lambda work: work.feeds.put_part(feed, 1, "text", b"t"))
        home.do(lambda work: work.feeds.put_part(feed, 1, "text", b"another"))
        parts = home.read(lambda reading: reading.feeds.parts(feed, 1, 2))
        assert [tuple(row) for row in parts] == [(1, "facts", b"f"), (1, "text", b"t"), (1, "view", b"v")]

    def test_a_part_without_its_entry_is_a_conflict(self, home: Home) -> None:
        feed = self.fill(home, 1)
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.put_part(feed, 1, "view", b"v"))

    def test_missing_parts_are_those_not_held(self, home: Home) -> None:
        feed = self.fill(home, 2, parts=(("facts", b"f"),))
        wanted = [(1, "view"), (1, "facts"), (0, "view")]
        assert home.read(lambda reading: reading.feeds.missing_parts(feed, wanted)) == [
            (1, "view"),
            (0, "view"),
        ]

    def test_withheld_parts_are_held_but_not_shown(self, home: Home) -> None:
        feed = self.fill(home, 3, parts=(("facts", b"f"), ("view", b"v")))
        home.do(lambda work: work.feeds.withhold_parts(feed, [0, 2], "view"))
        home.do(lambda work: work.feeds.put_part(feed, 0, "view", b"v"))
        shown = home.read(lambda reading: reading.feeds.parts(feed, 0, 3))
        assert [(row.entry_index, row.tag) for row in shown] == [
            (0, "facts"),
            (1, "facts"),
            (1, "view"),
            (2, "facts"),
        ]
        assert home.read(lambda reading: reading.feeds.part(feed, 0, "view")) == b"v"
        named = home.read(lambda reading: reading.feeds.part_names(feed, 0, 2))
        assert named == [(0, "facts"), (0, "view"), (1, "facts"), (1, "view")]
        assert home.read(lambda reading: reading.feeds.missing_parts(feed, [(0, "view")])) == []
        assert home.read(lambda reading: reading.feeds.part(feed, 0, "sealed")) is None

    def test_tree_nodes_are_kept(self, home: Home) -> None:
        feed = self.fill(home, 1)
        home.do(lambda work: work.feeds.append(feed, [entry(1)], b"f", 2, [(8, 0, b"a" * 32), (9, 3, b"b" * 32)]))
        assert home.read(lambda reading: reading.feeds.node(feed, 9, 3)) == b"b" * 32
        assert home.read(lambda reading: reading.feeds.node(feed, 9, 4)) is None

    def test_a_statement_is_published_once(self, home: Home) -> None:
        feed = self.fill(home, 2, own=True)
        assert home.do(lambda work: work.feeds.holds_statement(feed, b"id 1"))
        assert home.do(lambda work: work.feeds.statement_index(feed, b"id 1")) == 1
        assert not home.do(lambda work: work.feeds.holds_statement(feed, b"id 2"))
        again = NewEntry(b"again", b"leaf", b"id 1")
        with pytest.raises(Exception, match=r"UNIQUE|duplicate"):
            home.do(lambda work: work.feeds.append(feed, [again], b"f", 3))
        assert home.do(opened).size == 2
