"""`aidmesh config`: the settings of a node and where each comes from."""

from __future__ import annotations

import click

from aidmesh_cli.client import Document
from aidmesh_cli.manual import Noun
from aidmesh_cli.node_cmds import told_by_node
from aidmesh_cli.options import asks, example
from aidmesh_cli.output import Column, print_table
from aidmesh_cli.problems import NodeDown
from aidmesh_cli.session import Session
from aidmesh_cli.target import looks_like_home


@click.group(cls=Noun, epilog=example("aidmesh config show"))
def config() -> None:
    """The settings of a node."""


@config.command(epilog=example("aidmesh config show --home harbour"))
@asks("Print only the settings, as KEY=VALUE.")
def show(session: Session) -> None:
    """Show every setting and where it comes from. Of a running node, what it runs with; else what it would."""
    found = _settings(session)
    columns = [Column("SETTING"), Column("VALUE", gives=True), Column("FROM", gives=True)]
    rows = [(one["key"], one["value"], one["origin"]) for one in found["settings"]]
    session.show(
        found,
        lambda: print_table(columns, rows),
        names=(f"{one['key']}={one['value']}" for one in found["settings"]),
    )


def _settings(session: Session) -> Document:
    try:
        return session.get("/config")
    except NodeDown:
        home = session.where.home
        if home is None or not looks_like_home(home):
            raise
    with told_by_node():
        from aidmesh_node import main as node

        return node.show_config(home)
