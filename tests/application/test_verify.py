"""One changed byte in anything a stopped home has stored is found and named, after alice and bob exchanged much."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node import main
from aidmesh_node.application import needs, offers, pledges
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.home import Home, StartError
from tests.support.federation import Mesh
from tests.support.stored_rows import World, deleted, dump, flips, opened, patched, read_rows
from tests.support.stories import CONSENT, heard, pledge, post_need, post_offer, share

NAMES = ("alice", "bob")
OFFSETS = 200


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("verify")
    asyncio.run(exchange(folder, many=0))
    return World(folder)


@pytest.fixture(scope="module")
def large_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """With feeds long enough for stored tree nodes."""
    folder = tmp_path_factory.mktemp("verify-large")
    asyncio.run(exchange(folder, many=520))
    return World(folder)


async def exchange(folder: Path, many: int) -> None:
    """Everything that makes rows: both ways, shared and taken back, declined and firm, handed over and received."""
    async with Mesh(folder) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        circle = await mesh.pair(alice, bob)
        need = await post_need(alice, 20, name="Ana", note="third door")
        subject = await share(alice, need, circle)
        other = await post_need(bob, 3, "Lanterns")
        await share(bob, other, circle)
        spare = await post_offer(alice, 7, "Ropes")
        await alice.do(offers.share_offer, spare, circle)
        await mesh.settle()
        stock = await post_offer(bob, 20)
        first, second = [await pledge(bob, subject, amount, stock) for amount in (15, 2)]
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(bob, circle, first))
        await alice.do(pledges.decline_pledge, heard(bob, circle, second), "timing")
        await mesh.settle()
        await bob.do(pledges.hand_over, first)
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard(bob, circle, first), Decimal(15))
        await alice.do(offers.unshare_offer, spare, circle)
        await bob.do(needs.unshare_need, other, circle)
        await mesh.settle()
        if many:
            by = [alice.act() for _ in range(many)]
            ids = [alice.node.entropy.uuid() for _ in range(many)]
            asked = needs.PostNeed("bedding", Quantity(Decimal(1), "item"), item="Blankets")

            def post_and_share(work: Any) -> dict[str, object]:
                for act, need_id in zip(by, ids, strict=True):
                    needs.post_need(work, act, need_id, need_id, asked)
                    needs.share_need(work, act, need_id, circle, CONSENT)
                return {}

            await alice.node.commit(post_and_share)
            await mesh.settle()


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_home_is_as_it_was_written(world: World, name: str) -> None:
    report = world.verify(name)
    assert report.first_problem is None
    rows = read_rows(world.database(name))
    assert report.checked == {
        "events": len(rows["stored_events"]),
        "feeds": 4,
        "entries": len(rows["feed_entries"]),
        "parts": len(rows["feed_parts"]),
        "checkpoints": 4,
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("column", ["entry", "leaf"])
def test_a_flipped_byte_of_an_entry_or_its_leaf_hash_is_named(world: World, name: str, column: str) -> None:
    with opened(world, name) as (connection, origins):
        keys = "SELECT feed, idx, {0} FROM feed_entries"
        for feed, index, value in connection.execute(keys.format(column)).fetchall():
            for changed in flips(value):
                with patched(connection, "feed_entries", column, changed, feed=feed, idx=index):
                    problem = world.verify(name).first_problem
                    assert problem is not None, f"{origins[feed]} entry {index} {column}"
                    assert (problem.table, problem.key) == ("feed_entries", f"{origins[feed]} entry {index}")


@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_byte_of_a_part_is_named(world: World, name: str) -> None:
    with opened(world, name) as (connection, origins):
        for feed, index, tag, value in connection.execute("SELECT feed, idx, tag, part FROM feed_parts").fetchall():
            for changed in flips(value):
                with patched(connection, "feed_parts", "part", changed, feed=feed, idx=index, tag=tag):
                    problem = world.verify(name).first_problem
                    assert problem is not None, f"{origins[feed]} entry {index} part {tag}"
                    assert (problem.table, problem.key) == ("feed_parts", f"{origins[feed]} entry {index} part {tag}")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("column", ["checkpoint", "frontier"])
def test_a_flipped_byte_of_a_checkpoint_or_a_frontier_is_named(world: World, name: str, column: str) -> None:
    with opened(world, name) as (connection, origins):
        for feed, value in connection.execute(f"SELECT feed, {column} FROM feeds").fetchall():
            # Of a checkpoint every fifth byte, and each of the last, where base64 has bits that say nothing.
            last = len(value) - 8
            places = sorted({*range(0, last, 5), *range(last, len(value))}) if column == "checkpoint" else None
            for changed in flips(value, places):
                with patched(connection, "feeds", column, changed, feed=feed):
                    problem = world.verify(name).first_problem
                    assert problem is not None, f"{origins[feed]} {column} {changed!r}"
                    assert problem.table == "feeds" and problem.key == f"{origins[feed]} {column}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("column", ["state", "topic", "originator_id", "originator_version"])
def test_a_changed_event_is_named(world: World, name: str, column: str) -> None:
    with opened(world, name) as (connection, _):
        rows = connection.execute(
            f"SELECT rowid, originator_id, originator_version, {column} FROM stored_events"
        ).fetchall()
        for rowid, id, version, value in rows:
            for changed in flips(value) if column != "originator_version" else (value + 1000, value - 1000):
                with patched(connection, "stored_events", column, changed, rowid=rowid):
                    problem = world.verify(name).first_problem
                    assert problem is not None, f"event {id} version {version} {column}"
                    assert problem.table == "stored_events"
                    if column in ("state", "topic"):
                        assert problem.key == f"event {id} version {version}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "column",
    [
        *("origin", "origin_hash", "owner", "circle", "generation"),
        *("size", "signed_size", "claimed_size", "folded", "frozen"),
    ],
)
def test_a_changed_feed_row_is_found(world: World, name: str, column: str) -> None:
    with opened(world, name) as (connection, origins):
        rows = connection.execute(f"SELECT feed, {column}, owner, size FROM feeds").fetchall()
        for feed, value, owner, size in rows:
            for changed in flips(value) if value is not None else [b"x"]:
                if column == "folded" and owner != world.gid(name) and isinstance(changed, int) and 0 <= changed < size:
                    continue  # interpreting an entry again changes nothing, so nothing would be wrong
                with patched(connection, "feeds", column, changed, feed=feed):
                    problem = world.verify(name).first_problem
                    assert problem is not None, f"{origins[feed]} {column} {changed!r}"
                    assert problem.table in ("feeds", "feed_entries", "feed_parts")


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_list_of_published_statements_is_found(world: World, name: str) -> None:
    with opened(world, name) as (connection, origins):
        rows = connection.execute("SELECT feed, statement_id, idx FROM feed_statements").fetchall()
        assert rows
        for feed, statement_id, index in rows:
            where = {"feed": feed, "statement_id": statement_id}
            for column, value in (("statement_id", statement_id), ("idx", index)):
                for changed in flips(value):
                    with patched(connection, "feed_statements", column, changed, **where):
                        problem = world.verify(name).first_problem
                        assert problem is not None, f"{origins[feed]} {index} {column}"
                        assert (problem.table, problem.key) == ("feed_statements", f"{origins[feed]} entry {index}")


@pytest.mark.parametrize("name", NAMES)
def test_what_was_taken_back_is_withheld_and_nothing_else(world: World, name: str) -> None:
    with opened(world, name) as (connection, origins):
        rows = connection.execute("SELECT feed, idx, tag, withheld FROM feed_parts").fetchall()
        assert sum(withheld for *_, withheld in rows) == 1
        for feed, index, tag, withheld in rows:
            with patched(connection, "feed_parts", "withheld", 1 - withheld, feed=feed, idx=index, tag=tag):
                problem = world.verify(name).first_problem
                assert problem is not None, f"{origins[feed]} entry {index} part {tag}"
                assert problem.table == "feed_parts" and f"entry {index} " in problem.key


@pytest.mark.parametrize("table", ["feed_entries", "feed_parts", "feed_statements", "feeds", "stored_events"])
@pytest.mark.parametrize("name", NAMES)
def test_a_deleted_row_is_found(world: World, name: str, table: str) -> None:
    with opened(world, name) as (connection, _):
        names, rows = dump(connection, table)
        for row in rows:
            values = dict(zip(names, row, strict=True))
            if not missed(world, name, connection, table, values):
                with deleted(connection, table, values):
                    problem = world.verify(name).first_problem
                    assert problem is not None, f"{table} {values}"
                    assert problem.table == table or table == "feeds"


def missed(world: World, name: str, connection: sqlite3.Connection, table: str, values: dict[str, Any]) -> bool:
    """Rows whose absence means something else: a home that never had them looks the same."""
    if table == "feed_parts":
        # A peer's description that is not here was withheld, or is still on its way.
        (origin,) = connection.execute("SELECT origin FROM feeds WHERE feed=?", (values["feed"],)).fetchone()
        return world.gid(name) not in origin and values["tag"] == "view"
    # That a whole own feed is gone, the mark tells at the next start.
    return table == "feeds" and values["owner"] == world.gid(name) and values["circle"] is not None


@pytest.mark.parametrize("name", NAMES)
def test_swapped_rows_are_found(world: World, name: str) -> None:
    with opened(world, name) as (connection, _):
        pairs = list(
            connection.execute(
                "SELECT a.feed, a.idx, a.entry, a.leaf, b.idx, b.entry, b.leaf FROM feed_entries a"
                " JOIN feed_entries b ON b.feed = a.feed AND b.idx = a.idx + 1"
            )
        )
        assert len(pairs) > 10
        for feed, index, entry, leaf, other, other_entry, other_leaf in pairs:
            with (
                patched(connection, "feed_entries", "entry", other_entry, feed=feed, idx=index),
                patched(connection, "feed_entries", "leaf", other_leaf, feed=feed, idx=index),
                patched(connection, "feed_entries", "entry", entry, feed=feed, idx=other),
                patched(connection, "feed_entries", "leaf", leaf, feed=feed, idx=other),
            ):
                assert not world.verify(name).ok
        states = connection.execute("SELECT rowid, state FROM stored_events").fetchall()
        for (rowid, state), (other, other_state) in pairwise(states):
            with (
                patched(connection, "stored_events", "state", other_state, rowid=rowid),
                patched(connection, "stored_events", "state", state, rowid=other),
            ):
                assert not world.verify(name).ok


@pytest.mark.parametrize("name", NAMES)
def test_an_invented_row_is_found(world: World, name: str) -> None:
    with opened(world, name) as (connection, _):
        for feed, size in connection.execute("SELECT feed, size FROM feeds").fetchall():
            for table, values in (
                ("feed_entries", (feed, size, b"entry", b"leaf")),
                ("feed_entries", (feed, -1, b"entry", b"leaf")),
                ("feed_parts", (feed, size + 3, "facts", b"part", 0)),
                ("feed_parts", (feed, 0, "text", b"part", 0)),
            ):
                marks = ",".join("?" * len(values))
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
                problem = world.verify(name).first_problem
                assert problem is not None and problem.table == table
                connection.execute(
                    f"DELETE FROM {table} WHERE feed=? AND idx=?" + (" AND tag=?" if table == "feed_parts" else ""),
                    values[: 3 if table == "feed_parts" else 2],
                )
        assert world.verify(name).ok


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_tree_node_is_named(large_world: World, name: str) -> None:
    with opened(large_world, name) as (connection, origins):
        nodes = connection.execute("SELECT feed, level, idx, hash FROM feed_nodes").fetchall()
        assert len(nodes) >= 3, "two of 256 entries and the one above them"
        for feed, level, index, hashed in nodes:
            for changed in flips(hashed):
                with patched(connection, "feed_nodes", "hash", changed, feed=feed, level=level, idx=index):
                    problem = large_world.verify(name).first_problem
                    assert problem is not None
                    expected = ("feed_nodes", f"{origins[feed]} level {level} index {index}")
                    assert (problem.table, problem.key) == expected
        values = dict(zip(("feed", "level", "idx", "hash"), nodes[0], strict=True))
        with deleted(connection, "feed_nodes", values):
            assert not large_world.verify(name).ok
        # Beyond the first page entries are checked as well.
        feed, index, entry = connection.execute("SELECT feed, idx, entry FROM feed_entries WHERE idx=517").fetchone()
        for changed in flips(entry):
            with patched(connection, "feed_entries", "entry", changed, feed=feed, idx=index):
                problem = large_world.verify(name).first_problem
                assert problem is not None and problem.key == f"{origins[feed]} entry {index}"


@pytest.mark.parametrize(
    ("table", "column", "named"),
    [
        ("feed_packages", "entries", "feed_entries"),
        ("feed_packages", "leaves", "feed_entries"),
        ("feed_columns", "parts", "feed_parts"),
    ],
)
def test_what_came_in_bulk_is_checked_too(large_world: World, table: str, column: str, named: str) -> None:
    with opened(large_world, "bob") as (connection, origins):
        names, rows = dump(connection, table)
        assert rows, "alice's needs came in packages"
        for row in rows:
            values = dict(zip(names, row, strict=True))
            where = {name: values[name] for name in ("feed", "start", "tag") if name in values}
            size = len(values[column])
            for changed in flips(values[column], [0, 1, 3, 4, 5, size // 3, size // 2, size - 1]):
                with patched(connection, table, column, changed, **where):
                    problem = large_world.verify("bob").first_problem
                    assert problem is not None, f"{origins[values['feed']]} {where}"
                    assert problem.table == named and problem.key.startswith(origins[values["feed"]])
            if values.get("tag") != "view":  # a description that is not here may never have come
                with deleted(connection, table, values):
                    assert not large_world.verify("bob").ok


@pytest.mark.parametrize("name", NAMES)
def test_a_flipped_byte_anywhere_in_the_file_is_found_if_it_changed_what_is_stored(
    world: World, tmp_path: Path, name: str
) -> None:
    home = tmp_path / name
    shutil.copytree(world.home(name), home)
    shutil.copytree(world.folder / f"{name}-state", tmp_path / f"{name}-state")
    path = Home(home).database
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    before = read_rows(path)
    assert before
    rng = random.Random(f"offsets {name}")
    found = 0
    for offset in sorted(rng.sample(range(len(whole)), OFFSETS)):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ (1 << rng.randrange(8))]) + whole[offset + 1 :])
        try:
            ok = main.verify_home(home).ok
        except StartError:
            ok = False  # not a database any more: it says so
        found += not ok
        if ok:
            assert read_rows(path) == before, f"byte {offset} changed what is stored, and nobody noticed"
        for leftover in (path.with_name("node.db-wal"), path.with_name("node.db-shm")):
            leftover.unlink(missing_ok=True)
    assert found > OFFSETS // 10, "most of the file is what it stores"
