"""Contract of FeedRows and FeedReads: entries come back exactly as received, in order, and only once."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from aidmesh_node.application.ports import FeedConflict, FeedHead, NewEntry, NewPackage, PartRow, Reading, Work
from tests.storage.home import Home

ORIGIN = "aidmesh/gid/c/abc/0"
ORIGIN_HASH = sha256(ORIGIN.encode()).digest()


def opened(work: Work) -> FeedHead:
    return work.feeds.open_feed(ORIGIN, ORIGIN_HASH, "gid", b"c" * 32, 0, b"empty")


def entry(index: int, own: bool = False, parts: tuple[tuple[str, bytes], ...] = ()) -> NewEntry:
    return NewEntry(b"entry %d" % index, b"leaf %d" % index, b"id %d" % index if own else None, parts)


def package(start: int, stop: int, facts: int | None = None) -> NewPackage:
    """Entries with facts each, but the one at index `facts`, and a view for every other one."""
    indexes = range(start, stop)
    columns = {
        "facts": [None if index == facts else b"facts %d" % index for index in indexes],
        "view": [b"view %d" % index if index % 2 else None for index in indexes],
    }
    return NewPackage([b"entry %d" % i for i in indexes], [b"leaf %d" % i for i in indexes], columns)


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

    def test_what_was_interpreted_can_be_read_again_and_nothing_is_skipped_by_it(self, home: Home) -> None:
        feed = self.fill(home, 3)
        home.do(lambda work: work.feeds.set_folded(feed, 2))
        home.do(lambda work: work.feeds.read_again(feed, 3))
        assert home.do(opened).folded == 2
        home.do(lambda work: work.feeds.read_again(feed, 1))
        assert home.do(opened).folded == 1

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

    def arrive(self, home: Home, *packages: NewPackage, start: int = 0) -> int:
        """Packages one after the other; returns the feed."""

        def job(work: Work) -> int:
            feed, size = opened(work).feed, start
            for arrived in packages:
                size += len(arrived.entries)
                work.feeds.append_package(feed, arrived, b"frontier", size)
            return feed

        return home.do(job)

    @pytest.mark.parametrize("bounds", [(0, 3, 259, 300), (0, 256, 300, 556, 560), (0, 100, 200, 300, 301)])
    def test_what_came_in_bulk_is_read_as_what_came_one_by_one(self, home: Home, bounds: tuple[int, ...]) -> None:
        feed = self.arrive(home, *(package(*pair) for pair in pairwise(bounds)))
        size = bounds[-1]
        home.reopen()
        for start in (0, 1, 2, 99, 100, 255, 256, 257, size - 1):
            for stop in (start + 1, min(start + 70, size), size):
                indexes = range(start, stop)

                def look(reading: Reading, start: int = start, stop: int = stop) -> tuple[Any, ...]:
                    feeds = reading.feeds
                    told = feeds.entries(feed, start, stop), feeds.leaves(feed, start, stop)
                    columns, held = feeds.columns(feed, start, stop), feeds.held(feed, start, stop)
                    return (*told, feeds.parts(feed, start, stop), columns, held)

                entries, leaves, parts, columns, held = home.read(look)
                assert entries == [b"entry %d" % index for index in indexes]
                assert leaves == [b"leaf %d" % index for index in indexes]
                views = {index: b"view %d" % index for index in indexes if index % 2}
                rows = [PartRow(index, "facts", b"facts %d" % index) for index in indexes]
                assert parts == sorted([*rows, *(PartRow(index, "view", view) for index, view in views.items())])
                by_index = {
                    index: {row.tag: row.part for row in parts if row.entry_index == index} for index in indexes
                }
                assert held == list(zip(entries, leaves, by_index.values(), strict=True))
                assert columns.pop("facts") == [row.part for row in rows]
                assert columns.pop("view", [None] * len(indexes)) == [views.get(index) for index in indexes]
                assert columns == {}
        assert home.read(lambda reading: reading.feeds.entries(feed, size, size + 9)) == []
        assert home.read(lambda reading: reading.feeds.part_names(feed, -(2**62), 2)) == [
            (0, "facts"), (1, "facts"), (1, "view"),
        ]  # fmt: skip

    def test_a_part_of_what_came_in_bulk_may_come_later(self, home: Home) -> None:
        feed = self.arrive(home, package(0, 256, facts=70), package(256, 300))
        wanted = [(70, "facts"), (71, "facts"), (70, "view"), (299, "view"), (298, "view")]
        missing = [(70, "facts"), (70, "view"), (298, "view")]
        assert home.read(lambda reading: reading.feeds.missing_parts(feed, wanted)) == missing
        assert home.read(lambda reading: reading.feeds.part(feed, 70, "facts")) is None
        home.do(lambda work: work.feeds.put_part(feed, 70, "facts", b"late"))
        home.do(lambda work: work.feeds.put_part(feed, 71, "facts", b"another"))
        assert home.read(lambda reading: reading.feeds.missing_parts(feed, wanted)) == missing[1:]
        assert home.read(lambda reading: reading.feeds.part(feed, 70, "facts")) == b"late"
        assert home.read(lambda reading: reading.feeds.part(feed, 71, "facts")) == b"facts 71", "the first stays"
        assert home.read(lambda reading: reading.feeds.parts(feed, 70, 72)) == [
            (70, "facts", b"late"), (71, "facts", b"facts 71"), (71, "view", b"view 71"),
        ]  # fmt: skip
        columns = {"facts": [b"late", b"facts 71"], "view": [None, b"view 71"]}
        assert home.read(lambda reading: reading.feeds.columns(feed, 70, 72)) == columns
        with pytest.raises(FeedConflict):
            home.do(lambda work: work.feeds.put_part(feed, 300, "view", b"v"))

    def test_a_package_goes_to_the_end_of_a_feed_or_nowhere(self, home: Home) -> None:
        feed = self.arrive(home, package(0, 100))
        with pytest.raises(FeedConflict):
            self.arrive(home, package(101, 200), start=101)
        with pytest.raises(ValueError, match="257"):
            self.arrive(home, package(100, 357), start=100)
        home.do(lambda work: work.feeds.freeze(feed, "fork_detected"))
        with pytest.raises(FeedConflict):
            self.arrive(home, package(100, 200), start=100)
        assert home.do(opened).size == 100
        assert home.read(lambda reading: reading.feeds.leaves(feed, 0, 999)) == [b"leaf %d" % i for i in range(100)]
