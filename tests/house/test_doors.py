"""One door for each direction: who may append to feeds, insert events, or build statements is a short list of files."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "node" / "aidmesh_node"

DOORS = {
    # what is called: the only files that may call it
    "feeds.append": {"application/own_feeds.py", "application/inbox.py"},
    "feeds.cut": {"application/own_feeds.py"},
    "own_feeds.take_back": {"federation/own_intake.py"},
    "feeds.put_part": {"federation/intake.py"},
    "feeds.set_folded": {"application/inbox.py"},
    "feeds.read_again": {"application/passed_over.py"},
    "seal": {"application/own_feeds.py"},
    "inbox.accept": {"federation/intake.py"},
    "inbox.interpret": {"federation/replication.py", "application/retelling.py"},
    "checkpoint.sign": {"federation/publisher.py", "founding.py"},
    "mark.swap": {"federation/mark_mover.py", "founding.py"},
    "mover.move": {"federation/publisher.py"},
}


def callers(name: str) -> set[str]:
    """Files of the node, storage and sealing of vault rows apart, that name `name` as a whole dotted ending."""
    return {
        file
        for file, names in dotted_names().items()
        if any(dotted == name or dotted.endswith((f".{name}", f"_{name}")) for dotted in names)
    }


@cache
def dotted_names() -> dict[str, frozenset[str]]:
    """Every name of every such file, as it is written."""
    found = {}
    for path in NODE.rglob("*.py"):
        relative = path.relative_to(NODE).as_posix()
        if not relative.startswith("storage/") and relative != "application/ports.py":
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            found[relative] = frozenset(
                ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute | ast.Name)
            )
    return found


@pytest.mark.parametrize("name", DOORS)
def test_only_the_door_is_used(name: str) -> None:
    found = callers(name)
    assert found, f"nobody calls {name} any more: take it off the list"
    assert found <= DOORS[name], f"{name} is called outside its door: {sorted(found - DOORS[name])}"


def test_statements_are_built_only_by_publication_and_for_our_own_identity() -> None:
    pattern = re.compile(r"\bsay\.[A-Z]|\bNeedShared\(|\bOfferShared\(|\bGroupDescribed\(")
    users = {
        path.relative_to(NODE).as_posix()
        for path in NODE.rglob("*.py")
        if ("aidmesh_protocol.statements import" in (text := path.read_text(encoding="utf-8")) and pattern.search(text))
        or "statements as say" in text
    }
    assert users == {"application/publication.py", "application/redaction.py", "application/own_feeds.py"}


def test_no_sql_outside_storage_and_views() -> None:
    statement = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|PRAGMA)\b")
    users = {
        path.relative_to(NODE).parts[0]
        for path in NODE.rglob("*.py")
        if statement.search(path.read_text(encoding="utf-8"))
    }
    assert users <= {"storage", "views"}


def test_the_architecture_names_only_tests_and_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|protocol|node|cli|deploy)/[\w./-]+)`", text))
    assert named
    missing = {name for name in named if not (ROOT / name).exists()}
    assert not missing
