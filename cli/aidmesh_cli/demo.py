"""`aidmesh demo`: groups on this machine help each other, on real input, and every step is checked."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aidmesh_cli.manual import Page
from aidmesh_cli.node_cmds import told_by_node
from aidmesh_cli.options import DIRECTORY, example, json_option, quiet_option
from aidmesh_cli.output import Column, print_command, print_json, print_sentence, print_table, say
from aidmesh_cli.phrases import amount, tally
from aidmesh_cli.problems import FAILURE, OK
from aidmesh_cli.progress import stage_for

if TYPE_CHECKING:
    from aidmesh_node.main import DemoEvent

Report = dict[str, Any]


@click.command(
    cls=Page,
    epilog=example("aidmesh demo", "aidmesh demo --exit --json", "aidmesh demo --exit --kills 50 --seed 1"),
    short_help="Three groups on this machine, helping.",
)
@click.option("--exit", "leave", is_flag=True, help="Stop the nodes at the end; else they run until Ctrl-C.")
@click.option("--seed", type=click.IntRange(min=0), help="Make the same choices as another run that told its seed.")
@click.option(
    "--kills",
    type=click.IntRange(min=8),
    metavar="N",
    help="Kill a node N times (at least 8) in the middle of something, and check that nothing was lost.",
)
@click.option("--data", type=DIRECTORY, metavar="DIR", help="The folder with the files to import.")
@json_option
@quiet_option("Say nothing of the way there, only how it ended.")
def demo(leave: bool, seed: int | None, kills: int | None, data: Path | None, as_json: bool, quiet: bool) -> int:
    """Let three groups on this machine help each other, on real files.

    Two import what people asked for, one what lies in its warehouse. They link their nodes, share, pledge, accept,
    commit, hand over and receive; one node is cut off in the middle and returns. In the end every node verifies
    all it holds. The exit code is 0 only if everything was right and all nodes agree.

    With --kills the seed chooses which nodes are killed (kill -9) and when, at least once inside each of import, share,
    offer, accept, commit, hand-over, receive and sync. Then everything acknowledged must be there exactly once, too.
    """
    stage = stage_for(quiet)
    shown = False

    def tell(event: DemoEvent) -> None:
        nonlocal shown
        match event.kind:
            case "step":
                stage.step(event.text)
            case "progress":
                stage.progress(event.text, event.done, event.total)
            case "note":
                stage.note(event.text)
            case "table":
                stage.close()
                if not as_json:
                    _print_report(event.report or {})
            case "done":
                stage.close()
                if as_json and not leave:
                    print_json(event.report or {})
                    shown = True
                stage.note(event.text)
                if not leave and not as_json:
                    _print_addresses(event.report or {})
        sys.stdout.flush()

    with told_by_node():
        from aidmesh_node.main import DemoOptions
        from aidmesh_node.main import demo as run_demo

        try:
            result = run_demo(DemoOptions(exit=leave, seed=seed, kills=kills or 0, data=data), tell)
        finally:
            stage.close()
    if as_json and not shown:
        print_json(result.report)
    return OK if result.ok else FAILURE


def _print_report(report: Report) -> None:
    columns = [
        Column("ITEM", gives=True),
        Column("WANTED", align="right"),
        Column("RECEIVED", align="right"),
        Column("STILL OPEN", align="right"),
    ]
    rows = [
        (one["item"], *(amount(one[name], one["unit"]) for name in ("wanted", "received", "open")))
        for one in report["items"]
    ]
    print_table(columns, rows)
    click.echo()
    columns = [
        Column("GROUP", gives=True),
        Column("NEEDS", gives=True),
        Column("OFFERS", gives=True),
        Column("PLEDGES", gives=True),
        Column("VERIFIED"),
    ]
    rows = [
        (
            one["name"],
            *(tally(one[name]) for name in ("needs", "offers", "pledges")),
            "yes" if one["verified"] else "NO",
        )
        for one in report["nodes"]
    ]
    print_table(columns, rows)
    click.echo()
    for sentence in report["disagreements"]:
        print_sentence(f"Not alike: {sentence}.")
    if "kills" in report:
        kills, commands = report["kills"], report["commands"]
        inside = ", ".join(f"{phase} {count}" for phase, count in kills.items())
        print_sentence(f"{sum(kills.values())} kills, inside: {inside}.")
        print_sentence(
            f"{commands['acknowledged']} commands acknowledged, {commands['repeated']} of them only when said again:"
            f" {commands['lost']} lost, {commands['doubled']} doubled."
        )
    if report["ok"]:
        verdict = "Every node has verified all it holds, and all agree."
    else:
        verdict = "Something is wrong: see above."
    print_sentence(f"{verdict} {report['seconds']:.1f} seconds, seed {report['seed']}.")


def _print_addresses(report: Report) -> None:
    print_table(
        [Column("GROUP"), Column("ADDRESS"), Column("HOME", gives=True)],
        [(one["name"], one["url"], one["home"]) for one in report["nodes"]],
    )
    for one in report["nodes"][:1]:
        say("Look around:")
        print_command(f"aidmesh board --home {shlex.quote(str(one['home']))}", err=True)
