"""Write tests/golden/homes.zip and homes.json: `python -m tests.support.make_golden_homes FOLDER`.

Two stopped homes after a story with every step a pledge could take at the time, and what their groups were shown.
The committed ones were written before presumed receipts, corrections and disputes existed, and are never written
again: a later form of the log gets files of its own.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
import zipfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from aidmesh_node.application import needs, offers, pledges
from aidmesh_node.application.pledges import OfferPledge
from aidmesh_node.views import needs as need_views
from aidmesh_node.views import offers as offer_views
from aidmesh_node.views import pledges as pledge_views
from tests.support.federation import Group, Mesh
from tests.support.stories import heard, pledge, post_need, post_offer, share, subject_of, two_groups

STAMP = (2026, 11, 22, 8, 0, 0)
"""The time in the archive: the same story gives the same bytes but for what is random."""


async def story(mesh: Mesh) -> tuple[Group, Group]:
    """Everything a pledge could go through."""
    alice, bob, circle = await two_groups(mesh)
    need = await post_need(alice, 100, name="Ana Lopez")
    subject = await share(alice, need, circle)
    await mesh.settle()
    stock = await post_offer(bob, 200)
    await bob.do(offers.share_offer, stock, circle)
    promised = [await pledge(bob, subject, 10, stock) for _ in range(6)]
    at_home = [heard(bob, circle, each) for each in promised]
    await mesh.settle()

    await alice.do(pledges.counter_pledge, at_home[0], Decimal(6))
    await mesh.settle()
    await bob.do(pledges.revise_pledge, promised[0], Decimal(7))
    await mesh.settle()
    for each in (0, 3, 4, 5):
        await alice.do(pledges.accept_pledge, at_home[each])
    await alice.do(pledges.decline_pledge, at_home[1], "timing")
    await bob.do(pledges.withdraw_pledge, promised[2])
    await mesh.settle()

    await bob.do(pledges.fail_hand_over, promised[0], "not_home")
    await bob.do(pledges.hand_over, promised[0], Decimal(7), "left_as_agreed")
    await bob.do(pledges.hand_over, promised[4], Decimal(4))
    await bob.do(pledges.hand_over, promised[5], Decimal(10))
    await alice.do(pledges.release_pledge, at_home[3], "found_elsewhere")
    await alice.do(pledges.release_pledge, at_home[5], "changed_plan")
    await mesh.settle()
    await alice.do(pledges.receive_pledge, at_home[0], Decimal(5), "damaged")
    await alice.do(pledges.receive_pledge, at_home[4])
    await alice.do(pledges.receive_pledge, at_home[5])
    await mesh.settle()

    local = alice.node.entropy.uuid()
    await alice.do(pledges.offer_pledge, local, OfferPledge(need, Decimal(3), await post_offer(alice, 3)))
    await alice.do(pledges.accept_pledge, local)
    second = await post_need(alice, 5)
    await share(alice, second, circle)
    await mesh.settle()
    await pledge(bob, subject_of(alice, circle, second).hex(), 2, stock)
    await alice.do(needs.close_need, second, "met")
    await mesh.settle()
    await bob.do(offers.withdraw_offer, await post_offer(bob, 1))

    return alice, bob


async def shown(group: Group) -> dict[str, list[dict[str, Any]]]:
    """What a member of this group is shown of needs, offers and pledges."""
    asked = {"needs": need_views, "offers": offer_views, "pledges": pledge_views}
    return {name: (await group.see(view.list_page))["items"] for name, view in asked.items()}


def pack(archive: zipfile.ZipFile, folder: Path) -> None:
    """Every file that belongs to the stopped homes, without what is made again."""
    for database in folder.glob("*/node.db"):
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in sorted(folder.rglob("*")):
        made_again = path.name in ("lock", "address") or path.name.startswith(("views.db", "node.db-"))
        if path.is_file() and not made_again:
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), STAMP)
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


async def main(target: Path) -> None:
    folder = Path(tempfile.mkdtemp())
    async with Mesh(folder) as mesh:
        alice, bob = await story(mesh)
        seen = {"alice": await shown(alice), "bob": await shown(bob)}
    with zipfile.ZipFile(target / "homes.zip", "w") as archive:
        pack(archive, folder)
    told = {"folder": str(folder), **seen}
    (target / "homes.json").write_text(json.dumps(told, indent=1, default=UUID.__str__) + "\n", encoding="utf-8")
    shutil.rmtree(folder)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
