"""What was shared is erased: at home, at the peers, for good. Alice's group asks; bob's group may see.

The design's cases E10, I05, I06 and I10. Searched are the bytes of both homes, of what lies beside the marks, of a
backup made afterwards, and of what crosses (SPEC §5.6a, §5.6b, §5.6c, §5.6d, §5.6f).
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aidmesh_node.application import erasing, needs, offers, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.application.ports import Erased as PersonErased
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.views import needs as needs_view
from aidmesh_node.views.board import board
from aidmesh_protocol.bundle import Erased, PartFrame, Want
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.identity import circle_origin, origin_hash
from aidmesh_protocol.statements import ErasureAcknowledged, NeedShared, PartsErased
from tests.federation.test_taint import logged, scan
from tests.support.asking import asks, pull
from tests.support.erasing import AREA, ITEM, PRIVATE, a_need_in_words, back_up, ledger, quiet
from tests.support.federation import Mesh
from tests.support.stories import (
    CONSENT,
    check_all_agree,
    crossed,
    heard,
    made,
    need_totals,
    on_board,
    pledge,
    post_need,
    post_offer,
    said,
    share,
    two_groups,
)
from tests.support.taint import files, tainted


async def test_what_is_erased_is_in_no_byte_of_either_home(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, subject = await a_need_in_words(alice, circle)
        await mesh.settle()
        assert (await on_board(bob))[subject]["item"] == ITEM
        await quiet(alice, bob)
        homes = [tmp_path / name for name in ("alice", "alice-state", "bob", "bob-state")]
        before = tainted([ITEM, AREA], files(*homes))
        assert {line.split("/")[0] for line in before} == {"alice", "bob"}, "the search finds what is there"

        reply = await alice.do(erasing.erase, Need, need)
        assert reply.body["circles"] == [circle.hex()] and "a promise" in str(reply.body["elsewhere"])
        await mesh.settle()
        await quiet(alice, bob)
        for name in ("alice", "bob"):
            back_up(tmp_path / name / "node.db", tmp_path / "backups" / name)
        assert tainted([ITEM, AREA], files(*homes, tmp_path / "backups")) == []
        assert subject not in await on_board(bob)
        shown: Any = await alice.see(needs_view.get, need.hex)
        assert (shown["item"], shown["area"], shown["quantity"]) == (None, None, "20")
        (posted,) = made(alice, Need.Posted)
        opened = alice.node.readers.run_now(lambda r: r.vault.open(posted.person, need))
        assert opened == PRIVATE, "whom it is for, our group still knows"
        await check_all_agree(mesh)
    assert tainted([ITEM, AREA], files(*homes)) == []


async def test_both_feeds_verify_and_quantities_fold_as_before(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, subject = await a_need_in_words(alice, circle)
        await mesh.settle()
        promised = await pledge(bob, subject, 12, await post_offer(bob, 12))
        await mesh.settle()
        await alice.do(pledges.accept_pledge, heard(bob, circle, promised))
        await mesh.settle()
        before = await need_totals(alice, need)
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        assert await need_totals(alice, need) == before
        await bob.do(pledges.hand_over, promised)
        await mesh.settle()
        await alice.do(pledges.receive_pledge, heard(bob, circle, promised))
        await check_all_agree(mesh)
        assert (await need_totals(alice, need))[:2] == (0, 12)
        for reader in (alice, bob):
            shared = [what for _, what in said(reader, alice, circle) if isinstance(what, NeedShared)]
            assert [(each.quantity, each.view) for each in shared] == [("20", None)]


async def test_every_view_there_ever_was_of_it_goes(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        await alice.do(needs.unshare_need, need, circle)
        await mesh.settle()
        await alice.do(needs.share_need, need, circle, CONSENT)
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        (erased,) = [what for _, what in said(bob, alice, circle) if isinstance(what, PartsErased)]
        assert len(erased.parts) == 2 and {tag for _, tag in erased.parts} == {VIEW}
        await quiet(alice, bob)
        assert tainted([ITEM], files(tmp_path / "bob", tmp_path / "alice")) == []
        await check_all_agree(mesh)


async def test_what_came_in_bulk_is_erased_alike(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {bob.endpoint}
        asked = [await a_need_in_words(alice, circle)]
        others = [await post_need(alice, amount, f"canary-other-{amount}") for amount in range(1, 80)]
        for other in others:
            await share(alice, other, circle)
        await mesh.settle()
        mesh.network.cut = set()
        await mesh.settle()
        with closing(sqlite3.connect(tmp_path / "bob" / "node.db")) as connection:
            assert connection.execute("SELECT count(*) FROM feed_columns").fetchone() > (0,), "it came as a package"
        await alice.do(erasing.erase, Need, asked[0][0])
        await mesh.settle()
        await quiet(alice, bob)
        assert tainted([ITEM, AREA], files(tmp_path / "bob", tmp_path / "alice")) == []
        assert {need["item"] for need in (await on_board(bob)).values()} == {f"canary-other-{n}" for n in range(1, 80)}
        await check_all_agree(mesh)


async def test_nobody_logs_what_is_to_be_erased(tmp_path: Path) -> None:
    (tmp_path / "mesh").mkdir()
    with logged(tmp_path / "debug.log"):
        async with Mesh(tmp_path / "mesh") as mesh:
            alice, _, circle = await two_groups(mesh)
            need, _ = await a_need_in_words(alice, circle)
            await mesh.settle()
            await alice.do(erasing.erase, Need, need, True, [(Need, need)])
            await mesh.settle()
    assert b"DEBUG" in (tmp_path / "debug.log").read_bytes()
    assert tainted([ITEM, AREA, *PRIVATE.values()], files(tmp_path)) == []


async def test_verify_names_an_erased_part_that_is_there_again(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        with closing(sqlite3.connect(tmp_path / "bob" / "node.db", isolation_level=None)) as connection:
            (row,) = connection.execute("SELECT * FROM feed_parts WHERE tag='view'").fetchall()
            await alice.do(erasing.erase, Need, need)
            await mesh.settle()
            assert bob.node.verify().ok
            connection.execute("INSERT INTO feed_parts VALUES (?,?,?,?,?)", row)
        problem = bob.node.verify().first_problem
        assert problem is not None and problem.detail == "the part was erased and is here"


async def test_views_made_anew_show_the_same(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        kept = await share(alice, await post_need(alice, 3, "Lanterns"), circle)
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        for group in (alice, bob):
            shown = await group.see(board)
            group.node.views.rebuild()
            assert await group.see(board) == shown
        assert list(await on_board(bob)) == [kept]


async def test_the_scanner_of_the_design_finds_nothing_either(tmp_path: Path, shared: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        await quiet(alice, bob)
        secrets = tmp_path / "secrets.txt"
        secrets.write_text(f"{ITEM}\n{AREA}\n")
        homes = [str(tmp_path / name) for name in ("alice", "alice-state", "bob", "bob-state")]
        assert scan(shared, secrets, homes).returncode == 1, "it finds what is there"
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        await quiet(alice, bob)
        clean = scan(shared, secrets, homes)
        assert clean.returncode == 0, clean.stdout[:2000]


async def test_an_offer_is_erased_alike(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        stock = await post_offer(alice, 30, ITEM)
        await alice.do(offers.share_offer, stock, circle)
        await mesh.settle()
        await quiet(bob)
        assert tainted([ITEM], files(tmp_path / "bob"))
        await alice.do(erasing.erase, Offer, stock)
        await mesh.settle()
        await quiet(alice, bob)
        assert tainted([ITEM], files(tmp_path / "bob", tmp_path / "alice")) == []
        assert not [offer for offer in (await bob.see(board))["offers"] if not offer["ours"]]
        await check_all_agree(mesh)


async def test_it_is_erased_once_and_never_shared_again(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, _, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await alice.do(erasing.erase, Need, need)
        for use_case, *more in ((erasing.erase, Need, need), (needs.share_need, need, circle, CONSENT)):
            with pytest.raises(Refused) as refused:
                await alice.do(use_case, *more)
            assert refused.value.reason == "erased" and refused.value.hint
        await check_all_agree(mesh)


async def test_a_member_erases_only_what_is_their_own(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, _, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        by = alice.act("member", actor=alice.node.entropy.uuid())
        with pytest.raises(Refused) as refused:
            await alice.node.commit(lambda work: erasing.erase(work, by, Need, need))
        assert refused.value.reason == "not_allowed"
        assert not made(alice, Need.Erased)


async def test_a_person_is_forgotten_with_all_that_was_shared_for_them(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        (posted,) = made(alice, Need.Posted)
        second = alice.node.entropy.uuid()
        asked = PostNeed("food", Quantity(Decimal(2), "kg"), item=f"{ITEM} too", private={"name": "canary-again"})
        await alice.do(needs.post_need, second, posted.person, asked)
        await share(alice, second, circle)
        await mesh.settle()
        await alice.do(erasing.erase, Need, need, True, [(Need, need), (Need, second)])
        await mesh.settle()
        with pytest.raises(PersonErased):
            alice.node.readers.run_now(lambda reading: reading.vault.open(posted.person, need))
        await quiet(alice, bob)
        homes = files(*(tmp_path / name for name in ("alice", "alice-state", "bob", "bob-state")))
        assert tainted([ITEM, AREA, *PRIVATE.values(), "canary-again"], homes) == []
        assert len(made(alice, Need.Erased)) == 2
        await check_all_agree(mesh)


async def test_who_has_not_confirmed_is_named_and_asked_again_when_they_are_back(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, subject = await a_need_in_words(alice, circle)
        await mesh.settle()
        mesh.network.cut = {bob.endpoint}
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        (asked,) = await ledger(alice)
        assert asked["id"] == need.hex and asked["kind"] == "need"
        assert [(each["peer"], each["had_it"] is not None, each["confirmed"]) for each in asked["groups"]] == [
            (bob.node.gid, True, None)
        ]
        mesh.network.cut = set()
        await mesh.settle()
        (asked,) = await ledger(alice)
        assert [each["confirmed"] is not None for each in asked["groups"]] == [True]
        assert [type(what) for _, what in said(alice, bob, circle)].count(ErasureAcknowledged) == 1
        assert subject not in await on_board(bob)
        await check_all_agree(mesh)


async def test_the_ledger_says_who_had_it_and_who_never_did(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        mesh.network.cut = {bob.endpoint}
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        mesh.network.cut = set()
        mesh.network.captured.clear()
        await mesh.settle()
        assert ITEM.encode() not in crossed(mesh)
        (asked,) = await ledger(alice)
        (to_bob,) = asked["groups"]
        assert to_bob["had_it"] is None and to_bob["confirmed"] is not None
        # Nothing was said of it in the ledger of a node that starts again either.
        await mesh.stop("alice")
        alice = await mesh.start("alice")
        await mesh.settle()
        assert (await ledger(alice))[0]["groups"][0]["had_it"] is None
        await check_all_agree(mesh)


async def test_a_ledger_that_was_not_written_is_made_good_by_the_peer(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, _, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        await quiet(alice)
        shutil.copytree(tmp_path / "alice", tmp_path / "as-it-was")
        await mesh.stop("alice")
        # It was killed before it wrote the ledger.
        shutil.rmtree(tmp_path / "alice")
        shutil.move(tmp_path / "as-it-was", tmp_path / "alice")
        alice = await mesh.start("alice")
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        assert (await ledger(alice))[0]["groups"][0]["had_it"] is not None
        await check_all_agree(mesh)


async def test_whoever_asks_for_an_erased_part_is_told_that_it_is(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        index = [type(what) for _, what in said(bob, alice, circle)].index(NeedShared)
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        hashed = origin_hash(circle_origin(alice.node.gid, circle))
        answer = await asks(bob, alice, Want(parts=((hashed, index, VIEW), (hashed, index, FACTS))))
        parts = [(frame.index, frame.tag) for frame in answer if isinstance(frame, PartFrame)]
        assert (index, FACTS) in parts and (index, VIEW) not in parts
        assert [frame.parts for frame in answer if isinstance(frame, Erased)] == [((hashed, index, VIEW),)]


async def test_a_backup_from_before_is_erased_again_before_it_serves(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, subject = await a_need_in_words(alice, circle)
        await mesh.settle()
        await quiet(alice, bob)
        for name in ("alice", "bob"):
            await mesh.stop(name)
            shutil.copytree(tmp_path / name, tmp_path / f"{name}-december")
        alice, bob = await mesh.start("alice"), await mesh.start("bob")
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        for name in ("alice", "bob"):
            await mesh.stop(name)
            shutil.rmtree(tmp_path / name)
            shutil.move(tmp_path / f"{name}-december", tmp_path / name)
            assert tainted([ITEM], files(tmp_path / name)), "the backup has it"
        for name in ("bob", "alice"):
            group = await mesh.start(name)
            await quiet(group)
            homes = files(tmp_path / name, tmp_path / f"{name}-state")
            assert tainted([ITEM, AREA], homes) == [], "gone before anybody was asked or answered"
            assert group.node.verify().ok
        assert subject not in await on_board(mesh.groups["bob"])


async def test_a_process_that_dies_before_commit_has_erased_all_the_same(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob, circle = await two_groups(mesh)
        need, _ = await a_need_in_words(alice, circle)
        await mesh.settle()
        await alice.do(erasing.erase, Need, need)
        await alice.federation.publisher.publish()
        await mesh.stop("bob")
        shutil.copytree(tmp_path / "bob", tmp_path / "bob-before")
        bob = await mesh.start("bob")
        await pull(bob)
        await mesh.stop("bob")
        # The list was fsynced, the COMMIT was not: the database is as it was.
        shutil.copy(tmp_path / "bob-before" / "node.db", tmp_path / "bob" / "node.db")
        bob = await mesh.start("bob")
        await quiet(bob)
        assert tainted([ITEM, AREA], files(tmp_path / "bob")) == []
        await check_all_agree(mesh)


async def test_what_nobody_shared_needs_nobody_elses_promise(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, _, _ = await two_groups(mesh)
        need = await post_need(alice, 3, ITEM)
        reply = await alice.do(erasing.erase, Need, need)
        await mesh.settle()
        assert reply.body["circles"] == [] and "shared with nobody" in str(reply.body["elsewhere"])
        assert await ledger(alice) == []
        await quiet(alice)
        assert tainted([ITEM], files(tmp_path / "alice")) == []
        await check_all_agree(mesh)
