"""Whoever lies about erasing, or brings back what was erased, changes nothing (SPEC §5.6e).

Mallory's group is hostile."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from aidmesh_node.application.ports import EvidenceRow
from aidmesh_protocol.bundle import MAGIC, Frame, FrameReader, PartFrame
from aidmesh_protocol.entry import VIEW, Ref
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.statements import ErasureAcknowledged, NeedShared, NeedView, PartsErased
from tests.support.erasing import AREA, ITEM, quiet
from tests.support.federation import Mesh
from tests.support.raw_peer import RawPeer, evidence
from tests.support.taint import files, tainted


async def test_an_erased_part_that_is_sent_again_is_not_taken_in(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        mallory = RawPeer(mesh)
        await mallory.pair_with(alice)
        view = NeedView("bedding", ITEM, "normal", None, None, AREA)
        index = mallory.say(NeedShared("3", "item", "3", view), subject=b"s" * 16)
        await mallory.pulled_by(alice)
        (part,) = [part for tag, part in mallory.feed.sealed[index].parts if tag == VIEW]
        await quiet(alice)
        assert tainted([ITEM], files(tmp_path / "alice"))
        mallory.say(PartsErased(0, ((index, VIEW),)), subject=b"s" * 16)
        await mallory.pulled_by(alice)
        await mesh.settle()
        again = PartFrame(mallory.feed.hash, index, VIEW, part)
        for frames in ([again], [*mallory.feed.frames(0)], [*mallory.feed.frames(0), again]):
            await mallory.shows(alice, *frames)
        await quiet(alice)
        assert tainted([ITEM, AREA], files(tmp_path / "alice", tmp_path / "alice-state")) == []
        assert alice.node.verify().ok


@pytest.mark.parametrize("lie", ["another subject", "no such part", "itself", "later", "a generation to come"])
async def test_an_erasure_that_nobody_could_mean_erases_nothing(tmp_path: Path, lie: str) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        mallory = RawPeer(mesh)
        await mallory.pair_with(alice)
        view = NeedView("bedding", ITEM, "normal", None, None, None)
        index = mallory.say(NeedShared("3", "item", "3", view), subject=b"s" * 16)
        lies = {
            "another subject": (PartsErased(0, ((index, VIEW),)), b"o" * 16),
            "no such part": (PartsErased(0, ((index, VIEW), (index, "text"))), b"s" * 16),
            "itself": (PartsErased(0, ((index, VIEW), (index + 1, VIEW))), b"s" * 16),
            "later": (PartsErased(0, ((index, VIEW), (index + 9, VIEW))), b"s" * 16),
            "a generation to come": (PartsErased(1, ((index, VIEW),)), b"s" * 16),
        }
        statement, subject = lies[lie]
        mallory.say(statement, subject=subject)
        await mallory.pulled_by(alice)
        await quiet(alice)
        assert tainted([ITEM], files(tmp_path / "alice")), "the part is still there"
        (row,) = await evidence(alice, mallory.gid)
        assert row.code == "malformed"
        assert alice.node.verify().ok


async def test_evidence_holds_no_part_any_more(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        mallory = RawPeer(mesh)
        await mallory.pair_with(alice)
        view = NeedView("bedding", ITEM, "normal", None, None, AREA)
        index = mallory.say(NeedShared("3", "item", "3", view), subject=b"s" * 16)
        wrong = mallory.feed.part(index)
        whole = mallory.feed.frames(0)
        # Its first try comes with two parts for one commitment, and is kept as evidence with the others beside it.
        await mallory.shows(
            alice, *whole[:2], mallory.feed.part(index, VIEW), wrong, replace(wrong, part=wrong.part[::-1])
        )
        await mallory.shows(alice, *whole[:1], mallory.feed.part(index, VIEW))
        before = await evidence(alice, mallory.gid)
        assert parts_in(before), "the search below looks for what was there"
        await mallory.pulled_by(alice)
        mallory.say(PartsErased(0, ((index, VIEW),)), subject=b"s" * 16)
        await mallory.pulled_by(alice)
        await quiet(alice)
        after = await evidence(alice, mallory.gid)
        assert [(row.code, row.detail) for row in after] == [(row.code, row.detail) for row in before]
        assert not parts_in(after)
        assert tainted([ITEM, AREA], files(tmp_path / "alice")) == []


def parts_in(rows: list[EvidenceRow]) -> list[Frame]:
    found: list[Frame] = []
    for blob in [blob for row in rows for blob in row.blobs]:
        with suppress(ProtocolError):  # notes and entries are no frames
            found += [frame for frame in FrameReader().feed(MAGIC + blob) if isinstance(frame, PartFrame)]
    return found


async def test_a_receipt_for_nothing_is_kept_as_evidence(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        mallory = RawPeer(mesh)
        await mallory.pair_with(alice)
        mallory.say(ErasureAcknowledged(), subject=b"s" * 16, refs=(Ref(mallory.feed.hash, 0, b"l" * 32),))
        await mallory.pulled_by(alice)
        assert [row.code for row in await evidence(alice, mallory.gid)] == ["malformed"]
