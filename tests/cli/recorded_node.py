"""The network side of a node, for tests of the command line: answers what it is told to, and records what was asked.

It decides nothing; tests that need decisions run against a real node.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from aidmesh_cli.main import run
from tests.support.document import request_problems

TOKEN = "amesh_abcdefghijklmnopqrstuvwxyz234567"
LOST = object()
"""Instead of an answer: the connection is closed after the request was read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class RecordedNode:
    """Answers per "METHOD path", one after the other, the last one again and again."""

    url: str
    home: Path
    answers: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)
    """What was asked that the API document does not tell of; the fixture `aidmesh` wants none."""
    holding: dict[str, threading.Event] = field(default_factory=dict)

    @contextmanager
    def held(self, route: str) -> Iterator[threading.Event]:
        """The answer to `route` waits until the event is set; at the end it is."""
        go = self.holding[route] = threading.Event()
        try:
            yield go
        finally:
            go.set()

    def answer(self, route: str, *answers: Any, status: int = 200) -> None:
        """`route` below the API: "GET /needs?limit=5". An answer is a JSON value, bytes or LOST."""
        self.answers.setdefault(route, []).extend((status, one) for one in answers)

    def refuse(self, route: str, status: int, code: str, detail: str = "No.", hint: str = "", **more: Any) -> None:
        """A problem document."""
        problem = {"title": "No", "status": status, "code": code, "detail": detail, "hint": hint, **more}
        self.answers.setdefault(route, []).append((status, problem))

    def next_answer(self, route: str) -> tuple[int, Any]:
        known = self.answers.get(route)
        if known is None:
            return 404, {"code": "unknown_route", "detail": f"Nothing was recorded for {route}."}
        return known.pop(0) if len(known) > 1 else known[0]

    def posted(self) -> list[tuple[str, Any]]:
        """(path, body) of every POST."""
        return [(one.path, one.body) for one in self.asked if one.method == "POST"]


class _Handler(BaseHTTPRequestHandler):
    node: RecordedNode

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.removeprefix("/api/v1")
        body = json.loads(data) if data else None
        self.node.asked.append(Asked(method, path, dict(self.headers), body))
        self.node.undocumented += request_problems(method, self.path[self.path.find("/api/") :], body)
        if (go := self.node.holding.get(f"{method} {path}")) is not None:
            go.wait()
        status, answer = self.node.next_answer(f"{method} {path}")
        if answer is LOST:
            self.close_connection = True
            return
        sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        if status == 302:
            self.send_header("Location", self.node.url)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: tests look at stderr."""


@contextmanager
def recorded_node(home: Path) -> Iterator[RecordedNode]:
    """A listening RecordedNode, and a home that says where it is."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    node = RecordedNode(f"http://127.0.0.1:{server.server_address[1]}", home)
    handler.node = node  # type: ignore[attr-defined]
    home.mkdir(mode=0o700)
    (home / "config.toml").touch()
    (home / "address").write_text(json.dumps({"url": node.url, "pid": os.getpid()}), encoding="utf-8")
    write_token(home / "operator.token")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield node
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_token(file: Path, token: str = TOKEN) -> Path:
    """A token file as `init` or `member join` leaves it."""
    file.write_text(token + "\n", encoding="ascii")
    file.chmod(0o600)
    return file


@dataclass(frozen=True, slots=True)
class Said:
    """What a command line said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """What was said on stderr, wherever its lines were broken."""
        return " ".join(self.err.split())

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Types commands for one node, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], home: Path) -> None:
        self._capsys = capsys
        self.home = home

    def __call__(self, *arguments: str) -> Said:
        """`aidmesh ARGUMENTS --home HOME`"""
        return self.alone(*arguments, "--home", str(self.home))

    def alone(self, *arguments: Any) -> Said:
        """`aidmesh ARGUMENTS`"""
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return Said(code, captured.out, captured.err)


def sequence(values: Sequence[Any]) -> dict[str, Any]:
    """A list as the API answers it."""
    return {"schema_version": 1, "items": list(values), "position": 7, "cursor": None}
