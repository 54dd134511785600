"""Two groups become peers: an invitation, nonces committed before they are shown, four words, one set of terms.

The guest asks, the host answers; both screens then show the same four words. Each side signs the default two-party
terms only after its own people said that the words are the same. The link is in force where both signatures are.
Half-finished pairings of this process are kept in memory; what people confirmed is in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from aidmesh_node.application.moved_on import check_version
from aidmesh_node.application.ports import Readers, Reading, Work, Writer
from aidmesh_node.application.rehearsal import rehearse
from aidmesh_node.clock import Clock
from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.peer_link import ACTIVE, PENDING, PeerLink
from aidmesh_node.domain.refused import Refused
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation import identities
from aidmesh_node.federation.identities import Identities, Introduction
from aidmesh_node.federation.links import Links
from aidmesh_node.federation.peer_client import PeerClient, Unreachable
from aidmesh_node.federation.publisher import Publisher
from aidmesh_node.federation.serve import own_ident
from aidmesh_protocol import invitation as invitations
from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol import paths
from aidmesh_protocol.bundle import Ident, decode_bundle, encode_bundle
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.identity import identity_origin
from aidmesh_protocol.invitation import SECRET_BYTES, Invitation
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.limits import PAIRING_BYTES_MAX, PAIRING_IDENT_BYTES_MAX
from aidmesh_protocol.terms import Terms, circle_id, sign_terms, verify_terms_signature
from aidmesh_protocol.words import NONCE_BYTES, commitment, four_words

INVITATIONS_MAX = 100
"""Open invitations at once: more are a mistake, or somebody trying to fill our memory."""

FIELDS_MAX = 6
"""Values of one pairing message, its kind among them, and then some."""

_LENGTH_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
"""Bytes of the length that follows each of msgpack's headers of bytes and text."""

NOTICE_DAYS = 14
SHARE_LEVEL = "L1"
EXPIRY_HOURS_DEFAULT = 72
EXPIRY_HOURS_MAX = 24 * 30


@dataclass(slots=True)
class _Meeting:
    """A pairing under way on the host's side: who came, what they committed to, our nonce."""

    introduction: Introduction
    commitment: bytes
    nonce: bytes


@dataclass(slots=True)
class _Open:
    """An invitation of ours that nobody has finished using.

    `expires` is what it says, and what the terms are made from. `ends`, by the clock that nobody sets, is when it
    ends: one made while the machine believed in 1970 is not too old when somebody sets its clock.
    """

    expires: int
    ends: float
    meeting: _Meeting | None = None


class Pairing:
    """Both sides of pairing, for one node."""

    def __init__(
        self,
        gid: str,
        key: SigningKey,
        writer: Writer,
        readers: Readers[Reading],
        links: Links,
        known: Identities,
        publisher: Publisher,
        client: PeerClient,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._gid = gid
        self._key = key
        self._writer = writer
        self._readers = readers
        self._links = links
        self._identities = known
        self._publisher = publisher
        self._client = client
        self._clock = clock
        self._entropy = entropy
        self._open: dict[bytes, _Open] = {}

    def invite(self, endpoints: Sequence[str], hours: int = EXPIRY_HOURS_DEFAULT) -> tuple[str, int]:
        """A new invitation as text, and when it ends (seconds since 1970). Used once. Raises Refused."""
        self.check_invite(endpoints, hours)
        secret, expires = self._entropy.bytes(SECRET_BYTES), self._now() + hours * 3600
        self._open[secret] = _Open(expires, self._clock.monotonic() + hours * 3600)
        return invitations.format(Invitation(self._gid, tuple(endpoints), secret, expires)), expires

    def check_invite(self, endpoints: Sequence[str], hours: int) -> None:
        """Nothing stands against a new invitation. Raises Refused."""
        if not endpoints:
            raise Refused(
                "no_address",
                "This node has no address that another group could reach.",
                "Set one: aidmesh init --url, or url in config.toml, then start the node again.",
            )
        if not 1 <= hours <= EXPIRY_HOURS_MAX:
            raise Refused("bad_expiry", f"An invitation lasts 1 to {EXPIRY_HOURS_MAX} hours.", "Choose fewer hours.")
        moment = self._clock.monotonic()
        self._open = {secret: kept for secret, kept in self._open.items() if kept.ends > moment}
        if len(self._open) >= INVITATIONS_MAX:
            raise Refused("too_many_invitations", "Too many invitations are open.", "Use one of those, or wait.")

    def usable(self, text: str) -> Invitation:
        """The invitation that `text` is. Whether it is too old, those say whose clock made it. Raises Refused."""
        try:
            invitation = invitations.parse(text.strip())
        except ProtocolError as error:
            raise Refused("bad_invitation", f"This is not an invitation: {error.detail}.", "Copy it whole.") from None
        if invitation.gid == self._gid:
            raise Refused("own_invitation", "This is your own group's invitation.", "Give it to the other group.")
        return invitation

    async def accept(self, by: Act, text: str) -> dict[str, object]:
        """Redeem an invitation of another group; both sides then show the words. Raises Refused, Unreachable."""
        invitation = self.usable(text)
        nonce = self._entropy.bytes(NONCE_BYTES)
        for endpoint in invitation.endpoints:
            try:
                hello = messages.Hello(invitation.secret, await self._ident(), commitment(nonce))
                answer = await self._ask(endpoint, hello)
                if not isinstance(answer, messages.HelloAnswer):
                    raise ProtocolError("malformed", "another pairing message was expected")
                host = _introduced(answer.ident)
                if host.identity.gid != invitation.gid:
                    raise ProtocolError("bad_signature", "another group answered at this address")
                shown = await self._ask(endpoint, messages.Reveal(self._gid, invitation.secret, nonce))
                break
            except Unreachable as error:
                failure = error
        else:
            # Whether it is too old is theirs to say, whose clock made it; where nobody says anything ours is a hint.
            if invitation.expires <= self._now():
                raise Refused(
                    "expired",
                    "Their node does not answer, and by this machine's clock the invitation is too old.",
                    "Ask the other group for a new one.",
                ) from failure
            raise failure
        # SPEC §14.2a
        if not isinstance(shown, messages.RevealAnswer) or commitment(shown.nonce) != answer.commitment:
            raise ProtocolError("bad_signature", "the other side showed another nonce than it had committed to")
        endpoints = host.identity.endpoints or (endpoint,)
        return await self._meet(by, host, endpoints, nonce, shown.nonce, invitation.expires)

    async def answer(self, body: bytes) -> bytes:
        """One question of POST /pair. Raises ProtocolError, Refused."""
        check_flat(body)
        message = messages.decode(body)
        match message:
            case messages.Hello():
                return messages.encode(await self._hello(message))
            case messages.Reveal():
                return messages.encode(await self._reveal(message))
            case messages.Sign():
                return messages.encode(await self._sign(message))
        raise ProtocolError("malformed", "this pairing message is an answer, not a question")

    async def confirm(
        self, by: Act, gid: str, words: Sequence[str], versions: Collection[int] | None = None
    ) -> dict[str, object]:
        """Our people say the words are the same: only now sign the terms (SPEC §14.2c), and exchange signatures if the
        peer is there."""
        await self._writer.run(partial(self._confirmed, by, gid, words, versions))
        await self._links.refresh()
        # Also when theirs came first and the link is in force here: they may not have ours yet.
        await self.exchange_signatures(gid)
        await self._publisher.publish()
        found = self._links.get(gid)
        return {"gid": gid, "name": found.name if found else "", "state": found.state if found else "pending"}

    async def try_confirm(
        self, by: Act, gid: str, words: Sequence[str], versions: Collection[int] | None = None
    ) -> dict[str, object]:
        """What confirming would record: see `rehearsal`. Raises as `confirm`."""
        return await rehearse(self._writer, partial(self._confirmed, by, gid, words, versions))

    def _confirmed(self, by: Act, gid: str, words: Sequence[str], versions: Collection[int] | None, work: Work) -> None:
        link = work.get(PeerLink, PeerLink.id_of(gid))
        check_version(link, versions)
        terms = bytes.fromhex(link.terms or "")
        link.confirm(by, words=words, signature=sign_terms(terms, self._gid, self._key).hex() if terms else "")
        self._activate(by, link)
        work.commit(link)

    async def exchange_signatures(self, gid: str) -> bool:
        """Offer our signature and fetch theirs; True when the link is in force. Unreachable peers are tried later."""

        def ours(work: Work) -> messages.Sign | None:
            link = work.get(PeerLink, PeerLink.id_of(gid))
            if link.state not in (PENDING, ACTIVE) or link.our_signature is None or link.terms is None:
                return None
            return messages.Sign(self._gid, bytes.fromhex(link.terms), bytes.fromhex(link.our_signature))

        message = (await self._writer.run(ours)).value
        link = self._links.get(gid)
        if message is None or link is None:
            return False
        for endpoint in link.endpoints:
            try:
                answer = await self._ask(endpoint, message)
            except Unreachable:
                continue
            if isinstance(answer, messages.SignAnswer) and answer.signature is not None:
                await self._take_signature(gid, message.terms, answer.signature)
                return True
        return False

    async def _hello(self, hello: messages.Hello) -> messages.HelloAnswer:
        kept = self._redeem(hello.secret)
        guest = _introduced(hello.ident)
        if guest.identity.gid == self._gid:
            raise ProtocolError("malformed", "a group does not pair with itself")
        kept.meeting = _Meeting(guest, hello.commitment, self._entropy.bytes(NONCE_BYTES))
        return messages.HelloAnswer(await self._ident(), commitment(kept.meeting.nonce))

    async def _reveal(self, reveal: messages.Reveal) -> messages.RevealAnswer:
        kept = self._redeem(reveal.secret)
        meeting = kept.meeting
        if meeting is None or meeting.introduction.identity.gid != reveal.gid:
            raise ProtocolError("not_member", "no pairing with this group is under way")
        if commitment(reveal.nonce) != meeting.commitment:
            raise ProtocolError("bad_signature", "this is not the nonce you committed to")
        # One guess only: whatever comes of it, the secret is spent (SPEC §14.2b).
        del self._open[reveal.secret]
        by = Act(self._entropy.uuid(), self._clock.now(), None, NODE)
        guest = meeting.introduction
        await self._meet(by, guest, guest.identity.endpoints, meeting.nonce, reveal.nonce, kept.expires)
        return messages.RevealAnswer(meeting.nonce)

    async def _sign(self, message: messages.Sign) -> messages.SignAnswer:
        return messages.SignAnswer(await self._take_signature(message.gid, message.terms, message.signature))

    async def _take_signature(self, gid: str, terms: bytes, signature: bytes) -> bytes | None:
        """Their signature under the terms we agreed on; ours in return, once our people have confirmed."""
        identity = self._identities.known(gid) if self._links.get(gid) else await self._identities.load(gid)
        if identity is None:
            raise ProtocolError("not_member", "no pairing with this group is under way")
        verify_terms_signature(terms, gid, identity.key, signature)
        by = Act(self._entropy.uuid(), self._clock.now(), None, NODE)

        def take(work: Work) -> bytes | None:
            link = work.find(PeerLink, PeerLink.id_of(gid))
            if link is None or link.terms != terms.hex():
                raise ProtocolError("not_member", "these are not the terms of a pairing that is under way")
            link.sign(by, signature=signature.hex())
            self._activate(by, link)
            work.commit(link)
            return bytes.fromhex(link.our_signature) if link.our_signature else None

        ours = (await self._writer.run(take)).value
        await self._links.refresh()
        await self._publisher.publish()
        return ours

    async def _meet(
        self,
        by: Act,
        other: Introduction,
        endpoints: Sequence[str],
        our_nonce: bytes,
        their_nonce: bytes,
        expires: int,
    ) -> dict[str, object]:
        gid = other.identity.gid
        words = four_words(self._gid, gid, our_nonce, their_nonce)
        parties = tuple(sorted((self._gid, gid)))
        # Both sides must sign the same bytes without asking again: the hour is the invitation's, the salt the nonces'.
        salt = sha256(b"aidmesh terms salt" + b"".join(sorted((our_nonce, their_nonce)))).digest()[:16]
        terms = Terms(1, parties, expires // 3600, salt, SHARE_LEVEL, NOTICE_DAYS).encode()

        def meet(work: Work) -> None:
            identities.keep(work, other)
            link = work.find(PeerLink, PeerLink.id_of(gid)) or PeerLink.invite(by, gid=gid, endpoints=endpoints)
            link.meet(
                by,
                name=other.identity.name,
                endpoints=endpoints,
                words=words,
                our_nonce=our_nonce.hex(),
                their_nonce=their_nonce.hex(),
                terms=terms.hex(),
            )
            work.commit(link)

        await self._writer.run(meet)
        await self._identities.load(gid)
        await self._links.refresh()
        return {"gid": gid, "name": other.identity.name, "state": PENDING, "words": list(words)}

    def _activate(self, by: Act, link: PeerLink) -> None:
        """In force as soon as both signatures are here, whoever's came last, and not before (SPEC §14.3a)."""
        if link.state == PENDING and link.our_signature and link.their_signature and link.terms:
            link.activate(by, circle=circle_id(bytes.fromhex(link.terms)).hex(), our_gid=self._gid)

    def _redeem(self, secret: bytes) -> _Open:
        kept = self._open.get(secret)
        if kept is None or kept.ends <= self._clock.monotonic():
            raise ProtocolError("not_member", "this invitation was used, is too old, or was never made")
        return kept

    async def _ident(self) -> bytes:
        served = self._publisher.served(identity_origin(self._gid))
        assert served is not None  # `init` signs it
        ident = await self._readers.run(lambda reading: own_ident(reading, self._gid, served))
        return b"".join(encode_bundle([ident]))

    async def _ask(self, endpoint: str, message: messages.PairingMessage) -> messages.PairingMessage:
        answer = await self._client.post(
            endpoint,
            paths.PAIR,
            {"Content-Type": paths.PAIRING_TYPE},
            messages.encode(message),
            bytes_max=PAIRING_BYTES_MAX,
        )
        return messages.decode(answer)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def check_flat(body: bytes) -> None:
    """Refuse a body with lists inside its list before any of them is unpacked. Raises ProtocolError("malformed").

    Pairing messages hold bytes and text only, and anybody may send one: half a megabyte of nested lists must not cost
    the time that unpacking them takes.
    """
    at, end = 1, len(body)
    if not body or not 0x91 <= body[0] <= 0x90 | FIELDS_MAX:
        raise ProtocolError("malformed", "a pairing message is a short list")
    for _ in range(FIELDS_MAX):
        if at >= end:
            return
        kind = body[at]
        if kind <= 0x7F or kind == 0xC0:
            at += 1
        elif 0xA0 <= kind <= 0xBF:
            at += 1 + (kind & 0x1F)
        elif kind in _LENGTH_BYTES:
            size = _LENGTH_BYTES[kind]
            at += 1 + size + int.from_bytes(body[at + 1 : at + 1 + size], "big")
        else:
            break
    raise ProtocolError("malformed", "a pairing message holds bytes and text only")


def _introduced(ident: bytes) -> Introduction:
    for frame in decode_bundle(ident, bytes_max=PAIRING_IDENT_BYTES_MAX):
        if isinstance(frame, Ident):
            return identities.introduce(frame)
    raise ProtocolError("malformed", "a pairing message without an identity feed")
