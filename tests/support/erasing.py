"""Words that should never have been written, shared all the same; and looking whether they are gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from aidmesh_node.application import erasing, needs
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.views.board import board
from tests.support.federation import Group
from tests.support.stories import share

ITEM, AREA = "canary-item-zenobias-crutches", "canary-area-heron-row"
PRIVATE = {"name": "canary-name-zenobia", "note": "canary-note-back-door"}


async def a_need_in_words(group: Group, circle: bytes, amount: int = 20) -> tuple[Any, str]:
    """A need whose item and area should never have been written, shared; its id, and its name in the circle."""
    need = group.node.entropy.uuid()
    asked = PostNeed("bedding", Quantity(Decimal(amount), "item"), item=ITEM, area=AREA, private=PRIVATE)
    await group.do(needs.post_need, need, group.node.entropy.uuid(), asked)
    return need, await share(group, need, circle)


def back_up(database: Path, to: Path) -> None:
    """What any backup tool does of a running node's database."""
    to.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as live, closing(sqlite3.connect(to)) as backup:
        live.backup(backup)


async def quiet(*groups: Group) -> None:
    """The writers have emptied what they had to, and the views have shown what there was."""
    for group in groups:
        await group.node.writer.run(lambda work: None)
        await group.see(board)
        await group.node.writer.run(lambda work: None)


async def ledger(group: Group) -> list[dict[str, Any]]:
    await group.federation.store_disclosures()
    return (await group.node.writer.run(lambda work: erasing.asked_of_others(work, group.node.gid))).value
