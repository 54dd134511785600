"""What is typed for the golden files, and what the node answers. To see a command's output there, add its line here."""

from __future__ import annotations

from typing import Final

from tests.cli.answers import HILLSIDE, dispute, fork, need, offer, peer, pledge, status
from tests.cli.golden_bundle_cases import BUNDLE_CASES
from tests.cli.golden_case import Case
from tests.cli.golden_recovery_cases import RECOVERY_CASES
from tests.cli.recorded_node import sequence
from tests.cli.test_tables import BOARD, LONG, THEIRS

ID: Final = "aaaaaaaa"
DONE: Final = {"id": "a" * 32, "version": 2, "position": 9, "state": "open"}
SHARED: Final = {
    **DONE,
    "leaves": {"item": "Blankets", "quantity": "20", "unit": "item", "category": "bedding", "area": "Lospalos"},
}
WIDE: Final = {
    "item": "毛布とテント 👩\N{ZERO WIDTH JOINER}🌾 प्रेम Cobertores",
    "group_name": "عائلات الميناء",
    "area": "東京都" * 20,
}
MEMBERS: Final = sequence(
    [
        {
            "id": "a" * 32,
            "name": "Ana Silva",
            "role": "operator",
            "state": "joined",
            "joined_at": "2026-11-22T08:00:00Z",
        },
        {
            "id": "b" * 32,
            "name": "Rosa Lima",
            "role": "member",
            "state": "invited",
            "expires": "2026-11-29T08:00:00Z",
            "invited_at": "2026-11-22T08:00:00Z",
        },
        {"id": "c" * 32, "name": None, "role": "coordinator", "state": "revoked", "joined_at": "2026-11-20T08:00:00Z"},
    ]
)
WORDS: Final = ["tape", "music", "double", "calm"]
SETTINGS: Final = {
    "schema_version": 1,
    "settings": [
        {"key": "node.name", "value": "Harbour", "origin": "/srv/harbour/config.toml"},
        {"key": "node.listen", "value": "127.0.0.1:8420", "origin": "default"},
        {
            "key": "state.dir",
            "value": "/var/lib/a/very/long/way/down/to/the/mark/of/this/node",
            "origin": "AIDMESH_STATE",
        },
    ],
}
TELLS: Final = "the feed's owner signed a history of 12 entries that does not begin with the 7 it had signed as well"
ADVICE: Final = {
    "text": "If a life is in danger, call 112 first. Say where you are, what has happened, and how many are hurt.",
    "number": "112",
}
TRIED: Final = {
    "dry_run": True,
    "would_record": {"need:posted": 1},
    "version": 1,
    "state": "open",
    "position": 9,
}
VERIFIED: Final = {"events": 1200, "feeds": 1, "entries": 18, "parts": 4, "checkpoints": 2}


def _acts() -> list[Case]:
    """One line each for the verbs of a pledge."""
    found = pledge(id="a" * 32)
    verbs = {
        "revise": "--quantity 15",
        "commit": "",
        "withdraw": "",
        "hand-over": "--quantity 20",
        "counter": "--quantity 10",
        "accept": "",
        "decline": "--reason timing",
        "release": "--reason other",
        "receive": "--condition good",
        "ask": "--how phone",
        "presume": "",
        "correct": "--quantity 18",
        "leave": "",
    }
    return [
        Case(
            f"pledge-{verb}",
            f"pledge {verb} {ID} {options}".strip(),
            {f"POST /pledges/{ID}/{verb}": DONE, f"GET /pledges/{'a' * 32}": found},
        )
        for verb, options in verbs.items()
    ]


ERASED = {**DONE, "circles": ["c" * 64], "elsewhere": "A promise: what somebody wrote down may still be there."}
ERASURES = sequence(
    [
        {
            "kind": "need",
            "id": "a" * 32,
            "circle": "c" * 64,
            "asked": "2026-11-22T08:00:00Z",
            "outstanding": True,
            "groups": [
                {"peer": "h" * 32, "peer_name": "Hillside", "had_it": "2026-11-21T08:00:00Z", "confirmed": None},
                {"peer": "w" * 32, "peer_name": None, "had_it": None, "confirmed": "2026-11-22T09:00:00Z"},
            ],
        }
    ]
)

CASES: Final = [
    Case("board", "board", {"GET /board": BOARD}),
    Case("board-empty", "board", {"GET /board": {"needs": [], "offers": [], "position": 1}}),
    Case(
        "board-wide",
        "board",
        {"GET /board": {**BOARD, "needs": [need(**{**THEIRS, **WIDE})], "offers": [offer(**WIDE)]}},
    ),
    Case("need-list", "need list", {"GET /needs": sequence([need(), need(**THEIRS, item=LONG), need(**WIDE)])}),
    Case(
        "need-show",
        f"need show {ID}",
        {f"GET /needs/{ID}": need(note="Ring twice.\nThe back door.", person={"name": "Ana"})},
    ),
    Case("need-show-wide", f"need show {ID}", {f"GET /needs/{ID}": need(**WIDE)}),
    Case("need-post", "need post Soup --category food --quantity 12 --unit meal", {"POST /needs": DONE}),
    Case("need-post-over", "need post --category food --quantity 1 --until 2020-01-01", {"POST /needs": DONE}),
    Case("need-share", f"need share {ID} --consent self", {f"POST /needs/{ID}/share": SHARED}),
    Case("need-erase", f"need erase {ID} --yes", {f"POST /needs/{ID}/erase": ERASED}),
    Case("need-erase-unasked", f"need erase {ID} --no-input", {}),
    Case("offer-erase", f"offer erase {ID} --person --yes", {f"POST /offers/{ID}/erase": {**ERASED, "circles": []}}),
    Case(
        "member-forget",
        f"member forget {ID} --yes",
        {"GET /members": MEMBERS, f"POST /members/{'a' * 32}/forget": {**DONE, "elsewhere": "Replace the backup."}},
    ),
    Case("erasure-list", "erasure list", {"GET /erasures": ERASURES}),
    Case("erasure-list-empty", "erasure list", {"GET /erasures": sequence([])}),
    Case("need-unshare", f"need unshare {ID}", {f"POST /needs/{ID}/unshare": DONE}),
    Case("need-withdraw", f"need withdraw {ID}", {f"POST /needs/{ID}/withdraw": DONE}),
    Case("need-close", f"need close {ID} --reason partly_met", {f"POST /needs/{ID}/close": DONE}),
    Case(
        "need-post-dry-run", "need post Soup --category food --quantity 12 --name Ana --dry-run", {"POST /needs": TRIED}
    ),
    Case("need-review", f"need review {ID} --next 2026-12-05", {f"POST /needs/{ID}/review": DONE}),
    Case(
        "need-contact-attempt",
        f"need contact-attempt {ID} --outcome no_answer",
        {f"POST /needs/{ID}/contact-attempt": {**DONE, "unanswered": 3}},
    ),
    Case("need-extend", f"need extend {ID} --until 2026-12-20", {f"POST /needs/{ID}/extend": DONE}),
    Case("need-amend", f"need amend {ID} --quantity 15", {f"POST /needs/{ID}/amend": DONE}),
    Case("need-urgency", f"need urgency {ID} high --reason worse", {f"POST /needs/{ID}/urgency": DONE}),
    Case(
        "need-share-wider",
        f"need share-wider {ID} --consent by_phone",
        {f"POST /needs/{ID}/share-wider": {**SHARED, "circles": ["c" * 64]}},
    ),
    Case("need-reopen", f"need reopen {ID}", {f"POST /needs/{ID}/reopen": DONE}),
    Case("need-emergency-advice", "need emergency-advice", {"GET /emergency-advice": ADVICE}),
    Case(
        "need-post-emergency",
        "need post --category medicine --quantity 1 --urgency emergency",
        {"GET /emergency-advice": ADVICE},
    ),
    Case(
        "need-list-untouched",
        "need list --untouched",
        {
            "GET /needs?untouched=true": sequence(
                [need(next_action="call whom it is for", next_action_at="2026-11-24T08:00:00Z", urgency="emergency")]
            )
        },
    ),
    Case("offer-list", "offer list", {"GET /offers": sequence(BOARD["offers"])}),
    Case("offer-show", f"offer show {ID}", {f"GET /offers/{ID}": offer(**WIDE)}),
    Case("offer-post", "offer post Boat --category transport --quantity 4 --unit trip", {"POST /offers": DONE}),
    Case("offer-share", f"offer share {ID}", {f"POST /offers/{ID}/share": SHARED}),
    Case("offer-unshare", f"offer unshare {ID}", {f"POST /offers/{ID}/unshare": DONE}),
    Case("offer-withdraw", f"offer withdraw {ID}", {f"POST /offers/{ID}/withdraw": DONE}),
    Case(
        "offer-list-stale", "offer list", {"GET /offers": sequence([offer(stale=True, until="2026-12-01T23:59:00Z")])}
    ),
    Case("offer-confirm", f"offer confirm {ID}", {f"POST /offers/{ID}/confirm": DONE}),
    Case("offer-extend", f"offer extend {ID} --until 2026-12-31", {f"POST /offers/{ID}/extend": DONE}),
    Case("offer-close", f"offer close {ID} --reason superseded", {f"POST /offers/{ID}/close": DONE}),
    Case("offer-reopen", f"offer reopen {ID}", {f"POST /offers/{ID}/reopen": DONE}),
    Case(
        "pledge-list", "pledge list", {"GET /pledges": sequence([pledge(), pledge(role="giver", item=LONG, unit="m2")])}
    ),
    Case("pledge-show", f"pledge show {ID}", {f"GET /pledges/{ID}": pledge()}),
    Case(
        "pledge-show-differing",
        f"pledge show {ID}",
        {
            f"GET /pledges/{ID}": pledge(
                received="1200",
                in_transit="300",
                phase="partly_received",
                discrepancy=True,
                disputes=1,
                note="1500 item handed over, 1200 item received: the two figures differ. That happens, and nobody is "
                "accused. Whoever miscounted corrects their figure; or leave it at that.",
            )
        },
    ),
    Case(
        "pledge-offer",
        f"pledge offer {ID} --quantity 20",
        {"POST /pledges": DONE, f"GET /pledges/{'a' * 32}": pledge(role="giver", id="a" * 32)},
    ),
    *_acts(),
    Case(
        "dispute-open",
        f"dispute open {ID} --about not_received --text Wet",
        {f"POST /pledges/{ID}/disputes": {**DONE, "about": "not_received"}},
    ),
    Case("dispute-list", "dispute list", {"GET /disputes": sequence([dispute(), dispute(ours=True, about="money")])}),
    Case(
        "dispute-show",
        f"dispute show {ID}",
        {
            f"GET /disputes/{ID}": dispute(
                statements=[{"by": "a" * 32, "at": "2026-11-22T11:00:00Z", "text": "Two boxes were wet.\nHe saw it."}]
            )
        },
    ),
    Case(
        "fork-list",
        "fork list",
        {"GET /forks": sequence([fork(), fork(ours=True, state="resolved", resolution="explained")])},
    ),
    Case(
        "fork-export",
        f"fork export {ID} --out hillside.fork",
        {f"GET /forks/{ID}": fork(tells=TELLS, proof="cHJvb2Y=")},
    ),
    Case("fork-verify-nothing", "fork verify a.csv", home=""),
    Case("fork-show", f"fork show {ID}", {f"GET /forks/{ID}": fork(tells=TELLS, proof="")}),
    Case(
        "fork-resolve",
        f"fork resolve {ID} --how explained",
        {f"POST /forks/{ID}/resolve": {**DONE, "resolution": "explained", "origin": "aidmesh/x"}},
    ),
    Case("dispute-add", f"dispute add {ID} --text Dry", {f"POST /disputes/{ID}/add": DONE}),
    Case("dispute-resolve", f"dispute resolve {ID} --how explained", {f"POST /disputes/{ID}/resolve": DONE}),
    Case("member-list", "member list", {"GET /members": MEMBERS}),
    Case(
        "member-invite",
        "member invite Rosa",
        {"POST /members": {**DONE, "invitation": "amesh-invite_x", "expires": "2026-11-29T08:00:00Z"}},
    ),
    Case("member-join", "member join --token-file harbour/operator.token", {}),
    Case(
        "member-role", f"member role {ID} operator", {"GET /members": MEMBERS, f"POST /members/{'a' * 32}/role": DONE}
    ),
    Case(
        "member-revoke",
        f"member revoke {ID} --yes",
        {"GET /members": MEMBERS, f"POST /members/{'a' * 32}/revoke": DONE},
    ),
    Case("member-revoke-unasked", f"member revoke {ID} --no-input", {"GET /members": MEMBERS}),
    Case(
        "peer-list",
        "peer list",
        {"GET /peers": sequence([peer(), peer(name="Woods", reachable=False, last_contact=None)])},
    ),
    Case("peer-list-empty", "peer list", {"GET /peers": sequence([])}),
    Case(
        "peer-status",
        "peer status Hillside",
        {
            "GET /peers": sequence([peer()]),
            f"GET /peers/{HILLSIDE}": peer(state="pending", confirmed=False, words=WORDS),
        },
    ),
    Case(
        "peer-invite",
        "peer invite",
        {"POST /peers/invitations": {"invitation": "aidmesh:x#y,z", "expires": "2026-11-25T08:00:00Z"}},
    ),
    Case(
        "peer-accept",
        "peer accept aidmesh:x#y,z",
        {"POST /peers": {"gid": HILLSIDE, "name": "Hillside", "state": "pending", "words": WORDS}},
    ),
    Case(
        "status",
        "status",
        {
            "GET /status": status(),
            "GET /peers": sequence([peer(), peer(gid="p" * 32, state="pending", confirmed=False)]),
            "GET /pledges?role=home&phase=handed_over&limit=500": sequence([pledge()]),
        },
    ),
    Case(
        "status-recovering",
        "status",
        {
            "GET /status": status(standing="recovering", standing_reason="its own feed is shorter than it signed"),
            "GET /peers": sequence([]),
        },
    ),
    *RECOVERY_CASES,
    Case("verify", "verify", {"POST /verify": {"ok": True, "checked": VERIFIED, "first_problem": None}}),
    Case(
        "verify-wrong",
        "verify",
        {
            "POST /verify": {
                "ok": False,
                "checked": VERIFIED,
                "first_problem": {"where": "feed_entries 3:17", "detail": "these are not the bytes that were signed"},
            }
        },
    ),
    Case("config-show", "config show", {"GET /config": SETTINGS}),
    *BUNDLE_CASES,
    Case(
        "import-csv",
        "import csv a.csv",
        {
            "POST /imports": {
                "needs": ["a" * 32],
                "offers": [],
                "unchanged": 2,
                "notes": ["a.csv: the columns Phone and Remarks were not known; they went to the group's vault."],
                "position": 4,
            }
        },
    ),
    Case(
        "import-csv-wrong",
        "import csv a.csv",
        {
            "POST /imports": (
                422,
                {
                    "code": "import_problems",
                    "detail": "2 problems were found; nothing was imported.",
                    "errors": [
                        {"where": f"a.csv:{row}:Quantity", "message": "“many” is not an amount.", "hint": "Use digits."}
                        for row in (2, 7)
                    ],
                },
            )
        },
    ),
    Case("init-dry-run", "init --name Harbour --state-dir state --dry-run", home=" --home new"),
    Case("run", "run", home=" --home nowhere"),
    Case("error-usage", "need post --urgncy high"),
    Case("error-which-node", "board", home=""),
    Case("error-no-home", "board", home=" --home nowhere"),
    Case("error-node-down", "board", home=" --node http://127.0.0.1:1 --token-file harbour/operator.token"),
    Case(
        "error-not-found",
        "need withdraw Blankets",
        {"GET /needs?ours=true&state=open&limit=500": sequence([])},
    ),
    Case(
        "error-ambiguous",
        "need withdraw Blankets",
        {"GET /needs?ours=true&state=open&limit=500": sequence([need(), need(id="b" * 32, quantity="7")])},
    ),
    Case(
        "error-conflict",
        f"pledge accept {ID}",
        {
            f"POST /pledges/{ID}/accept": (
                409,
                {
                    "code": "need_closed",
                    "detail": "The other group no longer asks for this, since others brought all of it yesterday.",
                    "hint": "See the board for what is open now.",
                },
            )
        },
    ),
    Case(
        "error-hostile",
        "board",
        {
            "GET /board": (
                409,
                {
                    "code": "odd",
                    "detail": "\x1b[2J\x9b31m" + "毛" * 90,
                    "hint": "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\n\x07",
                },
            )
        },
    ),
]
