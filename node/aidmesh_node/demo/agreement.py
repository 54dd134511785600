"""Do the nodes tell the same story? Compares what each says, through its API, about itself and about the others.

Ids differ between groups on purpose, so things are compared by circle and by what they say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aidmesh_node.demo.groups import Group

Json = dict[str, Any]

FEED_FIELDS = ("size", "root")
PLEDGE_FIELDS = (
    "item", "unit", "phase", "revision", "offered", "accepted", "committed", "handed", "received", "in_transit",
    "discrepancy", "how", "from", "until",
)  # fmt: skip
NEED_FIELDS = ("item", "category", "unit", "quantity", "received", "reserved", "open", "urgency", "area", "state")
OFFER_FIELDS = ("item", "category", "unit", "quantity", "available", "mode", "area", "state")


@dataclass(frozen=True, slots=True)
class Account:
    """What one node says: its status, its circles, and everything on its lists."""

    name: str
    gid: str
    status: Json
    circles: list[Json]
    needs: list[Json]
    offers: list[Json]
    pledges: list[Json]


async def account(group: Group) -> Account:
    """Ask one node for everything it has to say."""
    status, circles, needs, offers, pledges = await asyncio.gather(
        group.client.get("/status"),
        group.client.items("/circles"),
        group.client.items("/needs"),
        group.client.items("/offers"),
        group.client.items("/pledges"),
    )
    return Account(group.name, group.gid, status, circles, needs, offers, pledges)


def disagreements(accounts: Sequence[Account]) -> list[str]:
    """One sentence for each thing two nodes do not tell alike; none when they agree."""
    return [
        sentence
        for owner in accounts
        for viewer in accounts
        if owner is not viewer
        for circle in owner.circles
        if any(peer["gid"] == viewer.gid for peer in circle["peers"])
        for sentence in _between(owner, viewer, circle)
    ]


def _between(owner: Account, viewer: Account, circle: Json) -> Iterable[str]:
    """What the viewer holds of the owner in one circle, against what the owner itself says."""
    held = {feed["origin"]: feed for feed in viewer.status["feeds"]}
    for feed in owner.status["feeds"]:
        named = feed["origin"] == circle["ours"]["origin"] or "/id/" in feed["origin"]
        if feed["owner"] != owner.gid or not named:
            continue
        copy = held.get(feed["origin"], {"size": 0, "root": None})
        if _facts(copy, FEED_FIELDS) != _facts(feed, FEED_FIELDS):
            yield f"{viewer.name} holds {copy['size']} of {feed['size']} entries of {owner.name}'s {feed['origin']}"
    yield from _lists(owner, viewer, circle["id"], "needs", owner.needs, viewer.needs, NEED_FIELDS)
    yield from _lists(owner, viewer, circle["id"], "offers", owner.offers, viewer.offers, OFFER_FIELDS)
    given, heard = _pledges(owner, circle["id"], "giver"), _pledges(viewer, circle["id"], "home")
    yield from _differing(owner, viewer, "pledges", given, heard)


def _lists(
    owner: Account,
    viewer: Account,
    circle: str,
    kind: str,
    told: Iterable[Json],
    seen: Iterable[Json],
    fields: Sequence[str],
) -> Iterable[str]:
    shared = Counter(
        _facts(thing, fields)
        for thing in told
        if thing["ours"] and any(s["circle"] == circle and s["state"] == "shared" for s in thing["shared_with"])
    )
    shown = Counter(
        _facts(thing, fields)
        for thing in seen
        if not thing["ours"] and (thing["group"], thing["circle"]) == (owner.gid, circle)
    )
    yield from _differing(owner, viewer, kind, shared, shown)


def _pledges(side: Account, circle: str, role: str) -> Counter[tuple[object, ...]]:
    return Counter(
        _facts(pledge, PLEDGE_FIELDS) for pledge in side.pledges if (pledge["circle"], pledge["role"]) == (circle, role)
    )


def _differing(
    owner: Account, viewer: Account, kind: str, told: Counter[tuple[object, ...]], seen: Counter[tuple[object, ...]]
) -> Iterable[str]:
    if told != seen:
        differing = max((told - seen).total(), (seen - told).total())
        yield f"{owner.name} and {viewer.name} differ on {differing} of {owner.name}'s {kind}"


def _facts(thing: Json, fields: Sequence[str]) -> tuple[object, ...]:
    return tuple(thing[field] for field in fields)
