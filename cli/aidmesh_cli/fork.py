"""`aidmesh fork`: feeds of which somebody has signed two histories, the proof, and what our people make of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final

import click

from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import Document, segment
from aidmesh_cli.encoded import decoded
from aidmesh_cli.listing import paged, show_page
from aidmesh_cli.manual import Noun
from aidmesh_cli.node_cmds import told_by_node
from aidmesh_cli.options import ID_ONLY, IDS_ONLY, asks, example, speaks
from aidmesh_cli.output import Column, print_facts, print_sentence, print_table
from aidmesh_cli.phrases import counted, day, short, when
from aidmesh_cli.problems import FAILURE, USAGE, Failed
from aidmesh_cli.session import Session
from aidmesh_cli.words import FORK_RESOLUTIONS, Words

FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.group(
    short_help="Feeds of which somebody has signed two histories.", cls=Noun, epilog=example("aidmesh fork list")
)
def fork() -> None:
    """Feeds of which somebody has signed two histories.

    A feed only ever grows. If its owner signs two that differ, the groups that were told one each find out when
    they compare, and can prove it to anybody. Nothing more of that feed is taken then; what was there stays
    readable. Mostly it is an accident: a backup that was restored, a disk that was copied.
    """


@fork.command("list", epilog=example("aidmesh fork list --state open"))
@click.option("--state", type=click.Choice(["open", "resolved"]), help="Only those.")
@paged
@asks(IDS_ONLY)
def list_(session: Session, /, **params: Any) -> None:
    """List forks, newest first."""
    show_page(session, "/forks", params, _print_forks)


@fork.command(epilog=example("aidmesh fork show 1a2b3c4d"))
@click.argument("id", type=Thing("fork"))
@asks(ID_ONLY)
def show(session: Session, id: str) -> None:
    """Show one fork, what its proof says, and what to do now."""
    found = session.get(f"/forks/{segment(id)}")

    def write() -> None:
        print_facts(_facts(found))
        print_sentence(f"Proven: {found['tells']}.")
        print_sentence(f"Next: {found['next']}")

    session.show(found, write, names=[found["id"]])
    if found["state"] == "open":
        session.tell("Once you know more, an operator says what your group makes of it:",
                     session.command(f"fork resolve {short(found['id'])} --how explained"))  # fmt: skip


@fork.command(epilog=example("aidmesh fork export 1a2b3c4d --out harbour.fork"))
@click.argument("id", type=Thing("fork"))
@click.option("--out", required=True, type=FILE, metavar="FILE", help="Where to write it. No file must be there yet.")
@asks("Print only the name of the file.")
def export(session: Session, id: str, out: Path) -> None:
    """Write the proof of a fork to a file, for anybody to check.

    It holds no names and nothing of what was said: two signatures, and what shows that they contradict each other.
    """
    found = session.get(f"/forks/{segment(id)}")
    proof = decoded(found["proof"])
    try:
        with out.open("xb") as file:
            file.write(proof)
    except FileExistsError:
        raise Failed(USAGE, f"{out} is there already.", "Choose another name for the file.") from None
    except OSError as error:
        raise Failed(FAILURE, f"{out} cannot be written: {error.strerror}.", "Choose another place.") from error
    told = {"id": found["id"], "file": str(out), "bytes": len(proof)}
    session.show(told, lambda: print_sentence(f"Wrote {counted(len(proof), 'byte')} to {out}."), names=[str(out)])
    session.tell(
        "Whoever gets it checks it with this, or with protocol/verify.py and nothing of ours:",
        f"aidmesh fork verify {shlex.quote(str(out))}",
    )


@fork.command(epilog=example("aidmesh fork verify harbour.fork"))
@click.argument("file", type=FILE, metavar="FILE")
@asks("Print only the id of the group that is convicted.")
def verify(session: Session, file: Path) -> None:
    """Check the proof of a fork, from whoever it comes. Needs no node and no network.

    Exits with 1, and accuses nobody, if it proves nothing.
    """
    with told_by_node():
        from aidmesh_node import main as node

        shown = node.verify_fork(file)

    def write() -> None:
        print_sentence(f"It holds: {shown['tells']}.")
        print_facts([("group", shown["gid"]), ("feed", shown["origin"])])

    session.show(shown, write, names=[str(shown["gid"])])


@fork.command(epilog=example("aidmesh fork resolve 1a2b3c4d --how explained"))
@click.argument("id", type=Thing("fork"))
@click.option("--how", type=Words(FORK_RESOLUTIONS), required=True, help="explained or distrusted.")
@speaks(ID_ONLY)
def resolve(session: Session, id: str, how: str) -> None:
    """Say what your group makes of a fork. For operators.

    explained: you have talked, it was an accident, and a new beginning of the feed may be followed. distrusted:
    nothing more of it is. The proof is kept, and the feed as it is stands still, whatever you say; you may think
    again.
    """
    reply = session.post(f"/forks/{segment(id)}/resolve", {"how": how})
    session.answer(reply, f"Resolved fork {short(reply['id'])}: {how}.", name=reply["id"])


def _print_forks(forks: list[dict[str, Any]]) -> None:
    columns = [Column("ID"), Column("GROUP", gives=True), Column("ENTRIES"), Column("STATE"), Column("SINCE")]
    rows = [
        (short(one["id"]), _whose(one), _sizes(one), one["resolution"] or one["state"], day(one["found_at"]))
        for one in forks
    ]
    if rows:
        print_table(columns, rows)


def _whose(one: Document) -> str:
    return "our own" if one["ours"] else str(one["group_name"] or short(one["gid"]))


def _sizes(one: Document) -> str:
    return f"{one['smaller']} and {one['larger']}"


def _facts(found: Document) -> list[tuple[str, object]]:
    return [
        ("group", _whose(found)),
        ("group id", found["gid"]),
        ("id", found["id"]),
        ("feed", found["origin"]),
        ("signed", f"{_sizes(found)} entries"),
        ("alike", f"the first {found['alike']} at least" if found["alike"] else "not known here how far"),
        ("shown by", short(found["shown_by"]) if found["shown_by"] else "found by this node"),
        ("since", when(found["found_at"])),
        ("for us", f"{found['resolution']}, {when(found['resolved_at'])}" if found["resolution"] else "open"),
    ]
