"""HTTP to one node with the standard library: bounded, follows no redirect, uses no proxy.

Every POST carries a random Idempotency-Key, so that asking again after a lost connection does nothing twice; a
GET after it asks for what that POST wrote.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from aidmesh_cli.problems import FAILURE, UNREACHABLE, Answered, Failed, NodeDown
from aidmesh_cli.target import Target

if TYPE_CHECKING:
    import http.client

API: Final = "/api/v1"
CONNECT_SECONDS_MAX: Final = 5.0
ANSWER_SECONDS_MAX: Final = 60.0
LONG_SECONDS_MAX: Final = 3600.0
"""For what reads everything the node holds, or imports a large file."""
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
BEHIND_TRIES_MAX: Final = 5
"""A node under load shows late what it has already stored; each try waits a second at the node."""

Document = Any
"""A JSON object as it came; where it is read, the types of `api` say what is in it."""


class Client:
    """One node, one token."""

    def __init__(self, target: Target, start_hint: str, *, seconds_max: float = ANSWER_SECONDS_MAX) -> None:
        self._url = target.url
        self._parts = urlsplit(target.url)
        self._token = target.token
        self._start_hint = start_hint
        self._seconds_max = seconds_max
        self._position: int | None = None

    def get(self, path: str, params: Mapping[str, object] | None = None) -> Document:
        """The JSON object at `path` below the API. Raises NodeDown, Answered, Failed."""
        given = {name: value for name, value in (params or {}).items() if value is not None}
        query = "?" + urlencode(given, quote_via=quote, errors="replace") if given else ""
        # "now": what another command of this person, or of anybody, has just done is to be seen too.
        headers = {"Aidmesh-Position": "now" if self._position is None else str(self._position)}
        for attempt in range(1, BEHIND_TRIES_MAX + 1):
            try:
                return self._ask("GET", API + path + query, None, headers, self._seconds_max)
            except Answered as problem:
                if problem.code != "views_behind" or attempt == BEHIND_TRIES_MAX:
                    raise
        raise AssertionError("unreachable")

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, long: bool = False, dry_run: bool = False
    ) -> Document:
        """Do something once, however the connection behaves; with `dry_run` only ask what it would do. Raises NodeDown,
        Answered, Failed."""
        import secrets

        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)}
        if dry_run:
            headers["Dry-Run"] = "true"
        seconds = LONG_SECONDS_MAX if long else self._seconds_max
        answer = self._ask("POST", API + path, json.dumps(body or {}).encode(), headers, seconds)
        position = answer.get("position")
        if type(position) is int:
            self._position = position
        return answer

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float) -> Document:
        import http.client

        try:
            try:
                return self._exchange(method, path, body, headers, seconds)
            except (ConnectionError, http.client.HTTPException):
                # Lost on the way: the same key makes a second time harmless.
                return self._exchange(method, path, body, headers, seconds)
        except TimeoutError:
            raise Failed(
                UNREACHABLE,
                f"The node at {self._url} did not answer in time.",
                "Look whether it was done before you repeat it.",
                then="status",
            ) from None
        except (OSError, http.client.HTTPException):
            raise Failed(
                UNREACHABLE,
                f"The connection to {self._url} was lost before the answer came.",
                "Look whether it was done before you repeat it.",
                then="status",
            ) from None

    def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Document:
        connection = self._connect()
        try:
            if connection.sock is not None:
                connection.sock.settimeout(seconds)
            sent = {"Accept": "application/json", **headers}
            if self._token is not None:
                sent["Authorization"] = f"Bearer {self._token}"
            connection.request(method, self._parts.path + path, body, sent)
            with connection.getresponse() as answer:
                return self._read(answer, time.monotonic() + seconds)
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        import http.client

        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(
            self._parts.hostname or "", self._parts.port, timeout=min(CONNECT_SECONDS_MAX, self._seconds_max)
        )
        try:
            connection.connect()
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            raise NodeDown(f"No node answers at {self._url}: {why}.", self._start_hint) from None
        return connection

    def _read(self, answer: http.client.HTTPResponse, deadline: float) -> Document:
        pieces: list[bytes] = []
        size = 0
        while piece := answer.read1(1 << 20):
            pieces.append(piece)
            size += len(piece)
            if size > ANSWER_BYTES_MAX:
                raise self._no_node(f"more than {ANSWER_BYTES_MAX >> 20} MiB")
            if time.monotonic() > deadline:
                raise TimeoutError
        if answer.length:
            raise ConnectionResetError("cut short")  # http.client says so only for chunked answers
        try:
            document = json.loads(b"".join(pieces))
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise self._no_node(f"status {answer.status} and no JSON object")
        if not 200 <= answer.status < 300:
            raise Answered(answer.status, document)
        return document

    def _no_node(self, what: str) -> Failed:
        return Failed(
            FAILURE,
            f"What answers at {self._url} is no aidmesh node: {what}.",
            "Check the address; another program may use this port.",
            then="config show",
        )


def segment(text: str) -> str:
    """`text` as one segment of a path."""
    return quote(text, safe="", errors="replace")
