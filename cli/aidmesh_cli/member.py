"""`aidmesh member`: who of the group may do what."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aidmesh_cli.candidates import Thing
from aidmesh_cli.client import segment
from aidmesh_cli.manual import Noun
from aidmesh_cli.next_commands import JOIN
from aidmesh_cli.options import FILE, ID_ONLY, IDS_ONLY, asks, example, speaks, yes_option
from aidmesh_cli.output import Column, print_table
from aidmesh_cli.phrases import day, short, when
from aidmesh_cli.problems import CONFLICT, FAILURE, USAGE, Failed
from aidmesh_cli.session import Session
from aidmesh_cli.words import ROLES, Words

if TYPE_CHECKING:
    from aidmesh_cli import api

INVITATION_CHARACTERS_MAX: Final = 200


@click.group(short_help="Who of your group may do what.", cls=Noun, epilog=example("aidmesh member list"))
def member() -> None:
    """Who of your group may do what: members, coordinators, operators."""


@member.command(epilog=example("aidmesh member invite 'Ana Silva' --role coordinator"))
@click.argument("name")
@click.option("--role", type=Words(ROLES), default="member", show_default=True, help="member, coordinator or operator.")
@click.option("--contact", metavar="TEXT", help="How to reach them; stays with your group.")
@speaks("Print only the invitation.")
def invite(session: Session, name: str, role: str, contact: str | None) -> None:
    """Invite somebody into your group. The invitation is a secret, shown once: give it to nobody else."""
    body = {"name": name, "role": role, **({"contact": contact} if contact else {})}
    reply = session.post("/members", body)
    session.answer(reply, reply["invitation"], name=reply["invitation"])
    session.tell(
        f"Give this to {name}; it works once, until {when(reply['expires'])}. They use it with:", f"aidmesh {JOIN}"
    )


@member.command(epilog=example("aidmesh member join --node http://192.168.1.5:8420 --token-file ana.token"))
@click.option("--invitation-file", type=FILE, metavar="FILE", help="Where the invitation is; else it is asked for.")
@speaks(ID_ONLY, token=False)
def join(session: Session, invitation_file: Path | None) -> None:
    """Redeem an invitation. The token goes into a new file that only you can read.

    The invitation is read from standard input or asked for, so that it does not stay in the shell's history.
    """
    invitation = _invitation(session, invitation_file)
    file = session.where.token_file
    assert file is not None  # the option is required here
    if session.dry_run:
        if file.exists():
            raise _exists(file)
        session.post("/join", {"invitation": invitation})
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as error:
        raise Failed(FAILURE, f"{file} cannot be written: {error.strerror}.", "Choose another folder.") from None
    joined = False
    try:
        reply = session.post("/join", {"invitation": invitation})
        os.write(descriptor, f"{reply.pop('token')}\n".encode())
        os.fsync(descriptor)
        joined = True
    finally:
        os.close(descriptor)
        if not joined:
            file.unlink()
    session.answer(reply, f"Joined as {reply['role']}; your token is in {file}.", name=reply["member"])


@member.command("list", epilog=example("aidmesh member list"))
@asks(IDS_ONLY)
def list_(session: Session) -> None:
    """List the members. Names are shown to coordinators only."""
    page = session.get("/members")
    session.show(page, lambda: _print_members(page["items"]), names=(one["id"] for one in page["items"]))


@member.command(epilog=example("aidmesh member role 'Ana Silva' coordinator"))
@click.argument("id", type=Thing("member"))
@click.argument("role", type=Words(ROLES))
@speaks(ID_ONLY)
def role(session: Session, id: str, role: str) -> None:
    """Give a member another role: member, coordinator or operator."""
    identity = find_member(session, id)
    reply = session.post(f"/members/{segment(identity)}/role", {"role": role})
    session.answer(reply, f"Member {short(identity)} is now {role}.", name=identity)


@member.command(epilog=example("aidmesh member revoke 'Ana Silva' --yes"))
@click.argument("id", type=Thing("member"))
@yes_option
@speaks(ID_ONLY)
def revoke(session: Session, id: str) -> None:
    """Take back a member's access, at once. What they did stays recorded."""
    identity = find_member(session, id)
    session.confirm(f"Take the access of member {short(identity)} back?")
    reply = session.post(f"/members/{segment(identity)}/revoke")
    session.answer(reply, f"Member {short(identity)} has no access any more.", name=identity)


def _exists(file: Path) -> Failed:
    return Failed(CONFLICT, f"{file} exists already.", "Choose another --token-file.")


def _invitation(session: Session, file: Path | None) -> str:
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise Failed(FAILURE, f"{file} cannot be read: {error.strerror}.") from None
    else:
        stdin = sys.stdin
        if stdin.isatty():
            text = session.ask("Invitation", "Give --invitation-file FILE, or pipe it in.", hidden=True)
        else:
            text = stdin.readline(INVITATION_CHARACTERS_MAX)
    if not text.strip():
        raise Failed(USAGE, "There is no invitation.", "It begins with amesh-invite_ and comes from an operator.")
    return text.strip()


def find_member(session: Session, text: str) -> str:
    """The id of the one member whose id begins with `text`, or whose name it is."""
    wanted = text.strip().casefold()
    items: list[dict[str, Any]] = session.get("/members")["items"]
    found = [one["id"] for one in items if one["id"].startswith(wanted) and len(wanted) >= 6]
    found = found or [one["id"] for one in items if (one.get("name") or "").casefold() == wanted]
    if len(found) > 1:
        raise Failed(CONFLICT, f"More than one member goes by “{text}”.", "Write more of the id.", then="member list")
    return found[0] if found else text


def _print_members(members: list[api.Member]) -> None:
    columns = [
        Column("ID"),
        Column("NAME", gives=True),
        Column("ROLE"),
        Column("STATE"),
        Column("SINCE"),
    ]
    rows = [
        (
            short(one["id"]),
            one.get("name") or "",
            one["role"],
            f"invited until {day(one['expires'])}" if one["state"] == "invited" else one["state"],
            day(one.get("joined_at") or one.get("invited_at")),
        )
        for one in members
    ]
    print_table(columns, rows)
