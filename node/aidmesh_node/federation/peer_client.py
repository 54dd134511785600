"""What the node asks of the network: three requests to a peer. Ports and errors only; HTTP is in `http_client`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Unreachable(Exception):
    """The peer cannot be reached, or was too slow: the weather's fault. Says what was tried."""


class PeerRefused(Exception):
    """The peer answered with a problem. A hint only, never trusted: error answers are not signed."""

    def __init__(self, code: str, detail: str, server_time: int | None = None, nonce: str | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.server_time = server_time
        self.nonce = nonce


class PeerClient(Protocol):
    """Requests to a peer's endpoint. Every call is bounded in time and bytes, and follows no redirect."""

    def stream(
        self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, wait_seconds: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """POST and read the answer in pieces. Raises Unreachable or PeerRefused, also while reading."""
        ...

    async def post(self, endpoint: str, path: str, headers: Mapping[str, str], body: bytes, *, bytes_max: int) -> bytes:
        """POST and read a small answer. Raises Unreachable or PeerRefused."""
        ...
