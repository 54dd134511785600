"""Holds real answers against the API document: every status, header, code and member of an answer must be in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from jsonschema_rs import Draft202012Validator

from aidmesh_node.http.document import make_document

Json = dict[str, Any]

RENEW = "python -m aidmesh_node.http.document"


@cache
def document() -> Json:
    """The document as made from the code that is tested."""
    return make_document()


def check_answer(method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> None:
    """Raises AssertionError, saying what to document where, for an answer that the document does not tell of.

    `path` is as requested. What is not a route of the members' API is not looked at.
    """
    found = find_operation(method, path.partition("?")[0])
    if found is None:
        return
    route, described = found
    place = f"{method} {route} answered {status}"
    answer = described["responses"].get(str(status))
    assert answer is not None, f"{place}, which its @operation does not tell of: {text[:300]}"
    if "$ref" in answer:
        answer = _resolve(answer["$ref"])
    for name, header in answer.get("headers", {}).items():
        value = headers.get(name)
        if value is not None:
            schema = _resolve(header["$ref"])["schema"]
            assert re.fullmatch(schema.get("pattern", ".*"), value), f"{place} with {name}: {value}"
    if "content" not in answer:
        assert text == "", f"{place} with a body: {text[:300]}"
        return
    kind = headers.get("Content-Type", "").partition(";")[0]
    assert kind in answer["content"], f"{place} as {kind}, and the document says {list(answer['content'])}"
    if not kind.endswith("json"):
        return
    body = json.loads(text)
    if "x-codes" in answer:
        assert body["code"] in answer["x-codes"], (
            f"{place} with the code {body['code']}: add it to `refuses` of its @operation, then {RENEW}"
        )
    schema = answer["content"][kind]["schema"]
    problems = [
        f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in validator(schema).iter_errors(body)
    ]
    assert not problems, f"{place}, unlike the document ({'; '.join(problems)[:600]}): correct answers.py, then {RENEW}"


def request_problems(method: str, target: str, body: Any) -> list[str]:
    """What of a request the document does not tell of; `target` is the path with its query, `body` its JSON or None."""
    path, _, query = target.partition("?")
    found = find_operation(method, path)
    if found is None:
        return [f"{method} {path} is no operation"]
    route, described = found
    problems = []
    known = {given["name"]: given for given in described["parameters"] if given.get("in") == "query"}
    for name, value in parse_qsl(query):
        if name not in known:
            problems.append(f"{method} {route} has no parameter {name}")
        elif not _fits(known[name]["schema"], value):
            problems.append(f"{method} {route} takes no {name}={value}")
    takes = described.get("requestBody")
    if takes is None or body is None:
        return problems if takes is None or not takes["required"] else [*problems, f"{method} {route} needs a body"]
    schema = takes["content"]["application/json"]["schema"]
    return problems + [f"{method} {route}: {error.message}" for error in validator(schema).iter_errors(body)]


def _fits(schema: Json, text: str) -> bool:
    """Whether the text of a query parameter can be read as what the schema asks for."""
    values: list[object] = [text]
    if text.isdigit():
        values.append(int(text))
    if text in ("true", "false"):
        values.append(text == "true")
    return any(validator(schema).is_valid(value) for value in values)


def find_operation(method: str, path: str) -> tuple[str, Json] | None:
    """(path with its parameters, operation) for a path as requested; None for what is no route of the members' API."""
    for pattern, route, operations in _routes():
        if pattern.fullmatch(path) and method.lower() in operations:
            return route, operations[method.lower()]
    return None


@cache
def _routes() -> list[tuple[re.Pattern[str], str, Json]]:
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route))), route, operations)
        for route, operations in document()["paths"].items()
    ]


def _resolve(reference: str) -> Json:
    value: Any = document()
    for part in reference.removeprefix("#/").split("/"):
        value = value[part]
    assert isinstance(value, dict)
    return value


def validator(schema: Json) -> Draft202012Validator:
    """For a schema of the document, whose references it knows."""
    return _validators(json.dumps(schema))


@cache
def _validators(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": _closed_components()})


@cache
def _closed_components() -> Json:
    """The document's, with closed answers: a client lets pass what it does not know, we do not."""
    components: Json = json.loads(json.dumps(document()["components"]))
    for name, schema in components["schemas"].items():
        if "properties" in schema and name not in ("Problem", "Tried"):
            schema["additionalProperties"] = False
    return components
