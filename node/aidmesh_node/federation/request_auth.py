"""Is this request from the peer it names, meant for us, fresh, and seen for the first time?

Nonces live in memory: whatever was signed before this process started is refused by its time and answered with a
nonce of ours, so a restart forgets nothing that could be replayed. The same nonce lets a node with a dead clock in.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from aidmesh_node.application.peer_doors import PeerRequest
from aidmesh_node.clock import Clock
from aidmesh_node.entropy import Entropy
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.limits import CLOCK_SKEW_SECONDS_MAX, NONCE_SECONDS_KEPT
from aidmesh_protocol.request_signing import verify_request

NONCES_KEPT_MAX = 40_000
"""Nonces of one peer: more than its rate lets through while one is kept. What one peer uses up is its own."""

ISSUED_PREFIX = "srv~"


class ClockSkew(ProtocolError):
    """The request's time cannot be trusted; carries our time and a nonce that replaces it."""

    def __init__(self, server_time: int, nonce: str) -> None:
        super().__init__("clock_skew", f"your clock differs from ours, which says {server_time}; use our nonce")
        self.server_time = server_time
        self.nonce = nonce


class RequestAuth:
    """Verifies signed requests for this node."""

    def __init__(self, gid: str, key_for: Callable[[str], VerifyKey], clock: Clock, entropy: Entropy) -> None:
        self._gid = gid
        self._key_for = key_for
        self._clock = clock
        self._entropy = entropy
        self._secret = entropy.bytes(32)
        self._started = int(clock.now().timestamp())
        self._begun = clock.monotonic()
        self._seen: dict[str, _Nonces] = {}

    def verify(self, request: PeerRequest) -> str:
        """The gid of the peer that signed. Raises ProtocolError bad_signature, unknown_key, clock_skew, rate."""
        verified = verify_request(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            destination_gid=self._gid,
            key_for=self._key_for,
            body_sha256=sha256(request.body).digest(),
        )
        nonces = self._seen.setdefault(verified.gid, _Nonces(self._started))
        now, moment = self._clock.now().timestamp(), self._clock.monotonic()
        if not self._issued(verified.gid, verified.nonce):
            near = abs(verified.created - now) <= CLOCK_SKEW_SECONDS_MAX
            # When we started (SPEC §10.3b), by the clock as it is set now: it may have been wrong then.
            started = now - (moment - self._begun)
            if not near or verified.created <= max(nonces.forgotten, started):
                raise ClockSkew(int(now), self._issue(verified.gid))
        nonces.spend(verified.nonce, verified.created, moment)
        return verified.gid

    def _issue(self, gid: str) -> str:
        ends = int(self._clock.monotonic()) + CLOCK_SKEW_SECONDS_MAX
        salt = urlsafe_b64encode(self._entropy.bytes(9)).decode()
        return f"{ISSUED_PREFIX}{ends}~{salt}~{self._mac(gid, f'{ends}~{salt}')}"

    def _issued(self, gid: str, nonce: str) -> bool:
        body, _, mac = nonce.removeprefix(ISSUED_PREFIX).rpartition("~")
        ends = body.partition("~")[0]
        if not nonce.startswith(ISSUED_PREFIX) or not ends.isdigit():
            return False
        return hmac.compare_digest(mac, self._mac(gid, body)) and int(ends) >= self._clock.monotonic()

    def _mac(self, gid: str, body: str) -> str:
        return urlsafe_b64encode(hmac.digest(self._secret, f"{gid} {body}".encode(), sha256)[:18]).decode()


@dataclass(slots=True)
class _Nonces:
    """What one peer has used: nonces with when they were used and what time they named.

    `forgotten`: no nonce with a later time was ever forgotten, so earlier ones are refused by their time, however our
    clock was set meanwhile.
    """

    forgotten: int
    _kept: dict[str, tuple[float, int]] = field(default_factory=dict)

    def spend(self, nonce: str, created: int, moment: float) -> None:
        """Use a nonce, once (SPEC §10.3a). Raises ProtocolError bad_signature, or rate when too many were used."""
        if nonce in self._kept:
            raise ProtocolError("bad_signature", "this request was already used: sign a new one")
        while self._kept:
            oldest, (used, named) = next(iter(self._kept.items()))
            if used >= moment - NONCE_SECONDS_KEPT:
                break
            del self._kept[oldest]
            # One that we issued ourselves is refused by its own end, whatever time its signer believed in.
            if not oldest.startswith(ISSUED_PREFIX):
                self.forgotten = max(self.forgotten, named)
        if len(self._kept) >= NONCES_KEPT_MAX:
            raise ProtocolError("rate", "too many requests: try again in a few minutes")
        self._kept[nonce] = (moment, created)
