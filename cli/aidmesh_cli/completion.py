"""`aidmesh completion`: what a shell needs to complete commands, options, words and ids when TAB is pressed."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from aidmesh_cli.manual import Page
from aidmesh_cli.options import example

PROGRAM: Final = "aidmesh"
VARIABLE: Final = "_AIDMESH_COMPLETE"


@click.command(
    cls=Page,
    epilog=example(
        'eval "$(aidmesh completion bash)"',
        "aidmesh completion bash > ~/.local/share/bash-completion/completions/aidmesh",
        "aidmesh completion zsh > ~/.zfunc/_aidmesh",
        "aidmesh completion fish > ~/.config/fish/completions/aidmesh.fish",
    ),
    short_help="Complete commands when TAB is pressed.",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what a shell needs to complete commands when TAB is pressed.

    Put it where your shell looks, as in the examples; for zsh, ~/.zfunc must be in fpath before compinit runs. Then
    TAB completes commands, options, words such as categories and reasons, and, where a node runs, the names and ids
    of needs, offers, pledges, members and groups.
    """
    found = get_completion_class(shell)
    assert found is not None  # click knows the three
    click.echo(found(click.get_current_context().find_root().command, {}, PROGRAM, VARIABLE).source(), nl=False)
