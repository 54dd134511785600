"""The command `aidmesh`: its nouns, and what becomes of every way to fail. Entry point: `main`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from aidmesh_cli import (
    board,
    bundle,
    completion,
    config,
    demo,
    dispute,
    erasing,
    fork,
    import_csv,
    node_cmds,
    peer,
    recover,
    settling,
    status,
    verify,
)
from aidmesh_cli.manual import Noun
from aidmesh_cli.options import example
from aidmesh_cli.problems import FAILURE, INTERRUPTED, OK, Failed


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from aidmesh_cli.version import version_text

        click.echo(version_text())
        context.exit()


@click.group(
    cls=Noun,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=example("aidmesh init --home harbour --name Harbour", "aidmesh run --home harbour"),
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def cli() -> None:
    """Mutual aid groups help each other: needs, offers and pledges across groups.

    Commands are a noun and a verb. ID is the id of a thing, its first characters, or its name where only one
    thing goes by it. Which node a command is for: --home, or AIDMESH_HOME, or --node with --token-file.

    Data goes to standard output, everything said about it to standard error; --json answers for programs, --quiet
    says only the data, --dry-run does nothing and says what would be done, --no-input never asks. NO_COLOR and
    TERM=dumb are obeyed; COLUMNS says how wide to write where there is no terminal.
    """


for command in (
    *(node_cmds.init, node_cmds.run, demo.demo),
    *(erasing.need, erasing.offer, settling.pledge, dispute.dispute, board.board),
    *(erasing.member, peer.peer, erasing.erasure, bundle.bundle, fork.fork, recover.recover),
    *(status.status, verify.verify, import_csv.import_, config.config, completion.completion),
):
    cli.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; everything it has to say is written."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows "?"
    try:
        outcome = cli.main(list(arguments), prog_name="aidmesh", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Failed as failure:
        failure.write(_attempted(arguments))
        return failure.exit_code
    except click.exceptions.NoArgsIsHelpError as problem:
        problem.show()
        return problem.exit_code
    except click.ClickException as problem:
        attempted = _attempted(arguments)
        # What was typed may have been copied from somewhere: it is shown as harmlessly as what others wrote.
        usage = Failed(problem.exit_code, problem.format_message())
        usage.next_command = f"{attempted} --help"
        usage.write(attempted)
        return usage.exit_code
    return outcome if isinstance(outcome, int) else OK


def _attempted(arguments: Sequence[str]) -> str:
    """The command as far as it is known: "aidmesh need share"."""
    words = ["aidmesh"]
    command: click.Command | None = cli
    for argument in arguments:
        if not isinstance(command, click.Group) or argument not in command.commands:
            break
        command = command.commands[argument]
        words.append(argument)
    return " ".join(words)


def main() -> None:
    """The entry point."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has seen enough; the interpreter must not stumble over the same pipe once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILURE
    sys.exit(code)
