"""What schemathesis cannot know of the API it tries: loaded by `schemathesis run` through SCHEMATHESIS_HOOKS.

Touches only requests that fit the document; what is meant to be wrong goes out as it is.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from schemathesis.generation.modes import GenerationMode

ITSELF = os.environ["AIDMESH_FUZZ_MEMBER"]
"""The member whose token all requests carry: with its role gone every later answer would be 401 or 403."""

POSITIONS = 5
"""The node has come further than this before the run."""

NOBODY = "f" * 32


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    if case.path.startswith("/api/v1/members/{id}/") and str(case.path_parameters.get("id")) in ITSELF:
        case.path_parameters["id"] = NOBODY
    if (
        case.path == "/api/v1/events"
        and isinstance(case.query, dict)
        and case.query.get("follow", True) in (True, "true")
    ):
        case.query["follow"] = "false"  # else the answer has no end
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    # A cursor is only what an answer gave, and a position only what an answer told: no text shows which.
    if isinstance(case.query, dict):
        case.query.pop("cursor", None)
        _told(case.query, "after")
    if case.headers is not None:
        _told(case.headers, "Aidmesh-Position")
        for name in ("If-Match", "If-None-Match"):
            # The coverage phase counts 0 among what fits, whatever the pattern says.
            if case.headers.get(name) == "0":
                del case.headers[name]


def _told(given: Any, name: str) -> None:
    value = given.get(name)
    if isinstance(value, str) and value.isdigit():
        given[name] = str(int(value) % POSITIONS)
