"""What a peer that was written from SPEC.md alone may rely on: the shape of questions and answers, frame by frame."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from aidmesh_node.federation.peer_client import PeerRefused
from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol.bundle import (
    Ask,
    CheckpointFrame,
    End,
    Frame,
    Head,
    Ident,
    More,
    PackageFrame,
    PartFrame,
    Sizes,
    Want,
    decode_bundle,
    encode_bundle,
)
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.frames import ColumnFrame
from aidmesh_protocol.invitation import Invitation
from aidmesh_protocol.invitation import format as written
from aidmesh_protocol.limits import BUNDLE_BYTES_ONLINE_MAX
from aidmesh_protocol.merkle import EMPTY_ROOT
from aidmesh_protocol.origin import circle_origin, identity_origin, origin_hash
from aidmesh_protocol.words import commitment
from tests.support.lies import items
from tests.support.raw_peer import RawPeer, bundle, evidence, head, raw_frame, send, town
from tests.support.stories import post_need, share

LATER_KIND = raw_frame(b"\x93\x70\xc3\xc0")
"""A frame of a kind that this version does not know."""


async def test_an_answer_has_the_order_that_a_reader_needs(tmp_path: Path) -> None:
    """SPEC §8.3a, §8.3b: the checkpoint before its packages, a package before its parts, sizes of shared feeds only."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need())
        await x.pulled_by(here.alice)
        for amount in (1, 2, 3):
            await share(here.alice, await post_need(here.alice, amount), x.circle)
        await share(here.alice, await post_need(here.alice, 4), here.with_bob)
        await here.alice.federation.publisher.publish()

        answer = await x.asks(here.alice)
        said = [frame.NAME for frame in answer]
        assert said[:2] == ["HEAD", "SIZES"] and said[-1] == "END"
        (sizes,) = [frame for frame in answer if isinstance(frame, Sizes)]
        mine = {x.identity.hash: x.identity.size, x.feed.hash: 1}
        assert {hashed: size for hashed, size, _ in sizes.feeds} == mine, "nothing of bob's, though alice holds it"
        begun, places = set[bytes](), dict[bytes, int]()
        for frame in answer:
            match frame:
                case CheckpointFrame():
                    begun.add(frame.note.split(b"\n")[0])
                case PackageFrame():
                    assert circle_origin(here.alice.node.gid, x.circle).encode() in begun
                    places[frame.package.origin_hash] = frame.package.start + len(frame.package.entries)
                case PartFrame():
                    assert frame.index < places[frame.origin_hash]
        assert [frame.NAME for frame in answer if isinstance(frame, Ident)] == ["IDENT"]

        await x.pulled_by(here.alice)
        asked = decode_bundle(x.asked[-1].body, bytes_max=BUNDLE_BYTES_ONLINE_MAX)
        (sizes,) = [frame for frame in asked if isinstance(frame, Sizes)]
        assert {hashed: size for hashed, size, _ in sizes.feeds} == mine


async def test_a_feed_of_which_nothing_is_held_is_asked_for_with_the_empty_root(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        x = await here.mallory()
        await x.shows(here.alice, CheckpointFrame(x.feed.note(0)))
        await x.pulled_by(here.alice)
        asked = decode_bundle(x.asked[-1].body, bytes_max=BUNDLE_BYTES_ONLINE_MAX)
        (sizes,) = [frame for frame in asked if isinstance(frame, Sizes)]
        assert (x.feed.hash, 0, EMPTY_ROOT) in sizes.feeds


async def test_a_question_may_leave_out_nearly_everything(tmp_path: Path) -> None:
    """Without ASK, SIZES and READS: all there is, at once, part by part."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        await share(here.alice, await post_need(here.alice, 1), x.circle)
        await here.alice.federation.publisher.publish()
        answer = await send(here.alice, x.request(here.alice, [Want()]))
        assert {type(frame) for frame in answer} >= {Head, Ident, CheckpointFrame, PackageFrame, PartFrame, End}
        assert not [frame for frame in answer if isinstance(frame, ColumnFrame)]


async def test_frames_of_a_later_version_are_skipped_in_questions_and_in_answers(tmp_path: Path) -> None:
    """SPEC §8.2a."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        pieces = bundle(Ask(BUNDLE_BYTES_ONLINE_MAX, 0))
        question = b"".join([pieces[0], LATER_KIND, *pieces[1:-1], LATER_KIND, pieces[-1]])
        assert isinstance((await send(here.alice, x.request(here.alice, question)))[-1], End)

        x.feed.append(x.need("Tents"))
        between: list[Frame | bytes] = [LATER_KIND]
        for frame in x.feed.frames():
            between += [frame, LATER_KIND]
        pulled = await x.shows(here.alice, *between)
        assert (pulled.entries, pulled.refused) == (1, [])
        assert await items(here.alice) == {"Tents"}


async def test_an_answer_keeps_to_what_was_asked_for_and_gets_on_all_the_same(tmp_path: Path) -> None:
    """SPEC §8.4d, with needs enough for three packages."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        for amount in range(1, 300):
            await share(here.alice, await post_need(here.alice, amount), x.circle)
        await here.alice.federation.publisher.publish()
        hashed = origin_hash(circle_origin(here.alice.node.gid, x.circle))
        ident = (origin_hash(identity_origin(here.alice.node.gid)), 2, bytes(32))
        whole = b"".join([each async for each in here.alice.federation.sync(x.request(here.alice, [Sizes((ident,))]))])
        frames = decode_bundle(whole, bytes_max=BUNDLE_BYTES_ONLINE_MAX)
        size = max(f.package.start + len(f.package.entries) for f in frames if isinstance(f, PackageFrame))
        assert size > 256
        for budget in (1, len(whole) // 2, len(whole) - 1, len(whole) + 64):
            held, questions = 0, 0
            while held < size:
                body: list[Frame] = [Ask(budget, 0), Sizes((ident, (hashed, held, bytes(32))))]
                data = b"".join([each async for each in here.alice.federation.sync(x.request(here.alice, body))])
                told = decode_bundle(data, bytes_max=BUNDLE_BYTES_ONLINE_MAX)
                packages = [frame.package for frame in told if isinstance(frame, PackageFrame)]
                assert packages, "each answer brings something"
                assert len(data) <= budget or len(packages) == 1
                held, questions = packages[-1].start + len(packages[-1].entries), questions + 1
                assert [frame.entries for frame in told if isinstance(frame, More)] == [size - held] * (held < size)
            assert questions == (1 if budget > len(whole) else 2), budget
        nothing = await x.asks(here.alice, Sizes((ident,)))
        assert any(isinstance(frame, PackageFrame) for frame in nothing)
        none = await send(here.alice, x.request(here.alice, [Ask(0, 0), Sizes((ident,))]))
        assert not [frame for frame in none if isinstance(frame, PackageFrame | PartFrame)]


async def test_what_others_wrote_below_a_checkpoint_stays_there(tmp_path: Path) -> None:
    """SPEC §7.3a: a cosignature, or a signature of an algorithm to come, is shown to its owner as it came."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need())
        other = b64encode(b"\x00\x00\x00\x07" + bytes(2420)).decode()
        note = x.feed.note() + f"— example.org/witness {other}\n".encode()
        frames = [CheckpointFrame(note) if isinstance(f, CheckpointFrame) else f for f in x.feed.frames()]
        pulled = await x.shows(here.alice, *frames)
        assert (pulled.entries, pulled.refused) == (1, [])
        held = await head(here.alice, x.feed.origin)
        assert held is not None and held.checkpoint == note
        answer = await x.asks(here.alice)
        assert CheckpointFrame(note) in answer


@pytest.mark.parametrize("code", ["severed", "suspended", "fork_detected", "not_member", "upgrade_required", "quota"])
async def test_a_refusal_is_no_more_than_a_try_that_failed(tmp_path: Path, code: str) -> None:
    """SPEC §12a: whoever stands in the middle can refuse in anybody's name."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        x.feed.append(x.need("Tents"))

        async def refuses(request: object) -> object:
            for piece in list[bytes]():
                yield piece
            raise ProtocolError(code, "so they say")

        x.sync = refuses  # type: ignore[method-assign, assignment]
        with pytest.raises(PeerRefused, match="so they say"):
            await x.pulled_by(here.alice)
        assert await evidence(here.alice, x.gid) == []
        link = here.alice.federation.links.get(x.gid)
        assert link is not None and link.state == "active"
        del x.sync
        assert (await x.pulled_by(here.alice)).entries == 1
        assert await items(here.alice) == {"Tents"}


async def test_an_identity_travels_whole_or_not_at_all(tmp_path: Path) -> None:
    """SPEC §4.3a."""
    async with town(tmp_path) as here:
        x = await here.mallory()
        whole = x.ident()
        assert (await x.shows(here.alice, whole)).refused == []
        without_keys = replace(whole, parts=whole.parts[1:])
        first_only = replace(whole, entries=whole.entries[:1], parts=whole.parts[:1])
        others = replace(whole, entries=(whole.entries[0], x.need().entry))
        for ident, code in (
            (without_keys, "proof_invalid"),
            (first_only, "size_conflict"),
            (others, "root_mismatch"),
        ):
            assert [each.code for each in (await x.shows(here.alice, ident)).refused] == [code]


class Host(RawPeer):
    """A host that has seen the guest's nonce before it shows another than it has committed to."""

    async def pair(self, body: bytes) -> bytes:
        match messages.decode(body):
            case messages.Hello():
                ident = b"".join(encode_bundle([self.ident()]))
                return messages.encode(messages.HelloAnswer(ident, commitment(bytes(32))))
            case messages.Reveal():
                return messages.encode(messages.RevealAnswer(b"\x01" * 32))
            case _:
                raise AssertionError("nothing was agreed on, so nothing is signed")


async def test_a_host_that_shows_another_nonce_than_it_committed_to_is_no_peer(tmp_path: Path) -> None:
    """SPEC §14.2a."""
    async with town(tmp_path) as here:
        eve = Host(here.mesh, "eve")
        here.mesh.network.nodes[eve.endpoint] = eve  # type: ignore[assignment]
        until = int(here.mesh.clock.now().timestamp()) + 3600
        invitation = written(Invitation(eve.gid, (eve.endpoint,), bytes(16), until))
        with pytest.raises(ProtocolError, match="committed") as stopped:
            await here.alice.federation.accept(here.alice.act("operator"), invitation)
        assert stopped.value.code == "bad_signature"
        assert here.alice.federation.links.get(eve.gid) is None
        assert await here.good_news()
