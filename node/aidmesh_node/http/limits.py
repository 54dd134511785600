"""How much one member, and one address without a token, may ask for. Nobody pays for another's haste.

What is limited by address is only what fails: a wrong token or invitation. Whoever has a right one is let in however
many wrong ones come from the same house, hall or camp; secrets of 160 random bits are not found by guessing.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable

from aiohttp import web

from aidmesh_node.application.node import Node
from aidmesh_node.domain.refused import Refused
from aidmesh_node.http.auth import Caller, Role
from aidmesh_node.http.problems import Problem
from aidmesh_node.http.sources import Sources
from aidmesh_node.rates import Rates

MEMBER_PER_SECOND = 100.0
"""A page asks for a handful of things at a time and a phone that was offline sends what it gathered; this is some ten
times as much, and still leaves the node most of its time for the others."""

MEMBER_BURST = 1_000

MEMBERS_MAX = 10_000

FAILURES_PER_SECOND = 5.0
"""Wrong tokens and invitations from one address, where a whole hall may join over one line and mistype, and pages that
were left open go on asking with tokens that were taken back."""

FAILURES_BURST = 300

ADDRESSES_MAX = 10_000
"""Some 2 MiB when somebody fills it."""


class Limits:
    """The buckets of one node. Operators have none: they import and measure, and could stop the node anyway."""

    def __init__(self, node: Node) -> None:
        self.sources = Sources(node.config.node.proxies)
        self._members = Rates(node.clock, MEMBER_PER_SECOND, MEMBER_BURST, MEMBERS_MAX)
        self._failures = Rates(node.clock, FAILURES_PER_SECOND, FAILURES_BURST, ADDRESSES_MAX)

    def asked(self, caller: Caller) -> None:
        """A member's request was let in. Raises Problem 429 `too_many_requests`."""
        if caller.actor is None or caller.rank is Role.OPERATOR:
            return
        wait = self._members.spend(caller.actor.hex)
        if wait:
            raise _too_many(
                "too_many_requests",
                f"You asked more than {MEMBER_PER_SECOND:.0f} times a second for a while; this time nothing was done.",
                wait,
            )

    def failed(self, request: web.Request) -> None:
        """Somebody without a right token or invitation was refused. Raises Problem 429 `too_many_attempts` instead."""
        wait = self._failures.spend(self.sources.of(request))
        if wait:
            raise _too_many(
                "too_many_attempts",
                "Too many wrong tokens or invitations came from this address; right ones are still let in.",
                wait,
            )

    async def attempt(self, request: web.Request, answer: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        """`answer` to somebody without a token. Raises what it raises; when that is a refusal, the attempt `failed`."""
        try:
            return await answer
        except (Problem, Refused) as refusal:
            if getattr(refusal, "status", 422) < 500:
                self.failed(request)
            raise


def _too_many(code: str, detail: str, wait: float) -> Problem:
    seconds = math.ceil(wait)
    hint = f"Wait {seconds} second{'s' if seconds > 1 else ''}, then go on more slowly."
    return Problem(429, code, detail, hint, headers={"Retry-After": str(seconds)})
