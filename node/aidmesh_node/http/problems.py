"""Every error becomes one problem document (RFC 9457), in one middleware.

A problem says what was wrong and what to do. It never holds a path, SQL, a traceback or
another person's data; our own faults show a correlation id and nothing else.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from aidmesh_node.application.moved_on import MovedOn
from aidmesh_node.application.not_found import NotFound
from aidmesh_node.application.ports import Erased
from aidmesh_node.application.unavailable import Unavailable
from aidmesh_node.domain.refused import Refused
from aidmesh_node.entropy import Entropy
from aidmesh_protocol.errors import STATUS, ProtocolError
from aidmesh_protocol.paths import PREFIX

log = logging.getLogger("aidmesh.http")

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Server": "aidmesh",
    "X-Content-Type-Options": "nosniff",
}

RETRY_AFTER = {"Retry-After": "1"}

CONFLICTS = frozenset(
    [
        "ask_first",
        "closed_long_ago",
        "declined",
        "dispute_over",
        "duplicate_of_a_duplicate",
        "erased",
        "expired",
        "hand_over_first",
        "handed_over",
        "just_asked",
        "last_operator",
        "more_than_accepted",
        "more_than_offered",
        "need_closed",
        "never_ends",
        "no_emergency",
        "not_accepted",
        "not_active",
        "not_closed",
        "not_committed",
        "not_confirmed",
        "not_enough_left",
        "not_exhausted",
        "not_pending",
        "not_shared",
        "not_recovering",
        "not_suspended",
        "not_tried_enough",
        "not_yours",
        "nothing_changed",
        "nothing_confirmed",
        "nothing_declared",
        "nothing_differs",
        "nothing_in_transit",
        "nothing_left",
        "nothing_new",
        "offer_closed",
        "pairing_refused",
        "released",
        "revised",
        "revoked",
        "severed",
        "still_a_member",
        "too_early",
        "too_many_disputes",
        "too_many_invitations",
        "too_many_revisions",
        "too_many_statements",
        "withdrawn",
        "words_differ",
    ]
)
"""Refusals about the state of things, not about the request: 409, as are all that begin with `already_`."""

STORAGE_FULL = "storage_full"


class Problem(Exception):
    """A request answered with an error. `code` is stable, `detail` and `hint` speak to a person."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.detail, self.hint = status, code, detail, hint
        self.errors, self.headers, self.extra = errors, headers or {}, extra or {}


def not_found() -> Problem:
    """The same words whether it does not exist or is not for this member's eyes."""
    return Problem(
        404,
        "not_found",
        "Nothing is known here by that name.",
        "Check the id; a list shows what you may see.",
    )


def bad_field(where: str, message: str) -> Problem:
    """One field of the request cannot be used; `where` is its JSON path."""
    return Problem(
        400,
        "malformed",
        f"The request cannot be used: {message} at {where}.",
        "Correct the field that is named and send the request again.",
        errors=({"where": where, "message": message},),
    )


def of_decoding(error: msgspec.DecodeError) -> Problem:
    """msgspec's message, split into the JSON path and what was wrong there."""
    message, _, place = str(error).partition(" - at `")
    where = place.rstrip("`") or "$"
    if message.startswith(("Object contains unknown field `", "Object missing required field `")):
        where += "." + message.split("`")[1]
    return bad_field(where, message)


def answer(problem: Problem) -> web.Response:
    """The problem as it goes out."""
    body: dict[str, object] = {
        "type": f"urn:aidmesh:problem:{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "hint": problem.hint,
        "code": problem.code,
        **problem.extra,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return web.Response(
        body=msgspec.json.encode(body),
        status=problem.status,
        content_type="application/problem+json",
        headers={**SECURITY_HEADERS, **problem.headers},
    )


def of_refusal(refused: Refused) -> Problem:
    """The domain's no: 403 for a right that is missing, 409 for a state that forbids it, else 422."""
    reason = refused.reason
    if reason == "not_allowed":
        status = 403
    elif reason in CONFLICTS or reason.startswith("already_"):
        status = 409
    else:
        status = 422
    # An import names every cell that is wrong; the rim need not know the class to pass them on.
    errors = [
        {
            "where": ":".join(str(part) for part in (one.file, one.row, one.column) if part),
            "message": one.message,
            "hint": one.hint,
        }
        for one in getattr(refused, "problems", ())
    ]
    found = getattr(refused, "count", None)
    extra = {} if found is None else {"errors_found": found}
    return Problem(status, reason, refused.detail, refused.hint, errors=errors, extra=extra)


def of_error(error: Exception, *, federation: bool) -> Problem | None:
    """The problem for an error that is not ours; None for one that is."""
    match error:
        case Problem():
            return error
        case Refused():
            return of_refusal(error)
        case NotFound():
            return not_found()
        case MovedOn():
            return Problem(
                412,
                "moved_on",
                f"It has changed since you looked at it: it is at version {error.version} now. Nothing was done.",
                "Read it again, decide again, and send the request with its new ETag.",
                extra={"version": error.version},
            )
        case Unavailable():
            status = 507 if error.reason == STORAGE_FULL else 503
            detail = error.detail or "The node cannot do this right now."
            return Problem(status, error.reason, detail, error.hint or "Try again in a moment.", headers=RETRY_AFTER)
        case Erased():
            return Problem(410, "erased", "The data of this person was erased.", "Nothing about them can be kept.")
        case ProtocolError() if federation:
            # A skewed clock is told our time and a nonce that stands in for its own.
            extra = {name: getattr(error, name) for name in ("server_time", "nonce") if hasattr(error, name)}
            headers = RETRY_AFTER if error.code == "rate" else None
            return Problem(STATUS[error.code], error.code, error.detail, extra=extra, headers=headers)
        case ProtocolError():
            return Problem(502, "peer_answered_badly", error.detail, "Ask the other group to look at their node.")
        case msgspec.DecodeError():
            return of_decoding(error)
        case web.HTTPException():
            return _of_aiohttp(error)
    return None


def _of_aiohttp(error: web.HTTPException) -> Problem:
    kept = {name: value for name in ("Allow", "Connection") if (value := error.headers.get(name))}
    phrase = HTTPStatus(error.status).phrase
    match error.status:
        case 404:
            return Problem(404, "unknown_route", "There is nothing at this address.", "Check the address.")
        case 405:
            hint = f"Use one of: {kept.get('Allow', '')}."
            return Problem(405, "method_not_allowed", "This address does not do that.", hint, headers=kept)
        case status:
            return Problem(status, phrase.lower().replace(" ", "_"), f"{phrase}.", headers=kept)


def rim(check_host: Callable[[web.Request], None], entropy: Entropy) -> Middleware:
    """The one middleware: what every request must have, and what every error becomes."""

    @web.middleware
    async def answer_or_explain(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            check_host(request)
            if request.headers.get("Content-Encoding", "identity") != "identity":
                raise Problem(
                    415,
                    "encoded_body",
                    "Compressed request bodies are not accepted.",
                    "Send the body as it is.",
                )
            return await handler(request)
        except ConnectionError:
            raise
        except Exception as error:
            problem = of_error(error, federation=request.path.startswith(PREFIX))
            return answer(problem or _our_fault(error, request, entropy))

    return answer_or_explain


def _our_fault(error: Exception, request: web.Request, entropy: Entropy) -> Problem:
    correlation = entropy.bytes(8).hex()
    # The message of an exception may quote what a person wrote: the log says where, not what.
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error(
        "request %s failed: %s %s: %s\n%s",
        correlation,
        request.method,
        _route(request),
        type(error).__qualname__,
        where,
    )
    return Problem(
        500,
        "internal",
        f"Something went wrong in this node; its log calls it {correlation}.",
        "Tell your operator.",
    )


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"
