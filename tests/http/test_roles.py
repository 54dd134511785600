"""Every route and every role against a table written by hand. What the table does not open is shut."""

from __future__ import annotations

import pytest

from aidmesh_node.http.app import ROUTES
from aidmesh_node.http.federation_routes import PEER_ROUTES

from .conftest import Group

NOBODY, MEMBER, COORDINATOR, OPERATOR = range(4)
RANKS = {None: NOBODY, "member": MEMBER, "coordinator": COORDINATOR, "operator": OPERATOR}

TABLE = """
GET  /healthz                           nobody
GET  /readyz                            nobody
POST /api/v1/join                       nobody
GET  /api/openapi.json                  nobody
GET  /api/docs                          nobody
GET  /api/v1/status                     member
POST /api/v1/needs                      member
GET  /api/v1/needs                      member
GET  /api/v1/needs/{id}                 member
POST /api/v1/needs/{id}/withdraw        member
POST /api/v1/needs/{id}/reopen          member
POST /api/v1/needs/{id}/review          member
POST /api/v1/needs/{id}/contact-attempt member
POST /api/v1/needs/{id}/extend          member
POST /api/v1/needs/{id}/amend           member
POST /api/v1/needs/{id}/urgency         member
GET  /api/v1/emergency-advice           member
POST /api/v1/needs/{id}/share-wider     coordinator
POST /api/v1/offers                     member
GET  /api/v1/offers                     member
GET  /api/v1/offers/{id}                member
POST /api/v1/offers/{id}/withdraw       member
POST /api/v1/offers/{id}/confirm        member
POST /api/v1/offers/{id}/extend         member
POST /api/v1/offers/{id}/reopen         member
POST /api/v1/offers/{id}/close          member
POST /api/v1/pledges                    member
GET  /api/v1/pledges                    member
GET  /api/v1/pledges/{id}               member
POST /api/v1/pledges/{id}/revise        member
POST /api/v1/pledges/{id}/commit        member
POST /api/v1/pledges/{id}/withdraw      member
POST /api/v1/pledges/{id}/hand-over     member
POST /api/v1/pledges/{id}/counter       member
POST /api/v1/pledges/{id}/accept        member
POST /api/v1/pledges/{id}/decline       member
POST /api/v1/pledges/{id}/release       member
POST /api/v1/pledges/{id}/receive       member
POST /api/v1/pledges/{id}/ask           member
POST /api/v1/pledges/{id}/correct       member
POST /api/v1/pledges/{id}/leave         member
POST /api/v1/pledges/{id}/disputes      member
POST /api/v1/disputes/{id}/add          member
GET  /api/v1/disputes                   coordinator
GET  /api/v1/disputes/{id}              coordinator
POST /api/v1/disputes/{id}/resolve      coordinator
GET  /api/v1/board                      member
GET  /api/v1/members                    member
GET  /api/v1/members/{id}               member
GET  /api/v1/peers                      member
GET  /api/v1/peers/{gid}                member
GET  /api/v1/circles                    member
GET  /api/v1/forks                      member
GET  /api/v1/forks/{id}                 member
GET  /api/v1/events                     member
POST /api/v1/needs/{id}/share           coordinator
POST /api/v1/needs/{id}/unshare         coordinator
POST /api/v1/needs/{id}/close           coordinator
POST /api/v1/needs/{id}/erase           member
POST /api/v1/offers/{id}/erase          member
POST /api/v1/members/{id}/forget        coordinator
GET  /api/v1/erasures                   coordinator
POST /api/v1/pledges/{id}/presume       coordinator
POST /api/v1/offers/{id}/share          coordinator
POST /api/v1/offers/{id}/unshare        coordinator
GET  /api/v1/suggestions                coordinator
POST /api/v1/imports                    coordinator
GET  /api/v1/bundle-sizes               coordinator
POST /api/v1/bundles                    coordinator
GET  /api/v1/bundle-pieces              coordinator
POST /api/v1/bundle-pieces              coordinator
POST /api/v1/bundles/inspect            coordinator
POST /api/v1/bundles/read               coordinator
POST /api/v1/members                    coordinator
POST /api/v1/members/{id}/role          operator
POST /api/v1/members/{id}/revoke        operator
POST /api/v1/peers                      operator
POST /api/v1/peers/invitations          operator
POST /api/v1/peers/{gid}/confirm        operator
POST /api/v1/forks/{id}/resolve         operator
POST /api/v1/verify                     operator
GET  /api/v1/config                     operator
GET  /api/v1/recovery                   coordinator
POST /api/v1/recovery/tasks/{number}/done coordinator
POST /api/v1/recovery/override          operator
"""

LOWEST = {
    (method, path): {"nobody": NOBODY, "member": MEMBER, "coordinator": COORDINATOR, "operator": OPERATOR}[role]
    for method, path, role in map(str.split, TABLE.strip().splitlines())
}

SIGNED = {
    ("GET", "/.well-known/aidmesh"),
    ("GET", "/aidmesh/1/info"),
    ("POST", "/aidmesh/1/sync"),
    ("POST", "/aidmesh/1/wake"),
    ("POST", "/aidmesh/1/pair"),
}


def test_the_node_has_exactly_the_routes_of_the_table() -> None:
    assert {(route.method, route.path) for route in ROUTES} == set(LOWEST)
    assert {(method, path) for method, path, _ in PEER_ROUTES} == SIGNED


async def test_every_cell_of_the_table(group: Group) -> None:
    """A shut route says 401 or 403 before it looks at anything; an open one gets as far as the request itself."""
    for (method, path), lowest in LOWEST.items():
        for who, rank in RANKS.items():
            # A body of the wrong shape: whoever is let in is told so, and nothing changes.
            body = b'{"no such field": 1}' if method == "POST" else None
            named = path.replace("{id}", "f" * 32).replace("{gid}", "f" * 32).replace("{number}", "1")
            named += "?follow=false" if path.endswith("/events") else ""
            kind = {} if body is None else {"Content_Type": "application/json"}
            answer = await group.ask(who, method, named, body, **kind)
            cell = (method, path, who, answer.status, answer.code)
            if rank >= lowest:
                assert answer.status not in (401, 403) and answer.status < 500, cell
                assert method == "GET" or answer.status == 400, cell
            elif who is None:
                assert (answer.status, answer.code) == (401, "unauthenticated"), cell
            else:
                assert (answer.status, answer.code) == (403, "not_allowed"), cell


async def test_tokens_of_nobody_open_nothing(group: Group, tmp_path_factory: pytest.TempPathFactory) -> None:
    for token in ("amesh_" + "a" * 32, "amesh_", "x", group.tokens["operator"][:-1]):
        assert (await group.get(token, "/status")).status == 401
    in_the_query = await group.get(None, f"/status?token={group.tokens['operator']}")
    assert in_the_query.status == 401


async def test_what_one_may_do_with_what_others_posted(group: Group) -> None:
    need = await group.need("member")
    foreign = await group.post("other", f"/needs/{need}/withdraw")
    assert (foreign.status, foreign.code) == (403, "not_allowed")
    assert (await group.post("member", f"/needs/{need}/withdraw")).status == 200
    assert (await group.post("coordinator", f"/needs/{await group.need('member')}/withdraw")).status == 200

    need, offer = await group.need("member"), await group.offer("coordinator")
    borrowed = await group.post("other", "/pledges", {"need": need, "offer": offer, "quantity": "5"})
    assert (borrowed.status, borrowed.code) == (403, "not_allowed")
    pledge = await group.pledge("other", need)
    for verb, body in {"revise": {"quantity": "3"}, "withdraw": None, "hand-over": None}.items():
        assert (await group.post("member", f"/pledges/{pledge}/{verb}", body)).status == 403, verb
    for verb, body in {"accept": None, "decline": {"reason": "timing"}, "counter": {"quantity": "3"}}.items():
        assert (await group.post("other", f"/pledges/{pledge}/{verb}", body)).status == 403, verb
    assert (await group.post("member", f"/pledges/{pledge}/accept")).body["phase"] == "committed"


async def test_coordinators_invite_members_and_only_operators_give_more(group: Group) -> None:
    assert (await group.post("coordinator", "/members", {"name": "Bo", "role": "member"})).status == 201
    for role in ("coordinator", "operator"):
        refused = await group.post("coordinator", "/members", {"name": "Bo", "role": role})
        assert (refused.status, refused.code) == (403, "not_allowed")
    unknown = await group.post("operator", "/members", {"name": "Bo", "role": "emperor"})
    assert (unknown.status, unknown.code) == (422, "unknown_role")
