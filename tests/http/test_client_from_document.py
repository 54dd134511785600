"""A client that knows nothing but the document: operations by name, its examples as bodies, its links to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import ClientSession

from .conftest import Group

Json = dict[str, Any]


@dataclass(slots=True)
class Told:
    """One answer, and which operation gave it."""

    operation: Json
    status: int
    headers: dict[str, str]
    body: Json

    def follow(self, name: str) -> dict[str, str]:
        """The path parameters that the document's link to the operation `name` takes from this answer."""
        link = self.operation["responses"][str(self.status)]["links"][name]
        found = {}
        for parameter, expression in link["parameters"].items():
            value: Any = self.body
            for part in expression.removeprefix("$response.body#/").split("/"):
                value = value[part]
            found[parameter] = str(value)
        return found


class Client:
    """Reads /api/openapi.json first; everything else it does, that told it."""

    def __init__(self, session: ClientSession, url: str, document: Json, token: str) -> None:
        self._session, self._url = session, url
        self._operations = {
            described["operationId"]: (method, path, described)
            for path, operations in document["paths"].items()
            for method, described in operations.items()
        }
        self._components: Json = document["components"]
        scheme = self._components["securitySchemes"]["token"]
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
        self._authorization = {"Authorization": f"Bearer {token}"}

    def example(self, name: str, **changed: object) -> Json:
        """The document's own example of a body, changed."""
        _, _, described = self._operations[name]
        return {**described["requestBody"]["content"]["application/json"]["example"], **changed}

    async def call(self, name: str, path: Json | None = None, body: Json | None = None, **headers: str) -> Told:
        method, template, described = self._operations[name]
        parameters = [self._parameter(given) for given in described["parameters"]]
        for given in parameters:
            if given["in"] == "path":
                template = template.replace(f"{{{given['name']}}}", quote((path or {})[given["name"]], safe=""))
        known = {given["name"].lower(): given["name"] for given in parameters if given["in"] == "header"}
        sent = {known[header.replace("_", "-").lower()]: value for header, value in headers.items()}
        if described["security"]:
            sent |= self._authorization
        async with self._session.request(method, self._url + template, headers=sent, json=body) as answer:
            assert str(answer.status) in described["responses"], (name, answer.status)
            return Told(described, answer.status, dict(answer.headers), await answer.json(content_type=None))

    def _parameter(self, given: Json) -> Json:
        reference = given.get("$ref")
        if reference is None:
            return given
        found: Json = self._components["parameters"][reference.rpartition("/")[2]]
        return found


async def test_the_document_alone_is_enough_for_the_main_job(group: Group) -> None:
    async with group.session.get(group.url + "/api/openapi.json") as answer:
        document = await answer.json()
    client = Client(group.session, group.url, document, group.tokens["coordinator"])
    thing = {"quantity": "30", "unit": "item", "category": "bedding"}
    need = await client.call("post_need", body=client.example("post_need", **thing), idempotency_key="one-need")
    again = await client.call("post_need", body=client.example("post_need", **thing), idempotency_key="one-need")
    assert (need.status, again.body) == (201, need.body)
    offer = await client.call("post_offer", body=client.example("post_offer", **thing))
    promise = client.example("offer_pledge", need=need.body["id"], quantity="30") | {"offer": offer.body["id"]}
    pledge = await client.call("offer_pledge", body=promise)

    seen = await client.call("show_pledge", pledge.follow("show_pledge"), aidmesh_position=str(pledge.body["position"]))
    tag = next(value for name, value in seen.headers.items() if name.lower() == "etag")
    assert seen.body["phase"] == "offered"
    accepted = await client.call("accept_pledge", pledge.follow("accept_pledge"), {}, if_match=tag)
    assert accepted.body["phase"] == "committed"
    late = await client.call("withdraw_pledge", pledge.follow("withdraw_pledge"), {}, if_match=tag)
    assert (late.status, late.body["code"]) == (412, "moved_on")
    assert (await client.call("hand_over", pledge.follow("hand_over"))).body["phase"] == "handed_over"
    received = await client.call("receive_pledge", pledge.follow("receive_pledge"))
    assert received.body["phase"] == "received"
    shown = await client.call("show_need", need.follow("show_need"), aidmesh_position=str(received.body["position"]))
    assert (shown.body["open"], shown.body["fulfilment"]) == ("0", "full")
