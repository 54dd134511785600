"""Which aidmesh this is: release, protocol and, in a checkout, the commit."""

from __future__ import annotations

from pathlib import Path

PROTOCOL = "aidmesh/1"


def version_text() -> str:
    """ "aidmesh 0.1.0 (protocol aidmesh/1, commit 1a2b3c4d5e6f)" """
    commit = _commit(Path(__file__).resolve().parents[2])
    return f"aidmesh {_release()} (protocol {PROTOCOL}{f', commit {commit}' if commit else ''})"


def _release() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("aidmesh")
    except PackageNotFoundError:
        return "not installed"


def _commit(checkout: Path) -> str:
    """The checked-out commit; "" where this is no checkout of ours."""
    git = checkout / ".git"
    try:
        if not (checkout / "cli" / "aidmesh_cli").is_dir():
            return ""
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head[:12]
        loose = git / name
        if loose.is_file():
            return loose.read_text(encoding="ascii").strip()[:12]
        packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
        return next((line.split()[0][:12] for line in packed if line.endswith(f" {name}")), "")
    except (OSError, ValueError):
        return ""
