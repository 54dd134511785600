"""Bundles that earlier versions wrote are taken in as they were then, for ever (tests/golden/bundles).

How they were made: tests/support/make_bundle_corpus.py. Two differences are let pass, since both are progress: more
may be interpreted than then, and more needs may be seen.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from aidmesh_protocol.bundle import FrameReader
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.origin import circle_origin
from tests.support.federation import Mesh
from tests.support.make_bundle_corpus import NAMES, made_of
from tests.support.raw_feed import RawFeed
from tests.support.raw_peer import RawPeer

CORPORA = sorted((Path(__file__).resolve().parents[1] / "golden" / "bundles").iterdir())


def recorded(corpus: Path) -> tuple[dict[str, Any], list[bytes]]:
    """What was made of the answers, and their bytes."""
    expected: dict[str, Any] = json.loads((corpus / "expected.json").read_text(encoding="utf-8"))
    with zipfile.ZipFile(corpus / "answers.zip") as archive:
        return expected, [archive.read(name) for name in sorted(archive.namelist())]


def test_there_is_a_corpus() -> None:
    assert [corpus.name for corpus in CORPORA][:1] == ["0.1.0"]


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
async def test_what_was_recorded_is_taken_in_as_it_was(tmp_path: Path, corpus: Path) -> None:
    expected, answers = recorded(corpus)
    with zipfile.ZipFile(corpus / "home.zip") as archive:
        archive.extractall(tmp_path)
    config = tmp_path / "alice" / "config.toml"
    config.write_text(config.read_text().replace(expected["folder"], str(tmp_path)))
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.start("alice")
        peers = {name: RawPeer(mesh, name) for name in NAMES}
        for name, peer in peers.items():
            peer.circle = bytes.fromhex(expected["circles"][name])
            peer.feed = RawFeed(circle_origin(peer.gid, peer.circle), peer.key)
            mesh.network.nodes[peer.endpoint] = peer  # type: ignore[assignment]
        for then, data in zip(expected["answers"], answers, strict=True):
            assert len(data) == then["bytes"]
            now = await made_of(alice, peers[then["peer"]], data)
            same = ("entries", "refused", "broken", "size", "frozen", "pledges")
            assert {name: now[name] for name in same} == {name: then[name] for name in same}, then["name"]
            assert now["interpreted"] >= then["interpreted"] and now["needs_seen"] >= then["needs_seen"], then["name"]
        assert alice.node.verify().ok


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_every_frame_of_it_is_read_alone_too(corpus: Path) -> None:
    """In pieces of any length, by the reader that files and pushes share."""
    expected, answers = recorded(corpus)
    kinds: set[str] = set()
    for then, data in zip(expected["answers"], answers, strict=True):
        for step in (1, 7, 4096, len(data)):
            reader, found = FrameReader(), []
            for at in range(0, len(data) if step > 1 or len(data) < 20_000 else 0, step):
                found += [frame.NAME for frame in reader.feed(data[at : at + step])]
            kinds.update(found)
            if found:
                if then["broken"]:
                    with pytest.raises(ProtocolError, match="interrupted"):
                        reader.close()
                else:
                    reader.close()
    assert kinds >= {"HEAD", "IDENT", "CHECKPOINT", "PACKAGE", "PART", "COLUMN", "SIZES", "WANT", "MORE", "END"}
