"""A terminal and a node at the other end of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.recorded_node import RecordedNode, Terminal, recorded_node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RecordedNode]:
    with recorded_node(tmp_path / "home") as node:
        yield node


@pytest.fixture
def aidmesh(capsys: pytest.CaptureFixture[str], node: RecordedNode) -> Iterator[Terminal]:
    yield Terminal(capsys, node.home)
    assert node.undocumented == [], "the API document knows of no such request"


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times are shown and read in the zone of the machine; here that is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
