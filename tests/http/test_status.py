"""The node about itself: alive, ready, where it stands, and whether what is read is as new as what was written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest.mock import AsyncMock, patch

from tests.support.federation import DrivenClock

from .conftest import Group, opened


async def test_alive_ready_and_standing(group: Group) -> None:
    assert (await group.ask(None, "GET", "/healthz")).body == {"status": "ok"}
    assert (await group.ask(None, "GET", "/readyz")).body == {"status": "ok"}
    await group.need()
    status = (await group.get("member", "/status")).body
    assert status["group"] == {"gid": group.node.gid, "name": "North"}
    assert (status["standing"], status["signing"], status["peers"]) == ("active", True, 0)
    assert status["counts"]["needs"] == {"open": 1}
    (identity,) = status["feeds"]
    assert (identity["size"], identity["signed_size"], identity["incomplete"]) == (2, 2, 0)
    assert len(identity["root"]) == 64


async def test_no_answer_shows_a_secret_or_a_path_of_keys(group: Group) -> None:
    for path in ("/status", "/config", "/members", "/peers"):
        text = (await group.get("operator", path)).text
        assert "token" not in text and "hash" not in text and "keys" not in text, path
        assert not [token for token in group.tokens.values() if token in text]
    settings = (await group.get("operator", "/config")).body["settings"]
    assert {"node.name", "node.listen", "node.url"} <= {setting["key"] for setting in settings}
    assert all(setting["origin"] for setting in settings)


async def test_verify_recomputes_everything(group: Group) -> None:
    await group.need()
    report = await group.post("operator", "/verify")
    assert (report.status, report.body["ok"], report.body["first_problem"]) == (200, True, None)
    assert report.body["checked"]["events"] > 0


async def test_a_position_this_node_never_told_is_said_to_be_none(group: Group) -> None:
    """As after a backup was restored: waiting for it would never end."""
    ahead = await group.get("member", "/needs", Aidmesh_Position="999999")
    assert (ahead.status, ahead.code) == (400, "unknown_position")
    assert f"newest position is {group.position}" in ahead.body["detail"] and "now" in ahead.body["hint"]


async def test_what_the_lists_do_not_show_yet_is_waited_for_and_then_said_to_be_missing(group: Group) -> None:
    await group.need()
    with patch.object(group.node.views, "wait", AsyncMock(return_value=False)):
        behind = await group.get("member", "/needs")
    assert (behind.status, behind.code, behind.headers["Retry-After"]) == (503, "views_behind", "1")


async def test_what_is_no_position_is_refused(group: Group) -> None:
    for text in ("-1", "1.5", "x", "9" * 19, "٣"):
        header = await group.get("member", "/needs", Aidmesh_Position=text)
        assert (header.status, header.code) == (400, "malformed"), text


async def test_a_node_that_starts_again_knows_its_people(tmp_path: Path) -> None:
    async with opened(tmp_path) as group:
        member, brief = await group.joins("member", "member"), await group.joins("brief", "member")
        assert (await group.post("operator", f"/members/{group.members['brief']}/revoke")).status == 200
        need = await group.need("member")
    async with opened(tmp_path) as group:
        assert (await group.get(member, f"/needs/{need}")).status == 200
        assert (await group.get(brief, f"/needs/{need}")).status == 401


async def test_the_status_says_when_the_clock_is_not_believed(tmp_path: Path) -> None:
    clock = DrivenClock()
    async with opened(tmp_path, clock=clock) as group:
        assert (await group.get("operator", "/status")).body["clock"] == {"trusted": True, "words": ""}
        clock.jump(timedelta(days=400))
        told = (await group.get("operator", "/status")).body["clock"]
        assert told["trusted"] is False and "went 400 days ahead" in told["words"] and "set it" in told["words"]
        clock.jump(timedelta(days=-400))
        assert (await group.get("operator", "/status")).body["clock"] == {"trusted": True, "words": ""}
