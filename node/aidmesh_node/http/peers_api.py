"""Requests about other groups: invitations, the four words, and how each link stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from aidmesh_node.application.ports import Evidence, FeedHead, FeedReads
from aidmesh_node.http import answers_node as answers
from aidmesh_node.http.bodies import Body, PeerAccepted, PeerConfirmed, PeerInvited
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.operation import operation
from aidmesh_node.views import circles, peers
from aidmesh_node.views.pages import SCHEMA_VERSION
from aidmesh_node.views.times import time_text

INVITED = Body(PeerInvited, optional=True)
ACCEPTED = Body(PeerAccepted)
CONFIRMED = Body(PeerConfirmed)


@operation(
    answers.PeerInvitation, status=201, takes=INVITED, refuses={422: "bad_expiry no_address too_many_invitations"}
)
async def invite_peer(call: Call) -> web.Response:
    """Invite another group.

    Give the invitation to them; it is used once.
    """
    hours = int(INVITED.read(call.body).expires_hours)

    async def invite() -> dict[str, object]:
        made = call.node.peers.invite(hours)
        return {**made, "expires": _time(made["expires"])}

    return await call.repeatable(invite, 201, tried=lambda: call.node.peers.try_invite(hours))


@operation(
    answers.PeerMet,
    status=201,
    takes=ACCEPTED,
    refuses={
        409: "already_linked expired pairing_refused",
        422: "bad_invitation own_invitation",
        502: "peer_answered_badly",
        503: "peer_unreachable",
    },
)
async def accept_peer(call: Call) -> web.Response:
    """Accept another group's invitation.

    Asks their node. Both screens then show the same four words: compare them by voice, then confirm.
    """
    body, by = ACCEPTED.read(call.body), call.act()
    return await call.repeatable(
        lambda: call.node.peers.accept(by, body.invitation),
        201,
        tried=lambda: call.node.peers.try_accept(body.invitation),
    )


@operation(answers.PeerConfirmation, takes=CONFIRMED, refuses={409: "not_pending words_differ"})
async def confirm_peer(call: Call) -> web.Response:
    """Confirm that the four words are the same.

    Once both groups have, their circle is in force.
    """
    body = CONFIRMED.read(call.body)
    words = body.words.replace(",", " ").lower().split()
    gid, by = (await call.reads.link(call.name("gid")))["gid"], call.act()
    return await call.repeatable(
        lambda: call.node.peers.confirm(by, gid, words, call.versions),
        tried=lambda: call.node.peers.try_confirm(by, gid, words, call.versions),
    )


@operation(answers.Peers)
async def list_peers(call: Call) -> web.Response:
    """List other groups.

    Every link, how it stands, and how much of theirs we hold.
    """
    links = await call.node.views.query(peers.list_all)
    heads = await call.node.readers.run(lambda reading: _theirs(reading.feeds))
    items = [_to_json(link, heads.get(link["gid"], []), call.node.peers.health(link["gid"])) for link in links]
    return json_answer({"schema_version": SCHEMA_VERSION, "items": items, "position": call.node.views.position})


@operation(answers.PeerShown)
async def show_peer(call: Call) -> web.Response:
    """Show one other group.

    By gid, by name, or the beginning of one; with what of theirs we had to refuse.
    """
    link = await call.reads.link(call.name("gid"))
    gid = link["gid"]
    heads = await call.node.readers.run(lambda reading: reading.feeds.heads(owner=gid))
    # Refusals are kept beside the log, so the writer reads them.
    refusals = await call.node.writer.run(lambda work: _refusals(work.evidence, gid))
    shown = _to_json(link, heads, call.node.peers.health(gid))
    return call.thing({"schema_version": SCHEMA_VERSION, **shown, "refusals": refusals.value})


@operation(answers.Circles)
async def list_circles(call: Call) -> web.Response:
    """List circles.

    A circle is who reads each other; sharing names one.
    """
    listed = await call.node.views.query(circles.list_all)
    sizes = await call.node.readers.run(lambda reading: {head.origin: head.size for head in reading.feeds.heads()})
    items = [
        {
            **circle,
            "ours": {**circle["ours"], "size": sizes.get(circle["ours"]["origin"], 0)},
            "theirs": [{**feed, "size": sizes.get(feed["origin"], 0)} for feed in circle["theirs"]],
        }
        for circle in listed
    ]
    return json_answer({"schema_version": SCHEMA_VERSION, "items": items, "position": call.node.views.position})


def _time(at: object) -> object:
    """Seconds since 1970, as the federation counts, as the API writes a time."""
    return time_text(datetime.fromtimestamp(at, UTC)) if isinstance(at, int) else at


def _refusals(evidence: Evidence, gid: str) -> list[dict[str, object]]:
    """The last refusal of each kind, with how often it happened."""
    last = {row.code: row for row in evidence.kept(gid)}
    return [
        {"code": code, "detail": row.detail, "count": evidence.count(gid, code), "at": time_text(row.at)}
        for code, row in last.items()
    ]


def _theirs(feeds: FeedReads) -> dict[str, list[FeedHead]]:
    heads: dict[str, list[FeedHead]] = {}
    for head in feeds.heads():
        heads.setdefault(head.owner, []).append(head)
    return heads


def _to_json(link: Mapping[str, Any], heads: list[FeedHead], health: Mapping[str, object]) -> dict[str, object]:
    circle = bytes.fromhex(link["circle"]) if link["circle"] else None
    in_circle = [head for head in heads if circle is not None and head.circle == circle]
    held = max(in_circle, key=lambda head: head.generation, default=None)
    size, claimed = (held.size, max(held.size, held.claimed_size)) if held is not None else (0, 0)
    return {
        **link,
        **{name: time_text(value) if isinstance(value, datetime) else value for name, value in health.items()},
        "held": {"size": size, "claimed": claimed, "incomplete": claimed - size},
        "frozen": next((head.frozen for head in heads if head.frozen), None),
    }
