"""`aidmesh bundle`: files that carry news between groups where no network does."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aidmesh_cli import finding
from aidmesh_cli.bundle_files import check_free, numbered, pieces, write
from aidmesh_cli.candidates import Thing
from aidmesh_cli.encoded import decoded
from aidmesh_cli.manual import Noun
from aidmesh_cli.options import FILE, asks, example, speaks
from aidmesh_cli.output import print_facts, print_sentence
from aidmesh_cli.phrases import counted, length, short, when
from aidmesh_cli.plain import plain
from aidmesh_cli.problems import FAILURE, NOT_FOUND, USAGE, Failed
from aidmesh_cli.session import Session

if TYPE_CHECKING:
    from aidmesh_cli import api

SIZES_PREFIX: Final = "aidmesh-sizes:"
SIZES_CHARACTERS_MAX: Final = 64 * 1024
BYTES_MIN: Final = 8 * 1024
BYTES_MAX: Final = 4 * 1024**3

CIRCLE = click.option(
    "--for",
    "circle",
    type=Thing("peer"),
    metavar="CIRCLE",
    help="The circle, by the name of a group in it or the beginning of its id; not needed if there is only one.",
)


@click.group(cls=Noun, epilog=example("aidmesh bundle write --out news.aidmesh"))
def bundle() -> None:
    """Files that carry news between groups where no network does.

    What one group writes, the others of its circle read: in any order, as often as they like. Who finds such a file
    learns nothing from it.
    """


@bundle.command(
    "write",
    epilog=example(
        "aidmesh bundle write --for Hillside --out news.aidmesh",
        "aidmesh bundle write --out more.aidmesh --since sizes.txt --max-bytes 1000000",
    ),
)
@CIRCLE
@click.option("--out", type=FILE, required=True, metavar="FILE", help="Where to write it.")
@click.option("--since", metavar="SIZES", help="What they hold already: a line of “bundle sizes”, or a file with it.")
@click.option(
    "--max-bytes",
    type=click.IntRange(BYTES_MIN, BYTES_MAX),
    metavar="N",
    help="How long one file may be; what is left goes into FILE.2 and so on.",
)
@speaks("Print only the names of the files, one a line.")
def write_file(session: Session, circle: str | None, out: Path, since: str | None, max_bytes: int | None) -> None:
    """Write a file for a circle. Only its members can open it.

    It holds what your group says to the circle, and what it has heard there from others. With --max-bytes it becomes
    several: agreements and keys first, then what leads up to critical needs that are open, then the rest.
    """
    body: dict[str, Any] = {} if circle is None else {"circle": finding.circle(session, circle)["id"]}
    if since is not None:
        body["since"] = _sizes(since)
    if max_bytes is not None:
        body["max_bytes"] = max_bytes
    check_free(out)
    files: list[dict[str, Any]] = []
    with session.during(f"Writing {out.name}"):
        while True:
            made: api.BundlePacked = session.post("/bundles", body, long=True)
            several = bool(files) or made["next"] is not None
            path = numbered(out, len(files) + 1) if several else out
            write(path, lambda at, id=made["id"]: _piece(session, id, at))  # type: ignore[misc]
            files.append({"path": str(path), "bytes": made["bytes"], "entries": made["entries"]})
            if made["next"] is None:
                break
            body["since"] = made["next"]
    entries = sum(file["entries"] for file in files)
    document = {"files": files, "entries": entries, "unsigned": made["unsigned"]}
    session.show(document, lambda: _write_files(files), names=[file["path"] for file in files])
    if made["unsigned"]:
        session.tell(
            f"Not in it: {counted(made['unsigned'], 'entry', 'entries')} that your node may not sign yet. After a start"
            " it waits until a group of the circle has shown what it saw last."
        )
    names = "FILE" if len(files) > 1 else files[0]["path"]
    session.tell("Whoever of the circle gets it reads it with:", f"aidmesh bundle read {names}")


@bundle.command(epilog=example("aidmesh bundle read news.aidmesh"))
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@speaks("Print only how many entries were new, one number a file.")
def read(session: Session, files: tuple[Path, ...]) -> None:
    """Read a file that another group of a circle has written.

    Everything in it is checked as if it had come over the network. A file that was damaged or cut gives what is
    whole; one that came too early waits, and is read by itself once what it follows is here.
    """
    replies: list[api.BundleRead] = []
    for file in files:
        with session.during(f"Reading {file.name}"):
            replies.append(session.post("/bundles/read", {"id": _bring(session, file)}, long=True))
    done = [{"path": str(file), **reply} for file, reply in zip(files, replies, strict=True)]
    document = {"files": done, "waiting": replies[-1]["waiting"]}
    session.show(document, lambda: _write_read(files, replies), names=[str(reply["new"]) for reply in replies])
    for reply in replies:
        for fault in reply["refused"]:
            session.tell(f"Refused, and kept as evidence: {fault['detail']}.")
        if reply["trouble"]:
            session.tell(f"Not read to its end: {reply['trouble']}. Copy it once more, and read it again.")
        if reply["signature"] == "unsigned":
            session.tell("It is not signed by the group that it names. What was taken in has proven itself.")
    if any(reply["refused"] or (reply["trouble"] and not reply["new"]) for reply in replies):
        click.get_current_context().exit(FAILURE)


@bundle.command(epilog=example("aidmesh bundle inspect news.aidmesh"))
@click.argument("file", type=FILE)
@asks("Print only how many entries are new.")
def inspect(session: Session, file: Path) -> None:
    """Look into a file without taking anything in: who wrote it, when, and what of it is new."""
    with session.during(f"Looking into {file.name}"):
        found: api.BundleInside = session.post("/bundles/inspect", {"id": _bring(session, file)}, long=True)
    session.show(found, lambda: _write_inside(found), names=[str(found["new"])])


@bundle.command(epilog=example("aidmesh bundle sizes", "aidmesh bundle sizes --for Hillside"))
@CIRCLE
@asks("Print only the line.")
def sizes(session: Session, circle: str | None) -> None:
    """Print what your node holds of a circle, as one line.

    Give it to whoever writes the next file for you: with --since it goes on from there. The line names no group.
    """
    params = {} if circle is None else {"circle": finding.circle(session, circle)["id"]}
    found: api.BundleSizes = session.get("/bundle-sizes", params)
    session.show(found, lambda: click.echo(plain(found["sizes"])), names=[found["sizes"]])


def _bring(session: Session, file: Path) -> str:
    """The id of the file at the node; nothing is read by that, so a dry run does it too."""
    at, body = 0, dict[str, Any]()
    for piece in pieces(file):
        body |= {"at": at, "data": base64.b64encode(piece).decode()}
        body["id"] = plain(session.post("/bundle-pieces", body, safe=True)["id"])
        at += len(piece)
    return str(body["id"])


def _piece(session: Session, id: str, at: int) -> bytes:
    found: api.BundlePiece = session.get("/bundle-pieces", {"id": id, "at": at})
    return decoded(found["data"])


def _sizes(given: str) -> str:
    if given.startswith(SIZES_PREFIX):
        return given
    try:
        with Path(given).open(encoding="ascii", errors="replace") as file:
            text = file.read(SIZES_CHARACTERS_MAX).strip()
    except FileNotFoundError:
        raise Failed(NOT_FOUND, f"There is no file {given}.", "They print it with: aidmesh bundle sizes") from None
    except OSError as error:
        raise Failed(FAILURE, f"{given} cannot be read: {error.strerror}.") from None
    if not text.startswith(SIZES_PREFIX):
        raise Failed(USAGE, f"{given} does not say what somebody holds.", "They print it with: aidmesh bundle sizes")
    return text


def _write_files(files: list[dict[str, Any]]) -> None:
    for file in files:
        entries = counted(file["entries"], "entry", "entries")
        print_sentence(f"Wrote {file['path']}: {entries}, {length(file['bytes'])}.")


def _write_read(files: Sequence[Path], replies: Sequence[api.BundleRead]) -> None:
    for file, reply in zip(files, replies, strict=True):
        if reply["again"]:
            print_sentence(f"{file} was read before; nothing is new.")
        elif reply["kept"]:
            print_sentence(f"{file} goes on from more than is here. It waits, and is read when that has come.")
        else:
            new = counted(reply["new"], "new entry", "new entries")
            print_sentence(f"Read {file} by {_packer(reply)}: {new}.")


def _write_inside(found: api.BundleInside) -> None:
    print_facts(
        [
            ("written by", _packer(found)),
            ("at", when(found["packed_at"])),
            ("signature", {"signed": "right", "unsigned": "WRONG"}.get(found["signature"], "cannot be checked")),
            ("entries", found["entries"]),
            ("new here", found["new"]),
            ("in other files", found["left"]),
            ("whole", "yes" if found["whole"] else f"no: {found['trouble']}"),
            ("file id", found["bundle"]),
        ]
    )


def _packer(found: api.BundleInside | api.BundleRead) -> str:
    packer = found["packed_by"]
    return str(packer["name"] or short(packer["gid"]))
