"""What is typed about files between groups for the golden files, and what the node answers."""

from __future__ import annotations

from typing import Final

from tests.cli.answers import HILLSIDE
from tests.cli.golden_case import Case
from tests.cli.recorded_node import sequence

CIRCLE = {
    "id": "c" * 64,
    "peers": [{"gid": HILLSIDE, "name": "Hillside"}],
    "state": "active",
    "ours": {"origin": f"aidmesh/{'a' * 32}/c/{'c' * 64}/0", "size": 12},
    "theirs": [{"gid": HILLSIDE, "origin": f"aidmesh/{HILLSIDE}/c/{'c' * 64}/0", "size": 9}],
}
PACKED = {"id": "f" * 32, "bytes": 6, "entries": 12, "feeds": 3, "left": 0, "next": None, "unsigned": 2}
BUNDLE = {
    "bundle": "b" * 32,
    "packed_by": {"gid": HILLSIDE, "name": "Hillside"},
    "packed_at": "2026-11-22T08:00:00Z",
    "signature": "signed",
    "feeds": 3,
    "whole": True,
    "trouble": "",
}
BUNDLE_CASES: Final = [
    Case(
        "bundle-write",
        "bundle write --for Hillside --out news.aidmesh --max-bytes 60000",
        {
            "GET /circles": sequence([CIRCLE]),
            "POST /bundles": PACKED,
            f"GET /bundle-pieces?id={'f' * 32}&at=0": {"at": 0, "data": "c2VhbGVk", "bytes": 6},
            f"GET /bundle-pieces?id={'f' * 32}&at=6": {"at": 6, "data": "", "bytes": 6},
        },
    ),
    Case(
        "bundle-read",
        "bundle read a.csv",
        {
            "POST /bundle-pieces": {"id": "f" * 32, "bytes": 6},
            "POST /bundles/read": {
                **BUNDLE,
                "whole": False,
                "signature": "unknown",
                "trouble": "interrupted: a chunk does not open",
                "new": 200,
                "again": False,
                "kept": False,
                "waiting": 0,
                "refused": [],
            },
        },
    ),
    Case(
        "bundle-read-early",
        "bundle read a.csv",
        {
            "POST /bundle-pieces": {"id": "f" * 32, "bytes": 6},
            "POST /bundles/read": {**BUNDLE, "new": 0, "again": False, "kept": True, "waiting": 1, "refused": []},
        },
    ),
    Case(
        "bundle-read-not-for-us",
        "bundle read a.csv",
        {
            "POST /bundle-pieces": {"id": "f" * 32, "bytes": 6},
            "POST /bundles/read": (
                422,
                {
                    "code": "not_for_us",
                    "detail": "This file is not sealed to your group, or its beginning is damaged.",
                    "hint": "Ask who gave it to you for whom it was packed; they may pack it once more.",
                },
            ),
        },
    ),
    Case(
        "bundle-inspect",
        "bundle inspect a.csv",
        {
            "POST /bundle-pieces": {"id": "f" * 32, "bytes": 6},
            "POST /bundles/inspect": {**BUNDLE, "entries": 256, "new": 12, "left": 30},
        },
    ),
    Case(
        "bundle-sizes",
        "bundle sizes",
        {"GET /bundle-sizes": {"sizes": "aidmesh-sizes:QUlETUVTSDEK", "circle": "c" * 64}},
    ),
]
