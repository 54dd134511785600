"""The eleven ways in which a need ends, and what has to be true, or said, for each.

A person decides, with a reason that others can check later; nothing here closes anything by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.label import label
from aidmesh_node.domain.need_time import UNANSWERED_MAX
from aidmesh_node.domain.refused import Refused, one_of

CLOSE_REASONS = (
    "met",
    "partly_met",
    "withdrawn_by_person",
    "no_longer_wanted",
    "expired",
    "done_by_others",
    "duplicate",
    "referred",
    "out_of_scope",
    "unreachable",
    "entered_in_error",
)

BY_ITS_OWN_ACT = {
    "withdrawn_by_person": Refused(
        "only_by_withdrawing",
        "Only whom it is for, or who asks for them, withdraws a need.",
        "If they said so, withdraw it: aidmesh need withdraw ID.",
    ),
    "expired": Refused(
        "only_by_itself",
        "A need expires by itself, after a warning.",
        "If it is no longer wanted, close it with the reason no_longer_wanted.",
    ),
}


@dataclass(frozen=True, slots=True)
class Closing:
    """What goes with some reasons: the need it is a duplicate `of`, whom it was referred `to` and the person's
    `consent` to that, and whether another place to turn to was offered.
    """

    of: UUID | None = None
    to: str | None = None
    consent: Consent | None = None
    referral_offered: bool = False


JUST_CLOSED = Closing()


def check_closing(
    reason: str, said: Closing, need_id: UUID, *, unanswered: int, arrived: Decimal, reserved: Decimal
) -> Closing:
    """What is to be recorded, or Refused with what is missing."""
    one_of("reason to close", reason, CLOSE_REASONS)
    if reason in BY_ITS_OWN_ACT:
        refused = BY_ITS_OWN_ACT[reason]
        raise Refused(refused.reason, refused.detail, refused.hint)
    said = Closing(said.of, label("to", said.to), said.consent, said.referral_offered)
    if said.of is not None and reason != "duplicate":
        raise _misplaced("the need it is a duplicate of", "duplicate")
    if said.consent is not None and reason != "referred":
        raise _misplaced("a consent to refer them", "referred")
    if said.to is not None and reason not in ("referred", "out_of_scope"):
        raise _misplaced("where they turn to", "referred or out_of_scope")
    match reason:
        case "duplicate":
            _check_duplicate(said, need_id)
        case "referred":
            _check_referred(said)
        case "out_of_scope" if not said.referral_offered:
            raise Refused(
                "no_referral_offered",
                "Nobody is sent away without another place to turn to.",
                "Offer them one, say so (referral_offered, --referral-offered), and name it if you can.",
            )
        case "unreachable" if unanswered < UNANSWERED_MAX:
            raise Refused(
                "not_tried_enough",
                f"{unanswered} calls without an answer are recorded in a row; {UNANSWERED_MAX} are needed.",
                "Try again, another way too, and record it: aidmesh need contact-attempt ID --outcome no_answer.",
            )
        case "entered_in_error" if arrived or reserved:
            raise Refused(
                "already_helped",
                "Something has arrived for this need, or is promised, so it was not entered in error.",
                "Release what is promised, and close it with the reason that fits.",
            )
    return said


def _check_duplicate(said: Closing, need_id: UUID) -> None:
    if said.of is None:
        raise Refused(
            "duplicate_of_what", "It is not said which need it repeats.", "Name the need that stays (of, --of)."
        )
    if said.of == need_id:
        raise Refused("duplicate_of_itself", "A need is no duplicate of itself.", "Name the need that stays.")


def _check_referred(said: Closing) -> None:
    if said.to is None:
        raise Refused(
            "referred_to_whom", "It is not said where they were referred to.", "Name the group or service (to, --to)."
        )
    if said.consent is None:
        raise Refused(
            "no_consent",
            "It is not recorded that the person agreed to be referred there.",
            "Ask them first, and record how they agreed (consent, --consent).",
        )


def _misplaced(what: str, reason: str) -> Refused:
    return Refused("not_with_this_reason", f"You named {what}.", f"That goes with the reason {reason}.")
