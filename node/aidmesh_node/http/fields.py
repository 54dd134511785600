"""What fields of requests and answers are made of: a type, its bound, its words and an example, each said once.

A `title` gives the type a name of its own in the API document. `words` tell the document which words the domain
takes; the domain alone refuses others, in words of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from aidmesh_node.domain.act import ROLES
from aidmesh_node.domain.arrival_rules import ASKED_BY
from aidmesh_node.domain.category import CATEGORIES
from aidmesh_node.domain.consent import HOW_GIVEN
from aidmesh_node.domain.dispute import ABOUT, RESOLUTIONS
from aidmesh_node.domain.fork import RESOLUTIONS as FORK_RESOLUTIONS
from aidmesh_node.domain.need import CLOSE_REASONS, URGENCIES
from aidmesh_node.domain.offer import CLOSED_BY_PEOPLE, MODES
from aidmesh_node.domain.pledge import GIVER, HOME
from aidmesh_node.domain.pledge_fold import PHASES
from aidmesh_node.domain.pledge_words import (
    CONDITIONS,
    DECLINE_REASONS,
    FAILURES,
    HOWS,
    OUTCOMES,
    RELEASE_REASONS,
)
from aidmesh_node.domain.units import UNITS

LINE: Final = r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
"""One line: no control characters, so that no name can forge a second line in a list or a log."""
PROSE: Final = r"\A[^\x00-\x08\x0b-\x1f\x7f-\x9f]*\Z"

WORD_CHARACTERS_MAX: Final = 40
LINE_CHARACTERS_MAX: Final = 200
PROSE_CHARACTERS_MAX: Final = 4000

WORD: Final = Meta(min_length=1, max_length=WORD_CHARACTERS_MAX, pattern=LINE)


def words(title: str, known: Iterable[str], description: str = "") -> Meta:
    """How the document names a set of words. They are not checked here: the domain does, and says which there are."""
    listed = list(known)
    return Meta(title=title, description=description or None, extra_json_schema={"enum": listed})


# What people send.

Word = Annotated[str, WORD]
Line = Annotated[str, Meta(min_length=1, max_length=LINE_CHARACTERS_MAX, pattern=LINE, examples=["Blanket"])]
Prose = Annotated[
    str, Meta(min_length=1, max_length=PROSE_CHARACTERS_MAX, pattern=PROSE, examples=["Ring twice; the dog is kind."])
]
Amount = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        title="AmountGiven",
        description="Decimal text above 0, with a point and at most three decimals, at most 10^9. Never a JSON number.",
        extra_json_schema={"pattern": r"^[0-9]{1,10}(\.[0-9]{1,9})?$"},
        examples=["30", "2.5"],
    ),
]
"""A JSON number is refused because a float is not what was typed."""
AmountOrZero = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        title="AmountOrZeroGiven",
        description="As AmountGiven, or 0: nothing at all.",
        extra_json_schema={"pattern": r"^[0-9]{1,10}(\.[0-9]{1,9})?$"},
        examples=["30", "0"],
    ),
]
Moment = Annotated[
    datetime,
    Meta(
        tz=True,
        title="MomentGiven",
        description="RFC 3339 with an offset from UTC; a year from 2000 to 2200.",
        extra_json_schema={"pattern": "^2[01][0-9]{2}-"},
        examples=["2026-12-01T18:00:00Z"],
    ),
]
IdText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=LINE,
        title="IdGiven",
        description="An id, or so many of its first characters (at least 6) that only one thing begins with them.",
        examples=["3f1c9a"],
    ),
]
Language = Annotated[
    str,
    WORD,
    Meta(
        title="Language",
        description="A BCP 47 tag.",
        extra_json_schema={"pattern": "^[a-zA-Z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"},
        examples=["en"],
    ),
]
Category = Annotated[str, WORD, words("Category", CATEGORIES)]
Unit = Annotated[
    str, WORD, words("Unit", UNITS, "Common spellings such as pieces or litres are understood too, and become these.")
]
Urgency = Annotated[str, WORD, words("Urgency", URGENCIES)]
Mode = Annotated[str, WORD, words("Mode", MODES)]
How = Annotated[str, WORD, words("How", HOWS)]
Outcome = Annotated[str, WORD, words("Outcome", OUTCOMES)]
Failure = Annotated[str, WORD, words("HandOverFailure", FAILURES)]
Condition = Annotated[str, WORD, words("Condition", CONDITIONS)]
DeclineReason = Annotated[str, WORD, words("DeclineReason", DECLINE_REASONS)]
ReleaseReason = Annotated[str, WORD, words("ReleaseReason", RELEASE_REASONS)]
CloseReason = Annotated[str, WORD, words("CloseReason", CLOSE_REASONS)]
OfferCloseReason = Annotated[str, WORD, words("OfferCloseReason", CLOSED_BY_PEOPLE)]
AskedHow = Annotated[str, WORD, words("AskedHow", ASKED_BY, "How somebody was asked what arrived.")]
Side = Annotated[str, WORD, words("PledgeSide", (GIVER, HOME))]
About = Annotated[
    str, WORD, words("DisputeAbout", ABOUT, "The other group hears this word alone; of `conduct` it hears nothing.")
]
Resolution = Annotated[str, WORD, words("DisputeResolution", RESOLUTIONS)]
ForkResolution = Annotated[str, WORD, words("ForkResolution", FORK_RESOLUTIONS)]
GivenBy = Annotated[str, WORD, words("ConsentGivenBy", HOW_GIVEN, "Who said yes, and how.")]
MemberRole = Annotated[str, WORD, words("MemberRole", ROLES, "Each may do what those after it may.")]

# What the node tells.

Id = Annotated[str, Meta(title="Id", pattern="^[0-9a-f]{32}$", examples=["3f1c9a7e5b2d4860a1c3e5f708192a3b"])]
FileId = Annotated[
    str,
    Meta(
        title="FileId",
        description="A file on its way in or out; it is forgotten soon.",
        pattern=r"\A[0-9a-f]{32}\Z",
        examples=["3f1c9a7e5b2d4860a1c3e5f708192a3b"],
    ),
]
Gid = Annotated[
    str,
    Meta(
        title="Gid",
        description="A group's id: derived from its key, so nobody else can have it.",
        pattern="^[a-z2-7]{32}$",
        examples=["mzxw6ytboi2dmnjqgeztcmrtmzxw6ytb"],
    ),
]
CircleId = Annotated[
    str,
    Meta(
        title="CircleId",
        pattern="^[0-9a-f]{64}$",
        examples=["00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"],
    ),
]
Total = Annotated[
    str,
    Meta(
        title="Amount",
        description='Exact decimal text without trailing zeros: "31800", "2.5", "0".',
        pattern=r"^[0-9]+(\.[0-9]*[1-9])?$",
        examples=["30"],
    ),
]
Time = Annotated[
    str,
    Meta(
        title="Time",
        description="RFC 3339 in UTC, whole seconds.",
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        extra_json_schema={"format": "date-time"},
        examples=["2026-12-01T18:00:00Z"],
    ),
]
Count = Annotated[int, Meta(ge=0, examples=[1])]
Version = Annotated[
    int,
    Meta(
        ge=1,
        title="Version",
        description='Grows with every change of this thing. `If-Match: "<version>"` makes a command depend on it.',
        examples=[3],
    ),
]
Position = Annotated[
    int,
    Meta(
        ge=0,
        title="Position",
        description="A place in this node's log. Send the newest you were told as `Aidmesh-Position` to read your own "
        "writes.",
        examples=[42],
    ),
]
SchemaVersion = Annotated[
    int, Meta(ge=1, title="SchemaVersion", description="Of this JSON shape; 1 so far.", examples=[1])
]
Share = Annotated[str, words("ShareOf", ("none", "partial", "full", "over"))]
Phase = Annotated[str, words("Phase", [phase for phase in PHASES if phase != "none"])]
Text = Annotated[str, Meta(examples=["Warm things"])]
Origin = Annotated[
    str, Meta(title="Origin", description="The name of a feed.", examples=["aidmesh.org/feed/b7d1e2f3/c/00112233/0"])
]
