"""Requests about files that carry news where no network does: packed, fetched, brought, looked into, read.

A file travels between a person's program and the node in pieces, so that none is held whole and a lost line costs one.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from aiohttp import web
from msgspec import Meta, Struct

from aidmesh_node.http import answers_bundles as answers
from aidmesh_node.http.bodies import Audience, Body, Strict
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.fields import FileId
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import not_found
from aidmesh_node.views.pages import SCHEMA_VERSION
from aidmesh_node.views.times import time_text
from aidmesh_protocol.limits import BUNDLE_BYTES_FILE_MAX, SIZES_TEXT_CHARACTERS_MAX

T = TypeVar("T")

PIECE_BYTES_MAX = 1024 * 1024
"""Bytes of a file in one request: a bar that moves, and little to repeat on a bad line."""

BODY_BYTES_MAX = 3 * PIECE_BYTES_MAX // 2
"""A piece as base64, and what stands around it."""

FILE_BYTES_MIN = 8 * 1024
"""The smallest budget that makes sense: a file without news has five thousand bytes."""

BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
"""RFC 4648, padded."""

Place = Annotated[int, Meta(ge=0, le=BUNDLE_BYTES_FILE_MAX, description="In bytes from the beginning of the file.")]


class BundleWanted(Audience, frozen=True, kw_only=True):
    """For whom, what they hold already as a line of `bundle sizes`, and how long one file may be."""

    since: Annotated[str, Meta(max_length=SIZES_TEXT_CHARACTERS_MAX)] | None = None
    max_bytes: Annotated[int, Meta(ge=FILE_BYTES_MIN, le=BUNDLE_BYTES_FILE_MAX)] | None = None


class BundleNamed(Strict, frozen=True):
    id: FileId


class BundleBrought(Strict, frozen=True):
    """The next piece of a file; without an id it begins a new one."""

    at: Place
    data: Annotated[bytes, Meta(max_length=PIECE_BYTES_MAX, extra_json_schema={"pattern": BASE64})]
    id: FileId | None = None


class PieceWanted(Struct, forbid_unknown_fields=True, frozen=True):
    """Which piece of which file."""

    id: FileId
    at: Place


class SizesWanted(Struct, forbid_unknown_fields=True, frozen=True):
    """Of which circle; see `Audience`."""

    circle: str | None = None
    peer: str | None = None


WANTED = Body(BundleWanted, optional=True)
NAMED = Body(BundleNamed)
BROUGHT = Body(BundleBrought)

CIRCLE_409, CIRCLE_422 = "ambiguous_circle", "circle_and_peer no_circle"


@operation(answers.BundleSizes, asks=SizesWanted, refuses={409: CIRCLE_409, 422: CIRCLE_422})
async def show_sizes(call: Call) -> web.Response:
    """What we hold of a circle, as a line of text.

    For whoever packs a file for us: it then goes on from there.
    """
    wanted = call.query(SizesWanted)
    circle = await call.reads.circle(Audience(wanted.circle, wanted.peer))
    sizes = await call.node.files.sizes(circle)
    return json_answer({"schema_version": SCHEMA_VERSION, "sizes": sizes, "circle": circle.hex()})


@operation(
    answers.BundlePacked,
    status=201,
    takes=WANTED,
    refuses={409: f"{CIRCLE_409} nothing_new", 422: f"{CIRCLE_422} bad_sizes file_too_small no_reader"},
)
async def pack_bundle(call: Call) -> web.Response:
    """Pack a file for a circle.

    Sealed to the circle's members. Fetch it piece by piece. What did not fit into `max_bytes` goes into the next file:
    ask again with `next` as `since`.
    """
    wanted = WANTED.read(call.body)
    circle = await call.reads.circle(wanted)

    async def pack() -> dict[str, object]:
        return await call.node.files.pack(circle, wanted.since, wanted.max_bytes)

    async def try_it() -> dict[str, object]:
        told = await pack()
        await call.node.files.let_go(str(told.pop("id")))
        return told

    return await call.repeatable(pack, 201, tried=try_it)


@operation(answers.BundlePiece, asks=PieceWanted, refuses={404: "not_found"})
async def fetch_piece(call: Call) -> web.Response:
    """Fetch a piece of a packed file.

    Empty at its end. Files are kept for a while, until others were packed or the node has started anew.
    """
    wanted = call.query(PieceWanted)
    data, size = await _known(call.node.files.piece(wanted.id, wanted.at))
    return json_answer({"schema_version": SCHEMA_VERSION, "at": wanted.at, "data": data, "bytes": size})


@operation(answers.BundleHere, status=201, takes=BROUGHT, refuses={404: "not_found", 422: "gap_in_file"})
async def bring_piece(call: Call) -> web.Response:
    """Bring the next piece of a file.

    The first without an id. The same piece again changes nothing; nothing is read before you ask for it.
    """
    brought = BROUGHT.read(call.body)
    return await call.repeatable(lambda: _known(call.node.files.receive(brought.id, brought.at, brought.data)), 201)


@operation(answers.BundleInside, takes=NAMED, refuses={404: "not_found", 422: "no_bundle not_for_us"})
async def inspect_bundle(call: Call) -> web.Response:
    """Look into a file that was brought.

    Who packed it and what of it is new here; nothing is taken in.
    """

    async def inspect() -> dict[str, object]:
        return _told(await _known(call.node.files.inspect(NAMED.read(call.body).id)))

    return await call.repeatable(inspect, tried=inspect)


@operation(answers.BundleRead, takes=NAMED, refuses={404: "not_found", 422: "no_bundle not_for_us"})
async def read_bundle(call: Call) -> web.Response:
    """Read a file that was brought.

    Everything in it is verified as if it had come over the network. One that goes on from more than is here waits, and
    is read by itself when that has come. A dry run looks into it.
    """
    id = NAMED.read(call.body).id

    async def read() -> dict[str, object]:
        return _told(await _known(call.node.files.read(id)))

    async def look() -> dict[str, object]:
        return _told(await _known(call.node.files.inspect(id)))

    return await call.repeatable(read, tried=look)


async def _known(answer: Awaitable[T]) -> T:
    """Raises Problem 404 for a file that is not there any more."""
    try:
        return await answer
    except LookupError:
        raise not_found() from None


def _told(told: dict[str, Any]) -> dict[str, object]:
    return {name: time_text(value) if isinstance(value, datetime) else value for name, value in told.items()}
