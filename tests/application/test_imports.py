"""Recording an import: all rows or none, the same again changes nothing, and private fields are only in the vault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from aidmesh_node.application.drafts import NeedDraft, OfferDraft, person_id
from aidmesh_node.application.imports import import_drafts
from aidmesh_node.domain.need import Need
from aidmesh_node.domain.offer import Offer
from aidmesh_node.domain.quantity import Quantity
from aidmesh_node.domain.refused import Refused
from aidmesh_node.domain.window import ANY_TIME
from aidmesh_node.exchange.plan import ImportFile, plan_import
from aidmesh_node.home import Home
from tests.support.federation import START, Group, Mesh
from tests.support.stories import check_all_agree, crossed, made

NAMESPACE = UUID(int=7)
PRIVATE = ("Zenobia Quill", "+999 555 0142", "insulin in the fridge", "Heron Trust")


@dataclass(frozen=True)
class Plan:
    """What the exchange would hand over."""

    needs: tuple[NeedDraft, ...]
    offers: tuple[OfferDraft, ...]
    shifted_days: int = 3
    notes: tuple[str, ...] = ("dates moved by 3 days",)


def need(row: int, **other: Any) -> NeedDraft:
    draft = NeedDraft(
        id=uuid5(NAMESPACE, f"need {row}"),
        category="bedding",
        item="Blankets",
        quantity=Quantity(Decimal(10), "item"),
        urgency="high",
        window=ANY_TIME,
        area="North",
        posted_on=START - timedelta(days=2),
        closed_reason=None,
        person_key=f"person {row % 2}",
        private={"name": PRIVATE[0], "phone": PRIVATE[1], "note": PRIVATE[2]},
    )
    return replace(draft, **other)


def offer(row: int, **other: Any) -> OfferDraft:
    draft = OfferDraft(
        id=uuid5(NAMESPACE, f"offer {row}"),
        category="water",
        item="Jerry Cans",
        quantity=Quantity(Decimal(50), "item"),
        mode="give",
        window=ANY_TIME,
        area=None,
        posted_on=None,
        person_key="owner",
        private={"owner": PRIVATE[3]},
    )
    return replace(draft, **other)


PLAN = Plan((need(1), need(2), need(3, closed_reason="met")), (offer(1), offer(2)))


async def record(group: Group, plan: Plan, role: str = "coordinator") -> dict[str, object]:
    by = group.act(role)
    return (await group.node.commit(lambda work: import_drafts(work, by, plan, NAMESPACE))).body


async def test_an_import_records_every_row_in_one_transaction(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        before = alice.node.writer.position
        told = await record(alice, PLAN)
        assert told["needs"] == [draft.id.hex for draft in PLAN.needs]
        assert told["offers"] == [draft.id.hex for draft in PLAN.offers]
        assert (told["unchanged"], told["shifted_days"], told["notes"]) == (0, 3, ["dates moved by 3 days"])
        assert told["position"] == before + 6, "three needs, one of them closed at once, and two offers"
        posted = made(alice, Need.Posted)
        assert {event.timestamp for event in posted} == {START - timedelta(days=2)}, "the day it was asked"
        assert [event.reason for event in made(alice, Need.Closed)] == ["met"]
        assert len({event.act_id for event in made(alice, Need.Posted) + made(alice, Offer.Posted)}) == 1
        assert posted[0].person == posted[2].person != posted[1].person, "one person, one id"
        await check_all_agree(mesh)


async def test_the_same_import_again_changes_nothing(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        first = await record(alice, PLAN)
        again = await record(alice, PLAN)
        assert (again["needs"], again["offers"], again["unchanged"]) == ([], [], 5)
        assert again["position"] == first["position"]
        longer = Plan((*PLAN.needs, need(4)), PLAN.offers)
        more = await record(alice, longer)
        assert (more["needs"], more["offers"], more["unchanged"]) == ([need(4).id.hex], [], 5), "only what is new"
        await check_all_agree(mesh)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (Plan((need(1), need(2, item="call +999 555 0142")), (offer(1),)), "bad_item"),
        (Plan((need(1),), (offer(1), offer(2, mode="steal"))), "unknown_mode"),
        (Plan((need(1), need(2, closed_reason="because")), ()), "unknown_reason_to_close"),
    ],
)
async def test_one_bad_row_and_nothing_is_recorded(tmp_path: Path, broken: Plan, reason: str) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        with pytest.raises(Refused) as refused:
            await record(alice, broken)
        assert refused.value.reason == reason
        assert not made(alice, Need.Event) and not made(alice, Offer.Event)
        assert vault_rows(alice, need(1)) == {}, "nor in the vault"
        assert len((await record(alice, PLAN))["needs"]) == 3, "and mended it goes in whole"  # type: ignore[arg-type]
        await check_all_agree(mesh)


async def test_only_a_coordinator_imports(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        with pytest.raises(Refused) as refused:
            await record(alice, PLAN, "member")
        assert refused.value.reason == "not_allowed"
        assert not made(alice, Need.Event)
        await check_all_agree(mesh)


async def test_private_fields_are_in_the_vault_and_nowhere_else(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice, bob = await mesh.found("alice"), await mesh.found("bob")
        await mesh.pair(alice, bob)
        await record(alice, PLAN)
        await mesh.settle()
        assert vault_rows(alice, PLAN.needs[0]) == dict(PLAN.needs[0].private)
        assert vault_rows(alice, PLAN.offers[1]) == dict(PLAN.offers[1].private)
        await check_all_agree(mesh)
        sent = crossed(mesh)
        await mesh.stop("alice")
        files = [path for path in Home(alice.home).path.rglob("*") if path.is_file()]
        assert len(files) > 5
        for word in PRIVATE:
            assert word.encode() not in sent
            for path in files:
                assert word.encode() not in path.read_bytes(), f"{word} lies in the clear in {path.name}"


async def test_a_row_without_a_person_makes_none(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        await record(alice, Plan((need(1, person_key=None, private={}),), (offer(1, person_key=None, private={}),)))
        assert [event.person for event in (*made(alice, Need.Posted), *made(alice, Offer.Posted))] == [None, None]
        await check_all_agree(mesh)


async def test_a_date_in_the_future_is_not_believed(tmp_path: Path) -> None:
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        await record(alice, Plan((need(1, posted_on=START + timedelta(days=400)),), ()))
        (posted,) = made(alice, Need.Posted)
        assert posted.timestamp == mesh.clock.now()
        await check_all_agree(mesh)


def vault_rows(group: Group, draft: NeedDraft | OfferDraft) -> dict[str, str]:
    assert draft.person_key is not None
    person = person_id(NAMESPACE, draft.person_key)
    return group.node.readers.run_now(lambda reading: reading.vault.open(person, draft.id))


async def test_a_corrected_row_is_left_as_it_was_and_named(tmp_path: Path) -> None:
    header = "kind,item,quantity,unit,key\n"
    async with Mesh(tmp_path) as mesh:
        alice = await mesh.found("alice")
        namespace = alice.node.import_namespace
        for quantity, differing in (("5", 0), ("5", 0), ("7", 1)):
            row = f"{header}need,Blankets,{quantity},item,k1\n".encode()
            plan = plan_import([ImportFile("list.csv", row)], as_of=None, where={}, namespace=namespace)
            reply = await alice.do(import_drafts, plan, namespace)
            assert len(list_of(reply.body["differing"])) == differing
        assert "left as they are" in list_of(reply.body["notes"])[-1]


def list_of(value: object) -> list[str]:
    assert isinstance(value, list)
    return value
