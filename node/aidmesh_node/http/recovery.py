"""Requests about a node that was restored: how far it has come, what people must look at, and going on without."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from aidmesh_node.application import retelling
from aidmesh_node.application.ports import Work
from aidmesh_node.domain.recovery import Recovery
from aidmesh_node.http import answers_recovery as answers
from aidmesh_node.http.bodies import Body, Empty
from aidmesh_node.http.call import Call, json_answer
from aidmesh_node.http.operation import operation
from aidmesh_node.http.problems import not_found
from aidmesh_node.views.pages import SCHEMA_VERSION
from aidmesh_node.views.times import time_text

EMPTY = Body(Empty, optional=True)
NUMBER_DIGITS_MAX = 6


@operation(answers.RecoveryShown)
async def show_recovery(call: Call) -> web.Response:
    """Show how far a restored node has come.

    A node that finds itself older than what it has signed gets its own entries back from other groups. What came back,
    what is lost as far as it can be known, and what a coordinator should look at.
    """
    return json_answer(await _shown(call))


@operation(answers.RecoveryShown, takes=EMPTY, refuses={409: "not_recovering"})
async def override_recovery(call: Call) -> web.Response:
    """Go on without what is not here.

    For when nobody who has the missing entries can be reached, or never will be. The node begins new feeds, in which it
    says again what is open; other groups stop showing what it has lost. This cannot be taken back.
    """
    EMPTY.read(call.body)
    by = call.act()

    async def override() -> dict[str, object]:
        await call.node.peers.begin_anew(by)
        return await _shown(call)

    return await call.repeatable(override, tried=lambda: _shown(call))


@operation(answers.TaskFinished, takes=EMPTY, refuses={404: "not_found", 422: "unknown_task"})
async def finish_task(call: Call) -> web.Response:
    """Say that a task of the last recovery was looked at.

    Tasks are numbered from 1. Said again, it has been said.
    """
    EMPTY.read(call.body)
    text, by, gid = call.name("number"), call.act(), call.node.gid
    if not text.isascii() or not text.isdigit() or len(text) > NUMBER_DIGITS_MAX:
        raise not_found()
    number = int(text)

    def finish(work: Work) -> dict[str, object]:
        recovery = retelling.current(work, gid)
        if recovery is None:
            raise not_found()
        recovery.finish_task(by, number)
        work.commit(recovery)
        return {"number": number}

    return await call.commit(finish)


async def _shown(call: Call) -> dict[str, object]:
    gid = call.node.gid
    recovery = (await call.node.writer.run(lambda work: retelling.current(work, gid))).value
    return {"schema_version": SCHEMA_VERSION, **_told(recovery), **call.node.peers.recovery()}


def _told(recovery: Recovery | None) -> dict[str, object]:
    if recovery is None:
        nothing: dict[str, object] = dict.fromkeys(("reason", "began_at", "ended_at"))
        counted = dict.fromkeys(("statements", "records", "lost", "more_tasks"), 0)
        return {"state": "never", **nothing, **counted, "tasks": []}
    return {
        "state": recovery.how or "recovering",
        "reason": recovery.reason,
        "began_at": time_text(recovery.created_on),
        "ended_at": _time(recovery.ended_at),
        "statements": recovery.statements,
        "records": recovery.records,
        "lost": recovery.lost,
        "tasks": [
            {"number": number, **task._asdict(), "done": number in recovery.done}
            for number, task in enumerate(recovery.tasks, 1)
        ],
        "more_tasks": recovery.more_tasks,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)
