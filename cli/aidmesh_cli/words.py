"""The words that commands take, for completion and for help. Whether a word is right is the node's business."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import CompletionItem

CATEGORIES: Final = (
    *("food", "water", "shelter", "bedding", "household", "hygiene", "clothing", "medicine", "childcare"),
    *("transport", "tools", "energy", "money", "care", "company", "work", "skills", "other"),
)
UNITS: Final = ("item", "kg", "l", "m2", "hour", "meal", "trip", "night", "request")
URGENCIES: Final = ("low", "normal", "high", "emergency")
URGENCY_REASONS: Final = ("worse", "better", "more_known", "mistaken")
CONTACT_OUTCOMES: Final = ("reached", "no_answer", "message_left", "wrong_contact")
MODES: Final = ("give", "lend", "swap")
CONSENTS: Final = ("self", "by_phone", "proxy")
CLOSE_REASONS: Final = (
    *("met", "partly_met", "withdrawn_by_person", "no_longer_wanted", "expired", "done_by_others", "duplicate"),
    *("referred", "out_of_scope", "unreachable", "entered_in_error"),
)
HOWS: Final = ("deliver", "pick_up", "remote")
OUTCOMES: Final = ("handed", "left_as_agreed", "picked_up", "done_remote")
FAILURES: Final = (
    *("not_home", "bad_address", "not_ready", "too_far", "refused", "unsafe", "carrier_did_not_come", "other"),
)
DECLINE_REASONS: Final = (
    *("already_covered", "not_suitable", "timing", "person_prefers_other", "safety", "need_closed", "share_revoked"),
    "other",
)
RELEASE_REASONS: Final = ("changed_plan", "found_elsewhere", "unanswered", "need_closed", "other")
CONDITIONS: Final = ("good", "damaged", "partial", "other")
PHASES: Final = (
    *("offered", "countered", "declined", "withdrawn", "accepted", "committed", "released", "handed_over"),
    *("partly_received", "presumed", "received"),
)
ASKED_HOWS: Final = ("phone", "message", "visit", "other")
SIDES: Final = ("giver", "home")
OFFER_CLOSE_REASONS: Final = ("exhausted", "superseded")
DISPUTED: Final = ("quantity", "quality", "not_received", "not_sent", "conduct", "money")
RESOLUTIONS: Final = ("explained", "made_good", "corrected", "left", "withdrawn", "other")
FORK_RESOLUTIONS: Final = ("explained", "distrusted")
ROLES: Final = ("operator", "coordinator", "member")


class Words(click.ParamType[str]):
    """Any text; a shell is offered the words that are known here."""

    name = "text"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]
