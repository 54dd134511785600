"""What a node answers, for tests of how it is shown. Field for field as the API gives it."""

from __future__ import annotations

from typing import Any

HARBOUR = "yflfdpdaa7ruoqr3fmhhzzswc2iby3wj"
HILLSIDE = "ko3ixn4oj5jjuds237hjq5mmko7dbrat"
CIRCLE = "c" * 64


def need(**changes: Any) -> dict[str, Any]:
    """A need of ours."""
    return {
        "id": "f6fdd3c4a12a4fe19e7e1b7e8b371ac3",
        "ours": True,
        "group": HARBOUR,
        "group_name": "Harbour",
        "circle": None,
        "category": "bedding",
        "item": "Blankets",
        "quantity": "5100",
        "unit": "item",
        "urgency": "high",
        "from": None,
        "until": "2026-12-01T23:59:00Z",
        "area": "Lospalos",
        "state": "open",
        "closed_reason": None,
        "received": "1500",
        "presumed": "0",
        "reserved": "20",
        "open": "3580",
        "coverage": "partial",
        "fulfilment": "partial",
        "shared_with": [
            {"circle": CIRCLE, "peer": HILLSIDE, "peer_name": "Hillside", "state": "shared", "acknowledged": False}
        ],
        "next_action": "Not all of it is promised: call back, and look who else could help.",
        "next_action_at": "2026-11-24T08:00:00Z",
        "version": 3,
        "posted_at": "2026-11-22T08:00:00Z",
        **changes,
    }


def offer(**changes: Any) -> dict[str, Any]:
    """An offer of ours."""
    return {
        "id": "0ff3e000000040008000000000000001",
        "ours": True,
        "group": HARBOUR,
        "group_name": "Harbour",
        "circle": None,
        "category": "shelter",
        "item": "Plastic Sheets",
        "quantity": "32000",
        "unit": "m2",
        "mode": "give",
        "held": "100",
        "committed": "50",
        "drawn": "31000",
        "available": "850",
        "from": None,
        "until": None,
        "area": None,
        "state": "open",
        "closed_reason": None,
        "confirmed_at": "2026-11-22T08:00:00Z",
        "ask_at": "2026-12-22T08:00:00Z",
        "stale": False,
        "ends_soon": False,
        "next": "",
        "shared_with": [],
        "version": 1,
        "posted_at": "2026-11-22T08:00:00Z",
        **changes,
    }


def pledge(**changes: Any) -> dict[str, Any]:
    """A pledge of another group for a need of ours, on its way."""
    return {
        "id": "2e4982cc1e535e0b84cd356cc949de6d",
        "role": "home",
        "need": "f6fdd3c4a12a4fe19e7e1b7e8b371ac3",
        "offer": None,
        "peer": HILLSIDE,
        "peer_name": "Hillside",
        "circle": CIRCLE,
        "item": "Blankets",
        "unit": "item",
        "offered": "2000",
        "revision": 1,
        "proposed": None,
        "accepted": "1500",
        "committed": "1500",
        "handed": "1500",
        "received": "0",
        "presumed": "0",
        "in_transit": "1500",
        "phase": "handed_over",
        "outcome": "picked_up",
        "failure": None,
        "failures": 0,
        "asked": 1,
        "asked_at": "2026-11-22T10:00:00Z",
        "presume_from": "2026-11-29T09:25:00Z",
        "discrepancy": False,
        "note": None,
        "disputes": 0,
        "how": "pick_up",
        "from": None,
        "until": "2026-11-30T14:30:00Z",
        "reason": None,
        "version": 5,
        "updated_at": "2026-11-22T09:25:00Z",
        "next": "Hillside says 1500 item were handed over: confirm what arrived.",
        **changes,
    }


def dispute(**changes: Any) -> dict[str, Any]:
    """Something about that pledge that the other group wants looked at."""
    return {
        "id": "d15b07e0000040008000000000000001",
        "pledge": "2e4982cc1e535e0b84cd356cc949de6d",
        "about": "not_received",
        "opened_by": "giver",
        "ours": False,
        "peer": HILLSIDE,
        "peer_name": "Hillside",
        "state": "open",
        "resolved_by_us": None,
        "resolved_by_them": None,
        "version": 1,
        "opened_at": "2026-11-22T10:00:00Z",
        "next": "Talk about it, then say how it was resolved; nobody is accused by it being open.",
        **changes,
    }


def fork(**changes: Any) -> dict[str, Any]:
    """Two histories of a feed of the other group."""
    return {
        "id": "f0bced00000040008000000000000001",
        "origin": f"aidmesh/{HILLSIDE}/c/{CIRCLE}/0",
        "gid": HILLSIDE,
        "group_name": "Hillside",
        "ours": False,
        "smaller": 7,
        "larger": 12,
        "alike": 6,
        "shown_by": None,
        "found_at": "2026-11-22T10:00:00Z",
        "state": "open",
        "resolution": None,
        "resolved_at": None,
        "version": 1,
        "next": "Call Hillside and ask how it came about: a restored backup or a copied disk is an accident. "
        "Then say what you make of it.",
        **changes,
    }


def peer(**changes: Any) -> dict[str, Any]:
    """A group we are linked with."""
    return {
        "gid": HILLSIDE,
        "name": "Hillside",
        "state": "active",
        "words": None,
        "circle": CIRCLE,
        "endpoints": ["http://127.0.0.1:8422"],
        "confirmed": True,
        "reason": None,
        "version": 5,
        "last_contact": "2026-11-22T09:25:00Z",
        "reachable": True,
        "backoff_seconds": 0.0,
        "trouble": "",
        "clock_ahead_seconds": 0,
        "acknowledged": 12,
        "held": {"size": 7, "claimed": 7, "incomplete": 0},
        "frozen": None,
        **changes,
    }


def status(**changes: Any) -> dict[str, Any]:
    """A node in order."""
    return {
        "schema_version": 1,
        "group": {"gid": HARBOUR, "name": "Harbour"},
        "standing": "active",
        "standing_reason": "",
        "signing": True,
        "clock": {"trusted": True, "words": ""},
        "unsigned_feeds": [],
        "url": "http://harbour.example:8420",
        "listen": "127.0.0.1:8420",
        "position": 9,
        "counts": {"needs": {"open": 2, "closed": 1}, "offers": {}, "pledges": {"handed_over": 1}},
        "feeds": [],
        "peers": 1,
        "forks": 0,
        "version": "0.1.0",
        **changes,
    }


def recovery(state: str, **changes: Any) -> dict[str, Any]:
    """A node that was restored, or never."""
    was = state != "never"
    return {
        "schema_version": 1,
        "state": state,
        "reason": "this home has 12 entries, 112 were signed: it is an older copy" if was else None,
        "began_at": "2026-11-22T08:00:00Z" if was else None,
        "ended_at": "2026-11-22T08:05:00Z" if state in ("recovered", "begun_anew") else None,
        "statements": 0,
        "records": 0,
        "lost": 0,
        "tasks": [],
        "more_tasks": 0,
        "feeds": [],
        "unknown_feeds": 0,
        **changes,
    }
