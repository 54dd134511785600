"""One demo from begin to end: folder, nodes, story, report, and nothing left behind whatever happens."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession, DummyCookieJar

from aidmesh_node.demo import report
from aidmesh_node.demo.agreement import Account, account, disagreements
from aidmesh_node.demo.audit import Audit, check_journal, recall
from aidmesh_node.demo.client import NodeClient
from aidmesh_node.demo.failure import DemoFailed
from aidmesh_node.demo.groups import Group, Teller
from aidmesh_node.demo.helping import Helping
from aidmesh_node.demo.input import DemoInput, find_data, read_input
from aidmesh_node.demo.kills import Kills
from aidmesh_node.demo.meeting import import_all, pair, share_all
from aidmesh_node.demo.nodes import DemoNode, Found, demo_folder, directly, keep, running_nodes
from aidmesh_node.demo.options import DemoEvent, DemoOptions, DemoResult, Tell
from aidmesh_node.demo.schedule import KILLS_MIN
from aidmesh_node.demo.waiting import until

SEEDS: Final = 2**31
TERMINATED: Final = 128 + signal.SIGTERM
KILL_SECONDS_MAX: Final = 5.0
"""How much longer a step may take for each kill: on a machine that is not busy a node is back in a second, and asked
again by its peers within some more."""

POLITE_KILLS: Final = (signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True)
class Play:
    """What one run knows."""

    options: DemoOptions
    teller: Teller
    found: Found
    folder: Path
    seed: int
    choice: random.Random
    report: dict[str, object]
    nodes: list[DemoNode] = field(default_factory=list)
    kills: Kills | None = None

    @property
    def seconds_max(self) -> float:
        """For one step."""
        return self.options.step_seconds_max + KILL_SECONDS_MAX * self.options.kills


def play(options: DemoOptions, tell: Tell, found: Found, environment: Mapping[str, str]) -> DemoResult:
    """Run the demo. `found` makes a home. Raises KeyboardInterrupt after Ctrl-C, when everything is stopped."""
    began = time.monotonic()
    today = datetime.now(UTC).date()
    seed = random.SystemRandom().randrange(SEEDS) if options.seed is None else options.seed
    teller = Teller(tell)
    told = report.blank(seed, today)
    with demo_folder(options.folder) as folder:
        run = Play(options, teller, found, folder, seed, random.Random(seed), told)
        try:
            teller.step("The files are read")
            if 0 < options.kills < KILLS_MIN:
                raise DemoFailed(f"{options.kills} kills are too few: there are {KILLS_MIN} phases to kill a node in.")
            brought = read_input(find_data(options.data, environment, Path.cwd()), today)
            told["source"] = str(brought.source)
            teller.note(f"Files: {brought.source}. All dates move by whole days, to {today}. Seed: {seed}.")
            asyncio.run(_run(run, brought, began))
        except (DemoFailed, BaseExceptionGroup) as error:
            detail = str(_first_failure(error))
            told["ok"] = False
            told["failed"] = report.failure(teller.now, detail, run.nodes)
            told["seconds"] = round(time.monotonic() - began, 2)
            _keep_unless_exit(run)
            _tell_failure(run, detail)
        except asyncio.CancelledError:
            raise SystemExit(TERMINATED) from None
    return DemoResult(bool(told["ok"]), told)


async def _run(run: Play, brought: DemoInput, began: float) -> None:
    """The story, then whatever the end is to be."""
    with _stopped_politely():
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
            groups = await _found(run, brought, stack, session)
            *asking, giving = groups
            async with run.kills.striking(groups) if run.kills else nullcontext():
                await _tell_story(run, session, asking, giving)
            await _compare(run, (*asking, giving), asking)
            run.report["seconds"] = round(time.monotonic() - began, 2)
            run.teller.tell(DemoEvent("table", "What was asked for, and what arrived", report=run.report))
            if not run.options.exit:
                _keep_unless_exit(run)
                stop = _interruption()
                run.teller.tell(DemoEvent("done", "The nodes keep running until Ctrl-C.", report=run.report))
                await stop.wait()
        if run.options.exit:
            run.teller.tell(DemoEvent("done", "The nodes are stopped.", report=run.report))


async def _found(run: Play, brought: DemoInput, stack: AsyncExitStack, session: ClientSession) -> list[Group]:
    """The asking groups, then the giving one, each with its node running."""
    run.teller.step("Three groups start their nodes")
    members = (*brought.asking, brought.giving)
    names, seconds_max = [member.name for member in members], run.seconds_max
    run.nodes, reach = [], directly
    if run.options.kills:
        run.kills = Kills(run.options.kills, run.seed, len(names), run.teller, session, seconds_max)
        reach = partial(run.kills.reach, stack)
    nodes = await stack.enter_async_context(
        running_nodes(run.folder, names, run.found, session, seconds_max, run.nodes, reach)
    )
    run.report["nodes"] = report.addresses(nodes)
    for node in nodes:
        run.teller.note(f"{node.name} listens on {node.url}")
    return [
        Group(node, NodeClient(session, node.name, node.url, node.token, seconds_max), member)
        for node, member in zip(nodes, members, strict=True)
    ]


async def _tell_story(run: Play, session: ClientSession, asking: list[Group], giving: Group) -> None:
    teller, seconds_max = run.teller, run.seconds_max
    await pair(teller, asking, giving, seconds_max)
    await import_all(teller, (*asking, giving))
    await share_all(teller, asking, giving, seconds_max)
    helping = Helping(teller, asking, giving, run.choice, session, seconds_max, Counter(), not run.kills)
    run.report["cut"] = report.cut_report(await helping.pledge())
    await helping.accept()
    await helping.hand_over()


async def _compare(run: Play, groups: tuple[Group, ...], asking: list[Group]) -> None:
    """Wait until the last words have arrived everywhere, then let every node verify everything it holds."""
    audit = Audit()
    if run.kills:
        run.teller.step("Every acknowledged command is said once more")
        await recall(run.teller, groups, audit)
    run.teller.step("The nodes are compared and verified")
    accounts: list[Account] = []
    differing: list[str] = []

    async def missing() -> str:
        accounts[:] = await asyncio.gather(*(account(group) for group in groups))
        differing[:] = disagreements(accounts)
        return "; ".join(differing)

    try:
        await until(missing, run.seconds_max)
    except DemoFailed:
        for sentence in differing:
            run.teller.note(f"Not alike: {sentence}.")
    verifications: list[dict[str, Any]] = await asyncio.gather(*(group.client.post("/verify") for group in groups))
    for group, verification in zip(groups, verifications, strict=True):
        problem = verification["first_problem"]
        checked = report.counted(verification["checked"])
        run.teller.note(f"{group.name}: {checked}; {'all right' if problem is None else problem['detail']}")
    verified, agree = all(one["ok"] for one in verifications), not differing
    if run.kills:
        for group, told in zip(groups, accounts, strict=True):
            check_journal(group.client.journal, told, audit)
        run.report.update(run.kills.report(), commands=report.commands(groups, run.kills.unanswered_keys, audit))
        for sentence in filter(None, (run.kills.lacking(), *audit.lost, *audit.doubled)):
            run.teller.note(f"Not right: {sentence}.")
    run.report.update(
        ok=verified and agree and not (run.kills and run.kills.lacking()) and not (audit.lost or audit.doubled),
        verified=verified,
        agree=agree,
        disagreements=list(differing),
        items=report.items(asking, accounts),
        nodes=[report.node_report(*one) for one in zip(groups, accounts, verifications, strict=True)],
    )


def _keep_unless_exit(run: Play) -> None:
    if not run.options.exit:
        keep(run.folder)
        run.report["folder"] = str(run.folder)


def _tell_failure(run: Play, detail: str) -> None:
    run.teller.note(f"Failed while: {run.teller.now}. {detail}")
    for node in run.nodes:
        for line in node.last_words():
            run.teller.note(f"  {node.name}: {line}")


def _first_failure(error: DemoFailed | BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that was raised first; the others are mostly its consequences. What else broke is raised again."""
    if isinstance(error, DemoFailed):
        return error
    failures, others = error.split(DemoFailed)
    if failures is None or others is not None:
        raise _innermost(others or error) from error
    return _innermost(failures)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _interruption() -> asyncio.Event:
    """Set by Ctrl-C: from here on it is the normal end of the demo."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    return stop


@contextmanager
def _stopped_politely() -> Iterator[None]:
    """A polite kill ends the demo like Ctrl-C, with every node stopped."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in POLITE_KILLS:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in POLITE_KILLS:
            loop.remove_signal_handler(number)
