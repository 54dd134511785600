"""After a no of the node: the command that leads on. One line for each code, and one for every code to come.

A code is known by its name or, as the family it belongs to, by how it begins; else by the status it came with.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

HELP: Final = "{command} --help"
SHOW: Final = "{noun} show {id}"
LIST: Final = "{noun} list"
PLEDGE: Final = "pledge show {id}"
PEERS: Final = "peer list"
MEMBERS: Final = "member list"
OFFERS: Final = "offer list --ours --state open"
STATUS: Final = "status"
BOARD: Final = "board"
VERIFY: Final = "verify"
CONFIG: Final = "config show"
RECOVER: Final = "recover status"
VERSION: Final = "--version"
JOIN: Final = "member join --node URL --token-file FILE"

BY_CODE: Final = {
    **dict.fromkeys(("already_joined", "last_operator", "not_allowed", "revoked"), MEMBERS),
    **dict.fromkeys(
        ("already_linked", "ambiguous_circle", "illegal", "no_circle", "not_active", "not_confirmed"), PEERS
    ),
    **dict.fromkeys(("not_pending", "not_suspended", "own_invitation", "pairing_refused", "severed"), PEERS),
    **dict.fromkeys(("too_many_invitations", "unknown_circle", "words_differ"), PEERS),
    **dict.fromkeys(("already_covered", "already_shared", "not_shared", "unit_differs"), SHOW),
    **dict.fromkeys(("already_accepted", "already_committed", "already_countered", "already_released"), PLEDGE),
    **dict.fromkeys(("declined", "far_more_than_promised", "hand_over_first", "handed_over", "not_yours"), PLEDGE),
    **dict.fromkeys(("more_than_accepted", "more_than_offered", "not_accepted", "not_committed"), PLEDGE),
    **dict.fromkeys(("nothing_changed", "nothing_in_transit", "nothing_left", "released", "revised"), PLEDGE),
    **dict.fromkeys(("too_many_disputes", "too_many_revisions", "too_many_statements", "withdrawn"), PLEDGE),
    **dict.fromkeys(("not_enough_left", "not_exhausted", "offer_closed"), OFFERS),
    **dict.fromkeys(("need_closed", "not_ours", "unknown_item"), BOARD),
    **dict.fromkeys(("busy", "closing", "mark", "storage", "storage_full", "views_behind", "body_too_slow"), STATUS),
    **dict.fromkeys(("no_address", "bad_endpoint", "unknown_host"), CONFIG),
    **dict.fromkeys(("encoded_body", "method_not_allowed", "not_json", "unknown_route"), VERSION),
    **dict.fromkeys(("bad_sizes", "file_too_small", "gap_in_file", "no_bundle", "not_for_us"), HELP),
    "ambiguous_id": LIST,
    "no_reader": PEERS,
    "nothing_new": STATUS,
    "erased": "erasure list",
    "still_a_member": "member revoke --help",
    "consent_too_narrow": "need share --help",
    "idempotency_key_reused": STATUS,
    "import_problems": "import csv FILE... --dry-run",
    "internal": VERIFY,
    "no_consent": "need share --help",
    "unauthenticated": JOIN,
    "not_recovering": STATUS,
    "too_large": HELP,
    "unknown_task": RECOVER,
}
BY_BEGINNING: Final = {
    "peer_": PEERS,
    "bad_": HELP,
    "unknown_": HELP,
    "already_": SHOW,
    "too_many_": STATUS,
}
BY_STATUS: Final = {401: JOIN, 403: MEMBERS, 404: LIST, 409: SHOW, 410: SHOW, 412: SHOW, 428: SHOW, 429: STATUS}
SERVER_FAULT: Final = 500

NOUNS: Final = {
    "needs": "need", "offers": "offer", "pledges": "pledge", "disputes": "dispute",
    "members": "member", "peers": "peer",
}  # fmt: skip
WITHOUT_SHOW: Final = {"member": MEMBERS, "peer": PEERS}
"""Nouns of which one thing cannot be shown, or not by an id alone."""

_THING = re.compile(r"/([a-z]+)(?:/([A-Za-z0-9]+))?(?:[/?].*)?")


def words_after(code: str, status: int, path: str, command: str) -> str:
    """What to type after "aidmesh ", given the problem, the path that was asked for and the command ("need share")."""
    template = BY_CODE.get(code)
    if template is None:
        template = next((words for start, words in BY_BEGINNING.items() if code.startswith(start)), None)
    if template is None:
        template = BY_STATUS.get(status, STATUS if status >= SERVER_FAULT else HELP)
    found = _THING.fullmatch(path)
    noun = NOUNS.get(found[1]) if found else None
    identity = found[2] if found else None
    if template in (SHOW, PLEDGE) and not (identity and noun):
        template = LIST
    if template == PLEDGE and noun != "pledge":
        template = SHOW
    if template in (SHOW, LIST) and noun is None:
        template = BOARD
    if template == SHOW and noun in WITHOUT_SHOW:
        template = WITHOUT_SHOW[noun]
    return template.format(noun=noun, id=shlex.quote(identity or ""), command=command)
