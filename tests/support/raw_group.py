"""A group made of nothing but its keys: it can say anything, signed, and redeem an invitation as people would."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence

import msgpack

from aidmesh_protocol import pairing_messages as messages
from aidmesh_protocol.bundle import Ident, encode_bundle
from aidmesh_protocol.entry import FACTS, VIEW, Entry, Part, Ref, SealedEntry
from aidmesh_protocol.identity import Inception, group_id, incept, next_key_hash
from aidmesh_protocol.invitation import parse
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.origin import identity_origin
from aidmesh_protocol.statements import GroupDescribed, NeedShared, NeedView, Statement, seal
from aidmesh_protocol.terms import sign_terms
from aidmesh_protocol.words import commitment, four_words
from tests.support.raw_feed import RawFeed

HOUR = 498_728


class RawGroup:
    """Keys, an identity feed, and the statements of one group; the same name always gives the same group."""

    def __init__(self, name: str, endpoint: str) -> None:
        self.name = name
        self.random = random.Random(name)
        self.endpoint = endpoint
        self.key, self.witness, self.next = (SigningKey.from_seed(self.draw(32)) for _ in range(3))
        inception = Inception(
            self.key.verify_key.raw, self.witness.verify_key.raw, self.draw(32), next_key_hash(self.next.verify_key)
        )
        first = incept(inception, self.draw(16), HOUR)
        self.gid = group_id(first.entry)
        self.identity = RawFeed(identity_origin(self.gid), self.key)
        self.identity.append(first, self.seal(GroupDescribed(name, (endpoint,)), subject=bytes(16)))

    def draw(self, count: int) -> bytes:
        return self.random.randbytes(count)

    def seal(
        self, statement: Statement, *, subject: bytes | None = None, refs: Sequence[Ref] = (), hour: int = HOUR
    ) -> SealedEntry:
        """A statement as an entry, with fresh ids unless told otherwise."""
        return seal(
            statement,
            statement_id=self.draw(16),
            subject_id=self.draw(16) if subject is None else subject,
            hour=hour,
            refs=tuple(refs),
            part_keys=lambda: self.draw(16),
        )

    def raw_entry(
        self,
        kind: str,
        facts: object = (),
        view: object = None,
        *,
        schema: int = 1,
        subject: bytes | None = None,
        refs: Sequence[Ref] = (),
        flags: int = 0,
        hour: int = HOUR,
    ) -> SealedEntry:
        """Any entry with any content of its parts: values are packed as they are, bytes are the content itself."""
        bodies = [(tag, body) for tag, body in ((FACTS, facts), (VIEW, view)) if body is not None]
        parts = [
            Part(tag, self.draw(16), body if isinstance(body, bytes) else msgpack.packb(body)) for tag, body in bodies
        ]
        entry = Entry(
            kind,
            schema,
            self.draw(16),
            self.draw(16) if subject is None else subject,
            hour,
            tuple(part.header(kind, schema) for part in parts),
            tuple(refs),
            flags,
        )
        return SealedEntry(entry.encode(), tuple((part.tag, part.encode()) for part in parts))

    def need(self, item: str = "Tents", quantity: str = "5") -> SealedEntry:
        """A perfectly good need."""
        view = NeedView("shelter", item, "normal", None, None, None)
        return self.seal(NeedShared(quantity, "item", quantity, view))

    def ident(self) -> Ident:
        feed = self.identity
        parts = tuple((index, tag, part) for index, each in enumerate(feed.sealed) for tag, part in each.parts)
        return Ident(feed.note(), 0, tuple(each.entry for each in feed.sealed), (), parts)

    async def redeem(self, invitation: str, ask: Callable[[bytes], Awaitable[bytes]]) -> tuple[str, ...]:
        """Redeem an invitation as the guest; `ask` carries questions to the host's /pair. The words on both screens."""
        invited, nonce = parse(invitation), self.draw(32)
        hello = messages.Hello(invited.secret, b"".join(encode_bundle([self.ident()])), commitment(nonce))
        await ask(messages.encode(hello))
        shown = messages.decode(await ask(messages.encode(messages.Reveal(self.gid, invited.secret, nonce))))
        assert isinstance(shown, messages.RevealAnswer)
        return four_words(self.gid, invited.gid, nonce, shown.nonce)

    async def pair(self, body: bytes) -> bytes:
        """Answer the host's question for our signature: whatever the terms, here it is."""
        message = messages.decode(body)
        assert isinstance(message, messages.Sign)
        return messages.encode(messages.SignAnswer(sign_terms(message.terms, self.gid, self.key)))
