"""A node under systemd: it says that it is ready when it is, and that it stops when it stops."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from aidmesh_node import main
from aidmesh_node.supervisor import READY, tell_supervisor
from tests.support.processes import free_port, start

SECONDS_MAX = 20.0


def listener(address: str) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    link.bind(address)
    link.settimeout(SECONDS_MAX)
    return link


def test_a_node_says_ready_when_it_serves_and_stopping_when_it_stops(tmp_path: Path) -> None:
    made = main.init(tmp_path / "home", "Harbour", f"127.0.0.1:{free_port()}", state_dir=tmp_path / "mark")
    with listener(str(tmp_path / "notify")) as systemd:
        node = start(made.home, variables={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        ready = systemd.recv(4096).decode().splitlines()
        assert node.stop() == 0
        stopping = systemd.recv(4096).decode()
    assert ready[0] == "READY=1" and ready[1] == f"STATUS=Harbour serves on {node.url.removeprefix('http://')}"
    assert stopping == "STOPPING=1"


def test_an_abstract_name_is_a_socket_too() -> None:
    name = f"aidmesh-test-{threading.get_native_id()}"
    with listener("\0" + name) as systemd:
        tell_supervisor(READY, "STATUS=here", environment={"NOTIFY_SOCKET": "@" + name})
        assert systemd.recv(4096) == b"READY=1\nSTATUS=here"


@pytest.mark.parametrize("address", ["", "vsock:2:1", "relative/socket"])
def test_where_nobody_asked_nothing_is_said(address: str, caplog: pytest.LogCaptureFixture) -> None:
    tell_supervisor(READY, environment={"NOTIFY_SOCKET": address} if address else {})
    assert not caplog.records


def test_a_supervisor_that_is_not_there_is_logged_and_no_reason_to_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tell_supervisor(READY, environment={"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert "was not told" in caplog.text
