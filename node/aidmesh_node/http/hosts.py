"""Which `Host` a request may name: ours. Stops a web page that rebinds its name to this node's address."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

from aidmesh_node.http.problems import Problem

REMEMBERED_MAX = 256
HOST_CHARS_MAX = 255


class Hosts:
    """The names of this node: loopback, the address it listens on, the host of its configured url."""

    def __init__(self, listen_host: str, url: str) -> None:
        named = urlsplit(url).hostname if url else None
        self._names = {"localhost", listen_host.lower()} | ({named} if named else set())
        self._remembered: set[tuple[str, str]] = set()

    def check(self, request: web.Request) -> None:
        """Raises Problem 421 for a name that is not ours."""
        transport = request.transport
        sockname = transport.get_extra_info("sockname") if transport is not None else None
        arrived_at = str(sockname[0]) if sockname else ""
        seen = (request.host, arrived_at)
        if seen in self._remembered:
            return
        if len(request.headers.getall("Host", ())) > 1 or not self._ours(*seen):
            raise Problem(
                421,
                "unknown_host",
                "This node does not answer by that host name.",
                "Use the address it listens on, or set its url: aidmesh init --url.",
            )
        if len(self._remembered) < REMEMBERED_MAX:
            self._remembered.add(seen)

    def _ours(self, host: str, arrived_at: str) -> bool:
        name = host_name(host)
        if name is None:
            return False
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # A node that listens on every address is reached by each of them, and an address cannot be rebound.
        return address.is_loopback or name == arrived_at.partition("%")[0]


def host_name(host: str) -> str | None:
    """`host` of `host`, `host:port` or `[address]:port` in lower case; None when it is no such thing."""
    if not host or len(host) > HOST_CHARS_MAX or not host.isascii():
        return None
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        if not bracket:
            return None
    else:
        name, colon, port = host.partition(":")
        rest = colon + port
    if rest and (not rest.startswith(":") or not rest[1:].isdigit()):
        return None
    return name.lower() or None
