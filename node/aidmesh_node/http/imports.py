"""Requests to import files of other tools: planned off the loop, recorded in one transaction or not."""

from __future__ import annotations

import asyncio

from aiohttp import web

from aidmesh_node.application import imports
from aidmesh_node.domain.need_time import EMERGENCY
from aidmesh_node.exchange.plan import ImportFile, ImportPlan, plan_import
from aidmesh_node.http import answers
from aidmesh_node.http.bodies import Body, Imported
from aidmesh_node.http.call import Call
from aidmesh_node.http.need_care import acknowledged_advice
from aidmesh_node.http.operation import operation

IMPORTED = Body(Imported)


@operation(answers.ImportDone, status=201, takes=IMPORTED, refuses={422: "emergency_advice import_problems"})
async def import_files(call: Call) -> web.Response:
    """Import files of other tools.

    CSV of aidmesh, of a form, or of a relief warehouse: every row in one transaction, or none. With `dry_run` nothing
    is recorded, and the answer (200) says what would be.
    """
    body, node = IMPORTED.read(call.body), call.node
    by = call.act()
    plan = await asyncio.to_thread(
        plan_import,
        [ImportFile(file.name, file.text.encode()) for file in body.files],
        as_of=body.as_of,
        where=body.where or {},
        namespace=node.import_namespace,
        today=by.at.date(),
    )
    # Asked for in the body too, since before every request could be tried.
    call.dry_run = call.dry_run or body.dry_run
    advice = acknowledged_advice(call, most_urgent(plan), body.emergency_advice_acknowledged)
    return await call.commit(lambda work: imports.import_drafts(work, by, plan, node.import_namespace, advice), 201)


def most_urgent(plan: ImportPlan) -> str:
    """EMERGENCY when a row says so; else it matters not which."""
    return EMERGENCY if any(need.urgency == EMERGENCY for need in plan.needs) else "normal"
