"""A person's yes to one step of sharing: how it was given and to which text. No yes, no sharing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aidmesh_node.domain.label import language_tag
from aidmesh_node.domain.refused import Refused, one_of

HOW_GIVEN = ("self", "by_phone", "proxy")

LEVELS = ("L1", "L2")
"""How much is shared: L1 the redacted view, L2 a reviewed description too. Contact details have their own
rules.
"""

_TEXT_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Consent:
    """`given` by the person, by phone (the text read aloud) or by a proxy, for the text of `text_version`.

    A proxy says whether the person knows; if not, nothing beyond L1 may be shared and no address ever.
    """

    given: str
    text_version: str
    language: str | None = None
    person_knows: bool | None = None

    def __post_init__(self) -> None:
        one_of("way of giving consent", self.given, HOW_GIVEN)
        if not _TEXT_VERSION.fullmatch(self.text_version):
            raise Refused(
                "no_consent",
                "It is not recorded which consent text the person agreed to.",
                "Read them the consent text and record its version.",
            )
        object.__setattr__(self, "language", language_tag(self.language))
        if self.given == "proxy" and self.person_knows is None:
            raise Refused(
                "no_consent",
                "Somebody asks on this person's behalf, and it is not recorded whether the person knows.",
                "Record whether the person knows: yes or no.",
            )

    def check_level(self, level: str) -> None:
        """Refuse a level of sharing that this consent does not carry."""
        one_of("level of sharing", level, LEVELS)
        if level != "L1" and self.given == "proxy" and not self.person_knows:
            raise Refused(
                "consent_too_narrow",
                "The person does not know of this request, so only its outline (L1) can be shared.",
                "Share it at L1, or ask the person first.",
            )
