"""The headers of the API, each described once, and which request or answer has which."""

from __future__ import annotations

from typing import Any, Final

from aidmesh_node.http.call import REPLAY_HEADER
from aidmesh_node.http.dry_run import HEADER as DRY_RUN_HEADER
from aidmesh_node.http.dry_run import WANTED as DRY_RUN_WANTED
from aidmesh_node.http.etag import ETAG, IF_MATCH, IF_NONE_MATCH
from aidmesh_node.http.idempotency import HEADER as KEY_HEADER
from aidmesh_node.http.idempotency import KEY_CHARS_MAX
from aidmesh_node.http.live import LAST_EVENT_ID
from aidmesh_node.http.reading import POSITION_HEADER

Json = dict[str, Any]

_TAGS: Final = r'^(\*|"[0-9]{1,18}(\.[0-9a-f]{16})?")$'
_POSITION: Final = "^(now|[0-9]{1,18})$"

PARAMETERS: Final[Json] = {
    KEY_HEADER: {
        "name": KEY_HEADER,
        "in": "header",
        "description": "A random text of your own (a UUID will do), the same one when you repeat this request: it is "
        "done once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": "^[!-~]+$"},
    },
    DRY_RUN_HEADER: {
        "name": DRY_RUN_HEADER,
        "in": "header",
        "description": "Everything is checked and answered as if it were done, and nothing is.",
        "schema": {"type": "string", "enum": [DRY_RUN_WANTED]},
    },
    POSITION_HEADER: {
        "name": POSITION_HEADER,
        "in": "header",
        "description": "A position an earlier answer told, or `now`: the answer is not older. Waits up to a second.",
        "schema": {"type": "string", "pattern": _POSITION},
        "example": "now",
    },
    "after": {
        "name": "after",
        "in": "query",
        "description": f"As `{POSITION_HEADER}`, for who cannot send headers.",
        "schema": {"type": "string", "pattern": _POSITION},
        "example": "now",
    },
    IF_MATCH: {
        "name": IF_MATCH,
        "in": "header",
        "description": 'An `ETag` of this thing, or its version in quotes (`"7"`): the command is refused with 412 '
        "when the thing has changed since. Of many at once with the same one, one is done.",
        "schema": {"type": "string", "pattern": _TAGS},
        "example": "*",
    },
    LAST_EVENT_ID: {
        "name": LAST_EVENT_ID,
        "in": "header",
        "description": "The `id` of the last event that was read: what changed since then follows.",
        "schema": {"type": "string"},
    },
    IF_NONE_MATCH: {
        "name": IF_NONE_MATCH,
        "in": "header",
        "description": "An `ETag` of this thing: 304 without a body while it is still the same.",
        "schema": {"type": "string", "pattern": _TAGS},
        "example": '"7.d1c2b3a4f5e60718"',
    },
}

HEADERS: Final[Json] = {
    POSITION_HEADER: {
        "description": "The place in the log that this answer shows, or where the command was written.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
        "example": "42",
    },
    ETAG: {
        "description": "The version of this thing, and a digest of how it is shown.",
        "schema": {"type": "string", "pattern": r'^"[0-9]+\.[0-9a-f]{16}"$'},
        "example": '"7.d1c2b3a4f5e60718"',
    },
    REPLAY_HEADER: {
        "description": "`true`: this request was done before, under the same key; this is the first answer again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Link": {
        "description": "The next page, where there is one.",
        "schema": {"type": "string", "pattern": '^<[^>]+>; rel="next"$'},
        "example": '</api/v1/needs?limit=2&cursor=WyIyMDI2Il0=>; rel="next"',
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "1",
    },
    "WWW-Authenticate": {"description": "How to say who you are.", "schema": {"type": "string"}, "example": "Bearer"},
}


def reference(name: str) -> Json:
    """A header of the document."""
    return {"$ref": f"#/components/headers/{name}"}


def parameters(method: str, *, about_one: bool, open_to_all: bool) -> list[Json]:
    """The headers, and `after`, that a request may have."""
    if method == "POST":
        names = [KEY_HEADER, DRY_RUN_HEADER, *([IF_MATCH] if about_one else [])]
    elif open_to_all:
        names = []
    else:
        names = [POSITION_HEADER, "after", IF_NONE_MATCH] if about_one else [POSITION_HEADER, "after"]
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def of_answer(method: str, *, has_position: bool, has_version: bool, has_pages: bool) -> Json:
    """The headers of a good answer."""
    names = []
    if has_position:
        names.append(POSITION_HEADER)
    if method == "POST":
        names.append(REPLAY_HEADER)
    elif has_version:
        names.append(ETAG)
    if has_pages:
        names.append("Link")
    return {name: reference(name) for name in names}


def of_problem(status: int) -> Json:
    """The headers of a problem."""
    match status:
        case 401:
            return {"WWW-Authenticate": reference("WWW-Authenticate")}
        case 429 | 503 | 507:
            return {"Retry-After": reference("Retry-After")}
    return {}
