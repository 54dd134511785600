"""People who carry files between groups: what they pack, what they lose on the way, what they hand over."""

from __future__ import annotations

from typing import Any

from aidmesh_node.home import Home
from aidmesh_node.storage.key_files import load_keys
from aidmesh_protocol.bundle import Frame, FrameReader
from aidmesh_protocol.limits import BUNDLE_BYTES_FILE_MAX
from aidmesh_protocol.sealing import Opener
from tests.support.federation import Group

UPLOAD_BYTES = 100_000
FILES_MAX = 1_000


async def pack(group: Group, circle: bytes, since: str | None = None, bytes_max: int | None = None) -> list[bytes]:
    """All files that a group writes for a circle, in their order."""
    files: list[bytes] = []
    while len(files) < FILES_MAX:
        told: Any = await group.node.files.pack(circle, since, bytes_max)
        data = b""
        while len(data) < told["bytes"]:
            data += (await group.node.files.piece(told["id"], len(data)))[0]
        assert len(data) == told["bytes"] <= (bytes_max or len(data))
        files.append(data)
        since = told["next"]
        if since is None:
            return files
    raise AssertionError("files without end")


async def bring(group: Group, data: bytes) -> str:
    """Hand a file over; its id at the node."""
    told = await group.node.files.receive(None, 0, b"")
    for at in range(0, len(data), UPLOAD_BYTES):
        told = await group.node.files.receive(str(told["id"]), at, data[at : at + UPLOAD_BYTES])
    assert told["bytes"] == len(data)
    return str(told["id"])


async def read(group: Group, data: bytes) -> dict[str, Any]:
    """Hand a file over and have it read."""
    return await group.node.files.read(await bring(group, data))


async def inspect(group: Group, data: bytes) -> dict[str, Any]:
    """Hand a file over and have it looked into."""
    return await group.node.files.inspect(await bring(group, data))


def frames_in(group: Group, data: bytes) -> list[Frame]:
    """What a file is for a group that has the key."""
    opener = Opener([load_keys(Home(group.home).keys).hpke], bytes_max=BUNDLE_BYTES_FILE_MAX)
    reader = FrameReader(bytes_max=BUNDLE_BYTES_FILE_MAX, file=True)
    pieces = [*opener.feed(data), *opener.close()]
    frames = [frame for piece in pieces for frame in reader.feed(piece)]
    reader.close()
    return frames


def content_of(group: Group, data: bytes) -> bytes:
    """The bundle in a file, with its padding."""
    opener = Opener([load_keys(Home(group.home).keys).hpke], bytes_max=BUNDLE_BYTES_FILE_MAX)
    return b"".join([*opener.feed(data), *opener.close()])
