"""`init` makes a node's home, `run` runs the node in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from aidmesh_cli.options import DIRECTORY, example, home_option, json_option
from aidmesh_cli.output import print_facts, print_json
from aidmesh_cli.plain import plain
from aidmesh_cli.problems import FAILURE, Failed


@contextmanager
def told_by_node() -> Iterator[None]:
    """What the node's own code refuses at start, as Failed."""
    from aidmesh_node.main import StartError

    try:
        yield
    except StartError as error:
        raise Failed(FAILURE, str(error)) from None


@click.command(
    epilog=example("aidmesh init --home harbour --name Harbour --listen 127.0.0.1:8421"),
    short_help="Make the home of a new node.",
)
@home_option
@click.option("--name", required=True, help="The name of your group, as other groups see it.")
@click.option("--listen", default="127.0.0.1:8420", show_default=True, metavar="HOST:PORT", help="Where it listens.")
@click.option("--url", default="", help="The address at which other groups reach it, if that is another one.")
@click.option("--state-dir", type=DIRECTORY, help="Where the mark lies; must not be part of any backup of the home.")
@json_option
@click.option("--quiet", "-q", is_flag=True, help="Print only the group id.")
def init(home: Path, name: str, listen: str, url: str, state_dir: Path | None, as_json: bool, quiet: bool) -> None:
    """Make the home of a new node: its keys, its configuration and the token of its first operator.

    The keys are your group's identity. Whoever has the folder can speak for the group: keep it private, and back
    it up.
    """
    with told_by_node():
        from aidmesh_node import main as node

        made = node.init(home, name, listen, url, state_dir)
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "gid": made.gid,
                "home": str(made.home),
                "token_file": str(made.token_file),
                "url": made.url,
            }
        )
    elif quiet:
        click.echo(made.gid)
    else:
        click.echo(f"Made the node of {plain(name)} in {plain(home)}.")
        print_facts([("group id", made.gid), ("address", made.url), ("operator's token", made.token_file)])
        click.echo(f"Start it: aidmesh run --home {plain(home)}", err=True)


@click.command(epilog=example("aidmesh run --home harbour"), short_help="Run a node until it is stopped.")
@home_option
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What the log on stderr tells.",
)
def run(home: Path, log_level: str) -> int:
    """Run the node of a home until it is stopped with Ctrl-C or SIGTERM.

    Only one process can run a home; a second one refuses and names the first.
    """
    import logging

    logging.basicConfig(
        level=log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with told_by_node():
        from aidmesh_node import main as node

        return node.run(home)
