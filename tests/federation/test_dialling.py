"""Where a peer may send us (reliability.md A24): a listener of this machine counts who comes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from aidmesh_node.clock import SystemClock
from aidmesh_node.federation.dialling import Dialling, Reach, reach
from aidmesh_node.federation.http_client import HttpPeerClient, session_for
from aidmesh_node.federation.peer_client import Unreachable
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.paths import SYNC, check_endpoint
from tests.support.hostile_server import HostileServer, hangs_up, serving

PUBLIC = "https://aid.example.org"

REACHES: dict[str, Reach] = {
    "127.0.0.1": "loopback",
    "127.8.9.1": "loopback",
    "::1": "loopback",
    "169.254.169.254": "link_local",
    "fe80::1": "link_local",
    "0.0.0.0": "nowhere",
    "0.1.2.3": "nowhere",
    "::": "nowhere",
    "224.0.0.1": "nowhere",
    "ff02::1": "nowhere",
    "255.255.255.255": "nowhere",
    "240.0.0.1": "nowhere",
    "::ffff:127.0.0.1": "nowhere",
    "::ffff:10.0.0.1": "nowhere",
    "::ffff:169.254.169.254": "nowhere",
    "64:ff9b::7f00:1": "nowhere",
    "64:ff9b::a00:1": "nowhere",
    "2002:7f00:1::1": "nowhere",
    "2002:a00:1::1": "nowhere",
    "2001:0:4136:e378:8000:63bf:80ff:fffe": "nowhere",
    "64:ff9b::808:808": "anywhere",
    "::ffff:8.8.8.8": "anywhere",
    "93.184.216.34": "anywhere",
    "2606:2800:220:1::1": "anywhere",
    "192.168.1.5": "anywhere",
    "10.0.0.1": "anywhere",
    "fd00::5": "anywhere",
}
"""Groups meet on local networks, so their addresses may be dialled; nobody needs them inside a transition form."""


class Names(AbstractResolver):
    """A name service: any answer for a name, another one each time if there are several."""

    def __init__(self, **names: list[str]) -> None:
        self._names = names
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self._names.get(host.partition(".")[0])
        if not answers:
            raise OSError(f"{host} has no address")
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def client(own_url: str, names: AbstractResolver | None = None) -> AsyncIterator[HttpPeerClient]:
    dialling = Dialling(own_url, names)
    async with session_for(dialling) as session:
        yield HttpPeerClient(session, SystemClock(), dialling=dialling)


def port_of(server: HostileServer) -> str:
    return server.url.rpartition(":")[2]


async def why(visitor: HttpPeerClient, endpoint: str) -> str:
    with pytest.raises(Unreachable) as refused:
        await asyncio.wait_for(visitor.post(endpoint, SYNC, {}, b"x", bytes_max=100), 5)
    return str(refused.value)


@pytest.mark.parametrize("address", REACHES)
def test_a24_who_is_reached_at_an_address(address: str) -> None:
    assert reach(address) == REACHES[address]


async def test_a24_nobody_of_this_machine_is_dialled_for_a_peer() -> None:
    hosts = ["127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"]
    # What a resolver makes of these is an address of this machine too.
    hosts += ["localhost", "0", "2130706433", "127.1", "0x7f000001", "0.0.0.0"]
    async with serving(hangs_up) as server, client(PUBLIC) as visitor:
        for host in hosts:
            endpoint = f"http://{host}:{port_of(server)}"
            # Odd numbers are no URL to the HTTP library; what is left to the resolver is judged here.
            refused = await why(visitor, endpoint)
            assert "no peer may send us there" in refused or "not a canonical IPv4 address" in refused, host
        assert server.visits == 0


async def test_a24_a_name_is_judged_by_what_it_stands_for_when_it_is_dialled() -> None:
    names = Names(rebound=["93.184.216.34", "127.0.0.1"], metadata=["169.254.169.254"], mapped=["::ffff:10.0.0.1"])
    async with serving(hangs_up) as server:
        for name in ("metadata", "mapped"):
            async with client(PUBLIC, names) as visitor:
                assert "no peer may send us there" in await why(visitor, f"http://{name}.example.org:{port_of(server)}")
        dialling = Dialling(PUBLIC, names)
        assert [each["host"] for each in await dialling.resolve("rebound.example.org")] == ["93.184.216.34"]
        with pytest.raises(OSError, match="no peer may send us there"):
            await dialling.resolve("rebound.example.org")
        assert server.visits == 0


async def test_who_has_such_an_address_dials_such_addresses() -> None:
    """A demonstration, or two groups on one machine: but a node that is local is not of the link, nor the other way."""
    names = Names(here=["127.0.0.1"])
    async with serving(hangs_up) as server:
        for own in ("http://127.0.0.1:8420", "http://[::1]:8420", "http://here.example.org"):
            async with client(own, names) as visitor:
                assert "no peer may" not in await why(visitor, f"http://127.0.0.1:{port_of(server)}")
                assert "no peer may" in await why(visitor, "http://169.254.169.254")
        assert server.visits == 3
        async with client("http://169.254.7.8") as visitor:
            assert "no peer may" in await why(visitor, f"http://127.0.0.1:{port_of(server)}")
        async with client("http://nobody.example.org", Names()) as visitor:
            assert "no peer may" in await why(visitor, f"http://127.0.0.1:{port_of(server)}")
        assert server.visits == 3


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:22/",
        "http://user@127.0.0.1",
        "gopher://127.0.0.1",
        "http://[::1%25lo]",
        "http://a/../b?x",
        "//a",
    ],
)
def test_a24_what_is_no_endpoint_is_not_even_kept(endpoint: str) -> None:
    with pytest.raises(ProtocolError):
        check_endpoint(endpoint)
