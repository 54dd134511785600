"""`aidmesh verify`: recomputes every hash, proof and signature that the node holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aidmesh_cli.client import Document
from aidmesh_cli.node_cmds import told_by_node
from aidmesh_cli.options import example, speaks
from aidmesh_cli.plain import plain
from aidmesh_cli.problems import FAILURE, NodeDown
from aidmesh_cli.session import Session
from aidmesh_cli.target import looks_like_home


@click.command(epilog=example("aidmesh verify --home harbour"), short_help="Check everything the node holds.")
@speaks("Print nothing; the exit code tells.")
def verify(session: Session) -> None:
    """Recompute every hash, proof and signature the node holds, its own and its peers'.

    Works on a running node and, with --home, on a stopped one. Names the first thing that is wrong and exits
    with 1.
    """
    report = _report(session)
    session.show(report, lambda: _write(report))
    if not report["ok"]:
        click.get_current_context().exit(FAILURE)


def _report(session: Session) -> Document:
    try:
        return session.post("/verify", long=True)
    except NodeDown:
        home = session.where.home
        if home is None or not looks_like_home(home):
            raise
        return _stopped(home)


def _stopped(home: Path) -> dict[str, Any]:
    with told_by_node():
        from aidmesh_node import main as node

        return node.verify_home(home).to_json()


def _write(report: Document) -> None:
    checked = ", ".join(f"{count} {name}" for name, count in report["checked"].items())
    problem = report["first_problem"]
    if report["ok"]:
        click.echo(f"All is as it was written: {plain(checked)}.")
    else:
        click.echo(f"WRONG: {plain(problem['where'])}: {plain(problem['detail'])}")
        click.echo(
            "Do not use this home: stop the node, keep a copy of the home, and restore it from a backup.", err=True
        )
