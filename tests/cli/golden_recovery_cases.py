"""What is typed about a node that was restored for the golden files, and what the node answers."""

from __future__ import annotations

from typing import Final

from tests.cli.answers import recovery
from tests.cli.golden_case import Case

RECOVERING_FEED: Final = {"peer": "Hillside", "held": 12, "known": 112, "confirmed": False}
CHANGED_TWICE: Final = {
    "number": 1,
    "kind": "changed_twice",
    "thing": "a" * 32,
    "words": "Since the restore somebody has changed this, and what came back says need.closed about it.",
    "done": False,
}
RECOVERY_CASES: Final = [
    Case("recover-status-never", "recover status", {"GET /recovery": recovery("never")}),
    Case("recover-status", "recover status", {"GET /recovery": recovery("recovering", feeds=[RECOVERING_FEED])}),
    Case(
        "recover-status-over",
        "recover status",
        {"GET /recovery": recovery("recovered", statements=100, lost=10, tasks=[CHANGED_TWICE])},
    ),
    Case("recover-wait", "recover wait", {"GET /recovery": recovery("recovered", statements=100)}),
    Case(
        "recover-override",
        "recover override --yes",
        {
            "GET /recovery": recovery("recovering", feeds=[RECOVERING_FEED]),
            "POST /recovery/override": recovery("begun_anew", tasks=[CHANGED_TWICE]),
        },
    ),
    Case("recover-done", "recover done 1", {"POST /recovery/tasks/1/done": {"number": 1, "position": 7}}),
]
