"""Questions that a node refuses, by the code of the refusal: what each does is its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.application.ports import Work
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.federation.peer_rates import PAIRING_BURST, REQUESTS_BURST
from aidmesh_node.federation.request_auth import ISSUED_PREFIX
from aidmesh_node.federation.serve import ANSWERS_MAX
from aidmesh_node.home import Home
from aidmesh_node.storage.key_files import load_keys
from aidmesh_protocol import checkpoint, paths
from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol.bundle import (
    MAGIC,
    CheckpointFrame,
    Sizes,
    encode_bundle,
)
from aidmesh_protocol.checkpoint import Checkpoint
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import PAIRING_BYTES_MAX, SYNC_BODY_BYTES_MAX, SYNC_CHECKPOINTS_MAX
from aidmesh_protocol.origin import circle_origin
from aidmesh_protocol.words import commitment
from tests.support.federation import Group
from tests.support.raw_peer import RawPeer, Town, bundle, raw_frame, send

Question = PeerRequest | bytes
"""A request to /sync or /wake, or a body for /pair."""

Provoking = Callable[[Town, RawPeer], Awaitable[Question]]


async def body_is_no_bundle(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, b"GET / HTTP/1.1\r\n")


async def body_without_end(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, MAGIC)


async def two_sizes_at_once(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, [Sizes(()), Sizes(())])


async def entries_as_a_question(town: Town, x: RawPeer) -> Question:
    x.feed.append(x.need())
    return x.request(town.alice, x.feed.frames())


async def too_many_checkpoints(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, [CheckpointFrame(x.feed.note(0))] * (SYNC_CHECKPOINTS_MAX + 1))


async def lists_in_lists(town: Town, x: RawPeer) -> Question:
    return b"\x94\x01" + b"\xdc\x03\xe8" + b"\x90" * 1000 + b"\xc0\xc0"


async def pairing_noise(town: Town, x: RawPeer) -> Question:
    return b"\x93\x01\x02\x03"


async def pairing_answer_as_question(town: Town, x: RawPeer) -> Question:
    return messages.encode(messages.RevealAnswer(x.draw(32)))


async def body_over_its_bound(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, bytes(SYNC_BODY_BYTES_MAX + 1))


async def frame_that_claims_4_gib(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, MAGIC + raw_frame(b"\x92\x03", length=2**32 - 1))


async def pairing_over_its_bound(town: Town, x: RawPeer) -> Question:
    return bytes(PAIRING_BYTES_MAX + 1)


async def clock_far_behind(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, created=int(town.mesh.clock.now().timestamp()) - 301)


async def clock_far_ahead(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, created=int(town.mesh.clock.now().timestamp()) + 302)


async def nonce_of_its_own_making(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, created=0, nonce=f"{ISSUED_PREFIX}99999999~aaaaaaaaaaaa~{'A' * 24}")


async def not_signed(town: Town, x: RawPeer) -> Question:
    return replace(x.request(town.alice), headers=())


async def signed_by_another_key(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, key=x.witness)


async def signed_for_another_body(town: Town, x: RawPeer) -> Question:
    return replace(x.request(town.alice), body=b"".join(bundle(x.identity.frames()[0])))


async def signed_for_another_group(town: Town, x: RawPeer) -> Question:
    return x.request(town.alice, destination=town.bob.node.gid)


async def signed_for_wake(town: Town, x: RawPeer) -> Question:
    return replace(x.request(town.alice, path=paths.WAKE), path=paths.SYNC)


async def said_twice(town: Town, x: RawPeer) -> Question:
    request = x.request(town.alice)
    await send(town.alice, request)
    return request


async def stranger(town: Town, x: RawPeer) -> Question:
    return RawPeer(town.mesh, f"{x.name}-unknown").request(town.alice)


async def words_not_compared_yet(town: Town, x: RawPeer) -> Question:
    eve = RawPeer(town.mesh, f"{x.name}-pending")
    await eve.meet(town.alice)
    return eve.request(town.alice)


async def invented_invitation(town: Town, x: RawPeer) -> Question:
    ident = b"".join(encode_bundle([x.ident()]))
    return messages.encode(messages.Hello(x.draw(16), ident, commitment(x.draw(32))))


async def link_paused(town: Town, x: RawPeer) -> Question:
    await change_link(town, x, lambda link: link.suspend(town.alice.act("operator"), "we need to talk"))
    return x.request(town.alice)


async def link_ended(town: Town, x: RawPeer) -> Question:
    await change_link(town, x, lambda link: link.sever(town.alice.act("operator"), "enough"))
    return x.request(town.alice)


async def wake_after_the_end(town: Town, x: RawPeer) -> Question:
    await link_ended(town, x)
    return x.request(town.alice, b"", path=paths.WAKE)


async def haste(town: Town, x: RawPeer) -> Question:
    """More requests than its bucket holds, while no time passes."""
    town.mesh.clock.tick_seconds = 0.0  # type: ignore[attr-defined]
    for _ in range(REQUESTS_BURST):
        town.alice.federation.wake(x.request(town.alice, b"", path=paths.WAKE))
    return x.request(town.alice)


async def answers_it_does_not_read(town: Town, x: RawPeer) -> Question:
    for _ in range(ANSWERS_MAX):
        answer = town.alice.federation.sync(x.request(town.alice))
        town.kept.append(answer)
        await anext(answer)
    return x.request(town.alice)


async def haste_in_pairing(town: Town, x: RawPeer) -> Question:
    town.mesh.clock.tick_seconds = 0.0  # type: ignore[attr-defined]
    for _ in range(PAIRING_BURST):
        for source in ("", "127.0.0.1"):
            with pytest.raises(ProtocolError):
                await town.alice.federation.pair(b"x", source)
    return b"x"


async def recovering(town: Town, x: RawPeer) -> Question:
    """Carol's node meets its own signature on more entries than it has: it was restored."""
    carol = town.mesh.groups.get("carol")
    if carol is not None:
        return await again_with_carol(x, carol)
    carol = await town.mesh.found("carol")
    await town.mesh.pair(carol, town.bob)
    await x.pair_with(carol)
    origin = circle_origin(carol.node.gid, x.circle)
    beyond = checkpoint.sign(Checkpoint(origin, 99, bytes(range(32))), load_keys(Home(carol.home).keys).signing)
    with pytest.raises(ProtocolError):
        await x.asks(carol, CheckpointFrame(beyond.note))
    return x.request(carol)


async def again_with_carol(x: RawPeer, carol: Group) -> Question:
    await x.pair_with(carol)
    return x.request(carol)


async def change_link(town: Town, x: RawPeer, change: Callable[[PeerLink], None]) -> None:
    def job(work: Work) -> None:
        link = work.get(PeerLink, PeerLink.id_of(x.gid))
        change(link)
        work.commit(link)

    await town.alice.node.writer.run(job)
    await town.alice.federation.links.refresh()


ANSWERED: dict[str, list[Provoking]] = {
    "malformed": [
        body_is_no_bundle,
        body_without_end,
        two_sizes_at_once,
        entries_as_a_question,
        pairing_noise,
        lists_in_lists,
        pairing_answer_as_question,
    ],
    "too_large": [body_over_its_bound, frame_that_claims_4_gib, too_many_checkpoints, pairing_over_its_bound],
    "clock_skew": [clock_far_behind, clock_far_ahead, nonce_of_its_own_making],
    "bad_signature": [
        not_signed,
        signed_by_another_key,
        signed_for_another_body,
        signed_for_another_group,
        signed_for_wake,
        said_twice,
    ],
    "unknown_key": [stranger],
    "not_member": [words_not_compared_yet, invented_invitation],
    "suspended": [link_paused],
    "severed": [link_ended, wake_after_the_end],
    "rate": [haste, answers_it_does_not_read, haste_in_pairing],
    "recovering": [recovering],
}
