"""`init` makes a node's home, `run` runs the node in it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from aidmesh_cli.manual import Page
from aidmesh_cli.options import DIRECTORY, dry_run_option, example, home_option, json_option, quiet_option
from aidmesh_cli.output import Whole, print_command, print_facts, print_json, print_sentence, say
from aidmesh_cli.patience import Patience
from aidmesh_cli.problems import FAILURE, Failed


@contextmanager
def told_by_node() -> Iterator[None]:
    """What the node's own code refuses at start, as Failed."""
    from aidmesh_node.main import StartError

    try:
        yield
    except StartError as error:
        failure = Failed(FAILURE, str(error))
        failure.next_command = f"{click.get_current_context().command_path} --help"
        raise failure from None


@click.command(
    cls=Page,
    epilog=example("aidmesh init --home harbour --name Harbour --listen 127.0.0.1:8421"),
    short_help="Make the home of a new node.",
)
@home_option
@click.option("--name", required=True, help="The name of your group, as other groups see it.")
@click.option("--listen", default="127.0.0.1:8420", show_default=True, metavar="HOST:PORT", help="Where it listens.")
@click.option("--url", default="", help="The address at which other groups reach it, if that is another one.")
@click.option("--state-dir", type=DIRECTORY, help="Where the mark lies; must not be part of any backup of the home.")
@json_option
@quiet_option("Print only the group id.")
@dry_run_option
def init(
    home: Path, name: str, listen: str, url: str, state_dir: Path | None, as_json: bool, quiet: bool, dry_run: bool
) -> None:
    """Make the home of a new node: its keys, its configuration and the token of its first operator.

    The keys are your group's identity. Whoever has the folder can speak for the group: keep it private, and back
    it up.
    """
    with told_by_node():
        from aidmesh_node import main as node

        if dry_run:
            planned = node.plan_home(home, name, listen, url, state_dir)
        else:
            with Patience("Making the keys", quiet=quiet):
                made = node.init(home, name, listen, url, state_dir)
    if dry_run:
        _write_plan(planned, home, as_json, quiet)
    elif as_json:
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
        print_sentence(f"Made the node of {name}.")
        print_facts(
            [
                ("home", Whole(home)),
                ("group id", made.gid),
                ("address", Whole(made.url)),
                ("operator's token", Whole(made.token_file)),
            ]
        )
        say("Start it:")
        print_command(f"aidmesh run --home {shlex.quote(str(home))}", err=True)


def _write_plan(planned: Mapping[str, str], home: Path, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json({"schema_version": 1, "dry_run": True, "home": str(home), **planned})
    elif not quiet:
        print_sentence("Dry run: nothing was made. This would be:")
        print_facts([("home", Whole(home)), *((name, Whole(value)) for name, value in planned.items())])


@click.command(cls=Page, epilog=example("aidmesh run --home harbour"), short_help="Run a node until it is stopped.")
@home_option
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What the log on stderr tells.",
)
@quiet_option("Log only what goes wrong, like --log-level warning.")
def run(home: Path, log_level: str, quiet: bool) -> int:
    """Run the node of a home until it is stopped with Ctrl-C or SIGTERM.

    Only one process can run a home; a second one refuses and names the first.
    """
    import logging

    logging.basicConfig(
        level="WARNING" if quiet and log_level in ("debug", "info") else log_level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    with told_by_node():
        from aidmesh_node import main as node

        return node.run(home)
