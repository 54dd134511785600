"""Comparing a secret byte by byte tells by its time how much was right: who does, and why that is no harm (K06)."""

from __future__ import annotations

import ast

from tests.house.tree import ROOT

SECRET = ("secret", "token", "mac", "nonce", "password", "commitment", "committed")

HARMLESS = {
    ("domain/member.py", "secret_hash != self.secret_hash"): "hashes of 160 random bits: knowing one opens nothing",
    ("federation/pairing.py", "commitment(shown.nonce) != answer.commitment"): "both were sent by the other side",
    ("federation/pairing.py", "commitment(reveal.nonce) != meeting.commitment"): "both were sent by the other side",
    ("aidmesh_protocol/part_bytes.py", "!= committed"): "who sends a part has its key",
    ("domain/pledge_fold.py", "self.home.acceptance == self.giver.commitment"): "a promise, and no secret",
    ("domain/pledge_fold.py", "self.giver.commitment == self.home.acceptance"): "a promise, and no secret",
}


def comparisons() -> list[tuple[str, str]]:
    """Every comparison by == or != of something with a secret's name, but for lengths, kinds and constants."""
    found = []
    for folder in ("node/aidmesh_node", "protocol/aidmesh_protocol"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                    sides = [node.left, *node.comparators]
                    if any(isinstance(side, ast.Constant) or _is_measure(side) for side in sides):
                        continue
                    if any(_names_secret(side) for side in sides):
                        found.append((str(path.relative_to(ROOT)), ast.unparse(node)))
    return found


def _is_measure(side: ast.expr) -> bool:
    return isinstance(side, ast.Call) and isinstance(side.func, ast.Name) and side.func.id in ("len", "type")


def _names_secret(side: ast.expr) -> bool:
    names = [node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in ast.walk(side)]
    return any(word in name.lower().split("_") for name in names for word in SECRET)


def test_k06_secrets_are_compared_in_constant_time_or_not_at_all() -> None:
    unexplained = [
        (file, code)
        for file, code in comparisons()
        if not any(file.endswith(known) and code.endswith(part) for known, part in HARMLESS)
    ]
    assert unexplained == [], "use hmac.compare_digest, or say here why it is no harm"


def test_every_excuse_is_still_needed() -> None:
    there = comparisons()
    for known, part in HARMLESS:
        assert any(file.endswith(known) and code.endswith(part) for file, code in there), (known, part)
