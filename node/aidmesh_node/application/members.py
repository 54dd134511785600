"""Use cases on members: get, act, commit. Names go to the vault; of secrets only hashes are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from aidmesh_node.application.ports import Work
from aidmesh_node.application.rights import require
from aidmesh_node.domain.act import Act
from aidmesh_node.domain.member import Member
from aidmesh_node.domain.refused import Refused

MEMBER_RECORD = UUID(int=0)
"""The vault record of a person's own name and contact."""


def invite_member(
    work: Work,
    by: Act,
    member_id: UUID,
    person: UUID,
    role: str,
    private: Mapping[str, str],
    secret_hash: bytes,
    expires: datetime,
) -> dict[str, object]:
    """An invitation that gives `role`. Coordinators invite members; only operators give more."""
    require(by, "coordinator" if role == "member" else "operator", "invite somebody as " + role)
    member = Member.invite(member_id, by, person=person, role=role, secret_hash=secret_hash.hex(), expires=expires)
    work.vault.put(person, MEMBER_RECORD, private)
    work.commit(member)
    return told(member)


def join(
    work: Work, by: Act, member_id: UUID, secret_hash: bytes, token_hash: bytes, *, timed: bool = True
) -> dict[str, object]:
    """Redeem an invitation, once: from now on the holder of the token is this member. Not `timed`: the clock is not
    believed, so nothing is too old by it."""
    member = work.get(Member, member_id)
    member.join(by, secret_hash=secret_hash.hex(), token_hash=token_hash.hex(), timed=timed)
    work.commit(member)
    return {**told(member), "member": member.id.hex, "role": member.member_role}


def change_role(work: Work, by: Act, member_id: UUID, role: str, operators: int) -> dict[str, object]:
    """Give a member another role; `operators` counts the active operators, of whom one must stay."""
    require(by, "operator", "change roles")
    member = work.get(Member, member_id)
    member.change_role(by, role, operators=operators)
    work.commit(member)
    return told(member)


def revoke_member(work: Work, by: Act, member_id: UUID, operators: int) -> dict[str, object]:
    """Take a member's way in back; the token is dead from this transaction on."""
    require(by, "operator", "revoke a member")
    member = work.get(Member, member_id)
    if by.actor == member.id and operators <= 1:
        raise Refused(
            "last_operator",
            "You are the last operator and cannot revoke yourself.",
            "Make somebody else operator first.",
        )
    member.revoke(by, operators=operators)
    work.commit(member)
    return told(member)


def told(member: Member) -> dict[str, object]:
    """What a caller is told after a command on a member."""
    return {"id": member.id.hex, "version": member.version, "state": member.state}
