"""Files between groups over the API: packed and fetched in pieces, brought in pieces, read, looked into."""

from __future__ import annotations

import base64
from typing import Any

from .conftest import CONSENT, Two

NOBODYS = "0" * 32


async def fetched(group: Any, packed: dict[str, Any]) -> bytes:
    data = b""
    while len(data) < packed["bytes"]:
        piece = (await group.get("coordinator", f"/bundle-pieces?id={packed['id']}&at={len(data)}")).body
        assert (piece["at"], piece["bytes"]) == (len(data), packed["bytes"])
        data += base64.b64decode(piece["data"])
    assert (await group.get("coordinator", f"/bundle-pieces?id={packed['id']}&at={len(data)}")).body["data"] == ""
    return data


async def brought(group: Any, data: bytes, piece: int = 2_000) -> str:
    id, key = None, 0
    for at in range(0, len(data), piece):
        body = {"at": at, "data": base64.b64encode(data[at : at + piece]).decode()}
        answer = await group.post("coordinator", "/bundle-pieces", body if id is None else {**body, "id": id})
        assert answer.status == 201, answer.text
        id, key = answer.body["id"], key + 1
        assert answer.body["bytes"] == min(at + piece, len(data))
    assert id is not None
    return str(id)


async def test_news_go_from_one_api_to_the_other_as_a_file(two: Two) -> None:
    await two.pair()
    north, south = two.north, two.south
    two.mesh.network.cut = set(two.mesh.network.nodes)
    need = await north.need("member")
    assert (await north.post("coordinator", f"/needs/{need}/share", {"consent": CONSENT})).status == 200
    await two.settle()
    assert (await south.get("member", "/board")).body["needs"] == []

    sizes = (await south.get("coordinator", "/bundle-sizes?peer=north")).body
    (circle,) = (await south.get("member", "/circles")).body["items"]
    assert sizes["circle"] == circle["id"]
    packed = await north.post("coordinator", "/bundles", {"peer": "south", "since": sizes["sizes"]})
    assert packed.status == 201, packed.text
    assert (packed.body["entries"], packed.body["left"], packed.body["next"]) == (1, 0, None)
    data = await fetched(north, packed.body)

    id = await brought(south, data)
    inside = (await south.post("coordinator", "/bundles/inspect", {"id": id})).body
    assert (inside["packed_by"]["name"], inside["new"], inside["signature"]) == ("North", 1, "signed")
    tried = (await south.post("coordinator", "/bundles/read", {"id": id}, Dry_Run="true")).body
    assert (tried["dry_run"], tried["new"]) == (True, 1)
    assert (await south.get("member", "/board")).body["needs"] == []
    read = (await south.post("coordinator", "/bundles/read", {"id": id})).body
    assert (read["new"], read["whole"], read["again"], read["refused"]) == (1, True, False, [])
    (seen,) = (await south.get("member", "/board")).body["needs"]
    assert seen["group_name"] == "North"

    again = await south.post("coordinator", "/bundles/read", {"id": id})
    assert again.status == 404, "a file that was read is let go"
    later = (await south.get("coordinator", "/bundle-sizes")).body["sizes"]
    nothing = await north.post("coordinator", "/bundles", {"since": later})
    assert (nothing.status, nothing.code) == (409, "nothing_new")


async def test_a_lost_answer_is_given_once_more(two: Two) -> None:
    await two.pair()
    first = await two.north.post("coordinator", "/bundles", {}, Idempotency_Key="a")
    second = await two.north.post("coordinator", "/bundles", {}, Idempotency_Key="a")
    assert first.body == second.body
    data = base64.b64encode(b"abc").decode()
    begun = [
        (await two.north.post("coordinator", "/bundle-pieces", {"at": 0, "data": data}, Idempotency_Key="b")).body
        for _ in range(2)
    ]
    assert begun[0] == begun[1]
    same = (await two.north.post("coordinator", "/bundle-pieces", {"at": 0, "data": data, "id": begun[0]["id"]})).body
    assert same == begun[0], "the same piece again changes nothing"


async def test_trying_to_pack_leaves_no_file(two: Two) -> None:
    await two.pair()
    tried = await two.north.post("coordinator", "/bundles", {}, Dry_Run="true")
    assert tried.status == 200 and tried.body["bytes"] > 0 and "id" not in tried.body
    assert list((two.mesh.groups["North"].home / "files").iterdir()) == []


async def test_a_whole_number_may_be_written_with_a_point(two: Two) -> None:
    begun = await two.north.post("coordinator", "/bundle-pieces", {"at": 0.0, "data": "aGFyYm91cg=="})
    assert begun.status == 201
    for wrong in (
        b'{"at": 0.5}',
        b'{"at": 1e300}',
        b'{"at": -1e999}',
        b'{"at": "", "data": "\xff"}',
        b'{"at": "\\ud800"}',
    ):
        headers = {"Authorization": f"Bearer {two.north.tokens['coordinator']}", "Content-Type": "application/json"}
        async with two.north.session.post(
            two.north.url + "/api/v1/bundle-pieces", data=wrong, headers=headers
        ) as answer:
            assert answer.status == 400, wrong


async def test_what_cannot_be_is_said(two: Two) -> None:
    await two.pair()
    north = two.north
    for path, body, status, code in (
        ("/bundles", {"since": "hello"}, 422, "bad_sizes"),
        ("/bundles", {"peer": "west"}, 422, "no_circle"),
        ("/bundles", {"max_bytes": 1}, 400, "malformed"),
        ("/bundles/read", {"id": NOBODYS}, 404, "not_found"),
        ("/bundles/inspect", {"id": NOBODYS}, 404, "not_found"),
        ("/bundles/read", {"id": "../../keys/signing.key"}, 400, "malformed"),
        ("/bundle-pieces", {"at": 0, "data": "?"}, 400, "malformed"),
        ("/bundle-pieces", {"at": 0, "data": "", "id": NOBODYS}, 404, "not_found"),
        ("/bundle-pieces", {"at": 1, "data": "YQ=="}, 422, "gap_in_file"),
    ):
        answer = await north.post("coordinator", path, body)
        assert (answer.status, answer.code) == (status, code), (path, body, answer.text)
    assert (await north.get("coordinator", f"/bundle-pieces?id={NOBODYS}&at=0")).status == 404
    id = await brought(north, b"no bundle at all")
    for verb in ("inspect", "read"):
        answer = await north.post("coordinator", f"/bundles/{verb}", {"id": id})
        assert (answer.status, answer.code) == (422, "no_bundle")
