"""The API document and the reference page made from it: served to anyone, from this node alone, without scripts."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment
from markupsafe import Markup, escape

from aidmesh_node.http.answers_node import Document
from aidmesh_node.http.call import Call
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import SECURITY_HEADERS

DOCUMENT_PATH: Final = "/api/openapi.json"
PAGE_PATH: Final = "/api/docs"
DOCUMENT_FILE: Final = "openapi.json"
TEMPLATE_FILE: Final = "reference.html.j2"
STYLE_FILE: Final = "reference.css"

USUAL_MIN: Final = 6
"""Operations that have the same problem before it is said once for all: keeps the page below 100 kB."""


@operation(Document)
async def show_document(call: Call) -> web.Response:
    """This document.

    OpenAPI 3.1: enough to write a client from.
    """
    answer = web.Response(body=_read(DOCUMENT_FILE), content_type="application/json", headers=SECURITY_HEADERS)
    answer.enable_compression()
    return answer


@operation(str, media_type="text/html")
async def show_page(call: Call) -> web.Response:
    """This document as a page to read.

    Made by the node from the same document: no scripts, nothing from anywhere else.
    """
    page, headers = _page()
    answer = web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)
    answer.enable_compression()
    return answer


def render(document: dict[str, Any]) -> bytes:
    """The reference page of a document."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(prose=_prose, json=lambda value: json.dumps(value, ensure_ascii=False))
    template = environment.from_string(_read(TEMPLATE_FILE).decode())
    style = Markup(_read(STYLE_FILE).decode())
    return template.render(
        document=document,
        style=style,
        operations=_by_tag(document),
        problems={name: answer["x-codes"] for name, answer in document["components"]["responses"].items()},
        usual=_usual_problems(document),
        headers=_headers(document),
    ).encode()


@cache
def _page() -> tuple[bytes, dict[str, str]]:
    """The page, and headers that let it have its own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_read(STYLE_FILE)).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    headers = {**SECURITY_HEADERS, "Content-Security-Policy": policy + "; frame-ancestors 'none'"}
    return render(json.loads(_read(DOCUMENT_FILE))), headers


@cache
def _read(name: str) -> bytes:
    return files("aidmesh_node.http").joinpath(name).read_bytes()


def _by_tag(document: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """(method, path, operation) of every operation, under the tags in their order."""
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, described in operations.items():
            found[described["tags"][0]].append((method.upper(), path, described))
    return found


def _usual_problems(document: dict[str, Any]) -> list[str]:
    """The problems that so many operations have that the page says them once."""
    used = Counter(
        answer["$ref"].rpartition("/")[2]
        for operations in document["paths"].values()
        for described in operations.values()
        for answer in described["responses"].values()
        if "$ref" in answer
    )
    return sorted(name for name, count in used.items() if count >= USUAL_MIN)


def _headers(document: dict[str, Any]) -> dict[str, list[str]]:
    """What is said of each shared parameter and header, in requests and in answers."""
    found: dict[str, list[str]] = {}
    for kind in ("parameters", "headers"):
        for name, header in document["components"][kind].items():
            found.setdefault(name, []).append(header["description"])
    return found


def _prose(text: str) -> Markup:
    """Paragraphs, `code` and **strong**: all the Markdown the document uses."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        shown = str(escape(paragraph))
        for mark, element in (("**", "strong"), ("`", "code")):
            pieces = shown.split(mark)
            shown = "".join(
                f"<{element}>{piece}</{element}>" if number % 2 else piece for number, piece in enumerate(pieces)
            )
        paragraphs.append(f"<p>{shown}</p>")
    return Markup("\n".join(paragraphs))
