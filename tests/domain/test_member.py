"""Members come in by invitation, and the last operator stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aidmesh_node.domain.member import Member
from aidmesh_node.domain.refused import Refused
from tests.domain.acts import MORNING, by, new_id

SECRET, TOKEN = "5e" * 32, "70" * 32


def invited(role: str = "member") -> Member:
    expires = MORNING + timedelta(days=7)
    return Member.invite(new_id(), by("operator"), person=new_id(), role=role, secret_hash=SECRET, expires=expires)


def joined(role: str = "member") -> Member:
    member = invited(role)
    member.join(by("member"), secret_hash=SECRET, token_hash=TOKEN)
    return member


def test_an_invitation_is_redeemed_once() -> None:
    member = invited("coordinator")
    assert member.state == "invited"
    member.join(by("member"), secret_hash=SECRET, token_hash=TOKEN)
    assert member.is_active
    assert (member.token_hash, member.member_role) == (TOKEN, "coordinator")
    with pytest.raises(Refused) as refused:
        member.join(by("member"), secret_hash=SECRET, token_hash="71" * 32)
    assert refused.value.reason == "already_joined"
    assert member.token_hash == TOKEN


def test_an_invitation_does_not_last_for_ever() -> None:
    member = invited()
    with pytest.raises(Refused) as refused:
        member.join(by("member", minutes=7 * 24 * 60), secret_hash=SECRET, token_hash=TOKEN)
    assert refused.value.reason == "expired"
    member.join(by("member", minutes=7 * 24 * 60 - 1), secret_hash=SECRET, token_hash=TOKEN)


def test_the_secret_must_be_the_right_one() -> None:
    member = invited()
    with pytest.raises(Refused) as refused:
        member.join(by("member"), secret_hash=TOKEN, token_hash=TOKEN)
    assert refused.value.reason == "bad_secret"
    assert not member.is_active


def test_an_unused_invitation_can_be_taken_back() -> None:
    member = invited("operator")
    member.revoke(by("operator"), operators=1)
    with pytest.raises(Refused) as refused:
        member.join(by("member"), secret_hash=SECRET, token_hash=TOKEN)
    assert refused.value.reason == "revoked"


def test_a_revoked_member_has_no_way_in() -> None:
    member = joined()
    member.revoke(by("operator"), operators=1)
    assert not member.is_active
    assert member.token_hash is None
    with pytest.raises(Refused, match="already taken back"):
        member.revoke(by("operator"), operators=1)
    with pytest.raises(Refused, match="already taken back"):
        member.change_role(by("operator"), "operator", operators=1)


def test_the_last_operator_cannot_be_revoked_or_demoted() -> None:
    member = joined("operator")
    with pytest.raises(Refused) as refused:
        member.revoke(by("operator"), operators=1)
    assert refused.value.reason == "last_operator"
    with pytest.raises(Refused) as refused:
        member.change_role(by("operator"), "member", operators=1)
    assert refused.value.reason == "last_operator"
    assert member.is_operator
    member.change_role(by("operator"), "coordinator", operators=2)
    assert member.member_role == "coordinator"
    member.revoke(by("operator"), operators=1)


def test_the_same_role_again_records_nothing() -> None:
    member = joined("operator")
    version = member.version
    member.change_role(by("operator"), "operator", operators=1)
    assert member.version == version


def test_unknown_roles_are_refused() -> None:
    with pytest.raises(Refused, match="coordinator"):
        invited("king")
    with pytest.raises(Refused, match="coordinator"):
        joined().change_role(by("operator"), "king", operators=3)
