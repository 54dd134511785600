"""What arrives on the wire before anybody reads it: sizes, slowness, encodings, hosts, methods, broken requests."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging

import pytest

from aidmesh_node.http import call
from aidmesh_node.http.app import BODY_BYTES_MAX, IMPORT_BYTES_MAX

from .conftest import BLANKETS, Group


async def raw(group: Group, data: bytes, *more: bytes) -> tuple[int, bytes]:
    """Send bytes as they are, read until the node closes or has answered; the status and everything it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", group.port)
    try:
        for piece in (data, *more):
            writer.write(piece)
            await writer.drain()
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        return int(head.split()[1]), head + await asyncio.wait_for(reader.readexactly(length), 10)
    finally:
        writer.close()
        await writer.wait_closed()


def post(group: Group, path: str = "/api/v1/needs", **headers: str) -> bytes:
    lines = {
        "Host": "localhost",
        "Authorization": f"Bearer {group.tokens['coordinator']}",
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1")


async def test_a_body_larger_than_its_route_allows_is_refused_by_its_announcement(group: Group) -> None:
    status, text = await raw(group, post(group, Content_Length=str(BODY_BYTES_MAX + 1)))
    assert status == 413 and b'"too_large"' in text and b"Connection: close" in text
    status, text = await raw(group, post(group, "/api/v1/imports", Content_Length=str(IMPORT_BYTES_MAX + 1)))
    assert status == 413 and b'"too_large"' in text


async def test_a_body_that_says_nothing_of_its_size_is_cut_off_at_the_limit(group: Group) -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    status, text = await raw(group, post(group, Transfer_Encoding="chunked"), chunk, chunk, chunk)
    assert status == 413 and b'"too_large"' in text
    body = json.dumps(BLANKETS).encode()
    pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:])]
    status, _ = await raw(group, post(group, Transfer_Encoding="chunked"), *pieces, b"0\r\n\r\n")
    assert status == 201


async def test_a_body_that_drips_is_given_up(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "BODY_SECONDS_MAX", 0.05)
    status, text = await raw(group, post(group, Content_Length="60"), b'{"category"')
    assert status == 408 and b'"body_too_slow"' in text and b"Connection: close" in text
    assert (await group.get("member", "/needs")).body["items"] == []


async def test_a_body_that_is_broken_or_cut_off_is_the_senders_fault(
    group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    status, text = await raw(group, post(group, Transfer_Encoding="chunked"), b"zz\r\nbroken\r\n")
    assert status == 400 and b"Traceback" not in text
    _, writer = await asyncio.open_connection("127.0.0.1", group.port)
    writer.write(post(group, Content_Length="60") + b'{"category"')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await group.get("member", "/needs")).body["items"] == []
    assert "failed" not in caplog.text


async def test_nobody_without_a_token_gets_to_send_a_body(group: Group) -> None:
    status, text = await raw(group, post(group, Authorization="Bearer x", Content_Length="100000000"), b"{")
    assert status == 401 and b'"unauthenticated"' in text


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/msgpack", ""],
)
async def test_only_json_is_read_so_that_no_form_of_another_site_is(group: Group, kind: str) -> None:
    body = json.dumps(BLANKETS).encode()
    status, text = await raw(group, post(group, Content_Type=kind, Content_Length=str(len(body))), body)
    assert status == 415 and b'"not_json"' in text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
async def test_packed_bodies_are_refused_unopened(group: Group, encoding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    length = str(len(bomb))
    status, text = await raw(group, post(group, Content_Encoding=encoding, Content_Length=length), bomb)
    assert status == 415 and b'"encoded_body"' in text


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/status", "/aidmesh/1/info", "/nowhere"])
async def test_a_rebound_name_reaches_nothing(group: Group, path: str) -> None:
    for request_line, host in ((path, "evil.example"), (f"http://evil.example{path}", "localhost"), (path, "")):
        status, text = await raw(group, f"GET {request_line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert status == 421 and b'"unknown_host"' in text, (request_line, host)
    twice = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n".encode()
    assert (await raw(group, twice))[0] in (400, 421)


async def test_no_other_site_is_allowed_to_ask(group: Group) -> None:
    asked = await group.ask(None, "OPTIONS", "/api/v1/needs", Origin="https://evil.example")
    assert (asked.status, asked.code) == (405, "method_not_allowed")
    answer = await group.get("member", "/needs", Origin="https://evil.example")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "TRACE", "PROPFIND"])
async def test_other_methods_are_not_there(group: Group, method: str) -> None:
    answer = await group.ask("operator", method, "/api/v1/needs")
    assert answer.status in (404, 405)
    assert method == "HEAD" or answer.code in ("method_not_allowed", "unknown_route")


async def test_a_post_has_its_say_in_the_body_alone(group: Group) -> None:
    refused = await group.post("coordinator", "/needs?quantity=5", BLANKETS)
    assert (refused.status, refused.code) == (400, "malformed")


async def test_a_connection_serves_many_requests(group: Group) -> None:
    body = json.dumps(BLANKETS).encode()
    request = post(group, Content_Length=str(len(body))) + body
    reader, writer = await asyncio.open_connection("127.0.0.1", group.port)
    for _ in range(3):
        writer.write(request)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        length = int(next(line for line in head.split(b"\r\n") if b"Content-Length" in line).split(b":")[1])
        assert b" 201 " in head and b'"position"' in await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


async def test_a_request_that_is_none_leaves_no_token_in_the_log(
    group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        status, _ = await raw(group, b"POST /healthz HTTP/1.1\r\nAuthorization Bearer amesh_secret\r\n\r\n")
    assert status == 400 and "not HTTP" in caplog.text
    assert "amesh_secret" not in caplog.text


async def test_somebody_who_hung_up_before_the_answer_is_no_error(
    group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await group.get("member", "/needs")).status == 200
    with caplog.at_level(logging.DEBUG):
        # As the server does when a peer that held a pull open has been stopped.
        gone = ConnectionResetError("Cannot write to closing transport")
        logging.getLogger("aidmesh.http.wire").error("Error handling request from %s", "127.0.0.1", exc_info=gone)
    assert not [one for one in caplog.records if one.name == "aidmesh.http.wire"]
