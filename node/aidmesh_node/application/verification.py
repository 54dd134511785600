"""Recomputing every hash, proof and signature the node holds, its own and its peers'. Changes nothing.

Names the first thing that is wrong: its table, its key in there, and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.feed_check import FeedCheck, named
from aidmesh_node.application.own_feeds import PUBLISHED
from aidmesh_node.application.ports import LOGGED, FeedReads, Reading
from aidmesh_protocol.identity import identity_origin

PAGE_EVENTS = 500


@dataclass(slots=True)
class Report:
    """What was checked and the first thing that is wrong, if any."""

    checked: dict[str, int] = field(
        default_factory=lambda: {"events": 0, "feeds": 0, "entries": 0, "parts": 0, "checkpoints": 0}
    )
    first_problem: Damaged | None = None

    @property
    def ok(self) -> bool:
        return self.first_problem is None

    def to_json(self) -> dict[str, object]:
        """As the CLI and the API show it."""
        problem = self.first_problem
        return {
            "schema_version": 1,
            "ok": self.ok,
            "checked": dict(self.checked),
            "first_problem": None
            if problem is None
            else {"where": f"{problem.table} {problem.key}", "detail": problem.detail},
        }


def verify(reading: Reading, gid: str, scrubbed: Iterable[Damaged]) -> Report:
    """Check the log (through `scrubbed`), then every feed, entry, part and checkpoint."""
    report = Report()
    try:
        report.first_problem = next(iter(scrubbed), None)
        report.checked["events"] = reading.events.max_position()
        if report.ok:
            _check_positions(reading, report.checked["events"])
            _check_feeds(reading.feeds, gid, report.checked)
            _check_causes(reading)
    except Damaged as damage:
        report.first_problem = damage
    return report


def _check_positions(reading: Reading, events: int) -> None:
    """The log is as long as it was, and nothing claims to have read beyond it."""
    logged, published = reading.position_of(LOGGED), reading.position_of(PUBLISHED)
    if logged != events:
        raise Damaged("stored_events", f"after position {events}", f"the log had {logged} events")
    if published > events:
        raise Damaged("positions", PUBLISHED, f"publication claims {published} of {events} events")


def _check_feeds(feeds: FeedReads, gid: str, checked: dict[str, int]) -> None:
    with named("feeds", "(one of its rows)"):
        heads = feeds.heads()
    if not any(head.origin == identity_origin(gid) for head in heads):
        raise Damaged("feeds", identity_origin(gid), "our own identity feed is missing")
    for head in heads:
        checked["feeds"] += 1
        FeedCheck(feeds, head, gid, checked).run()


def _check_causes(reading: Reading) -> None:
    """What our log heard from peers, or answered, is in the feeds this home holds."""
    sizes = {head.origin_hash.hex(): head.size for head in reading.feeds.heads()}
    position = 0
    while page := reading.events.select(position, PAGE_EVENTS):
        for position, event in page:  # noqa: B007 (the next page begins after the last one)
            cause = getattr(event, "cause", None)
            origin_hex, _, index = (cause or "").partition(":")
            if cause and int(index) >= sizes.get(origin_hex, 0):
                answered = f"event {event.originator_id.hex} version {event.originator_version}"
                raise Damaged("feeds", f"origin hash {origin_hex}", f"{answered} is about its entry {index}: not here")
