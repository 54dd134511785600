"""The only composition root: every part of a node is built here, and nothing anywhere at import time.

What the command line may use of the node is here too: `init`, `run`, `verify_home`, `verify_fork`, `show_config`,
`demo`. Heavy imports happen inside the functions, so that `aidmesh --help` stays quick.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aidmesh_node.clock import Clock, SystemClock
from aidmesh_node.config import (
    Config,
    ConfigError,
    NodeSection,
    StateSection,
    check_listen,
    check_url,
    load_config,
)
from aidmesh_node.demo.options import DemoEvent, DemoOptions, DemoResult
from aidmesh_node.entropy import Entropy
from aidmesh_node.fork_files import verify_fork
from aidmesh_node.home import Home, InitResult, StartError, state_root
from aidmesh_node.threads import on_growth, soon

if TYPE_CHECKING:
    from aidmesh_node.application.node import Node
    from aidmesh_node.application.ports import Reading
    from aidmesh_node.application.verification import Report
    from aidmesh_node.federation.federation import Federation
    from aidmesh_node.federation.peer_client import PeerClient
    from aidmesh_protocol.keys import SigningKey
    from aidmesh_protocol.statements import Vocabulary

__all__ = [
    "VERSION",
    "DemoEvent",
    "DemoOptions",
    "DemoResult",
    "InitResult",
    "Running",
    "StartError",
    "config_json",
    "demo",
    "init",
    "open_node",
    "plan_home",
    "run",
    "show_config",
    "verify_fork",
    "verify_home",
]

VERSION = "0.1.0"

COLLECT_OBJECTS = 20_000
"""New objects between two looks of the collector: some MiB, a few times a second under full load."""

SWITCH_SECONDS = 0.0003
"""How long a thread may keep the interpreter while another waits for it; Python's own 5 ms is as long as a command."""


@dataclass(slots=True)
class Running:
    """An open node and its federation. Background tasks run only after `federation.start()`."""

    node: Node
    federation: Federation


def init(
    home: Path,
    name: str,
    listen: str = "127.0.0.1:8420",
    url: str = "",
    state_dir: Path | None = None,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> InitResult:
    """Make a new home for a new group. Raises StartError with what to do; an existing home is never touched."""
    from aidmesh_node.founding import found_group

    planned = plan_home(home, name, listen, url, state_dir)
    with _starting():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        return found_group(
            Home(home),
            Config(NodeSection(name, listen, planned["url"]), StateSection(planned["state_dir"])),
            clock or SystemClock(),
            entropy or Entropy(),
        )


def plan_home(
    home: Path, name: str, listen: str = "127.0.0.1:8420", url: str = "", state_dir: Path | None = None
) -> dict[str, str]:
    """What `init` would write down: {name, listen, url, state_dir}. Raises as it does; touches nothing."""
    from aidmesh_node.domain.group import group_name

    with _starting():
        check_listen(listen)
        group_name(name)
        url = check_url(url) or f"http://{listen}"
        if home.exists() and any(home.iterdir()):
            raise StartError(f"{home} is not empty: choose another --home, or use the node that is there")
        return {"name": name, "listen": listen, "url": url, "state_dir": str((state_dir or state_root()).resolve())}


def run(home: Path) -> int:
    """Serve until SIGTERM or SIGINT, then stop cleanly; the exit code. Raises StartError when it cannot start."""
    from aidmesh_node.serving import serve

    async def serve_home() -> int:
        async with open_node(home, environment=os.environ) as running:
            settle_interpreter()
            return await serve(running.node, running.federation, Home(home))

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with _starting():
        return asyncio.run(serve_home())


def settle_interpreter() -> None:
    """What the process has loaded by now stays: the collector need not look at it again, nor after every 700 objects.
    Its full rounds were the longest pauses a member could feel. And whoever wants the interpreter for a moment, to
    answer or to end a commit, does not wait for the views as long as Python would let it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_OBJECTS, 20, 20)
    sys.setswitchinterval(SWITCH_SECONDS)


def verify_home(home: Path) -> Report:
    """Recompute everything a stopped node holds. Raises StartError when the home is in use, or is none."""
    from aidmesh_node.application.verification import verify
    from aidmesh_node.storage.database import open_for_reading
    from aidmesh_node.storage.home_lock import HomeLock
    from aidmesh_node.storage.person_keys import PersonKeys
    from aidmesh_node.storage.readers import SqliteReading

    paths = Home(home)
    with _starting():
        load_config(paths.config, os.environ)
        with HomeLock([home], "verify"):
            connection = open_for_reading(paths.database)
            try:
                keys = PersonKeys(paths.person_keys, Entropy().bytes, read_only=True)
                return verify(reading := SqliteReading(connection, keys), _gid(home), reading.scrub())
            finally:
                connection.close()


def show_config(home: Path) -> dict[str, object]:
    """The configuration and where each value came from; no secrets. Raises StartError."""
    with _starting():
        config, origins = load_config(Home(home).config, os.environ)
        return config_json(config, origins)


def demo(options: DemoOptions, tell: Callable[[DemoEvent], None]) -> DemoResult:
    """Let three new groups on this machine help each other on real files, and check every step.

    Without `options.exit` it returns after Ctrl-C. Whatever happens, no process stays behind.
    """
    from aidmesh_node.demo.play import play

    return play(options, tell, init, os.environ)


def config_json(config: Config, origins: Mapping[str, str]) -> dict[str, object]:
    """Every setting with its origin, as the CLI and the API show it."""
    values = {"node.name": config.node.name, "node.listen": config.node.listen, "node.url": config.node.url}
    values |= {"node.proxies": config.node.proxies, "state.dir": config.state.dir}
    values |= {"emergency.number": config.emergency.number}
    return {
        "schema_version": 1,
        "settings": [{"key": key, "value": value, "origin": origins[key]} for key, value in values.items()],
    }


@asynccontextmanager
async def open_node(
    home: Path,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    client: PeerClient | None = None,
    environment: Mapping[str, str] | None = None,
    vocabulary: Vocabulary | None = None,
) -> AsyncIterator[Running]:
    """A node over an existing home: locked, checked, loaded, not yet listening. Raises as `run`.

    `clock`, `entropy` and `client` (the network) are the machine's own unless given: a whole federation can run in one
    process. `vocabulary` is what this program reads of what peers say: all that this version knows, unless it is to be
    an older or a newer one. Nothing is published or pulled by itself before `federation.start()`.
    """
    from aidmesh_node.application.clock_trust import ClockTrust
    from aidmesh_node.application.deadlines import Deadlines
    from aidmesh_node.application.erased_again import erase_again
    from aidmesh_node.application.forgetting import Forgetting
    from aidmesh_node.application.lapsing import Lapsing
    from aidmesh_node.application.need_deadlines import NeedDeadlines
    from aidmesh_node.application.node import Node
    from aidmesh_node.application.offer_deadlines import OfferDeadlines
    from aidmesh_node.application.passed_over import read_again
    from aidmesh_node.application.publication import Publication
    from aidmesh_node.application.subject_ids import SubjectIds
    from aidmesh_node.application.verification import verify
    from aidmesh_node.federation.assembly import federate
    from aidmesh_node.federation.dialling import Dialling
    from aidmesh_node.federation.http_client import HttpPeerClient, session_for
    from aidmesh_node.storage.database import Database
    from aidmesh_node.storage.erasure_list import ErasureList
    from aidmesh_node.storage.home_lock import HomeLock
    from aidmesh_node.storage.key_files import load_keys
    from aidmesh_node.storage.mark import MarkFile as StoredMark
    from aidmesh_node.storage.person_keys import PersonKeys
    from aidmesh_node.storage.readers import Readers as FileReaders
    from aidmesh_node.storage.readers import node_readers
    from aidmesh_node.storage.recent import RecentEvents
    from aidmesh_node.storage.spool import FileSpool
    from aidmesh_node.storage.writer import Writer as WriterThread
    from aidmesh_node.views.database import remove_views
    from aidmesh_node.views.views import Views
    from aidmesh_protocol.statements import EVERYTHING

    clock, entropy, paths = clock or SystemClock(), entropy or Entropy(), Home(home)
    vocabulary = vocabulary or EVERYTHING
    config, origins = load_config(paths.config, environment or {})
    gid, mark_dir = _gid(home), Path(config.state.dir) / _gid(home)
    with HomeLock([home, mark_dir], f"aidmesh run --home {home}"):
        keys = load_keys(paths.keys)
        database = Database.open(paths.database, entropy.bytes)
        person_keys = PersonKeys(paths.person_keys, entropy.bytes, beside_mark=mark_dir)
        broken, loop, recent = asyncio.Event(), asyncio.get_running_loop(), RecentEvents()
        writer = WriterThread(
            database, person_keys, entropy.bytes, recent=recent, erased=ErasureList([home, mark_dir]),
            on_broken=partial(soon, loop, broken.set),
        )  # fmt: skip
        await erase_again(writer, partial(remove_views, paths.views))
        readers = node_readers(paths.database, person_keys, recent)
        views = Views(
            paths.views, gid, readers, lambda path: FileReaders(path, lambda connection: connection), clock.monotonic,
            vocabulary,
        )  # fmt: skip
        dialling = Dialling(config.node.url)
        session = session_for(dialling)
        try:
            ids = SubjectIds(keys.subject)
            publication = Publication(gid, ids)
            trust = ClockTrust(clock, writer)
            keepers = (
                Lapsing(writer, views, clock, entropy),
                NeedDeadlines(writer, views, trust, clock, entropy),
                OfferDeadlines(writer, views, trust, clock, entropy),
                Forgetting(writer, trust),
            )
            deadlines = Deadlines(trust, clock, keepers)
            federation = federate(
                gid, keys.signing, keys.hpke, keys.hpke_public, config, writer, readers,
                FileSpool(paths.files, entropy.bytes),
                StoredMark(mark_dir / "mark"), publication, ids,
                client or HttpPeerClient(session, clock, dialling=dialling),
                deadlines, clock, entropy, vocabulary,
            )  # fmt: skip
            node = Node(
                gid=gid,
                name=config.node.name,
                config=config,
                config_origins=origins,
                clock=clock,
                entropy=entropy,
                writer=writer,
                readers=readers,
                views=views,
                peers=federation,
                files=federation.bundles,
                clock_trust=trust,
                import_namespace=ids.namespace("import"),
                verify=lambda: readers.run_now(lambda reading: verify(reading, gid, reading.scrub())),
                broken=broken,
            )
            writer.on_commit(views.notify)
            writer.on_commit(on_growth(partial(soon, loop, federation.news)))
            await readers.run(partial(_check_key, paths.keys, keys.signing, gid))
            await writer.run(partial(read_again, vocabulary=vocabulary))
            await federation.load()
            views.start()
            yield Running(node, federation)
            await federation.stop()
            federation.publisher.close()
        finally:
            await session.close()
            writer.close()
            views.close()
            readers.close()
            database.close()


def _check_key(directory: Path, key: SigningKey, gid: str, reading: Reading) -> None:
    from aidmesh_node.federation.identities import read_identity

    identity = read_identity(reading.feeds, gid)
    if identity is None or identity.key != key.verify_key:
        raise StartError(f"{directory / 'signing.key'} is not this group's key: restore keys and home from one backup")


@contextmanager
def _starting() -> Iterator[None]:
    """Everything that can keep a node from starting, as one sentence that says what to do."""
    from aidmesh_node.application.damaged import Damaged
    from aidmesh_node.application.unavailable import Unavailable
    from aidmesh_node.domain.refused import Refused
    from aidmesh_node.storage.connections import DatabaseRefused
    from aidmesh_node.storage.home_lock import HomeBusy
    from aidmesh_node.storage.key_files import KeyFileError

    try:
        yield
    except (ConfigError, KeyFileError, HomeBusy, DatabaseRefused, Damaged, Refused, Unavailable) as error:
        raise StartError(str(error)) from error
    except PermissionError as error:
        raise StartError(f"{error.filename}: permission denied; are you the user whose home this is?") from error


def _gid(home: Path) -> str:
    """The group's id, as `init` wrote it down beside the keys."""
    try:
        return str(json.loads((home / "group.json").read_text())["gid"])
    except (OSError, ValueError, KeyError):
        raise ConfigError(f"{home / 'group.json'} is missing or damaged: restore it from a backup") from None
