"""Asking a peer: as replication does, or well signed and for whatever one likes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.home import Home
from aidmesh_node.storage.key_files import load_keys
from aidmesh_protocol import paths
from aidmesh_protocol.bundle import Ask, decode_bundle, encode_bundle
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.request_signing import sign_request
from tests.support.federation import Group


async def pull(group: Group) -> None:
    """This group asks each of its peers once."""
    for link in group.federation.links.active():
        await group.federation.replication.pull(link, 0)


async def asks(asker: Group, asked: Group, *frames: Any) -> list[Any]:
    """A well-signed sync request that says what its sender likes, and the frames of the answer."""
    body = b"".join(encode_bundle([Ask(BUNDLE_BYTES_ONLINE_MAX, 0), *frames]))
    headers = sign_request(
        method="POST",
        path=paths.SYNC,
        query="",
        body_sha256=sha256(body).digest(),
        key=load_keys(Home(asker.home).keys).signing,
        gid=asker.node.gid,
        destination_gid=asked.node.gid,
        created=int(asker.node.clock.now().timestamp()),
        nonce=asker.node.entropy.secret_text(18),
    )
    request = PeerRequest("POST", paths.SYNC, "", tuple(headers.items()), body)
    pieces = [piece async for piece in asked.federation.sync(request)]
    return list(decode_bundle(b"".join(pieces), bytes_max=BUNDLE_BYTES_ONLINE_MAX))
