"""The steps of deploy/Dockerfile, run one after the other where no container engine is. Downloads packages.

That they work is shown here; that an engine builds the same from the file is not: the image was never built here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house.tree import ROOT, copy_tree
from tests.support import compose, dockerfile
from tests.support.processes import free_port
from tests.support.unbuilt_image import Layer

pytestmark = [pytest.mark.clean, pytest.mark.timeout(1200)]

READY_SECONDS_MAX = 60.0
INSTALLER_SETTINGS = ("PIP_", "SSL_CERT_")


def python_prefix() -> Path:
    """A Python like the image's, as a folder that can stand at /usr/local: 3.12, else the one that runs this."""
    for prefix in sorted(Path("~/.pyenv/versions").expanduser().glob("3.12.*"), reverse=True):
        if subprocess.run([prefix / "bin" / "python", "-c", "import ssl, ensurepip"]).returncode == 0:
            return prefix
    running = Path(sys.base_prefix)
    if running == Path("/usr"):
        pytest.skip("probed absent: a Python 3.12 in a folder of its own")
    return running


def probe_layers(layer: Layer) -> None:
    probe = subprocess.run(layer.command(["true"]), capture_output=True, text=True)
    if os.geteuid() != 0 or probe.returncode != 0:
        pytest.skip(f"probed absent: root and overlay mounts ({probe.stderr.strip()[:80]})")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """The final stage, with all steps done and its volumes still empty."""
    folder = tmp_path_factory.mktemp("image")
    build, final = dockerfile.read(ROOT / "deploy" / "Dockerfile")
    prefix = python_prefix()
    layers = {build.name: Layer(build, folder / "build", prefix)}
    made = Layer(final, folder / "final", prefix)
    probe_layers(made)
    context = copy_tree(folder / "context")
    installer = {name: value for name, value in os.environ.items() if name.startswith(INSTALLER_SETTINGS)}
    for layer in (layers[build.name], made):
        layer.run(["ldconfig"])
        layer.build(context, layers, installer)
    shutil.rmtree(layers[build.name].folder / "upper" / "wheels")
    return made


def test_the_steps_end_in_a_node_that_is_ready_and_a_healthcheck_that_says_so(image: Layer) -> None:
    founding = compose.read(ROOT / "deploy" / "compose.yaml", {})["services"]["found-harbour"]["command"]
    words, port = image.stage.command("ENTRYPOINT"), free_port()
    listening = [word.replace(":8420", f":{port}") for word in founding]
    founded = subprocess.run(image.unprivileged([*words, *listening]), capture_output=True, text=True)
    assert founded.returncode == 0, founded.stderr
    again = subprocess.run(image.unprivileged([*words, *listening]), capture_output=True, text=True)
    assert again.returncode != 0 and "is not empty" in again.stderr, "a group is founded once"

    options, check = image.stage.healthcheck
    check = [word.replace(":8420", f":{port}") for word in check]
    assert healthy(image, check) is False, "nobody is there yet"
    with subprocess.Popen(
        image.unprivileged([*words, *image.stage.command("CMD")]), stderr=subprocess.PIPE, text=True
    ) as node:
        try:
            end = time.monotonic() + READY_SECONDS_MAX
            while not healthy(image, check):
                assert node.poll() is None and time.monotonic() < end, node.stderr and node.stderr.read()
            begun = time.monotonic()
            assert healthy(image, check)
            assert time.monotonic() - begun < float(options["timeout"].removesuffix("s"))
            status = subprocess.run(image.unprivileged([*words, "status", "--json"]), capture_output=True, text=True)
            assert json.loads(status.stdout)["group"]["name"] == "Harbour", status.stderr
            image_address = json.loads((image.folder / "volumes" / "data" / "address").read_text())
            owner = Path(f"/proc/{image_address['pid']}").stat()
            assert f"{owner.st_uid}:{owner.st_gid}" == image.stage.last("USER")
        finally:
            node.terminate()
    assert node.returncode == 0, "SIGTERM, as the engine sends it, ends it cleanly"
    assert list((image.folder / "volumes" / "state").rglob("mark")), "the mark lies on its own volume"
    assert not list((image.folder / "volumes" / "data").rglob("mark"))


def test_what_runs_holds_neither_pip_nor_the_tools_of_the_tests(image: Layer) -> None:
    packages = {path.name.split("-")[0] for path in (image.folder / "upper" / "opt").rglob("*.dist-info")}
    assert {"aidmesh", "aiohttp", "eventsourcing"} <= packages
    assert not {"pip", "pytest", "mypy", "ruff", "hypothesis", "hatchling"} & packages
    # On a root that cannot be written to, the programs' compiled files must be there already.
    assert list((image.folder / "upper" / "opt").rglob("aidmesh_node/__pycache__/main.*.pyc"))


def test_the_root_cannot_be_written_to(image: Layer) -> None:
    for place in ("/opt/aidmesh/x", "/usr/local/x", "/x"):
        done = subprocess.run(image.unprivileged(["touch", place]), capture_output=True, text=True)
        assert done.returncode != 0, place
    assert subprocess.run(image.unprivileged(["touch", "/tmp/x"])).returncode == 0


def healthy(image: Layer, check: list[str]) -> bool:
    return subprocess.run(image.unprivileged(check), capture_output=True).returncode == 0


def test_the_readmes_commands_for_a_server_install_and_found_a_node(tmp_path: Path) -> None:
    """As root on a layer over this machine; what needs the machine's own apt and systemd is left out."""
    document = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    section = document.partition("## On a server")[2].partition("\n## ")[0]
    lines = re.findall(r"^   (sudo (?:python3|/opt)\S* [^\\\n]*(?:\\\n.*)?)$", section, re.MULTILINE)
    assert len(lines) == 4, "install with three commands, found with one"
    server = Layer(dockerfile.Stage("", ""), tmp_path / "server", python_prefix())
    probe_layers(server)
    installer = {name: value for name, value in os.environ.items() if name.startswith(INSTALLER_SETTINGS)}
    server.run(["ldconfig"])
    server.cwd = "/source"
    copy_tree(server.folder / "upper" / "source")
    for line in lines:
        server.run(["sh", "-c", line.replace("sudo ", "")], installer)
    unit = (ROOT / "deploy" / "aidmesh.service").read_text(encoding="utf-8")
    (program, home) = re.findall(r"^ExecStart=(\S+) run --home (\S+)$", unit, re.MULTILINE)[0]
    assert "All is as it was written" in server.run([program, "verify", "--home", home])
    config = server.run(["cat", f"{home}/config.toml"])
    assert 'name = "Harbour"' in config and 'dir = "/var/lib/aidmesh-mark"' in config
