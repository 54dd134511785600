"""One request as handlers see it: who asks, the bytes they sent, and how it is answered."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from aidmesh_node.application.commit import Job, Once
from aidmesh_node.application.moved_on import check_version
from aidmesh_node.application.node import Node
from aidmesh_node.application.ports import Work
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.dispute import Dispute
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.fork import Fork
from aidmesh_node.domain.member import Member
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import Pledge
from aidmesh_node.http.auth import Caller, Door, Role
from aidmesh_node.http.dry_run import cannot_be_tried
from aidmesh_node.http.etag import ETAG, etag, shows, version_of
from aidmesh_node.http.idempotency import Repeats
from aidmesh_node.http.limits import Limits
from aidmesh_node.http.problems import SECURITY_HEADERS, Problem, bad_field, of_decoding
from aidmesh_node.http.reading import POSITION_HEADER, Reads
from aidmesh_node.views.pages import BadCursor

REPLAY_HEADER: Final = "Idempotent-Replay"

BODY_SECONDS_MAX: Final = 15.0
"""What fits its route's limit arrives in this time on the slowest useful line, or the caller is stuck."""

JSON = msgspec.json.Encoder(uuid_format="hex")
JSON_HEADERS: Final = CIMultiDict({**SECURITY_HEADERS, "Content-Type": "application/json; charset=utf-8"})

KINDS: Final[Mapping[str, type[Recorded]]] = {
    "need": Need, "offer": Offer, "pledge": Pledge, "member": Member, "dispute": Dispute,
    "fork": Fork,
}  # fmt: skip
"""What a path may name by `{id}`, by the word that views and people use for it."""

Known = Callable[[Work, UUID], object]
"""Raises NotFound where the caller may not even know that there is such a thing."""

P = ParamSpec("P")
Q = TypeVar("Q")


@dataclass(frozen=True, slots=True)
class Desk:
    """What all requests to one node share."""

    node: Node
    door: Door
    reads: Reads
    repeats: Repeats
    limits: Limits

    async def admit(self, request: web.Request, lowest: Role) -> Caller:
        """See `Door.admit`; who asks too often is told so. Raises Problem 401, 403 or 429."""
        try:
            caller = await self.door.admit(request, lowest)
        except Problem as problem:
            if problem.status == 401:
                self.limits.failed(request)
            raise
        self.limits.asked(caller)
        return caller


class Call:
    """What a handler gets. `body` is empty for GET; `once` is None unless the caller gave a key, `versions` unless
    they said which versions of the thing their command is meant for; with `dry_run` nothing is done."""

    __slots__ = (
        "_named", "body", "caller", "door", "dry_run", "node", "once", "reads", "repeats", "request", "versions",
    )  # fmt: skip

    def __init__(
        self,
        desk: Desk,
        request: web.Request,
        caller: Caller,
        body: bytes = b"",
        once: Once | None = None,
        versions: frozenset[int] | None = None,
        *,
        dry_run: bool = False,
    ) -> None:
        self.node, self.door, self.reads, self.repeats = desk.node, desk.door, desk.reads, desk.repeats
        self.request, self.caller, self.body, self.once, self.versions = request, caller, body, once, versions
        self.dry_run = dry_run
        self._named: tuple[type[Recorded], UUID, Known | None] | None = None

    @property
    def coordinating(self) -> bool:
        """Whether the caller is a coordinator or an operator."""
        return self.caller.rank >= Role.COORDINATOR

    def name(self, part: str) -> str:
        """What the path says at `{part}`."""
        return self.request.match_info[part]

    async def own_id(self, kind: str, known: Known | None = None) -> UUID:
        """The id of our own `kind` that the path names. What this call commits depends on its version from now on;
        where not everybody may know of it, `known` is asked before the version is told."""
        found = await self.reads.own_id(self.name("id"), kind)
        self._named = (KINDS[kind], found, known)
        return found

    def new_ids(self, count: int) -> list[UUID]:
        """Random ids, all from one draw."""
        return self.node.entropy.uuids(count)

    def act(self, act_id: UUID | None = None, on_behalf_of: UUID | None = None) -> Act:
        """This caller, now."""
        node, caller = self.node, self.caller
        return Act(act_id or node.entropy.uuid(), node.clock.now(), caller.actor, caller.role, on_behalf_of)

    async def commit(self, job: Job, status: int = 200) -> web.Response:
        """Make it durable, once; then answer with what `job` told and the position of the log. In a dry run: answer
        with what it would tell."""
        guarded = self.guarded(job)
        if self.dry_run:
            return self.told(await self.node.rehearse(guarded, creates=status == 201))
        reply = await self.node.commit(guarded, self.once)
        return self.told(reply.body, status, replayed=reply.replayed)

    def guarded(self, job: Job) -> Job:
        """`job` behind the caller's If-Match, looked at in the writer's transaction; it raises MovedOn there."""
        if self.versions is None or self._named is None:
            return job
        versions, (kind, id, known) = self.versions, self._named

        def unless_moved_on(work: Work) -> Mapping[str, object]:
            if known is not None:
                known(work, id)
            check_version(work.find(kind, id), versions)
            return job(work)

        return unless_moved_on

    def thing(self, body: Mapping[str, Any]) -> web.Response:
        """One thing with its ETag; only that, and 304, for a caller who has it already."""
        shown = JSON.encode(body)
        tag = etag(version_of(body), shown)
        if shows(self.request, tag):
            return web.Response(status=304, headers={**SECURITY_HEADERS, ETAG: tag})
        return web.Response(body=shown, headers={**JSON_HEADERS, ETAG: tag})

    def listed(self, page: Mapping[str, Any]) -> web.Response:
        """One page of a list, with a Link to the next one."""
        answer = json_answer(page)
        if page["cursor"] is not None:
            following = self.request.rel_url.update_query(cursor=page["cursor"])
            answer.headers["Link"] = f'<{following}>; rel="next"'
        return answer

    def told(self, body: Mapping[str, Any], status: int = 200, *, replayed: bool = False) -> web.Response:
        """The answer to something durable; `body` holds its position."""
        headers = JSON_HEADERS.copy()
        headers[POSITION_HEADER] = str(body["position"])
        if replayed:
            headers[REPLAY_HEADER] = "true"
        return web.Response(body=JSON.encode(body), status=status, headers=headers)

    async def repeatable(
        self,
        do: Callable[[], Awaitable[dict[str, object]]],
        status: int = 200,
        *,
        tried: Callable[[], Awaitable[dict[str, object]]] | None = None,
    ) -> web.Response:
        """Answer with what `do` gives, once for the caller's key; for requests that are no single commit. In a dry
        run: with what `tried` gives, which changes nothing. Raises Problem 422 `no_dry_run` where there is none."""
        if self.dry_run:
            if tried is None:
                raise cannot_be_tried()
            return json_answer({**await tried(), "dry_run": True})
        body, replayed = await self.repeats.run(self.once, do)
        headers = {**SECURITY_HEADERS, REPLAY_HEADER: "true"} if replayed else SECURITY_HEADERS
        return web.Response(body=JSON.encode(body), status=status, content_type="application/json", headers=headers)

    def query(self, shape: type[Q]) -> Q:
        """The query parameters as a struct. Raises Problem 400 for unknown, repeated or unusable ones."""
        given = self.request.query
        fields = dict(given)
        if len(fields) != len(given):
            raise bad_field("query", "A parameter is given twice")
        fields.pop("after", None)
        try:
            found = msgspec.convert(fields, shape, strict=False)
        except msgspec.ValidationError as error:
            raise of_decoding(error) from None
        for name in fields:
            # The text "null" is no way to leave a parameter out.
            if getattr(found, name) is None:
                raise bad_field(f"$.{name}", "Expected a value")
        return found

    async def page(
        self,
        ask: Callable[Concatenate[sqlite3.Connection, P], dict[str, Any]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> dict[str, Any]:
        """One page of a list. Raises Problem 400 for a cursor that no answer of ours gave."""
        try:
            return await self.node.views.query(ask, *args, **kwargs)
        except BadCursor:
            raise bad_field("$.cursor", "Expected the cursor of an earlier answer") from None


def json_answer(body: Mapping[str, Any], status: int = 200) -> web.Response:
    """A plain answer; one that shows a position says so in its header too."""
    headers = SECURITY_HEADERS
    if "position" in body:
        headers = {**SECURITY_HEADERS, POSITION_HEADER: str(body["position"])}
    return web.Response(body=JSON.encode(body), status=status, content_type="application/json", headers=headers)


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """A JSON body, whole. Raises Problem 408, 413 or 415."""
    body = await read_bytes(request, bytes_max)
    if body and request.content_type != "application/json":
        raise Problem(415, "not_json", "The body must be JSON.", "Send it with: Content-Type: application/json.")
    return body


async def read_bytes(request: web.Request, bytes_max: int) -> bytes:
    """The whole body. Raises Problem 408 or 413; never holds more than `bytes_max` and one chunk."""
    length = request.content_length
    if length is not None and length > bytes_max:
        raise _too_large(bytes_max)
    if not request.body_exists:
        return b""
    try:
        if request.content.is_eof():
            return await _gather(request, bytes_max)
        async with asyncio.timeout(BODY_SECONDS_MAX):
            return await _gather(request, bytes_max)
    except TimeoutError:
        raise Problem(
            408,
            "body_too_slow",
            f"The body did not arrive within {BODY_SECONDS_MAX:.0f} seconds.",
            "Send it again over a better line; with the same Idempotency-Key nothing happens twice.",
            headers={"Connection": "close"},
        ) from None


async def _gather(request: web.Request, bytes_max: int) -> bytes:
    read = request.content.readany
    body = await read()
    if request.content.at_eof() and len(body) <= bytes_max:
        return body
    chunks, size = [body], len(body)
    while True:
        if size > bytes_max:
            raise _too_large(bytes_max)
        chunk = await read()
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)


def _too_large(bytes_max: int) -> Problem:
    return Problem(
        413,
        "too_large",
        f"The body is larger than {bytes_max} bytes.",
        "Send less at once.",
        headers={"Connection": "close"},
    )
