"""Names, contacts and free text of one group are found in its own vault and nowhere else: I01, I02, I07.

Alice's group imports everything there is a shape for, with a canary in each personal, free-text and unknown column, and
shares all it may. Bob's group pledges, both keep their promises. Then wire, logs and homes are searched.
"""

from __future__ import annotations

import base64
import logging
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from aidmesh_node.application import imports, members, needs, offers, pledges
from aidmesh_node.application.needs import PostNeed
from aidmesh_node.application.offers import PostOffer
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.pledge import HOME, Pledge
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.exchange.plan import plan_import
from tests.exchange.test_canaries import GOOD, ignored, with_canaries
from tests.support.federation import Group, Mesh
from tests.support.stories import CONSENT, made, on_board, shown, state
from tests.support.taint import files, layers, tainted

OWN_WORDS = {
    "name": "canary-own-name-7f3a",
    "phone": "canary-own-phone-0151",
    "email": "canary-own@mail.example",
    "address": "canary-own-street-12b",
    "contact": "canary-own-contact-neighbour",
    "note": "canary-own-note: door at the back, dog is friendly",
}
MEMBER = {"name": "canary-member-name-Ana", "contact": "canary-member-contact-0160"}
GIVER = {"name": "canary-giver-name-Bo", "note": "canary-giver-note-garage"}


@dataclass(slots=True)
class Told:
    """What is left when the story is over: both nodes are stopped, everything they wrote is in files."""

    folder: Path
    secrets: list[str]
    owned: list[str]
    """Those of alice that her vault must hold."""
    vault: Path
    wire: Path
    log: Path


async def test_what_is_personal_leaves_the_vault_in_no_form(tmp_path: Path) -> None:
    """SPEC §5.5d."""
    async with told(tmp_path) as story:
        places = [("wire", story.wire.read_bytes()), ("log", story.log.read_bytes())]
        homes = [tmp_path / name for name in ("alice", "alice-state", "bob", "bob-state")]
        assert tainted(story.secrets, [*places, *files(*homes)]) == []
        # So that none of this passes because nothing was looked for, or nothing was there.
        assert story.wire.stat().st_size > 10_000 and b"need.shared" in unpacked(story.wire)
        assert b"DEBUG" in story.log.read_bytes()
        found = tainted(story.secrets, [("vault", story.vault.read_bytes())])
        assert {secret for secret in story.owned if any(secret in each for each in found)} == set(story.owned)


@pytest.mark.soak
async def test_the_scanner_of_the_design_agrees(tmp_path: Path, shared: Path) -> None:
    async with told(tmp_path) as story:
        secrets = tmp_path / "secrets.txt"
        secrets.write_text("\n".join(story.secrets))
        homes = [str(tmp_path / name) for name in ("alice", "bob", "bob-state")]
        clean = scan(shared, secrets, [str(story.wire), str(story.log), *homes])
        assert clean.returncode == 0, clean.stdout[:2000]
        secrets.write_text("\n".join(story.owned))
        found = scan(shared, secrets, [str(story.vault)])
        assert found.returncode == 1
        assert all(secret in found.stdout for secret in story.owned)


@pytest.mark.parametrize("form", ["raw", "base64", "hex", "utf-16", "packed"])
def test_the_scan_finds_what_is_there(form: str, tmp_path: Path) -> None:
    secret = "canary-0123456789"
    hidden = {
        "raw": secret.encode(),
        "base64": base64.b64encode(b"ab" + secret.encode() + b"xyz"),
        "hex": secret.encode().hex().encode(),
        "utf-16": secret.encode("utf-16-le"),
        "packed": b"\0\0\0\x10\x01" + zlib.compress(b"before" * 9 + secret.encode()),
    }[form]
    (tmp_path / "file").write_bytes(b"noise" * 100 + hidden + b"noise" * 100)
    assert len(tainted([secret], files(tmp_path))) >= 1
    assert tainted(["canary-9876543210"], files(tmp_path)) == []


@asynccontextmanager
async def told(folder: Path) -> AsyncIterator[Told]:
    """Tell the whole story in `folder`, then stop both nodes."""
    log, wire, vault = folder / "debug.log", folder / "wire.bin", folder / "vault.txt"
    secrets, owned = [*OWN_WORDS.values(), *MEMBER.values(), *GIVER.values()], [*OWN_WORDS.values(), *MEMBER.values()]
    with logged(log):
        async with Mesh(folder) as mesh:
            alice, bob = await mesh.found("alice"), await mesh.found("bob")
            circle = await mesh.pair(alice, bob)
            for name in GOOD:
                written, canaries = with_canaries(name, lambda row: None)
                await import_all(alice, written)
                secrets += canaries
                owned += [canary for canary, column in canaries.items() if column not in ignored(name)]
            await people(alice, bob)
            await share_all(alice, circle)
            await mesh.settle()
            await help_each_other(mesh, alice, bob)
            await refuse_each_other(alice, bob)
            await take_back(mesh, alice, circle)
            assert alice.node.verify().ok and bob.node.verify().ok
            vault.write_text(await unlocked(alice))
            wire.write_bytes(b"\n".join(mesh.network.captured))
    yield Told(folder, secrets, owned, vault, wire, log)


async def import_all(group: Group, written: list[Any]) -> None:
    plan = plan_import(written, as_of=None, where={}, namespace=group.node.import_namespace)
    by = group.act()
    reply = await group.node.commit(lambda work: imports.import_drafts(work, by, plan, group.node.import_namespace))
    assert reply.body["needs"] or reply.body["offers"]


async def people(alice: Group, bob: Group) -> None:
    """Somebody asks alice herself, somebody joins her group, and bob's stock has an owner."""
    asked = PostNeed("bedding", Quantity(Decimal(7), "item"), item="Quilts", language="en", private=OWN_WORDS)
    await alice.do(needs.post_need, alice.node.entropy.uuid(), alice.node.entropy.uuid(), asked)
    expires = alice.node.clock.now() + timedelta(days=1)
    by, ids = alice.act("operator"), alice.node.entropy
    await alice.node.commit(
        lambda work: members.invite_member(work, by, ids.uuid(), ids.uuid(), "member", MEMBER, ids.bytes(32), expires)
    )
    stock = PostOffer("bedding", Quantity(Decimal(5), "item"), "item", item="Quilts", private=GIVER)
    await bob.do(offers.post_offer, bob.node.entropy.uuid(), bob.node.entropy.uuid(), stock)


async def share_all(group: Group, circle: bytes) -> None:
    """Whatever may be shared is."""
    closed = {each.originator_id for each in made(group, Need.Closed)}
    for posted in made(group, Need.Posted):
        if posted.originator_id not in closed:
            await group.do(needs.share_need, posted.originator_id, circle, CONSENT)
    for posted in made(group, Offer.Posted):
        await group.do(offers.share_offer, posted.originator_id, circle)


async def help_each_other(mesh: Mesh, alice: Group, bob: Group) -> None:
    """Bob pledges towards all of alice's needs: accepted, committed, handed over, received."""
    seen = [need for need in (await on_board(bob)).values() if not need["ours"]]
    assert len(seen) >= 3
    (stock,) = made(bob, Offer.Posted)
    for need in seen:
        offer = stock.originator_id if need["item"] == "Quilts" else None
        promise = pledges.OfferPledge(await shown(bob, need["id"]), Decimal(1), offer)
        await bob.do(pledges.offer_pledge, bob.node.entropy.uuid(), promise)
    await mesh.settle()
    home = [each.originator_id for each in made(alice, Pledge.Offered) if each.side == HOME]
    assert len(home) == len(seen)
    for heard in home:
        await alice.do(pledges.accept_pledge, heard)
    await mesh.settle()
    for mine in [each.originator_id for each in made(bob, Pledge.Offered)]:
        await bob.do(pledges.hand_over, mine)
    await mesh.settle()
    for heard in home:
        await alice.do(pledges.receive_pledge, heard)
    await mesh.settle()
    assert {(await state(bob, each.originator_id)).phase for each in made(bob, Pledge.Offered)} == {"received"}


async def refuse_each_other(alice: Group, bob: Group) -> None:
    """What is refused says why, and repeats nobody's words."""
    asked = PostNeed("bedding", Quantity(Decimal(1), "item"), private={"name": OWN_WORDS["name"]}, language="no tag!")
    with pytest.raises(Refused) as caught:
        await alice.do(needs.post_need, alice.node.entropy.uuid(), alice.node.entropy.uuid(), asked)
    assert OWN_WORDS["name"] not in f"{caught.value.detail} {caught.value.hint}"
    assert bob.node.gid


async def take_back(mesh: Mesh, group: Group, circle: bytes) -> None:
    """One share is taken back, one need closed, one withdrawn."""
    first, second, third, *_ = [posted.originator_id for posted in made(group, Need.Shared)]
    await group.do(needs.unshare_need, first, circle)
    await group.do(needs.close_need, second, "met")
    await group.do(needs.withdraw_need, third)
    await mesh.settle()


async def unlocked(group: Group) -> str:
    """Everything in the group's vault, opened with its keys."""
    with closing(sqlite3.connect(f"file:{group.home / 'node.db'}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT DISTINCT person, record FROM vault").fetchall()
    names = [(UUID(bytes=person), UUID(bytes=record)) for person, record in rows]
    opened = await group.node.readers.run(lambda reading: [reading.vault.open(*name) for name in names])
    return "\n".join(text for fields in opened for text in fields.values())


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Everything that anybody logs, at DEBUG, with tracebacks, in a file."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s %(args)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        logging.getLogger("aidmesh.test").debug("the log is open")
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        handler.close()


def scan(shared: Path, secrets: Path, paths: list[str]) -> subprocess.CompletedProcess[str]:
    tool = str(shared / "tools" / "taintscan.py")
    return subprocess.run(
        [sys.executable, tool, "--secrets", str(secrets), *paths], capture_output=True, text=True, check=False
    )


def unpacked(path: Path) -> bytes:
    return b"\n".join(layers(path.read_bytes()))
