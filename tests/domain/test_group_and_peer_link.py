"""Our group, and how two groups link: words compared by people, terms signed by both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from aidmesh_node.domain.group import ENDPOINTS_MAX, Group
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.domain.refused import Refused
from tests.domain.acts import CIRCLE, by, heard

OURS, THEIRS = "a" * 32, "b" * 32
WORDS = ("river", "lamp", "stone", "goat")


def invited() -> PeerLink:
    return PeerLink.invite(by("operator"), gid=THEIRS, endpoints=["https://b.example.org"])


def meet(link: PeerLink) -> None:
    link.meet(
        by("operator"),
        name="B town",
        endpoints=["https://b.example.org"],
        words=WORDS,
        our_nonce="01" * 32,
        their_nonce="02" * 32,
        terms="03" * 40,
    )


def pending() -> PeerLink:
    link = invited()
    meet(link)
    return link


def active() -> PeerLink:
    link = pending()
    link.confirm(by("operator"), words=WORDS, signature="04" * 64)
    link.sign(heard(), signature="05" * 64)
    link.activate(by("node"), circle=CIRCLE, our_gid=OURS)
    return link


def severed() -> PeerLink:
    link = active()
    link.sever(by("operator"), "they moved")
    return link


def test_both_people_compare_the_words_and_both_sign() -> None:
    """SPEC §14.2c, §14.3a."""
    link = active()
    assert link.is_active
    (activated,) = [event for event in link.collect_events() if isinstance(event, PeerLink.Activated)]
    assert activated.signatures == {OURS: "04" * 64, THEIRS: "05" * 64}
    assert (activated.terms, activated.circle, link.circle) == ("03" * 40, CIRCLE, CIRCLE)
    assert link.id == PeerLink.id_of(THEIRS) != PeerLink.id_of(OURS)


def test_it_does_not_matter_who_signs_first() -> None:
    link = pending()
    link.sign(heard(), signature="05" * 64)
    assert not link.is_confirmed
    with pytest.raises(Refused) as refused:
        link.activate(by("node"), circle=CIRCLE, our_gid=OURS)
    assert "Your group has not confirmed" in refused.value.detail
    link.confirm(by("operator"), words=WORDS, signature="04" * 64)
    link.activate(by("node"), circle=CIRCLE, our_gid=OURS)
    assert link.is_active


def test_other_words_stop_the_pairing() -> None:
    link = pending()
    with pytest.raises(Refused) as refused:
        link.confirm(by("operator"), words=("river", "lamp", "stone", "wolf"), signature="04" * 64)
    assert refused.value.reason == "words_differ"
    assert not link.is_confirmed


def test_meeting_again_starts_over() -> None:
    link = pending()
    link.confirm(by("operator"), words=WORDS, signature="04" * 64)
    link.sign(heard(), signature="05" * 64)
    meet(link)
    assert (link.is_confirmed, link.their_signature) == (False, None)


def test_the_same_confirmation_and_signature_again_record_nothing() -> None:
    link = pending()
    link.confirm(by("operator"), words=WORDS, signature="04" * 64)
    link.sign(heard(), signature="05" * 64)
    version = link.version
    link.confirm(by("operator"), words=WORDS, signature="04" * 64)
    link.sign(heard(), signature="05" * 64)
    link.describe(heard(), name="B town", endpoints=["https://b.example.org"])
    assert link.version == version


def test_a_link_is_suspended_resumed_and_severed() -> None:
    link = active()
    link.suspend(by("operator"), "we argue")
    assert (link.is_active, link.state, link.reason) == (False, "suspended", "we argue")
    link.resume(by("operator"))
    assert (link.is_active, link.reason) == (True, None)
    link.sever(by("operator"), "they moved")
    assert (link.state, link.reason) == ("severed", "they moved")
    meet(link)
    assert link.state == "pending"


@pytest.mark.parametrize(
    ("begin", "act", "reason"),
    [
        (invited, lambda it: it.confirm(by(), words=WORDS, signature="04" * 64), "not_pending"),
        (invited, lambda it: it.sign(heard(), signature="05" * 64), "not_pending"),
        (invited, lambda it: it.activate(by(), circle=CIRCLE, our_gid=OURS), "not_pending"),
        (pending, lambda it: it.activate(by(), circle=CIRCLE, our_gid=OURS), "not_confirmed"),
        (pending, lambda it: it.suspend(by(), "?"), "not_active"),
        (active, lambda it: it.resume(by()), "not_suspended"),
        (active, meet, "already_linked"),
        (severed, lambda it: it.sever(by(), "again"), "severed"),
    ],
)
def test_what_a_link_cannot_do_now(begin: Callable[[], PeerLink], act: Callable[[PeerLink], None], reason: str) -> None:
    link = begin()
    version = link.version
    with pytest.raises(Refused) as refused:
        act(link)
    assert refused.value.reason == reason
    assert link.version == version


def test_what_they_took_back_is_acknowledged_by_us() -> None:
    link = active()
    link.acknowledge_revocation(by("node"), circle=CIRCLE, subject="0c" * 16)
    event = link.collect_events()[-1]
    assert isinstance(event, PeerLink.RevocationAcknowledged)
    assert (event.subject, event.heard) == ("0c" * 16, False)
    answer = replace(by("node"), cause="ab" * 32 + ":3")
    for _ in range(2):
        link.acknowledge_revocation(answer, circle=CIRCLE, subject="0c" * 16)
    assert len(link.collect_events()) == 1, "heard once more, it is not answered once more"


def test_a_group_is_founded_and_described() -> None:
    group = Group.found(by("operator"), gid=OURS, name="  A   town ", endpoints=["https://a.example.org"])
    assert (group.id, group.name) == (Group.id_of(OURS), "A town")
    version = group.version
    group.describe(by("operator"), name="A town", endpoints=["https://a.example.org"])
    assert group.version == version
    group.describe(by("operator"), name="A city", endpoints=[])
    assert (group.name, group.endpoints, group.version) == ("A city", (), version + 1)


@pytest.mark.parametrize(
    ("name", "endpoints", "reason"),
    [
        ("", [], "bad_name"),
        ("x" * 200, [], "bad_name"),
        ("A", ["https://a b"], "bad_endpoint"),
        ("A", [""], "bad_endpoint"),
        ("A", ["https://" + "a" * 300], "bad_endpoint"),
        ("A", ["https://a\x00"], "bad_endpoint"),
        ("A", ["https://a"] * (ENDPOINTS_MAX + 1), "bad_endpoint"),
    ],
)
def test_names_and_addresses_are_bounded(name: str, endpoints: list[str], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        Group.found(by("operator"), gid=OURS, name=name, endpoints=endpoints)
    assert refused.value.reason == reason
