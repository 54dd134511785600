"""The API document: made from the code, committed, valid, whole, and enough to write a client from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from aidmesh_node.http.app import ROUTES
from aidmesh_node.http.document import document_text
from aidmesh_node.http.operation import Operation
from aidmesh_node.http.reference import DOCUMENT_FILE
from tests.house.tree import ROOT
from tests.support.document import RENEW, document, find_operation, validator

from .conftest import Group

COMMITTED = ROOT / "node" / "aidmesh_node" / "http" / DOCUMENT_FILE

OPERATIONS = {
    described["operationId"]: described
    for operations in document()["paths"].values()
    for described in operations.values()
}


def test_the_committed_document_is_what_the_code_says() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == document_text(), f"renew it: {RENEW}"


def test_it_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(json.loads(COMMITTED.read_text(encoding="utf-8"))).validate()
    assert document()["openapi"] == "3.1.0"


def test_what_is_wrong_with_a_document_is_seen() -> None:
    broken = {**document(), "paths": {"no-slash": {"get": {"responses": {}}}}}
    assert not OpenAPIV31SpecValidator(broken).is_valid()


def test_its_paths_are_the_routes_both_ways() -> None:
    told = {(method.upper(), path) for path, operations in document()["paths"].items() for method in operations}
    assert told == {(route.method, route.path) for route in ROUTES}


async def test_its_paths_are_what_the_router_serves(group: Group) -> None:
    """By asking, not by reading the table: each path with each method, and a method it does not have."""
    for path in document()["paths"]:
        named = path.replace("{id}", "f" * 32).replace("{gid}", "f" * 32).replace("{number}", "1")
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            answer = await group.ask(None, method, named)
            assert (answer.code == "method_not_allowed") == (find_operation(method, named) is None), (method, path)
            assert answer.code != "unknown_route"


def test_a_route_without_documentation_cannot_be() -> None:
    for route in ROUTES:
        handler = route.handler
        assert isinstance(handler, Operation), f"put @operation(...) above the handler of {route.method} {route.path}"
        place = f"the docstring of {handler.name} in {handler.serve.__module__}"
        assert handler.summary and len(handler.summary) <= 70, f"{place}: its first line is the summary"
        assert handler.description, f"{place}: after an empty line, say what a client has to know"
        if route.method == "POST":
            assert handler.takes is not None, f"{handler.name}: takes="


def test_every_operation_says_who_what_and_how() -> None:
    assert len(OPERATIONS) == len(ROUTES), "two handlers have the same name, which is their operationId"
    for name, described in OPERATIONS.items():
        assert described["tags"] and described["responses"] and "security" in described, name
        good = {status: answer for status, answer in described["responses"].items() if status < "300"}
        assert good, name
        for answer in good.values():
            (content,) = answer["content"].values()
            assert content["schema"], name
            assert "example" in content or "text/html" in answer["content"], name


@pytest.mark.parametrize("name", OPERATIONS)
def test_its_examples_fit_its_schemas(name: str) -> None:
    described = OPERATIONS[name]
    bodies = [described["requestBody"]] if "requestBody" in described else []
    answers = [answer for status, answer in described["responses"].items() if status < "300"]
    for content in (content for part in (*bodies, *answers) for content in part["content"].values()):
        if "example" in content:
            validator(content["schema"]).validate(content["example"])


def test_every_type_is_used_and_every_pattern_is_understood_elsewhere() -> None:
    text = json.dumps(document())
    for kind, parts in document()["components"].items():
        for name in parts:
            assert kind == "securitySchemes" or f'"#/components/{kind}/{name}"' in text, (kind, name)
    assert r"\\A" not in text and r"\\Z" not in text  # Python's own; other languages know ^ and $


def test_every_thing_that_is_made_is_linked_to_what_can_be_done_with_it() -> None:
    paths: dict[str, Any] = document()["paths"]
    for kind in ("needs", "offers", "pledges", "members"):
        links = set(paths[f"/api/v1/{kind}"]["post"]["responses"]["201"]["links"])
        below = {
            described["operationId"]
            for path, operations in paths.items()
            if path.startswith(f"/api/v1/{kind}/{{id}}")
            for described in operations.values()
        }
        assert links == below, kind


async def test_anybody_may_have_it(group: Group) -> None:
    answer = await group.ask(None, "GET", "/api/openapi.json")
    assert answer.status == 200
    assert answer.body == document()


def test_the_checks_of_answers_would_see_a_member_nobody_documented() -> None:
    need = {"$ref": "#/components/schemas/Need"}
    example = json.loads(
        json.dumps(OPERATIONS["list_needs"]["responses"]["200"]["content"]["application/json"]["example"])
    )
    (shown,) = example["items"]
    validator(need).validate(shown)
    assert list(validator(need).iter_errors({**shown, "phone": "7712"}))
    assert list(validator(need).iter_errors({name: value for name, value in shown.items() if name != "open"}))
