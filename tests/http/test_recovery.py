"""What the API says of a node that was restored, and what an operator and a coordinator may do about it."""

from __future__ import annotations

import shutil
from pathlib import Path

from aidmesh_node.application.retelling import current
from aidmesh_node.domain.act import NODE, Act

from .conftest import Group, opened


async def test_a_node_that_was_never_restored_says_so(group: Group) -> None:
    shown = (await group.get("coordinator", "/recovery")).body
    assert (shown["state"], shown["began_at"], shown["feeds"], shown["tasks"]) == ("never", None, [], [])
    refused = await group.post("operator", "/recovery/override")
    assert (refused.status, refused.code) == (409, "not_recovering")
    assert (await group.post("coordinator", "/recovery/tasks/1/done")).status == 404


async def test_an_operator_goes_on_without_a_mark_and_tasks_are_done_once_looked_at(tmp_path: Path) -> None:
    async with opened(tmp_path) as group:
        gid = group.node.gid
        need = await group.need("operator")
    shutil.rmtree(tmp_path / "state")
    async with opened(tmp_path) as group:
        shown = (await group.get("operator", "/recovery")).body
        assert shown["state"] == "recovering" and "the mark is missing" in shown["reason"]
        assert [(feed["peer"], feed["held"], feed["known"]) for feed in shown["feeds"]] == [(None, 2, 2)]
        assert (await group.get("operator", f"/needs/{need}")).status == 200, "people work on"

        tried = await group.post("operator", "/recovery/override", Dry_Run="true")
        assert (tried.body["state"], tried.body["dry_run"]) == ("recovering", True)
        by = Act(group.node.entropy.uuid(), group.node.clock.now(), None, NODE)

        def find_something(work: object) -> None:
            recovery = current(work, gid)  # type: ignore[arg-type]
            assert recovery is not None
            recovery.leave_to_people(by, "changed_twice", need, "Look at it.")
            work.commit(recovery)  # type: ignore[attr-defined]

        await group.node.writer.run(find_something)
        for key in ("one", "one"):
            done = await group.post("operator", "/recovery/override", Idempotency_Key=key)
            assert (done.status, done.body["state"]) == (200, "begun_anew"), "asked again, answered again"
        assert done.headers.get("Idempotent-Replay") == "true"
        assert (await group.get("operator", "/status")).body["standing"] == "active"

        (task,) = done.body["tasks"]
        assert (task["number"], task["thing"], task["done"]) == (1, need, False)
        for _ in range(2):
            assert (await group.post("operator", "/recovery/tasks/1/done")).body["number"] == 1
        assert (await group.get("operator", "/recovery")).body["tasks"][0]["done"]
        for number, status in (("2", 422), ("0", 422), ("x", 404), ("9" * 9, 404), ("٣", 404)):
            assert (await group.post("operator", f"/recovery/tasks/{number}/done")).status == status, number
