"""What a hostile group packs into a file is judged as if it had been asked for it (reliability.md A22)."""

from __future__ import annotations

from pathlib import Path

from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.packing import SealedFile
from aidmesh_protocol.bundle import MAGIC, End, Head, encode_frame
from aidmesh_protocol.limits import BUNDLE_BYTES_FILE_MAX
from tests.support.carrying import read
from tests.support.raw_peer import RawPeer, Town, evidence, head, town
from tests.support.refused_answers import ASKED

ONLINE_ONLY = {
    "noise",
    "answer_without_end",
    "not_canonical",
    "frame_over_its_bound",
    "bomb",
}
"""Streams that break before their end: of a file that is the file's own fault (test_files.py)."""

WAITS = {"gap", "part_of_nothing", "entries_without_checkpoint"}
"""In a file no fault: what it follows may come with another one."""

FINE = {"identity_of_bob"}
"""A file may bring whoever is in its circle."""

JUDGED = [
    (code, each) for code, rows in ASKED.items() for each in rows if each.__name__ not in ONLINE_ONLY | WAITS | FINE
]


def packed(here: Town, x: RawPeer, pieces: list[bytes]) -> bytes:
    """An answer of x as a file for alice's group: packed and signed by x, sealed to alice."""
    whole = b"".join(pieces)
    end = encode_frame(End())
    assert whole.startswith(MAGIC) and whole.endswith(end)
    written: list[bytes] = []
    file = SealedFile([hpke_key(here)], Entropy(x.draw), written.append, BUNDLE_BYTES_FILE_MAX)
    now = int(here.mesh.clock.now().timestamp())
    file.put(encode_frame(Head(x.draw(16), x.gid, now, 3600, 1)) + whole[len(MAGIC) : -len(end)])
    file.close(0, x.key)
    return b"".join(written)


def hpke_key(here: Town) -> bytes:
    """The public key to which files for alice's group are sealed."""
    return here.bob.federation.identities.known(here.alice.node.gid).hpke_key


async def test_a22_what_is_refused_online_is_refused_by_file(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        for code, provoke in JUDGED:
            row = f"{code}: {provoke.__name__}"
            x = await here.mallory(provoke.__name__.replace("_", "-"))
            shown = await provoke(here, x)
            before = await head(here.alice, x.feed.origin)
            accused = await evidence(here.alice, x.gid)
            told = await read(here.alice, packed(here, x, list(shown.pieces)))
            assert [each["code"] for each in told["refused"]] == [code], row
            assert told["refused"][0]["detail"], row
            assert await evidence(here.alice, x.gid) == accused, f"{row}: a file was in other hands, it accuses nobody"
            after = await head(here.alice, x.feed.origin)
            assert (after.size if after else 0) == (before.size if before else 0), f"{row}: nothing of it is stored"
        assert await here.good_news()
        assert here.alice.node.verify().ok
