"""A page that rebinds its name to this node must not be answered; whoever means this node must be."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from aidmesh_node.http.hosts import Hosts, host_name
from aidmesh_node.http.problems import Problem

OURS = Hosts("192.0.2.7", "https://Aid.example.org:8443/node")


def asking(host: str) -> web.Request:
    return make_mocked_request("GET", "/healthz", headers={"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8420", "LocalHost", "127.0.0.1:8420", "127.0.0.2", "[::1]:8420", "[::1]",
        "192.0.2.7:1", "aid.example.org", "AID.example.org:443",
    ],
)  # fmt: skip
def test_names_of_this_node_are_answered(host: str) -> None:
    OURS.check(asking(host))
    OURS.check(asking(host))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8420", "127.0.0.1.evil.example", "localhost.evil.example", "aid.example.org.",
        "10.0.0.1", "", ":8420", "[::1", "[::1]x", "localhost:80x", "localhost:80:80", "user@localhost", "2130706433",
        "0x7f.1", "localhost/", "loc alhost", "x" * 300, "aid.example.org,evil.example",
    ],
)  # fmt: skip
def test_every_other_name_is_refused_each_time(host: str) -> None:
    for _ in range(2):
        with pytest.raises(Problem) as caught:
            OURS.check(asking(host))
        assert (caught.value.status, caught.value.code) == (421, "unknown_host")


def test_the_parts_of_a_host() -> None:
    assert host_name("Example.org:1") == "example.org"
    assert host_name("[2001:DB8::1]:8420") == "2001:db8::1"
    assert host_name("exämple.org") is None
