"""Restoring a backup as deploy/README.md says, with real nodes: what its section tells to type is typed here.

Backed up; 100 statements shared and 10 records told to nobody; the disk destroyed; the old backup restored.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT
from tests.support.processes import PYTHONPATH, NodeProcess, free_port, new_node, pair, start

README = ROOT / "deploy" / "README.md"
SECTION = "## Restoring a backup"
SHARED, UNSHARED = 100, 10
SECONDS_MAX = 60.0
AT_ONCE = 8


def told() -> list[str]:
    """The commands of the README's section, in order, without sudo and the options that say where things are."""
    section = README.read_text(encoding="utf-8").split(f"\n{SECTION}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```\n(.*?)```", section.replace("\n   ", "\n"), re.DOTALL)
    return [line.removeprefix("sudo ") for block in blocks for line in block.splitlines()]


class Town:
    """Harbour and Hillside, linked; harbour's home and mark lie where a server has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.harbour, self.hillside = new_node(folder, "harbour"), new_node(folder, "hillside")
        pair(self.harbour, self.hillside)
        self.until(self.harbour, "/peers", lambda seen: seen["items"][0]["state"] == "active")

    def until(self, node: NodeProcess, path: str, enough: Any) -> Any:
        """What the node answers, once it is `enough`."""
        end = time.monotonic() + SECONDS_MAX
        while not enough(seen := node.ask("GET", f"/api/v1{path}")):
            assert time.monotonic() < end, seen
            time.sleep(0.05)
        return seen

    def post(self, item: str) -> str:
        asked = {"category": "bedding", "item": item, "quantity": "5", "unit": "item"}
        return str(self.harbour.ask("POST", "/api/v1/needs", asked)["id"])

    def share(self, need: str) -> None:
        consent = {"given": "self", "text_version": "v1", "language": "en"}
        self.harbour.ask("POST", f"/api/v1/needs/{need}/share", {"consent": consent})

    def write(self) -> None:
        """Ten records for nobody else, then a hundred that hillside sees."""
        with ThreadPoolExecutor(AT_ONCE) as people:
            list(people.map(self.post, [f"Candles {number}" for number in range(UNSHARED)]))
            lanterns = people.map(self.post, [f"Lanterns {number}" for number in range(SHARED)])
            list(people.map(self.share, lanterns))
        self.seen_by_hillside(SHARED)

    def seen_by_hillside(self, count: int, item: str = "Lanterns") -> None:
        self.until(self.hillside, "/needs?ours=false&limit=500", lambda seen: len(_named(seen["items"], item)) == count)

    def aidmesh(self, command: str, code: int = 0) -> str:
        """Typed as in the README, for the home of this test."""
        words = shlex.split(command.replace("/var/lib/aidmesh", str(self.harbour.home)))
        assert Path(words[0]).name == "aidmesh", command
        done = subprocess.run(
            [sys.executable, "-m", "aidmesh_cli", *words[1:]],
            capture_output=True, text=True, timeout=SECONDS_MAX * 2, env={**os.environ, "PYTHONPATH": PYTHONPATH},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    def back_up(self) -> Path:
        """Stopped, copied, started: as the README's section on backups says."""
        self.harbour.stop()
        kept = self.folder / "backup"
        shutil.copytree(self.harbour.home, kept)
        self.harbour = start(self.harbour.home)
        return kept

    def restore(self, kept: Path) -> None:
        """The disk with the home is destroyed; the mark, on another one, is not."""
        if self.harbour.process.poll() is None:
            self.harbour.process.kill()
            self.harbour.process.wait()
        shutil.rmtree(self.harbour.home)
        shutil.copytree(kept, self.harbour.home)
        self.harbour = start(self.harbour.home)

    def standing(self) -> dict[str, Any]:
        return dict(self.harbour.ask("GET", "/api/v1/status"))

    def recovery(self, command: str) -> dict[str, Any]:
        return dict(json.loads(self.aidmesh(f"{command} --json")))

    def close(self) -> None:
        for node in (self.harbour, self.hillside):
            if node.process.poll() is None:
                node.process.kill()
                node.process.wait()


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    here = Town(folder)
    try:
        yield here
    finally:
        here.close()


def _named(needs: list[dict[str, Any]], item: str) -> list[dict[str, Any]]:
    return [need for need in needs if (need["item"] or "").startswith(item)]


def command(verb: str) -> str:
    """The README's command with this verb."""
    (found,) = [line for line in told() if f" recover {verb}" in line]
    return found


def test_the_section_names_these_steps_in_this_order() -> None:
    steps = [re.sub(r" --.*| /.*|=.*", "", line.replace("/opt/aidmesh/bin/", "")) for line in told()]
    assert steps == [
        "systemctl stop aidmesh", "rm -r", "tar", "systemctl start aidmesh",
        "aidmesh recover status", "aidmesh recover wait", "aidmesh recover override",
    ]  # fmt: skip


def test_a_node_gets_its_hundred_back_from_its_peer_and_says_that_ten_are_lost(tmp_path: Path) -> None:
    with town(tmp_path) as here:
        gid = here.standing()["group"]["gid"]
        kept = here.back_up()
        here.write()
        here.restore(kept)
        here.aidmesh(command("wait"))
        shown = here.recovery(command("status"))
        assert (shown["state"], shown["statements"], shown["lost"]) == ("recovered", SHARED, UNSHARED)
        assert f"about {UNSHARED} records" in " ".join(here.aidmesh(command("status")).split())
        page = here.until(here.harbour, "/needs?ours=true&limit=500", lambda seen: len(seen["items"]) >= SHARED)
        ours = page["items"]
        assert len(_named(ours, "Lanterns")) == SHARED and not _named(ours, "Candles")

        here.share(here.post("Ropes"))
        here.seen_by_hillside(1, "Ropes")
        here.seen_by_hillside(SHARED)
        assert here.standing()["group"]["gid"] == gid, "it carries on under the same identity"
        for node in (here.harbour, here.hillside):
            assert node.ask("POST", "/api/v1/verify")["ok"]


@pytest.mark.crash
def test_with_no_peer_reachable_an_operator_goes_on_and_the_peer_follows_later(tmp_path: Path) -> None:
    with town(tmp_path) as here:
        kept = here.back_up()
        here.write()
        here.hillside.stop()
        here.restore(kept)
        assert here.standing()["standing"] == "recovering"
        here.share(here.post("Ropes"))
        shown = here.recovery(command("status"))
        (feed,) = [feed for feed in shown["feeds"] if feed["known"] > feed["held"]]
        assert feed["known"] - feed["held"] == SHARED and feed["peer"] == "hillside"
        here.aidmesh(f"{command('override')} --yes")
        assert here.standing()["standing"] == "active"
        shown = here.recovery(command("status"))
        assert shown["state"] == "begun_anew" and f"{SHARED} statements to hillside" in shown["tasks"][0]["words"]

        here.hillside = start(here.hillside.home)
        here.seen_by_hillside(1, "Ropes")
        here.seen_by_hillside(0)
        for node in (here.harbour, here.hillside):
            assert node.ask("POST", "/api/v1/verify")["ok"]


@pytest.mark.crash
def test_a_clone_that_still_runs_never_contradicts_the_restored_node(tmp_path: Path) -> None:
    """The old machine was not dead: it runs on with a mark of its own, and the backup is started elsewhere."""
    with town(tmp_path) as here:
        kept = here.back_up()
        here.write()
        clone = tmp_path / "clone"
        shutil.copytree(kept, clone)
        config = clone / "config.toml"
        config.write_text(config.read_text().replace("harbour-state", "clone-state"), encoding="utf-8")
        config.write_text(re.sub(r'listen = "127.0.0.1:\d+"', 'listen = "127.0.0.1:0"', config.read_text()))
        listen = f"127.0.0.1:{free_port()}"
        config.write_text(config.read_text().replace("127.0.0.1:0", listen), encoding="utf-8")
        restored = start(clone)
        try:
            assert restored.ask("GET", "/api/v1/status")["standing"] == "recovering", "it has no mark"
            here.share(here.post("Ropes"))
            here.seen_by_hillside(1, "Ropes")
            assert here.standing()["standing"] == "active", "the one everybody reaches goes on"
            feeds = here.hillside.ask("GET", "/api/v1/peers")["items"]
            assert [feed["frozen"] for feed in feeds] == [None], "and nothing was ever contradicted"
            for node in (here.harbour, here.hillside, restored):
                assert node.ask("POST", "/api/v1/verify")["ok"]
        finally:
            restored.stop()
