"""The first half of the story: the groups get to know each other, import what they have, and share it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from aidmesh_node.demo.failure import DemoFailed
from aidmesh_node.demo.groups import Group, Imported, Teller
from aidmesh_node.demo.waiting import each, until

CONSENT: Final = {"given": "proxy", "text_version": "import-1", "language": "en", "person_knows": False}
"""A requisition is somebody asking on behalf of others, and a file does not say whether those know."""


async def pair(teller: Teller, asking: Sequence[Group], giving: Group, seconds_max: float) -> None:
    """Each asking group meets the giving one: an invitation, the same four words on both screens, two yeses."""
    teller.step("The groups meet")
    await asyncio.gather(*(_introduce(group) for group in (*asking, giving)))
    done = teller.counter("pairs that share a circle", len(asking))
    for count, group in enumerate(asking, 1):
        words = await _meet(group, giving)
        await until(partial(_not_in_force, group, giving), seconds_max)
        teller.note(f"{group.name} and {giving.name} read each other the same four words: {' '.join(words)}")
        done(count)


async def import_all(teller: Teller, groups: Sequence[Group]) -> None:
    """Every group imports its files; what the import says about moved dates and columns is told."""
    teller.step("Each group imports its files")
    done = teller.counter("files imported", sum(len(group.brings.imports) for group in groups))
    count = 0
    for group in groups:
        for body in group.brings.imports:
            imported = await group.client.post("/imports", body.to_json())
            count += 1
            done(count)
            record = Imported(
                files=tuple(file.name for file in body.files),
                needs=len(imported["needs"]),
                offers=len(imported["offers"]),
                shifted_days=imported["shifted_days"],
            )
            group.imported.append(record)
            teller.note(f"{group.name} has from {', '.join(record.files)}: {record.counted()}.")
            for sentence in imported["notes"]:
                teller.note(f"  {sentence}")


async def share_all(teller: Teller, asking: Sequence[Group], giving: Group, seconds_max: float) -> None:
    """What is open is shared, with consent recorded, until everybody's board shows it."""
    teller.step("The groups share what is open")
    commands: list[tuple[Group, str, dict[str, object]]] = []
    for group in asking:
        group.needs = [need["id"] for need in await group.own("/needs") if need["state"] == "open"]
        commands += [(group, f"/needs/{need}/share", {"peer": giving.gid, "consent": CONSENT}) for need in group.needs]
    for offer in await giving.own("/offers"):
        commands += [(giving, f"/offers/{offer['id']}/share", {"peer": group.gid}) for group in asking]
    done, count = teller.counter("shared", len(commands)), 0

    async def share(command: tuple[Group, str, dict[str, object]]) -> None:
        nonlocal count
        group, path, body = command
        await group.client.post(path, body)
        count += 1
        done(count)

    await each(commands, share)
    await asyncio.gather(
        *(until(partial(_not_shown, giving, group, "/needs"), seconds_max) for group in asking),
        *(until(partial(_not_shown, group, giving, "/offers"), seconds_max) for group in asking),
    )


async def _introduce(group: Group) -> None:
    group.gid = (await group.client.get("/status"))["group"]["gid"]


async def _meet(guest: Group, host: Group) -> list[str]:
    """The words, after both sides said that they are the same. Raises DemoFailed when they are not."""
    invitation = (await host.client.post("/peers/invitations"))["invitation"]
    at_guest = (await guest.client.post("/peers", {"invitation": invitation}))["words"]
    at_host = (await host.client.get(f"/peers/{guest.gid}"))["words"]
    if at_guest != at_host:
        raise DemoFailed(f"{guest.name} reads {at_guest}, {host.name} reads {at_host}: somebody is in between.")
    await host.client.post(f"/peers/{guest.gid}/confirm", {"words": " ".join(at_host)})
    await guest.client.post(f"/peers/{host.gid}/confirm", {"words": " ".join(at_guest)})
    return list(at_guest)


async def _not_in_force(one: Group, other: Group) -> str:
    for group, peer in ((one, other), (other, one)):
        state = (await group.client.get(f"/peers/{peer.gid}"))["state"]
        if state != "active":
            return f"the link of {group.name} with {peer.name} is {state}, not in force"
    return ""


async def _not_shown(viewer: Group, owner: Group, path: str) -> str:
    """What of the owner's shared things the viewer does not see yet, as a sentence; "" when all are there."""
    kind = path.strip("/")
    wanted = Counter(
        _label(thing)
        for thing in await owner.own(path)
        if any(share["peer"] == viewer.gid for share in thing["shared_with"])
    )
    seen = Counter(
        _label(thing) for thing in await viewer.client.items(path, ours="false") if thing["group"] == owner.gid
    )
    lacking = wanted - seen
    return f"{viewer.name} does not see {lacking.total()} of {wanted.total()} {kind} of {owner.name}" if lacking else ""


def _label(thing: dict[str, Any]) -> tuple[str | None, str | None, str]:
    return thing["item"], thing["quantity"], thing["unit"]
