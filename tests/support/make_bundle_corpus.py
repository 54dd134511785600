"""Write a corpus of bundles: `python -m tests.support.make_bundle_corpus tests/golden/bundles/NAME`.

A stopped home of alice's group, paired with two groups that are nothing but keys, and every kind of answer that those
give, as bytes in the order in which she gets them. What she made of each stands beside it. A corpus is written once by
the version whose name it bears and never again: a later form of the wire gets a corpus of its own.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aidmesh_node.domain.pledge import Pledge
from aidmesh_protocol import canonical
from aidmesh_protocol import statements as said
from aidmesh_protocol.bundle import CheckpointFrame, Frame, Head, More, PackageFrame, PartFrame, Sizes
from aidmesh_protocol.entry import FACTS, VIEW
from aidmesh_protocol.frames import ColumnFrame
from tests.support.federation import Group, Mesh
from tests.support.make_golden_homes import pack
from tests.support.poison import undecodable, unknown
from tests.support.raw_peer import RawPeer, bundle, head, raw_frame
from tests.support.stories import made, on_board, post_need, share

HONEST, HOSTILE = "oldtown", "mallory"
NAMES = (HONEST, HOSTILE)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer: who gives it, its name, its bytes."""

    peer: str
    name: str
    data: bytes


def answers(honest: RawPeer, hostile: RawPeer, need: bytes) -> Iterator[Recorded]:
    """Every kind of answer, each as it follows on the ones before it."""

    def of(peer: RawPeer, name: str, *frames: Frame | bytes) -> Recorded:
        return Recorded(peer.name, name, b"".join(bundle(*frames)))

    feed = honest.feed
    yield of(honest, "identity, sizes and nothing new", honest.ident(), Sizes(()), More(3))
    feed.append(honest.need("Tents"), honest.need("Stoves"))
    yield of(honest, "two needs, part by part", Head(bytes(16), honest.gid, 1_700_000_000, 3600, 2), *feed.frames())
    feed.append(*(each for _, each in unknown(honest)))
    yield of(honest, "types, schemas and flags of later versions", *feed.frames(2))
    feed.append(*(honest.need(f"Need {number}") for number in range(300)))
    yield of(honest, "300 needs, in columns", *in_columns(feed.frames(8)))
    mine = honest.draw(16)
    feed.append(honest.seal(said.PledgeOffered(need, None, 1, "5", "item", "deliver", None, None), subject=mine,
                            refs=[feed.ref(0)]), honest.seal(said.PledgeRevised(2, "6"), subject=mine))  # fmt: skip
    feed.append(honest.seal(said.NeedClosed("met"), subject=subject_of(feed.sealed[1].entry)))
    yield of(honest, "a pledge, revised, and a need that is closed", *feed.frames(308))
    feed.append(honest.need("Late"))
    yield of(honest, "a need whose facts come later", *feed.frames(311, without=[(311, FACTS)]))
    yield of(honest, "the facts that were late", feed.part(311))
    later = raw_frame(b"\x93\x70\xc3\xc0")
    feed.append(honest.need("Between"))
    yield of(honest, "frames of a later version between the others", later, *feed.frames(312), later)
    plain = [raw_frame(canonical.encode([frame.KIND, *frame.values()])) for frame in feed.frames(300)]
    yield of(honest, "what is known already, not compressed", *plain)
    packed = zlib.compress(canonical.encode([9, [], []]), 9)
    yield of(honest, "an empty question, compressed for nothing", raw_frame(packed, flags=1))

    x = hostile.feed
    x.append(hostile.need("Before"))
    x.append(*(each for _, each in undecodable(hostile, need)))
    x.append(hostile.need("After"))
    yield of(hostile, "signed statements that say nothing, between two that do", *x.frames())
    yield of(hostile, "a part of another entry", PartFrame(x.hash, 0, FACTS, dict(hostile.need().parts)[FACTS]))
    yield Recorded(hostile.name, "cut short", b"".join(bundle(*x.frames()))[:-40])
    whole = x.size
    x.append(hostile.need("Ransom"))
    package = x.frames(whole)[1]
    assert isinstance(package, PackageFrame)
    yield of(hostile, "entries without their checkpoint", package)
    other = CheckpointFrame(x.note(root=bytes(range(32))))
    yield of(hostile, "a checkpoint of other entries than its package", other, package)
    yield of(hostile, "two histories", CheckpointFrame(x.note(whole, root=bytes(32))))


def subject_of(entry: bytes) -> bytes:
    fields = canonical.decode(entry)
    assert isinstance(fields, list) and isinstance(fields[4], bytes)
    return fields[4]


def in_columns(frames: list[Frame]) -> Iterator[Frame]:
    """The same with the parts of each package in columns, two a tag."""
    package: PackageFrame | None = None
    columns: dict[str, list[bytes | None]] = {}
    for frame in [*frames, None]:
        if isinstance(frame, PartFrame):
            assert package is not None
            columns[frame.tag][frame.index - package.package.start] = frame.part
            continue
        if package is not None:
            start, count = package.package.start, len(package.package.entries)
            for tag, column in columns.items():
                for first in range(0, count, 128):
                    yield ColumnFrame(
                        package.package.origin_hash, tag, start + first, tuple(column[first : first + 128])
                    )
        package = frame if isinstance(frame, PackageFrame) else None
        if package is not None:
            columns = {tag: [None] * len(package.package.entries) for tag in (FACTS, VIEW)}
        if frame is not None:
            yield frame


async def made_of(alice: Group, peer: RawPeer, data: bytes) -> dict[str, Any]:
    """What alice's node makes of one answer: entries stored, refusals, where the feed stands, what her members see."""
    broken, entries, refused = "", 0, list[str]()
    try:
        pulled = await peer.sends(alice, data)
        entries, refused = pulled.entries, [each.code for each in pulled.refused]
    except Exception as error:
        broken = getattr(error, "code", type(error).__name__)
    held = await head(alice, peer.feed.origin)
    seen = sorted(need["item"] for need in (await on_board(alice)).values())
    return {
        "entries": entries,
        "refused": refused,
        "broken": broken,
        "size": held.size if held else 0,
        "interpreted": held.folded if held else 0,
        "frozen": held.frozen if held else None,
        "pledges": len(made(alice, Pledge.Offered)),
        "needs_seen": len(seen),
        "last_needs_seen": seen[-3:],
    }


async def main(target: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    async with Mesh(folder) as mesh:
        alice = await mesh.found("alice")
        peers = {name: RawPeer(mesh, name) for name in NAMES}
        for peer in peers.values():
            await peer.pair_with(alice)
        circle = peers[HONEST].circle
        need = bytes.fromhex(await share(alice, await post_need(alice, 20, "Blankets"), circle))
        for peer in peers.values():
            await peer.pulled_by(alice)
        await mesh.stop("alice")
        with zipfile.ZipFile(target / "home.zip", "w") as archive:
            pack(archive, folder)
        alice = await mesh.start("alice")
        told: list[dict[str, Any]] = []
        with zipfile.ZipFile(target / "answers.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for number, each in enumerate(answers(peers[HONEST], peers[HOSTILE], need)):
                archive.writestr(zipfile.ZipInfo(f"{number:02}.bundle", (2026, 11, 22, 8, 0, 0)), each.data)
                made = await made_of(alice, peers[each.peer], each.data)
                told.append({"peer": each.peer, "name": each.name, "bytes": len(each.data), **made})
        circles = {name: peer.circle.hex() for name, peer in peers.items()}
    expected = {"folder": str(folder), "circles": circles, "answers": told}
    (target / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True)
    asyncio.run(main(Path(sys.argv[1])))
