"""Stored names are frozen: a log written today must load for ever."""

from __future__ import annotations

import inspect

import pytest

from aidmesh_node.domain import dispute, fork, group, member, need, offer, peer_link, pledge, recovery
from aidmesh_node.domain.event import Event, Recorded

AGGREGATES: list[type[Recorded]] = [
    need.Need, offer.Offer, pledge.Pledge, member.Member, group.Group, peer_link.PeerLink,
    dispute.Dispute, fork.Fork, recovery.Recovery,
]  # fmt: skip

FROZEN = {
    "need:posted", "need:shared", "need:unshared", "need:unshare-acknowledged", "need:coverage-changed",
    "need:receipts-presumed", "need:withdrawn", "need:closed",
    "need:emergency-advice-acknowledged", "need:shared-in-emergency", "need:amended", "need:urgency-changed",
    "need:reviewed", "need:contact-attempted", "need:expiry-warned", "need:expiry-extended", "need:expired",
    "need:marked-duplicate", "need:referred", "need:found-out-of-scope", "need:given-up-reaching", "need:reopened",
    "need:erased", "offer:erased", "peer-link:erasure-acknowledged",
    "offer:posted", "offer:shared", "offer:unshared", "offer:unshare-acknowledged", "offer:booking-changed",
    "offer:withdrawn", "offer:closed", "offer:still-available-asked", "offer:still-available-confirmed",
    "offer:expiry-warned", "offer:expiry-extended", "offer:reopened",
    "pledge:offered", "pledge:revised", "pledge:committed", "pledge:withdrawn", "pledge:handed-over",
    "pledge:hand-over-failed", "pledge:countered", "pledge:declined", "pledge:accepted", "pledge:released",
    "pledge:received", "pledge:time-proposed", "pledge:hand-over-missed", "pledge:hand-over-corrected",
    "pledge:receipt-corrected", "pledge:receipt-asked", "pledge:receipt-presumed", "pledge:discrepancy-left",
    "dispute:opened", "dispute:statement-added", "dispute:resolved",
    "fork:proven", "fork:resolved",
    "member:invited", "member:joined", "member:role-changed", "member:revoked",
    "group:founded", "group:described",
    "peer-link:invited", "peer-link:pending", "peer-link:confirmed", "peer-link:signed", "peer-link:activated",
    "peer-link:described", "peer-link:revocation-acknowledged", "peer-link:suspended", "peer-link:resumed",
    "peer-link:severed",
    "recovery:began", "recovery:task-found", "recovery:task-done", "recovery:ended",
}  # fmt: skip
"""Topics in logs of released versions. Add to this list; never change or remove a line."""


def events_of(aggregate: type[Recorded]) -> list[type[Event]]:
    return [
        nested
        for name, nested in vars(aggregate).items()
        if inspect.isclass(nested) and issubclass(nested, Event) and name not in ("Event", "Created")
    ]


def test_every_frozen_topic_is_still_an_event() -> None:
    known = {event.TOPIC for aggregate in AGGREGATES for event in events_of(aggregate)}
    assert known >= FROZEN
    assert known <= FROZEN, "a new event: freeze its topic here"


@pytest.mark.parametrize("aggregate", AGGREGATES, ids=lambda aggregate: aggregate.__name__)
def test_topics_are_names_not_import_paths(aggregate: type[Recorded]) -> None:
    assert ":" not in aggregate.TOPIC and "." not in aggregate.TOPIC
    for event in events_of(aggregate):
        assert event.TOPIC.startswith(f"{aggregate.TOPIC}:")
