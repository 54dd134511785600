"""Requests for the board, and for what could be matched on it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from aiohttp import web

from aidmesh_node.domain.quantity import amount_text
from aidmesh_node.http import answers
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.operation import operation
from aidmesh_node.matching.suggest import OpenNeed, OpenOffer, Suggestion, suggest
from aidmesh_node.views.board import board

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Wanted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the board may be narrowed to."""

    item: Text | None = None
    category: Text | None = None


class Nothing(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """No parameters."""


@operation(answers.Board, asks=Wanted)
async def show_board(call: Call) -> web.Response:
    """The board: what is open now.

    Ours and what peers show us. `item` matches whatever its case and spaces, `category` exactly.
    """
    wanted = call.query(Wanted)
    return json_answer(await call.node.views.query(board, item=wanted.item, category=wanted.category))


@operation(answers.Suggestions, asks=Nothing)
async def list_suggestions(call: Call) -> web.Response:
    """Which offer of ours could cover which open need.

    Each with its reasons. Nothing is recorded: a pledge is a person's.
    """
    call.query(Nothing)
    shown = await call.node.views.query(board)
    units = {need["id"]: need["unit"] for need in shown["needs"]}
    needs = [_open_need(need) for need in shown["needs"]]
    offers = [_open_offer(offer) for offer in shown["offers"] if offer["ours"]]
    # A thousand of each take longer than a loop may stand still.
    suggested = await asyncio.to_thread(suggest, needs, offers)
    items = [_to_json(one, units[one.need_id.hex]) for one in suggested]
    return json_answer({"schema_version": 1, "items": items, "position": shown["position"]})


def _to_json(one: Suggestion, unit: str) -> dict[str, object]:
    return {
        "need": one.need_id.hex,
        "offer": one.offer_id.hex,
        "quantity": amount_text(one.amount),
        "unit": unit,
        "reasons": list(one.reasons),
    }


def _open_need(need: dict[str, Any]) -> OpenNeed:
    return OpenNeed(
        id=UUID(need["id"]),
        item=need["item"],
        category=need["category"],
        unit=need["unit"],
        amount_open=Decimal(need["open"]),
        urgency=need["urgency"],
        until=_time(need["until"]),
        area=need["area"],
    )


def _open_offer(offer: dict[str, Any]) -> OpenOffer:
    return OpenOffer(
        id=UUID(offer["id"]),
        item=offer["item"],
        unit=offer["unit"],
        available=None if offer["available"] is None else Decimal(offer["available"]),
        until=_time(offer["until"]),
        area=offer["area"],
        stale=bool(offer["stale"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
