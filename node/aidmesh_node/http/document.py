"""The API document (OpenAPI 3.1), made from the route table and the types; `python -m aidmesh_node.http.document`
writes it to openapi.json, which is what a node serves. Knows no route by name.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aidmesh_node.http import document_headers as headers
from aidmesh_node.http.answers_node import Problem, Tried
from aidmesh_node.http.app import ROUTES, Route
from aidmesh_node.http.auth import Role
from aidmesh_node.http.document_problems import problem_codes
from aidmesh_node.http.operation import JSON_TYPE
from aidmesh_node.http.reference import DOCUMENT_FILE
from aidmesh_node.http.schemas import Schemas, example_of

Json = dict[str, Any]

PROBLEM_TYPE: Final = "application/problem+json"
TOKEN: Final = "token"

API_VERSION: Final = "1"
"""Of the paths below /api/v1, not of the program: a client that knows it need not look at releases."""

DESCRIPTION: Final = """\
The API of one group's node. People and their programs use it; other groups' nodes have a protocol of their own.

**Who you are.** A member's token, shown once when they join: `Authorization: Bearer amesh_...`. Each operation names
the lowest role that opens it; operators may do what coordinators may, coordinators what members may.

**Done means durable.** A command is answered after it is on disk. Give every POST an `Idempotency-Key` of your own, and
repeat it with the same key when an answer was lost: it is done once, and the first answer comes again.

**Reading your own writes.** Lists follow the log a moment later. Send the newest `position` you were told as
`Aidmesh-Position` (or `now` for all that is durable) and the answer is not older than that.

**Not acting on something stale.** One thing comes with an `ETag`. Send it back as `If-Match` with a command, and the
command is refused with 412 when the thing has changed since; as `If-None-Match` with a GET, and 304 says it has not.

**Trying first.** A POST with `Dry-Run: true` passes every check, answers with what would happen, and does nothing.

**Errors** are problem documents (RFC 9457). `code` is for programs, `detail` and `hint` are for people. Each operation
lists its codes in `x-codes`.

**Amounts** are decimal text, never JSON numbers. **Ids** are 32 hex digits; where one is asked for, so many of its
first characters do (at least 6) that only one thing begins with them. **Times** are RFC 3339."""

TAGS: Final = {
    "needs": "What somebody asks for.",
    "offers": "What somebody can give.",
    "pledges": "Who promised what towards which need, and what became of it.",
    "disputes": "What people want looked at, about a pledge.",
    "board": "What is open now, and what could cover it.",
    "members": "Who of this group may do what.",
    "bundles": "Files that carry news between groups where no network does.",
    "peers": "Other groups, and the circles shared with them.",
    "forks": "Feeds of which somebody has signed two histories.",
    "node": "The node about itself.",
}
_TAG_OF: Final = {
    "bundle-sizes": "bundles",
    "bundle-pieces": "bundles",
    "suggestions": "board",
    "join": "members",
    "circles": "peers",
    "imports": "needs",
}

_PARTS: Final = {
    "id": "The id, or so many of its first characters (at least 6) that only one begins with them.",
    "gid": "A gid, a name, or the beginning of one, so that only one group is meant.",
}


def make_document() -> Json:
    """The whole document. The same routes and types give the same bytes."""
    schemas = Schemas()
    shared: Json = {}
    paths: Json = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas, shared)
    _add_links(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "aidmesh",
            "version": API_VERSION,
            "summary": "Mutual aid groups help each other.",
            "description": DESCRIPTION,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/", "description": "The node that serves this document."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A member's token. The role that an operation asks for is beside it.",
                }
            },
            "schemas": dict(sorted(schemas.components.items())),
            "parameters": headers.PARAMETERS,
            "headers": headers.HEADERS,
            "responses": dict(sorted(shared.items())),
        },
    }


def document_text() -> str:
    """As committed: one member a line, so that changes are seen."""
    return json.dumps(make_document(), indent=1, ensure_ascii=False) + "\n"


def _operation(route: Route, schemas: Schemas, shared: Json) -> Json:
    handler = route.handler
    first = route.path.removeprefix("/api/v1/").split("/")[0]
    tag = first if first in TAGS else _TAG_OF.get(first, "node")
    described: Json = {
        "operationId": handler.name,
        "tags": [tag],
        "summary": handler.summary,
        "description": handler.description,
        "security": [{TOKEN: [route.role.name.lower()]}] if route.role > Role.PEER else [],
        "parameters": _parameters(route, schemas),
    }
    if handler.takes is not None:
        schema = schemas.reference(handler.takes.shape)
        content = {"schema": schema, "example": example_of(schema, schemas.components)}
        described["requestBody"] = {"required": not handler.takes.optional, "content": {JSON_TYPE: content}}
    described["responses"] = {
        **_answers(route, schemas),
        **_problems(route, schemas, shared),
    }
    return described


def _parameters(route: Route, schemas: Schemas) -> list[Json]:
    parts = [part.strip("{}") for part in route.path.split("/") if part.startswith("{")]
    found: list[Json] = [
        {
            "name": part,
            "in": "path",
            "required": True,
            "description": _PARTS.get(part, "As an earlier answer gave it."),
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }
        for part in parts
    ]
    if route.handler.asks is not None:
        found += schemas.parameters(route.handler.asks)
    found += headers.parameters(route.method, about_one=bool(parts), open_to_all=route.role <= Role.PEER)
    found += [{"$ref": f"#/components/parameters/{name}"} for name in route.handler.headers]
    return found


def _answers(route: Route, schemas: Schemas) -> Json:
    found = {str(status): _answer(route, status, shape, schemas) for status, shape in route.handler.tells.items()}
    if route.method == "POST":
        tried = _answer(route, HTTPStatus.OK, Tried, schemas)
        if "200" in found:
            told, other = found["200"]["content"][JSON_TYPE], tried["content"][JSON_TYPE]
            told["schema"] = {"anyOf": [told["schema"], other["schema"]]}
        else:
            found["200"] = tried
    return dict(sorted(found.items()))


def _answer(route: Route, status: int, shape: type, schemas: Schemas) -> Json:
    handler = route.handler
    told: Json = {"description": _first_line(shape) or HTTPStatus(status).phrase}
    schema = schemas.reference(shape)
    content: Json = {"schema": schema}
    if "$ref" in schema:
        content["example"] = example_of(schema, schemas.components)
    members = schemas.members(shape)
    one = "{" in route.path
    told["headers"] = headers.of_answer(
        route.method,
        has_position="position" in members,
        has_version=one and "version" in members,
        has_pages="cursor" in members,
    )
    told["content"] = {handler.media_type: content}
    return told


def _problems(route: Route, schemas: Schemas, shared: Json) -> Json:
    found: Json = {}
    if route.method == "GET" and "{" in route.path:
        found["304"] = {"description": "You have it already.", "headers": {"ETag": headers.reference("ETag")}}
    for status, codes in sorted(problem_codes(route).items()):
        problem = {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}.",
            "headers": headers.of_problem(status),
            "content": {PROBLEM_TYPE: {"schema": schemas.reference(Problem)}},
            "x-codes": list(codes),
        }
        if not problem["headers"]:
            del problem["headers"]
        name = _name_of_problem(status, codes)
        shared[name] = problem
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _name_of_problem(status: int, codes: Sequence[str]) -> str:
    """The same for the same codes, whatever other routes there are."""
    if len(codes) == 1:
        return f"{status}-{codes[0]}"
    return f"{status}-{hashlib.sha256(' '.join(codes).encode()).hexdigest()[:6]}"


def _add_links(paths: Json) -> None:
    """What a POST to a list made can be asked for, and changed, by the id in its answer."""
    for path, operations in paths.items():
        made = operations.get("post", {}).get("responses", {}).get("201")
        if made is None:
            continue
        for part, place in (("id", "id"), ("gid", "gid")):
            below = f"{path}/{{{part}}}"
            links = {
                operation["operationId"]: {
                    "operationId": operation["operationId"],
                    "parameters": {part: f"$response.body#/{place}"},
                }
                for other, others in paths.items()
                if other == below or other.startswith(below + "/")
                for operation in others.values()
            }
            if links:
                made["links"] = links


def _first_line(shape: type) -> str:
    return (shape.__doc__ or "").strip().partition("\n")[0]


def main(write: Callable[[str], object] = sys.stdout.write) -> None:
    """Renew the committed file."""
    path = Path(__file__).with_name(DOCUMENT_FILE)
    path.write_text(document_text(), encoding="utf-8")
    write(f"{path}\n")


if __name__ == "__main__":
    main()
