"""Which address a request comes from: what is limited for those who have no token yet.

Behind a reverse proxy every request comes from the proxy, so those named in the configuration are believed about whom
they speak for. Nobody else is: a header is written by whoever asks.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from aiohttp import web

from aidmesh_node.config import proxy_networks

FORWARDED = "X-Forwarded-For"

IPV6_BITS = 64
"""One household or office has at least that many IPv6 addresses; to tell them apart would limit nobody."""


class Sources:
    """`proxies` as in the configuration: addresses and networks, with commas between them."""

    def __init__(self, proxies: str = "") -> None:
        self._proxies = proxy_networks(proxies)

    def of(self, request: web.Request) -> str:
        """The address as text; of IPv6 only its network."""
        asking = _address(request.remote or "")
        if asking is None:
            return ""
        if self._is_proxy(asking):
            # The last is what our own proxy saw; what stands before it, it was told.
            told = _address(",".join(request.headers.getall(FORWARDED, ())).rpartition(",")[2])
            asking = told or asking
        if asking.version == 6:
            return str(ipaddress.ip_network((asking, IPV6_BITS), strict=False))
        return str(asking)

    def _is_proxy(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(address.version == network.version and address in network for network in self._proxies)


SOURCES: Final = web.AppKey("sources", Sources)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
