"""Entity tags: the version of one thing, and a digest of how it is shown. Never decides anything.

`"7.d1c2b3a4f5e60718"`: the whole tag is compared by `If-None-Match`, since names of others may change while the thing
does not; `If-Match` compares the version alone, since that is what a command depends on. `"7"` does as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from aidmesh_node.http.problems import bad_field

ETAG: Final = "ETag"
IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"

DIGEST_BYTES: Final = 8
"""Tells two showings of one version apart; nobody gains by making two alike."""

TAGS_MAX: Final = 16
"""In one header: more than anybody holds of one thing."""

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]{0,64})"', re.ASCII)
_VERSION = re.compile(r"([0-9]{1,18})(\.[0-9a-f]+)?", re.ASCII)


def etag(version: int, shown: bytes) -> str:
    """The strong tag of a thing at `version` whose answer is the bytes `shown`."""
    return f'"{version}.{hashlib.sha256(shown).digest()[:DIGEST_BYTES].hex()}"'


def shows(request: web.Request, tag: str) -> bool:
    """Whether the caller already has what `tag` names. Raises Problem 400."""
    given = _tags(request, IF_NONE_MATCH)
    return given is not None and (not given or any(f'"{name}"' == tag for _, name in given))


def versions_wanted(request: web.Request) -> frozenset[int] | None:
    """The versions the caller's command may find; None for any. Raises Problem 400.

    A tag that is none of ours names no version, so that the command is not done.
    """
    given = _tags(request, IF_MATCH)
    if not given:
        return None
    found = (_VERSION.fullmatch(name) for weak, name in given if not weak)
    return frozenset(int(match[1]) for match in found if match)


def _tags(request: web.Request, header: str) -> list[tuple[bool, str]] | None:
    """(weak, tag without quotes) for each tag of the header; empty for `*`, None without the header."""
    lines = request.headers.getall(header, ())
    if not lines:
        return None
    text = ",".join(lines).strip()
    if text == "*":
        return []
    matches = [_TAG.fullmatch(part.strip()) for part in text.split(",")]
    tags = [(bool(match[1]), match[2]) for match in matches if match]
    if len(tags) != len(matches) or not 0 < len(tags) <= TAGS_MAX:
        raise bad_field(header, 'Expected * or tags as given in an ETag, for example "7"')
    return tags


def version_of(body: Mapping[str, Any]) -> int:
    """The version of what is shown; 0 for what has none."""
    version = body.get("version", 0)
    return version if isinstance(version, int) else 0
