"""URLs, header names and media types between nodes (SPEC §11): one list for servers and clients."""

from __future__ import annotations

import re

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import ENDPOINT_BYTES_MAX

PREFIX = "/aidmesh/1"
WELL_KNOWN = "/.well-known/aidmesh"
INFO = f"{PREFIX}/info"
SYNC = f"{PREFIX}/sync"
WAKE = f"{PREFIX}/wake"
PAIR = f"{PREFIX}/pair"

DESTINATION_HEADER = "Aidmesh-Destination"
CONTENT_DIGEST_HEADER = "Content-Digest"
SIGNATURE_HEADER = "Signature"
SIGNATURE_INPUT_HEADER = "Signature-Input"

BUNDLE_TYPE = "application/vnd.aidmesh.bundle"
PAIRING_TYPE = "application/vnd.aidmesh.pairing"
PROBLEM_TYPE = "application/problem+json"

_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_ENDPOINT = re.compile(
    rf"https?://(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]{{2,45}}\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    r"(?:/[A-Za-z0-9._~-]+)*"
)


def check_endpoint(text: object) -> str:
    """Return `text` if it is an endpoint: where a node answers, to which a path above is appended.

    http or https, lower-case host, optional port and path prefix; no trailing slash, query or credentials,
    and none of the characters an invitation separates with. Raises ProtocolError("malformed").
    """
    match = _ENDPOINT.fullmatch(text) if type(text) is str and len(text) <= ENDPOINT_BYTES_MAX else None
    if match is None or int(match["port"] or 0) > 0xFFFF:
        raise ProtocolError("malformed", "not the address of a node such as https://aid.example.org")
    return match[0]
