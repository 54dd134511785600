"""deploy/compose.yaml: two groups that share nothing but Caddy, and are reached through it alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from aidmesh_node.config import check_listen, check_url, proxy_networks
from tests.house.tree import ROOT
from tests.support import compose, dockerfile

FILE = ROOT / "deploy" / "compose.yaml"
CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
GROUPS = ("harbour", "hillside")
OWN = {"HARBOUR_HOST": "a.example.net", "HILLSIDE_HOST": "b.example.net", "TLS": "tls internal"}


@pytest.fixture(params=[{}, OWN], ids=["as it is", "with an .env"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return compose.read(FILE, request.param)


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """What is mounted where: {folder inside: volume or folder outside}."""
    parts = [volume.split(":") for volume in service["volumes"]]
    return {inside: outside for outside, inside, *_ in parts}


def test_each_group_has_volumes_of_its_own_and_its_mark_apart_from_its_home(document: dict[str, Any]) -> None:
    services = document["services"]
    volumes = [mounts(services[group])[folder] for group in GROUPS for folder in ("/data", "/state")]
    assert len(set(volumes)) == len(volumes) and set(volumes) <= set(document["volumes"])
    (image,) = [stage for stage in dockerfile.read(ROOT / "deploy" / "Dockerfile") if not stage.name]
    assert set(image.command("VOLUME")) == {"/data", "/state"}
    for group in GROUPS:
        founding = services[f"found-{group}"]
        assert mounts(founding) == {folder: mounts(services[group])[folder] for folder in ("/data", "/state")}
        assert founding["command"][founding["command"].index("--state-dir") + 1] == "/state"


def test_only_caddy_can_be_reached_from_outside(document: dict[str, Any]) -> None:
    open_to_all = {name: service["ports"] for name, service in document["services"].items() if "ports" in service}
    assert open_to_all == {"caddy": ["80:80", "443:443", "443:443/udp"]}
    for name, service in document["services"].items():
        assert not {"network_mode", "privileged", "pid", "userns_mode"} & set(service), name


def test_the_nodes_believe_caddy_and_nobody_outside(document: dict[str, Any]) -> None:
    (subnet,) = document["networks"]["inside"]["ipam"]["config"]
    for name in GROUPS:
        proxies = document["services"][name]["environment"]["AIDMESH_NODE__PROXIES"]
        assert proxies == subnet["subnet"]
        assert all(network.is_private for network in proxy_networks(proxies))


def test_a_node_may_do_little_and_write_nowhere_but_to_its_volumes(document: dict[str, Any]) -> None:
    for group in GROUPS:
        for name in (group, f"found-{group}"):
            service = document["services"][name]
            assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert {inside for inside in mounts(service) if ":ro" not in str(service)} <= {"/data", "/state"}


def test_nobody_is_founded_by_starting(document: dict[str, Any]) -> None:
    """A volume that got lost must not become a new group."""
    for name, service in document["services"].items():
        assert service.get("profiles") == (["founding"] if name.startswith("found-") else None), name


def test_caddy_passes_each_name_to_the_node_that_answers_by_it(document: dict[str, Any]) -> None:
    services = document["services"]
    inside = services["caddy"]["networks"]["inside"]["aliases"]
    for group in GROUPS:
        founding, node = services[f"found-{group}"]["command"], services[group]
        listen = check_listen(founding[founding.index("--listen") + 1])
        url = founding[founding.index("--url") + 1]
        assert check_url(url) == url == node["environment"]["AIDMESH_NODE__URL"]
        host = urlsplit(url).hostname
        assert host == services["caddy"]["environment"][f"{group.upper()}_HOST"], "the Host that Caddy passes on"
        assert host in inside, "the nodes reach each other by it"
        assert f"{{${group.upper()}_NODE:{group}:{listen.rpartition(':')[2]}}}" in CADDYFILE


def test_every_variable_is_explained() -> None:
    explained = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    assert compose.variables(FILE) == {
        *("HARBOUR_NAME", "HARBOUR_HOST", "HILLSIDE_NAME", "HILLSIDE_HOST", "TLS", "NODE_CA"),
    }
    for name in compose.variables(FILE):
        assert f"`{name}`" in explained, name
