"""Is everything there that was acknowledged? Compares the journal of the asking side with what the nodes tell.

An acknowledged command is there exactly once: its things are on the node's lists, its amounts are the pledge's, nothing
is there that no command accounts for, and asking again with the same key gives the first answer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from aidmesh_node.demo.agreement import Account
from aidmesh_node.demo.groups import Group, Teller
from aidmesh_node.demo.journal import Command
from aidmesh_node.demo.schedule import ACCEPT, HAND_OVER, RECEIVE, asked_for
from aidmesh_node.demo.waiting import each

Json = dict[str, Any]

AMOUNTS: Final = {
    ACCEPT: ("accepted", "offered"),
    HAND_OVER: ("handed", "committed"),
    RECEIVE: ("received", "handed"),
}
"""By the last word of the path: what the command moves, and how much of it there is to move once."""


@dataclass(slots=True)
class Audit:
    """One sentence for each acknowledged command that is not there, or is there more than once."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def there(self, what: str, times: int) -> None:
        """`what` is there so many times."""
        if times < 1:
            self.lost.append(f"{what} is not there")
        elif times > 1:
            self.doubled.append(f"{what} is there {times} times")


async def recall(teller: Teller, groups: Sequence[Group], audit: Audit) -> None:
    """Say every acknowledged command of the story once more; a node that does not know it any more has lost it."""
    commands = [(group, command) for group in groups for command in story(group)]
    done, count = teller.counter("commands known", len(commands)), 0

    async def say(one: tuple[Group, Command]) -> None:
        nonlocal count
        group, command = one
        if not await group.client.remembers(command):
            audit.lost.append(f"{group.name} does not know the answer it gave to {command.path}")
        count += 1
        done(count)

    await each(commands, say)


def story(group: Group) -> list[Command]:
    """What the group's node has acknowledged of what the story asked for, which leaves out how the groups met."""
    return [command for command in group.client.journal if command.answer is not None and asked_for(command.path)]


def check_journal(journal: Iterable[Command], told: Account, audit: Audit) -> None:
    """Compare what one node acknowledged with what it tells now."""
    done = [(command, command.answer) for command in journal if command.answer is not None]
    for kind, things in (("needs", told.needs), ("offers", told.offers)):
        made = [id for command, answer in done if command.path == "/imports" for id in answer[kind]]
        _check_made(audit, f"{told.name}'s {kind}", made, [thing["id"] for thing in things if thing["ours"]])
    made = [answer["id"] for command, answer in done if command.path == "/pledges"]
    _check_made(audit, f"{told.name}'s pledges", made, [one["id"] for one in told.pledges if one["role"] == "giver"])

    shared = Counter(
        (thing["id"], share["peer"])
        for thing in (*told.needs, *told.offers)
        for share in thing["shared_with"]
        if share["state"] == "shared"
    )
    listed = {thing["id"]: thing for thing in (*told.needs, *told.offers, *told.pledges)}
    for command, answer in done:
        what, (*_, id, verb) = f"{told.name}: {command.path}", ["", *command.path.split("/")]
        if verb == "share":
            audit.there(f"{what} with {command.body['peer']}", shared[id, str(command.body["peer"])])
        elif verb in AMOUNTS:
            audit.there(what, _times(listed.get(id), *AMOUNTS[verb]))
        if id in listed and answer["version"] > listed[id]["version"]:
            audit.lost.append(f"{what} made version {answer['version']}; there is only {listed[id]['version']}")


def _check_made(audit: Audit, what: str, made: Sequence[str], listed: Sequence[str]) -> None:
    """Each id that an answer named is listed once, and no id that none named."""
    counts = Counter(listed)
    for id in made:
        audit.there(f"{id} of {what}", counts[id])
    unknown = counts.keys() - set(made)
    audit.doubled.extend(f"{id} of {what} is there, and no answer named it" for id in sorted(unknown))


def _times(pledge: Json | None, moved: str, whole: str) -> int:
    """How many times the amount was moved, rounded up; 0 when nothing was, or there is no such pledge."""
    if pledge is None or not Decimal(pledge[whole]):
        return 0
    return math.ceil(Decimal(pledge[moved]) / Decimal(pledge[whole]))
