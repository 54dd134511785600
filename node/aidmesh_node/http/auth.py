"""Who is asking, and whether their role opens this route. Default deny: a route without one cannot be.

A token is shown once and only its SHA-256 is kept, so a stolen database opens nothing. What a token may do is
read from the members view and remembered until a member changes; then nothing is believed that is older.
"""

from __future__ import annotations

import asyncio
import enum
import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from aiohttp import web

from aidmesh_node.entropy import Entropy
from aidmesh_node.http.problems import Problem

TOKEN_PREFIX = "amesh_"
INVITATION_PREFIX = "amesh-invite_"
SECRET_BYTES = 20
SECRET_CHARS = 32
REMEMBERED_MAX = 10_000


class Role(enum.IntEnum):
    """The lowest role that opens a route. Each role may do what those below it may."""

    ANYONE = 0
    PEER = 1
    """No bearer token: the request itself is signed, and the federation handler judges it."""
    MEMBER = 2
    COORDINATOR = 3
    OPERATOR = 4


MEMBER_ROLES = {"member": Role.MEMBER, "coordinator": Role.COORDINATOR, "operator": Role.OPERATOR}


@dataclass(frozen=True, slots=True)
class Caller:
    """A member as the rim knows them: `actor` is the id that events carry."""

    actor: UUID | None
    role: str
    rank: Role


NOBODY = Caller(None, "", Role.ANYONE)


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """What the members view says about one token hash."""

    token_hash: bytes
    member: UUID
    role: str


class TokenDirectory(Protocol):
    """The members view, as far as the door needs it."""

    async def caught_up(self) -> None:
        """Return when everything durable is seen. Raises Problem 503 when that takes too long."""
        ...

    async def reached(self, position: int) -> None:
        """Return when everything up to `position` is seen. Raises Problem 503 when that takes too long."""
        ...

    async def holder(self, token_hash: bytes) -> TokenHolder | None:
        """The joined, unrevoked member with this token."""
        ...


def new_token(entropy: Entropy) -> tuple[str, bytes]:
    """A bearer token of 160 random bits as text, and the hash that is kept of it."""
    text = TOKEN_PREFIX + entropy.secret_text(SECRET_BYTES)
    return text, secret_hash(text)


def new_invitation(entropy: Entropy) -> tuple[str, bytes]:
    """An invitation secret of 160 random bits as text, and the hash that is kept of it."""
    text = INVITATION_PREFIX + entropy.secret_text(SECRET_BYTES)
    return text, secret_hash(text)


def secret_hash(text: str) -> bytes:
    """SHA-256 of the whole text. Enough for 160 random bits: there is nothing to guess."""
    return hashlib.sha256(text.encode()).digest()


class Door:
    """Answers who a request comes from."""

    def __init__(self, directory: TokenDirectory) -> None:
        self._directory = directory
        self._remembered: dict[str, Caller] = {}
        self._changes = 0
        self._opened = False
        self.floor = 0
        self.changing = asyncio.Lock()
        """Held by whoever changes a member after counting operators."""

    def forget(self, position: int) -> None:
        """A member changed at `position`: believe nothing older."""
        self._remembered.clear()
        self._changes += 1
        self.floor = max(self.floor, position)

    def distrust(self) -> None:
        """A member may have changed, nobody knows where: believe nothing before the view has caught up."""
        self._opened = False
        self.forget(self.floor)

    async def admit(self, request: web.Request, lowest: Role) -> Caller:
        """The caller, whose role reaches `lowest`. Raises Problem 401 or 403."""
        if lowest <= Role.PEER:
            return NOBODY
        caller = await self._caller(request)
        if caller.rank < lowest:
            raise Problem(
                403,
                "not_allowed",
                f"This needs the role {lowest.name.lower()}; yours is {caller.role}.",
                f"Ask somebody of your group with the role {lowest.name.lower()}.",
            )
        return caller

    async def _caller(self, request: web.Request) -> Caller:
        given = request.headers.getall("Authorization", ())
        if len(given) != 1:
            raise _unauthenticated()
        caller = self._remembered.get(given[0])
        if caller is not None:
            return caller
        scheme, _, token = given[0].partition(" ")
        if (
            scheme.lower() != "bearer"
            or not token.isascii()
            or not token.startswith(TOKEN_PREFIX)
            or len(token) != len(TOKEN_PREFIX) + SECRET_CHARS
        ):
            raise _unauthenticated()
        return await self._look_up(given[0], secret_hash(token))

    async def _look_up(self, header: str, hashed: bytes) -> Caller:
        if not self._opened:
            # What the view kept from the last run may be older than a revocation in the log.
            changes = self._changes
            await self._directory.caught_up()
            self._opened = changes == self._changes
        changes, holder = -1, None
        while changes != self._changes:  # a member may change while we wait: then what was read may be too old
            changes = self._changes
            await self._directory.reached(self.floor)
            holder = await self._directory.holder(hashed)
        if holder is None or not hmac.compare_digest(holder.token_hash, hashed):
            raise _unauthenticated()
        caller = Caller(holder.member, holder.role, MEMBER_ROLES[holder.role])
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[header] = caller
        return caller


def _unauthenticated() -> Problem:
    return Problem(
        401,
        "unauthenticated",
        "This needs the token of a member of this group.",
        "Send it as: Authorization: Bearer amesh_... ; to get one, ask an operator of your group.",
        headers={"WWW-Authenticate": "Bearer"},
    )
