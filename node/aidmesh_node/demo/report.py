"""The demo's result as one JSON object. Quantities are decimal texts, as everywhere in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from aidmesh_node.demo.agreement import Account
from aidmesh_node.demo.audit import Audit, story
from aidmesh_node.demo.groups import Group
from aidmesh_node.demo.helping import Cut
from aidmesh_node.demo.nodes import DemoNode

SCHEMA_VERSION = 1


def blank(seed: int, as_of: date) -> dict[str, object]:
    """The report before anything happened; what never happens stays as it is here."""
    return {
        "schema_version": SCHEMA_VERSION,
        "ok": False,
        "verified": False,
        "agree": False,
        "seed": seed,
        "source": None,
        "as_of": as_of.isoformat(),
        "cut": None,
        "items": [],
        "nodes": [],
        "disagreements": [],
        "failed": None,
        "folder": None,
        "seconds": 0.0,
    }


def addresses(nodes: Sequence[DemoNode]) -> list[dict[str, object]]:
    """Where each node is, for a report of a run that has not come further."""
    return [{"name": node.name, "url": node.url, "home": str(node.home)} for node in nodes]


def counted(checked: Mapping[str, int]) -> str:
    """ "18 events, 1 feed": names come in the plural."""
    return ", ".join(f"{count} {_one(what) if count == 1 else what}" for what, count in checked.items())


def _one(plural: str) -> str:
    return f"{plural[:-3]}y" if plural.endswith("ies") else plural.removesuffix("s")


def node_report(group: Group, told: Account, verification: dict[str, Any]) -> dict[str, object]:
    """One node: counts by state and phase, every feed it holds, and what `verify` said."""
    return {
        "name": group.name,
        "gid": group.gid,
        "url": group.node.url,
        "home": str(group.node.home),
        **told.status["counts"],
        "imports": [asdict(imported) for imported in group.imported],
        "feeds": [{name: feed[name] for name in ("origin", "owner", "size", "root")} for feed in told.status["feeds"]],
        "verified": verification["ok"],
        "checked": verification["checked"],
        "first_problem": verification["first_problem"],
    }


def items(asking: Sequence[Group], accounts: Sequence[Account]) -> list[dict[str, str]]:
    """Wanted, received and still open per item and unit, over all that the asking groups shared."""
    asked = {(group.gid, need) for group in asking for need in group.needs}
    totals: dict[tuple[str, str], list[Decimal]] = {}
    for told in accounts:
        for need in told.needs:
            if (told.gid, need["id"]) in asked:
                sums = totals.setdefault((need["item"] or need["category"], need["unit"]), [Decimal(0)] * 3)
                for place, name in enumerate(("quantity", "received", "open")):
                    sums[place] += Decimal(need[name])
    return [
        {
            "item": item,
            "unit": unit,
            "wanted": _text(wanted),
            "received": _text(received),
            "open": _text(still_open),
        }
        for (item, unit), (wanted, received, still_open) in sorted(totals.items())
    ]


def cut_report(cut: Cut | None) -> dict[str, object] | None:
    """Which node was killed, and after how many pledges."""
    return None if cut is None else {"name": cut.group.name, "after_pledges": cut.after}


def commands(groups: Sequence[Group], unanswered_keys: set[str], audit: Audit) -> dict[str, object]:
    """Of what people asked for: how much was acknowledged, how much of it only after the connection had broken before,
    and what became of it."""
    acknowledged = [command for group in groups for command in story(group)]
    return {
        "acknowledged": len(acknowledged),
        "repeated": sum(command.key in unanswered_keys for command in acknowledged),
        "lost": len(audit.lost),
        "doubled": len(audit.doubled),
    }


def failure(step: str, detail: str, nodes: Sequence[DemoNode]) -> dict[str, object]:
    """What did not happen, and the last words of every node."""
    return {
        "step": step,
        "detail": detail,
        "logs": {node.name: node.last_words() for node in nodes},
    }


def _text(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
