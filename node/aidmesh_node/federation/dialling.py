"""Which addresses a peer may send us to: what only this machine or its hoster answers is never dialled for a stranger.

A peer names its own addresses, and each is asked with a POST. Addresses of a local network are fine, since groups meet
there; loopback and link-local ones are dialled only by a node that has such an address itself. What a name stands for
is judged by what it resolves to, and that very address is then dialled.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Literal
from urllib.parse import urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

Reach = Literal["anywhere", "loopback", "link_local", "nowhere"]

NAT64 = IPv6Network("64:ff9b::/96")


class NotDialled(OSError):
    """The address is none that a peer may send us to."""

    def __init__(self, host: str) -> None:
        super().__init__(
            errno.EACCES, f"{host} is an address of this machine or of no other: no peer may send us there"
        )


def reach(address: str) -> Reach:
    """Who can be reached at an IP address; one inside an IPv6 transition form is judged as what it stands for."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _inside(ip)) is not None:
        # A public address behind a translator is a public address; any other has no business in such a form.
        return "anywhere" if inner.is_global else "nowhere"
    if ip.is_loopback:
        return "loopback"
    if ip.is_link_local:
        return "link_local"
    this_network = isinstance(ip, IPv4Address) and ip.packed[0] == 0
    return "nowhere" if ip.is_unspecified or ip.is_multicast or ip.is_reserved or this_network else "anywhere"


def _inside(ip: IPv6Address) -> IPv4Address | None:
    if ip in NAT64:
        return IPv4Address(ip.packed[-4:])
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


class Dialling(AbstractResolver):
    """Resolves names to addresses that may be dialled by the node at `own_url`."""

    def __init__(self, own_url: str, resolver: AbstractResolver | None = None) -> None:
        self._own_host = urlsplit(own_url).hostname or ""
        self._resolver = resolver or ThreadedResolver()

    async def check(self, host: str) -> None:
        """Raise NotDialled for an IP address that may not be dialled; a name is judged when it is resolved."""
        if (address := literal(host)) is not None and not await self._may(address):
            raise NotDialled(host)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See AbstractResolver. Raises NotDialled when none of the addresses may be dialled."""
        found = await self._resolver.resolve(host, port, family)
        allowed = [each for each in found if await self._may(each["host"])]
        if not allowed:
            raise NotDialled(host)
        return allowed

    async def close(self) -> None:
        await self._resolver.close()

    async def _may(self, address: str) -> bool:
        reached = reach(address)
        return reached == "anywhere" or (reached != "nowhere" and reached in await self._own_reach())

    async def _own_reach(self) -> set[Reach]:
        if (address := literal(self._own_host)) is not None:
            return {reach(address)}
        try:
            return {reach(each["host"]) for each in await self._resolver.resolve(self._own_host, 0, socket.AF_UNSPEC)}
        except OSError:
            return set()


def literal(host: str) -> str | None:
    """The IP address that a host of a URL is, None for a name."""
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return None
