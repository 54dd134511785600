"""deploy/Caddyfile in front of two real nodes: they pair and exchange a need through it, by name and over HTTPS.

The names are known only in mount namespaces of the test's own, by an /etc/hosts of their own; certificates are Caddy's.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from aidmesh_node import main
from tests.house.tree import ROOT
from tests.support import compose
from tests.support.processes import PYTHONPATH, NodeProcess, free_port

CADDYFILE = ROOT / "deploy" / "Caddyfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
SECONDS_MAX = 30.0
NAMESPACE = ("unshare", "--map-root-user", "--mount")
WITH_HOSTS = 'mount --bind "$HOSTS" /etc/hosts; exec "$@"'

# What no container needs: ports that are free here, and certificates in the test's own folder, trusted by nobody.
OPTIONS = """{{
	admin off
	http_port {http_port}
	auto_https disable_redirects
	skip_install_trust
	storage file_system {storage}
}}
import {caddyfile}
"""


@pytest.fixture(scope="module")
def caddy() -> str:
    found = shutil.which("caddy")
    if found is None:
        pytest.skip("probed absent: caddy")
    return found


@pytest.mark.parametrize("tls", ["", "tls internal"])
def test_caddy_has_nothing_against_the_file(caddy: str, tls: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [caddy, "adapt", "--adapter", "caddyfile", "--config", str(CADDYFILE)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TLS": tls},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.lower(), done.stderr
    (server,) = json.loads(done.stdout)["apps"]["http"]["servers"].values()
    assert server["listen"] == [":443"]
    routes = {route["match"][0]["host"][0]: json.dumps(route["handle"]) for route in server["routes"]}
    for group in ("harbour", "hillside"):
        assert f'"dial": "{group}:8420"' in routes[f"{group}.example.org"]
        assert "header" not in routes[f"{group}.example.org"], "the Host is passed on as it came"
    issuers = json.dumps(json.loads(done.stdout)["apps"].get("tls", {}))
    assert ('"module": "internal"' in issuers) == bool(tls)


@dataclass(slots=True)
class Hall:
    """Two nodes, Caddy before them, and how a person on that network asks."""

    nodes: dict[str, NodeProcess]
    names: dict[str, str]
    inside: list[str]
    variables: dict[str, str]

    def types(self, group: str, *words: str, wait: int = 20) -> str:
        """What the operator of `group` sees who uses its public name from another machine."""
        where = [
            "--node",
            f"https://{self.names[group]}",
            "--token-file",
            str(self.nodes[group].home / "operator.token"),
        ]
        done = subprocess.run(
            [*self.inside, sys.executable, "-m", "aidmesh_cli", *words, *where, "--wait", str(wait)],
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def hall(caddy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    if subprocess.run([*NAMESPACE, "mount", "--bind", "/etc/hosts", "/etc/hosts"], capture_output=True).returncode:
        pytest.skip("probed absent: mount namespaces")
    folder = tmp_path_factory.mktemp("hall")
    port, ports = free_port(), {group: free_port() for group in ("harbour", "hillside")}
    names = {group: f"{group}.example.org:{port}" for group in ports}
    services = compose.read(COMPOSE, {f"{group.upper()}_HOST": name for group, name in names.items()})["services"]
    (folder / "hosts").write_text("127.0.0.1 localhost harbour.example.org hillside.example.org\n")
    authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    inside = ["env", f"HOSTS={folder / 'hosts'}", *NAMESPACE, "sh", "-euc", WITH_HOSTS, "sh"]
    variables = {"PYTHONPATH": PYTHONPATH, "SSL_CERT_FILE": str(authority)}
    (folder / "Caddyfile").write_text(
        OPTIONS.format(http_port=free_port(), storage=folder / "caddy", caddyfile=CADDYFILE)
    )
    settings = {f"{group.upper()}_NODE": f"127.0.0.1:{ports[group]}" for group in ports}
    settings |= {f"{group.upper()}_HOST": names[group] for group in ports} | {"TLS": "tls internal"}
    with ExitStack() as stack:
        log = stack.enter_context((folder / "log").open("wb"))

        def started(words: list[str], **more: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(words, env={**os.environ, **more}, stdout=log, stderr=log)
            stack.callback(process.wait, SECONDS_MAX)
            stack.callback(process.terminate)
            return process

        run = [caddy, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
        front = started(run, HOME=str(folder), **settings)
        until(authority.exists, front, folder / "log")
        nodes = {}
        for group, service in ((group, services[group]) for group in ports):
            founding = services[f"found-{group}"]["command"]
            said = dict(zip(founding[1::2], founding[2::2], strict=True))
            made = main.init(
                folder / group, said["--name"], f"127.0.0.1:{ports[group]}", said["--url"], folder / f"{group}-state"
            )
            url = {"AIDMESH_NODE__URL": service["environment"]["AIDMESH_NODE__URL"]}
            process = started(
                [*inside, sys.executable, "-m", "aidmesh_node", "--home", str(made.home)], **variables, **url
            )
            node = NodeProcess(
                made.home, f"http://127.0.0.1:{ports[group]}", made.token_file.read_text().strip(), process
            )
            until(lambda node=node: ready(node), process, folder / "log")
            nodes[group] = node
        yield Hall(nodes, names, inside, variables)


@pytest.mark.clean
def test_two_groups_pair_and_exchange_a_need_through_caddy(hall: Hall) -> None:
    invitation = hall.types("harbour", "peer", "invite", "--quiet")
    assert f"https://{hall.names['harbour']}" in invitation, "what leads the other group here goes through Caddy"
    words = hall.types("hillside", "peer", "accept", invitation, "--quiet")
    hall.types("hillside", "peer", "accept", "Harbour", "--words", words, wait=0)
    hall.types("harbour", "peer", "accept", "Hillside", "--words", words)
    hall.types(
        "harbour", "need", "post", "Blankets", "--category", "bedding", "--quantity", "20", "--name", "Ana Silva"
    )
    hall.types("harbour", "need", "share", "Blankets", "--with", "Hillside", "--consent", "by_phone")
    hall.types("hillside", "pledge", "offer", "Blankets", "--quantity", "20")
    hall.types("harbour", "pledge", "accept", "Blankets")
    hall.types("hillside", "pledge", "hand-over", "Blankets")
    hall.types("harbour", "pledge", "receive", "Blankets")
    (pledge,) = json.loads(hall.types("harbour", "pledge", "list", "--json"))["items"]
    assert pledge["phase"] == "received"
    for one, other in (("harbour", "hillside"), ("hillside", "harbour")):
        (peer,) = json.loads(hall.types(one, "peer", "list", "--json"))["items"]
        assert peer["endpoints"] == [f"https://{hall.names[other]}"] and peer["reachable"], one


@pytest.mark.clean
def test_a_name_that_is_not_its_own_is_refused_also_behind_caddy(hall: Hall) -> None:
    for host, status in ((hall.names["harbour"], 200), (hall.names["hillside"], 421), ("evil.example", 421)):
        line = http.client.HTTPConnection(hall.nodes["harbour"].url.removeprefix("http://"), timeout=10)
        line.request("GET", "/healthz", headers={"Host": host})
        assert line.getresponse().status == status, host
        line.close()


def ready(node: NodeProcess) -> bool:
    try:
        with urllib.request.urlopen(node.url + "/readyz", timeout=1):
            return True
    except OSError:
        return False


def until(there: object, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS_MAX
    assert callable(there)
    while not there():
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-2000:]
        time.sleep(0.02)
