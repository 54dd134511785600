"""The reference page: all of the document, readable without scripts, from this node alone."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from html.parser import HTMLParser

import pytest

from aidmesh_node.http.reference import render
from tests.support.document import document

from .conftest import Group

PAGE_BYTES_MAX = 250_000
WIRE_BYTES_MAX = 40_000
"""As it travels to every browser there is: compressed."""

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """What a browser would make of it: elements that are open, ids, where links and loads go to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.loads: list[str] = []
        self.style = self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name != "style", (tag, name)
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in ("src", "href", "action", "srcset"):
                self.loads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text += data


@pytest.fixture
async def page(group: Group) -> tuple[Reader, str, dict[str, str]]:
    answer = await group.ask(None, "GET", "/api/docs")
    assert answer.status == 200
    reader = Reader()
    reader.feed(answer.text)
    assert reader.open == []
    return reader, answer.text, dict(answer.headers)


async def test_it_shows_every_operation_and_every_type(page: tuple[Reader, str, dict[str, str]]) -> None:
    reader, _, _ = page
    for path, operations in document()["paths"].items():
        for method, described in operations.items():
            assert f"{method.upper()} {path}" in reader.text and described["operationId"] in reader.ids
            assert described["summary"] in reader.text
            for answer in described["responses"].values():
                name = answer.get("$ref", "").rpartition("/")[2]
                for code in document()["components"]["responses"].get(name, {}).get("x-codes", ()):
                    assert code in reader.text
    assert set(document()["components"]["schemas"]) <= set(reader.ids)


async def test_its_links_lead_somewhere_and_its_ids_are_its_own(page: tuple[Reader, str, dict[str, str]]) -> None:
    reader, _, _ = page
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link for link in reader.links if link.removeprefix("#") not in reader.ids} == {"openapi.json"}


async def test_it_needs_no_script_and_asks_nobody_for_anything(page: tuple[Reader, str, dict[str, str]]) -> None:
    reader, text, headers = page
    assert reader.loads == [] and not reader.elements & {"script", "link", "img", "iframe", "form", "object", "base"}
    assert "http://" not in text and "https://" not in text.replace("https://south.example", "")
    assert "@import" not in reader.style and "url(" not in reader.style
    digest = base64.b64encode(hashlib.sha256(reader.style.encode()).digest()).decode()
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def test_it_fits_a_small_screen_and_a_slow_line(page: tuple[Reader, str, dict[str, str]]) -> None:
    reader, text, _ = page
    assert len(text.encode()) < PAGE_BYTES_MAX and len(gzip.compress(text.encode())) < WIRE_BYTES_MAX
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    # Nothing is wider than the screen: no fixed width above 360 px, long words and code break.
    assert "overflow-wrap: anywhere" in reader.style and "white-space: pre-wrap" in reader.style
    assert not re.search(r"(?<!max-)width:\s*\d", reader.style) and "table" not in reader.elements


async def test_it_travels_compressed(group: Group) -> None:
    for path in ("/api/docs", "/api/openapi.json"):
        async with group.session.get(group.url + path, headers={"Accept-Encoding": "gzip"}) as response:
            assert response.status == 200 and response.headers["Content-Encoding"] == "gzip"
            assert int(response.headers["Content-Length"]) < WIRE_BYTES_MAX


async def test_what_a_document_says_is_text_and_never_markup(page: tuple[Reader, str, dict[str, str]]) -> None:
    hostile = "<script>alert(1)</script>"
    shown = render({**document(), "info": {**document()["info"], "description": hostile, "summary": hostile}}).decode()
    assert "<script>" not in shown and "&lt;script&gt;" in shown
