"""Which problems a route can answer with: its own, and those that come with its method, its role and its path."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from aidmesh_node.http.app import Route
from aidmesh_node.http.auth import Role

ALWAYS: Final = {
    400: "bad_request malformed",
    415: "encoded_body",
    421: "unknown_host",
    500: "internal",
}
READING: Final = {400: "unknown_position", 503: "busy closing storage views_behind"}
"""A reader may find the disk broken, or the lists behind."""
WRITING: Final = {
    408: "body_too_slow",
    413: "too_large",
    415: "not_json",
    422: "idempotency_key_reused no_dry_run",
    503: "busy closing mark storage views_behind",
    507: "storage_full",
}
ABOUT_ONE: Final = {404: "not_found unknown_route", 409: "ambiguous_id"}
CHANGING_ONE: Final = {403: "not_allowed", 409: "not_ours", 412: "moved_on"}
BEHIND_THE_DOOR: Final = {401: "unauthenticated", 429: "too_many_attempts too_many_requests"}
BEFORE_THE_DOOR: Final = {429: "too_many_attempts"}
"""For a stranger's command that is refused once too often."""
ABOVE_MEMBER: Final = {403: "not_allowed"}


def problem_codes(route: Route) -> dict[int, tuple[str, ...]]:
    """The codes by status, in order."""
    command, one = route.method == "POST", "{" in route.path
    sources = [
        ALWAYS,
        WRITING if command else READING,
        ABOUT_ONE if one else {},
        CHANGING_ONE if one and command else {},
        BEHIND_THE_DOOR if route.role > Role.PEER else BEFORE_THE_DOOR if command else {},
        ABOVE_MEMBER if route.role > Role.MEMBER else {},
    ]
    found: defaultdict[int, set[str]] = defaultdict(set)
    for source in sources:
        for status, text in source.items():
            found[status].update(text.split())
    for status, codes in route.handler.refuses.items():
        found[status].update(codes)
    return {status: tuple(sorted(codes)) for status, codes in found.items()}
