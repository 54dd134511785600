"""Two groups over their HTTP APIs: they meet, compare words, share a need, pledge, hand over and receive."""

from __future__ import annotations

import asyncio
from collections import Counter

from aidmesh_node.application.ports import Work

from .conftest import CONSENT, Two


async def test_both_screens_show_the_same_four_words(two: Two) -> None:
    met = await two.meet()
    assert met.body["state"] == "pending" and len(met.body["words"]) == 4
    (seen,) = (await two.north.get("member", "/peers")).body["items"]
    assert (seen["gid"], seen["name"], seen["words"]) == (two.south.node.gid, "South", met.body["words"])
    assert (await two.north.get("member", "/circles")).body["items"] == []


async def test_other_words_make_no_circle(two: Two) -> None:
    await two.meet()
    differ = await two.north.post("operator", "/peers/South/confirm", {"words": "four quite other words"})
    assert (differ.status, differ.code) == (409, "words_differ")
    await two.settle()
    assert (await two.north.get("member", "/circles")).body["items"] == []
    assert (await two.north.post("operator", "/peers/West/confirm", {"words": "a b c d"})).status == 404


async def test_an_invitation_is_used_once_and_not_by_its_own_group(two: Two) -> None:
    """SPEC §14.2b."""
    invited = (await two.north.post("operator", "/peers/invitations", {"expires_hours": 1})).body["invitation"]
    own = await two.north.post("operator", "/peers", {"invitation": invited})
    assert (own.status, own.code) == (422, "own_invitation")
    assert (await two.south.post("operator", "/peers", {"invitation": invited})).status == 201
    again = await two.south.post("operator", "/peers", {"invitation": invited})
    assert again.status == 409, again.text
    two.mesh.network.cut.add(next(iter(two.mesh.network.nodes)))
    fresh = (await two.north.post("operator", "/peers/invitations", {})).body["invitation"]
    away = await two.south.post("operator", "/peers", {"invitation": fresh})
    assert (away.status, away.code) == (503, "peer_unreachable")


async def test_a_need_of_north_is_met_from_the_stock_of_south(two: Two) -> None:
    await two.pair()
    north, south = two.north, two.south
    (circle,) = (await north.get("member", "/circles")).body["items"]
    assert circle["peers"] == [{"gid": south.node.gid, "name": "South"}]

    need = await north.need("member", **{"for": {"name": "Ana Lopez"}, "note": "third tent"})
    assert (await north.post("member", f"/needs/{need}/share", {"consent": CONSENT})).status == 403
    shared = await north.post("coordinator", f"/needs/{need}/share", {"peer": "south", "consent": CONSENT})
    assert shared.status == 200, shared.text
    again = await north.post("coordinator", f"/needs/{need}/share", {"circle": circle["id"][:8], "consent": CONSENT})
    assert (again.status, again.code) == (409, "already_shared")
    await two.settle()

    (seen,) = (await south.get("member", "/board")).body["needs"]
    assert (seen["ours"], seen["group_name"], seen["open"], seen["item"]) == (False, "North", "100", "Blanket")
    assert "Ana" not in (await south.get("operator", f"/needs/{seen['id']}")).text
    theirs = await south.post("coordinator", f"/needs/{seen['id'][:10]}/withdraw")
    assert (theirs.status, theirs.code) == (409, "not_ours")

    offer = await south.offer("coordinator", quantity="60")
    (suggested,) = (await south.get("coordinator", "/suggestions")).body["items"]
    assert (suggested["need"], suggested["offer"], suggested["quantity"]) == (seen["id"], offer, "60")
    promised = await south.pledge("coordinator", suggested["need"][:12], offer=offer, quantity="60")
    await two.settle()
    (received,) = (await north.get("member", "/pledges?role=home")).body["items"]
    assert (received["peer_name"], received["offered"], received["phase"]) == ("South", "60", "offered")
    accepted = await north.post("member", f"/pledges/{received['id']}/accept")
    assert accepted.status == 200, accepted.text
    await two.settle()
    assert (await south.get("member", f"/pledges/{promised}")).body["phase"] == "committed"
    assert (await south.post("coordinator", f"/pledges/{promised}/hand-over")).status == 200
    await two.settle()
    assert (await north.post("member", f"/pledges/{received['id']}/receive")).body["phase"] == "received"
    await two.settle()

    assert (await south.get("member", f"/pledges/{promised}")).body["received"] == "60"
    for group, id in ((north, need), (south, seen["id"])):
        assert (await group.get("member", f"/needs/{id}")).body["open"] == "40"
    assert (await south.get("member", f"/offers/{offer}")).body["drawn"] == "60"
    (link,) = (await north.get("member", "/peers")).body["items"]
    assert link["held"]["incomplete"] == 0 and link["held"]["size"] > 0 and link["frozen"] is None


async def test_a_share_that_is_taken_back_is_gone_from_the_board(two: Two) -> None:
    await two.pair()
    need = await two.north.need("coordinator")
    assert (await two.north.post("coordinator", f"/needs/{need}/share", {"consent": CONSENT})).status == 200
    await two.settle()
    (seen,) = (await two.south.get("member", "/board")).body["needs"]
    assert (await two.north.post("coordinator", f"/needs/{need}/unshare")).status == 200
    await two.settle()
    assert (await two.south.get("member", "/board")).body["needs"] == []
    late = await two.south.post("member", "/pledges", {"need": seen["id"], "quantity": "5"})
    assert (late.status, late.code) == (409, "need_closed")
    (share,) = (await two.north.get("member", f"/needs/{need}")).body["shared_with"]
    assert (share["state"], share["acknowledged"], share["peer_name"]) == ("revoked", True, "South")


async def test_what_was_refused_of_a_peer_is_told_with_how_often(two: Two) -> None:
    await two.pair()
    north, gid, at = two.north.node, two.south.node.gid, two.mesh.clock.now()

    def twice(work: Work) -> None:
        for detail in ("two roots at 7", "two roots at 9"):
            work.evidence.keep(gid, "fork_detected", detail, [b"the note"], at)

    await north.writer.run(twice)
    (refusal,) = (await two.north.get("member", "/peers/South")).body["refusals"]
    assert (refusal["code"], refusal["detail"], refusal["count"]) == ("fork_detected", "two roots at 9", 2)


async def test_of_fifty_confirmations_for_one_version_of_the_link_one_is_done(two: Two) -> None:
    words = " ".join((await two.meet()).body["words"])
    link = await two.north.get("operator", "/peers/South")
    path = f"/peers/{two.south.node.gid}"
    assert (await two.north.get("operator", path, If_None_Match=link.headers["ETag"])).status == 304
    seen = {"If_Match": link.headers["ETag"]}
    answers = await asyncio.gather(
        *(two.north.post("operator", f"{path}/confirm", {"words": words}, **seen) for _ in range(50))
    )
    assert Counter(answer.status for answer in answers) == {200: 1, 412: 49}
    assert {answer.code for answer in answers if answer.status == 412} == {"moved_on"}
    assert (await two.north.get("operator", path)).body["confirmed"] is True


async def test_what_is_shared_and_taken_back_depends_on_the_version_too(two: Two) -> None:
    await two.pair()
    need, offer = await two.north.need(), await two.north.offer()
    for path, body in ((f"/needs/{need}", {"consent": CONSENT}), (f"/offers/{offer}", {})):
        seen = (await two.north.get("coordinator", path)).headers["ETag"]
        assert (await two.north.post("coordinator", f"{path}/share", body, If_Match=seen)).status == 200
        late = await two.north.post("coordinator", f"{path}/unshare", If_Match=seen)
        assert (late.status, late.code) == (412, "moved_on")
        now = (await two.north.get("coordinator", path)).headers["ETag"]
        assert (await two.north.post("coordinator", f"{path}/unshare", If_Match=now)).status == 200


async def test_hours_are_whole_however_a_program_writes_them(two: Two) -> None:
    for hours, status in ((72, 201), (72.0, 201), (1.5, 400), (0, 400), (721, 400), ("72", 400)):
        answer = await two.north.post("operator", "/peers/invitations", {"expires_hours": hours})
        assert answer.status == status, hours
