"""The options that many commands share, and the shape of a command: `speaks` tells a node to do something, `asks` asks.

Both get a Session first. What `speaks` decorates can be tried with --dry-run without knowing of it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from aidmesh_cli.problems import USAGE, Failed
from aidmesh_cli.session import Session
from aidmesh_cli.target import Where

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., object])

HOME_VARIABLE = "AIDMESH_HOME"
WAIT_SECONDS_MAX = 3600

ID_ONLY = "Print only the id."
IDS_ONLY = "Print only the ids, one a line."

DIRECTORY: click.Path = click.Path(file_okay=False, path_type=Path)
FILE: click.Path = click.Path(dir_okay=False, path_type=Path)


def example(*lines: str) -> str:
    """The examples of a command, one a line, as a shell takes them; a line that ends in \\ goes on."""
    return "\n".join(lines)


def home_option(function: F) -> F:
    """`--home` where nothing else will do."""
    return click.option(
        "--home",
        type=DIRECTORY,
        envvar=HOME_VARIABLE,
        required=True,
        help=f"The folder of the node (or {HOME_VARIABLE}).",
    )(function)


def json_option(function: F) -> F:
    """`--json` for commands without a session."""
    return click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")(function)


def quiet_option(help: str) -> Callable[[F], F]:
    """`--quiet` for commands without a session; `help` says what is still printed."""
    return click.option("--quiet", "-q", is_flag=True, help=help)


def dry_run_option(function: F) -> F:
    """`--dry-run`"""
    return click.option("--dry-run", is_flag=True, help="Say what would be done and whether it may; do nothing.")(
        function
    )


def yes_option(function: F) -> F:
    """`--yes`, for commands that ask whether one is sure; see Session.confirm."""
    return click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")(function)


def speaks(
    quiet: str, *, token: bool = True
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[..., None]]:
    """A command that tells a node to do something; `quiet` says what -q still prints."""
    return lambda function: _in_session(function, quiet=quiet, token=token, changes=True)


def asks(quiet: str) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[..., None]]:
    """A command that asks a node something; `quiet` says what -q still prints."""
    return lambda function: _in_session(function, quiet=quiet, token=True, changes=False)


def _in_session(
    function: Callable[Concatenate[Session, P], None], *, quiet: str, token: bool, changes: bool
) -> Callable[..., None]:
    @functools.wraps(function)
    def run(
        home: Path | None,
        node: str | None,
        token_file: Path | None,
        wait: float,
        as_json: bool,
        quiet: bool,
        no_input: bool,
        dry_run: bool = False,
        yes: bool = False,
        *args: P.args,
        **rest: P.kwargs,
    ) -> None:
        session = Session(
            _where(home, node, token_file),
            as_json,
            quiet,
            wait,
            with_token=token,
            interactive=not no_input,
            assured=yes or dry_run,
            dry_run=dry_run,
        )
        session.run(lambda: function(session, *args, **rest))

    return _node_options(run, quiet, token, changes)


def _node_options(run: Callable[..., Any], quiet: str, token: bool, changes: bool) -> Callable[..., Any]:
    # Help lists options in the order of decorators, so the last one applied comes first.
    run = click.option("--no-input", is_flag=True, help="Never ask for anything; say which option is missing.")(run)
    if changes:
        run = dry_run_option(run)
    run = quiet_option(quiet)(run)
    run = json_option(run)
    run = click.option(
        "--wait",
        type=click.FloatRange(0, WAIT_SECONDS_MAX),
        default=0,
        metavar="SECONDS",
        help="Let the node start, and news from other groups arrive, for up to this long.",
    )(run)
    purpose = "The file with your token." if token else "The file to write your token to."
    run = click.option("--token-file", type=FILE, metavar="FILE", required=not token, help=purpose)(run)
    run = click.option("--node", metavar="URL", help="The address of a node, instead of --home.")(run)
    return click.option(
        "--home",
        type=DIRECTORY,
        metavar="DIR",
        help=f"The home of a running node on this machine (or {HOME_VARIABLE}).",
    )(run)


def _where(home: Path | None, node: str | None, token_file: Path | None) -> Where:
    """An argument outranks the variable."""
    if home is not None and node is not None:
        raise Failed(USAGE, "--home and --node name two nodes.", "Give one of them.")
    if home is None and node is None and (variable := os.environ.get(HOME_VARIABLE)):
        return Where(Path(variable), None, token_file, spoken=False)
    return Where(home, node, token_file)
