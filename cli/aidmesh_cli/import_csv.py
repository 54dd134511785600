"""`aidmesh import csv`: needs and offers from the files of other tools, all or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from aidmesh_cli.manual import Noun
from aidmesh_cli.moments import Day
from aidmesh_cli.options import FILE, example, speaks
from aidmesh_cli.output import print_sentence
from aidmesh_cli.phrases import counted
from aidmesh_cli.plain import plain
from aidmesh_cli.problems import FAILURE, NOT_FOUND, USAGE, Failed
from aidmesh_cli.session import Session
from aidmesh_cli.sharing import advice_option
from aidmesh_cli.trial import Tried

FILE_BYTES_MAX: Final = 16 * 1024 * 1024
SAVE_AS: Final = "Save it as “CSV UTF-8, separated by commas” and import that file."


@click.group("import", cls=Noun, epilog=example("aidmesh import csv --help"))
def import_() -> None:
    """Needs and offers from the files of other tools."""


@import_.command(
    "csv",
    epilog=example(
        "aidmesh import csv inv_item.csv",
        "aidmesh import csv inv_req.csv inv_req_item.csv --dry-run \\",
        "    --as-of 2026-12-01 --where 'Requested for Facility=Duncote Warehouse'",
    ),
)
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--as-of", type=Day(), help="Move all dates by whole days, so that the latest request falls on this day.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only rows that say this; may be repeated.")
@advice_option
@speaks("Print only the ids, one a line.")
def csv_(
    session: Session, files: tuple[Path, ...], as_of: str | None, where: tuple[str, ...], advice_acknowledged: bool
) -> None:
    """Import CSV files: requisitions, warehouse lists, form answers, or aidmesh's own.

    All or nothing: with anything wrong nothing is imported, and every problem is named. The same files again
    change nothing. Names, contacts and free text go to your group's vault.
    """
    body: dict[str, Any] = {"files": [_read(session, file) for file in files]}
    if as_of is not None:
        body["as_of"] = as_of
    if where:
        body["where"] = dict(map(_condition, where))
    if advice_acknowledged:
        body["emergency_advice_acknowledged"] = True
    try:
        reply = session.post("/imports", body, long=True, doing=f"Importing {counted(len(files), 'file')}")
    except Tried as tried:
        # What would become of every row is told here as it is after an import: the request is only the files.
        reply = tried.answer
    names = [*reply["needs"], *reply["offers"]]
    session.show(reply, lambda: print_sentence(_line(reply, session.dry_run)), names=names)
    for note in reply.get("notes") or ():
        session.tell(f"Note: {note}")


def _line(reply: dict[str, Any], dry_run: bool) -> str:
    said = [counted(len(reply["needs"]), "need"), counted(len(reply["offers"]), "offer")]
    unchanged = reply.get("unchanged")
    if unchanged:
        said.append(f"{unchanged} already there")
    return f"{'Would import' if dry_run else 'Imported'}: {', '.join(said)}."


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or not column.strip():
        raise Failed(USAGE, f"“{text}” is no condition.", "Write it as COLUMN=VALUE.")
    return column.strip(), value


def _read(session: Session, file: Path) -> dict[str, str]:
    """The file's name and text. What its bytes cannot be read as is said here, what it means by the node."""
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise Failed(NOT_FOUND, f"There is no file {file}.") from None
    except OSError as error:
        raise Failed(FAILURE, f"{file} cannot be read: {error.strerror}.") from None
    if len(data) > FILE_BYTES_MAX:
        raise Failed(
            FAILURE, f"{file} is larger than {FILE_BYTES_MAX >> 20} MiB.", "Split it and import the parts one by one."
        )
    return {"name": plain(file.name), "text": _text(session, file, data)}


def _text(session: Session, file: Path, data: bytes) -> str:
    """UTF-8, or Windows-1252 where nothing beyond ASCII is UTF-8: the rule of the node's own reader."""
    if data.startswith((b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff")):
        raise Failed(FAILURE, f"{file} is no CSV text, or it is written in UTF-16.", SAVE_AS)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    if data.decode("utf-8", "ignore").isascii():
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
        else:
            session.tell(f"Note: {file} is not UTF-8 and was read as Windows-1252: check its accents.")
            return text
    raise Failed(FAILURE, f"{file}, line {line}: the text is damaged: neither UTF-8 nor Windows-1252.", SAVE_AS)
