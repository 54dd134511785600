"""The text that invites another group to pair: on a screen, on paper, or as a QR code (SPEC §14.1).

`aidmesh:<gid>#<endpoint>[;<endpoint>...],<secret>,<expiry>`. Says who and where; proves nothing.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import ENDPOINTS_MAX, INVITATION_BYTES_MAX, SECOND_MAX
from aidmesh_protocol.origin import check_group_id
from aidmesh_protocol.paths import check_endpoint

SECRET_BYTES = 16

_INVITATION = re.compile(
    r"aidmesh:(?P<gid>[^#]*)#(?P<endpoints>[^,]*),(?P<secret>[a-z2-7]{26}),(?P<expires>[1-9][0-9]{0,10})"
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who invites, where it answers, a one-time secret (16 bytes), and when it ends (seconds since 1970)."""

    gid: str
    endpoints: tuple[str, ...]
    secret: bytes
    expires: int

    def __post_init__(self) -> None:
        check_group_id(self.gid)
        if not 1 <= len(self.endpoints) <= ENDPOINTS_MAX:
            raise ProtocolError("malformed", "an invitation names one address or more")
        for endpoint in self.endpoints:
            check_endpoint(endpoint)
        if len(set(self.endpoints)) != len(self.endpoints):
            raise ProtocolError("malformed", "an invitation names each address once")
        if type(self.secret) is not bytes or len(self.secret) != SECRET_BYTES:
            raise ProtocolError("malformed", "the secret of an invitation is 16 bytes")
        if type(self.expires) is not int or not 1 <= self.expires <= SECOND_MAX:
            raise ProtocolError("malformed", "the end of an invitation is out of range")


def format(invitation: Invitation) -> str:
    """The invitation as text, ASCII."""
    secret = base64.b32encode(invitation.secret).decode().rstrip("=").lower()
    return f"aidmesh:{invitation.gid}#{';'.join(invitation.endpoints)},{secret},{invitation.expires}"


def parse(text: str) -> Invitation:
    """Read what `format` wrote, and nothing else; ProtocolError `malformed` or `too_large`."""
    if len(text) > INVITATION_BYTES_MAX:
        raise ProtocolError("too_large", "the invitation is longer than an invitation may be")
    match = _INVITATION.fullmatch(text)
    if match is None:
        raise ProtocolError("malformed", "not an invitation (aidmesh:<group>#<address>,<secret>,<end>)")
    invitation = Invitation(
        match["gid"],
        tuple(match["endpoints"].split(";")),
        base64.b32decode(match["secret"].upper() + "======"),
        int(match["expires"]),
    )
    # 26 characters carry two bits more than the secret: one secret, one text.
    if format(invitation) != text:
        raise ProtocolError("malformed", "the secret of the invitation is not written canonically")
    return invitation
