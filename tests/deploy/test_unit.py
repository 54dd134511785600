"""deploy/aidmesh.service as systemd itself reads it, and what it promises about where data lies."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

UNIT = ROOT / "deploy" / "aidmesh.service"
PROGRAM = "/opt/aidmesh/bin/aidmesh"
EXPOSURE_MAX = 20
"""Of systemd's own 100 points; what is left is the network, which is what the node is for."""


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("probed absent: systemd-analyze")
    return found


def verified(analyze: str, folder: Path, text: str) -> str:
    """What systemd has against a unit, "" for nothing. The program is another one: ours need not be installed."""
    unit = folder / UNIT.name
    unit.write_text(text.replace(PROGRAM, sys.executable), encoding="utf-8")
    done = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=60)
    # It also looks at units of this machine that ours names; what it says about those is not about ours.
    about = [line for line in done.stderr.splitlines() if UNIT.name in line or unit.name in line]
    return "\n".join(about) if done.returncode == 0 else done.stderr or "failed"


def test_systemd_has_nothing_against_the_unit(analyze: str, tmp_path: Path) -> None:
    assert verified(analyze, tmp_path, UNIT.read_text(encoding="utf-8")) == ""


@pytest.mark.parametrize(
    ("line", "spoilt"),
    [("Type=notify", "Type=notified"), ("[Service]", "[Servic]"), ("ProtectSystem=strict", "ProtectSystm=strict")],
)
def test_it_would_say_so(analyze: str, tmp_path: Path, line: str, spoilt: str) -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert line in text
    assert verified(analyze, tmp_path, text.replace(line, spoilt))


def test_systemd_thinks_that_it_may_do_little(analyze: str, tmp_path: Path) -> None:
    shutil.copy(UNIT, tmp_path)
    command = [analyze, "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", str(tmp_path / UNIT.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if "offline" in done.stderr:
        pytest.skip("probed absent: a systemd-analyze that judges a file (250 or newer)")
    assert done.returncode == 0, done.stdout[-500:]


def test_the_mark_lies_beside_the_home_and_nothing_else_is_writable() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text(encoding="utf-8"))
    service = unit["Service"]
    home, mark = service["StateDirectory"].split()
    assert service["ExecStart"] == f"{PROGRAM} run --home /var/lib/{home}"
    assert not mark.startswith(f"{home}/"), "a backup of the home must not hold the mark"
    assert service["StateDirectoryMode"] == "0700"
    assert (service["ProtectSystem"], service["DynamicUser"], service["Type"]) == ("strict", "yes", "notify")
    assert not {"ReadWritePaths", "User", "WatchdogSec"} & set(service)
