"""`Dry-Run: true` on a POST: everything is checked and answered as if it were done, and nothing is.

Only that spelling: a request that was meant as a trial must never be taken for the real one.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from aidmesh_node.http.problems import Problem, bad_field

HEADER: Final = "Dry-Run"
WANTED: Final = "true"


def is_dry_run(request: web.Request) -> bool:
    """Whether the caller only tries. Raises Problem 400 for a header that says anything but `true`, once."""
    given = request.headers.getall(HEADER, ())
    if not given:
        return False
    if list(given) != [WANTED]:
        raise bad_field(HEADER, f"Expected `{WANTED}`, once; without the header the request is done")
    return True


def cannot_be_tried() -> Problem:
    """For what cannot be undone once it was begun, such as asking another node."""
    return Problem(
        422,
        "no_dry_run",
        "This cannot be tried without doing it; nothing was done.",
        "Ask without Dry-Run to do it.",
    )
