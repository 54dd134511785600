"""A person with a way in. Keeps a vault id and hashes of secrets, never a name and never a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from aidmesh_node.domain import event
from aidmesh_node.domain.act import ROLES, Act
from aidmesh_node.domain.event import Recorded
from aidmesh_node.domain.refused import Refused, one_of

INVITED, JOINED, REVOKED = "invited", "joined", "revoked"


class Member(Recorded):
    """`person` is a vault id; `member_role` one of ROLES; hashes are lower-case hex."""

    TOPIC = "member"

    class Event(event.Event):
        pass

    class Created(Event, event.Created):
        TOPIC = "member:created"

    class Invited(Created):
        TOPIC = "member:invited"
        person: UUID | None
        member_role: str
        secret_hash: str
        expires: datetime

    class Joined(Event):
        TOPIC = "member:joined"
        token_hash: str

        def apply(self, aggregate: Member) -> None:
            aggregate.state = JOINED
            aggregate.token_hash = self.token_hash

    class RoleChanged(Event):
        TOPIC = "member:role-changed"
        member_role: str

        def apply(self, aggregate: Member) -> None:
            aggregate.member_role = self.member_role

    class Revoked(Event):
        TOPIC = "member:revoked"

        def apply(self, aggregate: Member) -> None:
            aggregate.state = REVOKED
            aggregate.token_hash = None

    def __init__(self, person: UUID | None, member_role: str, secret_hash: str, expires: datetime) -> None:
        self.person = person
        self.member_role = member_role
        self.secret_hash = secret_hash
        self.expires = expires
        self.token_hash: str | None = None
        self.state = INVITED

    @classmethod
    def invite(
        cls, member_id: UUID, by: Act, *, person: UUID | None, role: str, secret_hash: str, expires: datetime
    ) -> Self:
        """An invitation that gives `role` to whoever brings the secret before `expires`."""
        return cls._begin(
            cls.Invited,
            member_id,
            by,
            person=person,
            member_role=one_of("role", role, ROLES),
            secret_hash=secret_hash,
            expires=expires,
        )

    @property
    def is_active(self) -> bool:
        return self.state == JOINED

    @property
    def is_operator(self) -> bool:
        return self.is_active and self.member_role == "operator"

    def join(self, by: Act, *, secret_hash: str, token_hash: str, timed: bool = True) -> None:
        """Redeem the invitation once; from now on the holder of the token is this member. Only where it is `timed` can
        it be too old: a clock that jumped must not close the door, and the secret works once in any case."""
        if self.state == REVOKED:
            raise Refused("revoked", "This invitation was taken back.", "Ask your group for a new invitation.")
        if self.state == JOINED:
            raise Refused(
                "already_joined",
                "This invitation was already used.",
                "If it was not you, tell an operator of your group.",
            )
        if timed and by.at >= self.expires:
            raise Refused("expired", "This invitation is too old.", "Ask your group for a new invitation.")
        if secret_hash != self.secret_hash:
            raise Refused("bad_secret", "This is not the secret of the invitation.", "Copy the whole invitation again.")
        self._record(self.Joined, by, token_hash=token_hash)

    def change_role(self, by: Act, role: str, *, operators: int) -> None:
        """Give another role; `operators` counts the active operators of the group. No event when it is the
        same.
        """
        one_of("role", role, ROLES)
        self._check_not_revoked()
        if role == self.member_role:
            return
        if self.is_operator and operators <= 1:
            raise Refused(
                "last_operator",
                "This is the last operator; without one nobody could run the node.",
                "Make somebody else operator first.",
            )
        self._record(self.RoleChanged, by, member_role=role)

    def revoke(self, by: Act, *, operators: int) -> None:
        """Take the way in back, or an invitation nobody has used; `operators` counts the active operators."""
        self._check_not_revoked()
        if self.is_operator and operators <= 1:
            raise Refused(
                "last_operator",
                "This is the last operator; without one nobody could run the node.",
                "Make somebody else operator first.",
            )
        self._record(self.Revoked, by)

    def _check_not_revoked(self) -> None:
        if self.state == REVOKED:
            raise Refused("revoked", "This member's access was already taken back.", "Invite them again.")
