"""For every operation a request that succeeds: things made ready in a node, so that a fuzzer starts from what works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Post = Callable[..., Awaitable[Any]]
"""(path below the API, body) -> the answer's JSON; fails unless it is 2xx."""

CONSENT = {"given": "self", "text_version": "1", "language": "en"}
NEED = {"category": "bedding", "item": "Blanket", "quantity": "100", "unit": "item", "urgency": "high"}
OFFER = {"category": "bedding", "item": "Blanket", "quantity": "1000", "unit": "item"}


@dataclass(frozen=True, slots=True)
class Example:
    """What goes into path and query, and the body; None: what the document's own example says."""

    path: Mapping[str, str] = field(default_factory=dict)
    body: object = None


async def make_ready(
    post: Post, invitation: str, pending: tuple[str, str], files: list[dict[str, str]]
) -> dict[str, Example]:
    """Examples by operationId, for an operator of a group with one active peer.

    `invitation` is one of a group that is no peer yet, `pending` the gid and words of one to be confirmed.
    """
    made: dict[str, Example] = {}

    async def need(name: str, body: object = None, *, shared: bool = False, **more: object) -> str:
        id = str((await post("/needs", {**NEED, **more}))["id"])
        if shared:
            await post(f"/needs/{id}/share", {"consent": CONSENT})
        if name:
            made[name] = Example({"id": id}, body)
        return id

    async def offer(name: str, body: object = None, *, shared: bool = False, **more: object) -> str:
        id = str((await post("/offers", {**OFFER, **more}))["id"])
        if shared:
            await post(f"/offers/{id}/share", {})
        if name:
            made[name] = Example({"id": id}, body)
        return id

    async def pledge(name: str, body: object = None, *steps: str) -> str:
        needed = await need("")
        id = str((await post("/pledges", {"need": needed, "quantity": "10"}))["id"])
        for step in steps:
            await post(f"/pledges/{id}/{step}", {})
        made[name] = Example({"id": id}, body)
        return id

    async def dispute(name: str, body: object = None) -> None:
        disputed = await pledge("open_dispute", {"about": "money", "text": "Who pays the van?"}, "accept")
        made[name] = Example(
            {"id": str((await post(f"/pledges/{disputed}/disputes", {"about": "quality"}))["id"])}, body
        )

    async def member(name: str, body: object = None) -> str:
        invited = await post("/members", {"name": "Bo", "role": "member"})
        made[name] = Example({"id": str(invited["id"])}, body)
        return str(invited["invitation"])

    await need("show_need")
    await need("withdraw_need", {})
    await need("close_need", {"reason": "met"})
    await need("share_need", {"consent": CONSENT})
    await need("unshare_need", {}, shared=True)
    await need("review_need", {})
    await need("record_contact", {"outcome": "no_answer"})
    await need("extend_need", {"until": "2027-01-20T00:00:00Z"}, until="2026-12-20T00:00:00Z")
    await need("amend_need", {"quantity": "90"})
    await need("change_urgency", {"urgency": "low", "reason": "better"})
    await need("share_wider", {"consent": CONSENT}, urgency="emergency", emergency_advice_acknowledged=True)
    await post(f"/needs/{await need('reopen_need', {})}/close", {"reason": "met"})
    await offer("show_offer")
    await offer("withdraw_offer", {})
    await offer("share_offer", {})
    await offer("unshare_offer", {}, shared=True)
    await offer("confirm_offer", {})
    await offer("extend_offer", {"until": "2027-01-20T00:00:00Z"}, until="2026-12-20T00:00:00Z")
    await offer("close_offer", {"reason": "superseded"})
    await post(f"/offers/{await offer('reopen_offer', {})}/withdraw", {})
    made["offer_pledge"] = Example(body={"need": await need(""), "quantity": "10", "offer": await offer("")})
    await pledge("show_pledge")
    await pledge("revise_pledge", {"quantity": "5"})
    await pledge("withdraw_pledge", {})
    await pledge("counter_pledge", {"quantity": "5"})
    await pledge("accept_pledge", {})
    await pledge("decline_pledge", {"reason": "timing"})
    await pledge("hand_over", {"quantity": "10"}, "accept")
    await pledge("release_pledge", {"reason": "found_elsewhere"}, "accept")
    await pledge("receive_pledge", {}, "accept", "hand-over")
    await pledge("ask_receipt", {"how": "phone"}, "accept", "hand-over")
    await pledge("correct_pledge", {"quantity": "9", "side": "home"}, "accept", "hand-over", "receive")
    differing = await pledge("leave_discrepancy", {}, "accept", "hand-over", "receive")
    await post(f"/pledges/{differing}/correct", {"quantity": "9", "side": "home"})
    await dispute("show_dispute")
    await dispute("add_statement", {"text": "Two boxes were wet."})
    await dispute("resolve_dispute", {"how": "explained"})
    await member("show_member")
    await member("change_role", {"role": "coordinator"})
    await member("revoke_member", {})
    await member("forget_member", {})
    await post(f"/members/{made['forget_member'].path['id']}/revoke", {})
    made["join"] = Example(body={"invitation": await member("show_member")})
    made["accept_peer"] = Example(body={"invitation": invitation})
    made["show_peer"] = Example({"gid": pending[0]})
    made["confirm_peer"] = Example({"gid": pending[0]}, {"words": pending[1]})
    made["import_files"] = Example(body={"files": files})
    return made


def with_examples(document: dict[str, Any], examples: Mapping[str, Example]) -> dict[str, Any]:
    """The document with these examples in place of its own. Changes what it is given."""
    for operations in document["paths"].values():
        for described in operations.values():
            example = examples.get(described["operationId"], Example())
            for parameter in described["parameters"]:
                if parameter.get("name") in example.path:
                    parameter["example"] = example.path[parameter["name"]]
            if example.body is not None:
                described["requestBody"]["content"]["application/json"]["example"] = example.body
    return document
