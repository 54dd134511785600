"""Which node a command talks to, and with whose token. A secret comes from a file, never from an argument."""

from __future__ import annotations

import json
import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aidmesh_cli.next_commands import JOIN
from aidmesh_cli.problems import AUTH, FAILURE, NOT_FOUND, USAGE, Failed, NodeDown

ADDRESS_FILE: Final = "address"
CONFIG_FILE: Final = "config.toml"
TOKEN_FILE: Final = "operator.token"
SMALL_FILE_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class Where:
    """What somebody said about the node: its home on this machine, or its address and a token file."""

    home: Path | None = None
    node: str | None = None
    token_file: Path | None = None
    spoken: bool = True
    """Whether arguments said it; else the next command finds it where this one did."""

    def arguments(self) -> str:
        """What to add to a command for the same node."""
        given = {"--home": self.home, "--node": self.node, "--token-file": self.token_file}
        words = [f" {name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None]
        return "".join(words) if self.spoken else ""

    def start_hint(self) -> str:
        """What to do when nobody answers."""
        if self.home is not None:
            return "Start it, or wait for one that is starting with --wait 30."
        return "Check the address, and whether the node runs and this machine reaches it."


@dataclass(frozen=True, slots=True)
class Target:
    """A node's base url and the bearer token to show it; no token for what needs none."""

    url: str
    token: str | None


def find_target(where: Where, *, token: bool = True) -> Target:
    """The node that `where` means. Raises NodeDown when its home has no running node, Failed for the rest."""
    if where.home is not None:
        url = _home_url(where.home)
        file: Path | None = where.token_file or where.home / TOKEN_FILE
    elif where.node is not None:
        url, file = where.node, where.token_file
        if token and file is None:
            raise Failed(
                USAGE,
                "--node needs the token of a member: --token-file FILE.",
                "Without one, ask an operator for an invitation.",
                then=JOIN,
            )
    else:
        raise Failed(
            USAGE,
            "Which node? Nothing says it.",
            "Give --home DIR, or set AIDMESH_HOME, or give --node URL --token-file FILE.",
        )
    return Target(check_url(url), _token(file) if token and file is not None else None)


def check_url(url: str) -> str:
    """`url` without a slash at its end. Raises Failed unless it is http(s)://host[:port][/path]."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if (
        not usable
        or parts.username
        or parts.query
        or parts.fragment
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise Failed(USAGE, f"{url} is not the address of a node.", "Write it as http://127.0.0.1:8420")
    return url.rstrip("/")


def looks_like_home(home: Path) -> bool:
    """Whether `aidmesh init` was here."""
    return (home / CONFIG_FILE).is_file()


def _home_url(home: Path) -> str:
    try:
        raw = _small_file(home / ADDRESS_FILE)
    except (FileNotFoundError, NotADirectoryError):
        if not looks_like_home(home):
            raise Failed(
                NOT_FOUND,
                f"{home} is no node's home.",
                "Look whether the folder is the right one, or make it a home.",
                then="init --name NAME",
            ) from None
        raise NodeDown(f"No node is running in {home}.", Where(home).start_hint()) from None
    except PermissionError:
        raise Failed(AUTH, f"You may not read {home}.", "Use the account that runs the node.") from None
    try:
        url = json.loads(raw)["url"]
    except (ValueError, TypeError, KeyError):
        # The node may be writing it this very moment.
        raise NodeDown(f"{home / ADDRESS_FILE} says no address.", "Start the node again.") from None
    return str(url)


def _token(file: Path) -> str:
    try:
        raw = _small_file(file)
        open_to_others = stat.S_IMODE(os.stat(file).st_mode) & (stat.S_IRWXG | stat.S_IRWXO)
    except (FileNotFoundError, NotADirectoryError):
        raise Failed(AUTH, f"There is no token file {file}.", "Ask an operator for an invitation.", then=JOIN) from None
    except PermissionError:
        raise Failed(AUTH, f"You may not read the token file {file}.", "Use the account it belongs to.") from None
    except OSError as error:
        raise Failed(FAILURE, f"The token file {file} cannot be read: {error.strerror}.") from None
    if open_to_others:
        failure = Failed(AUTH, f"Others on this machine can read the token file {file}.", "Keep it to yourself.")
        failure.next_command = f"chmod 600 {shlex.quote(str(file))}"
        raise failure
    token = raw.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Failed(AUTH, f"{file} holds no token.", "It should hold one line that begins with amesh_", then=JOIN)
    return token


def _small_file(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(SMALL_FILE_BYTES_MAX).decode("utf-8", "replace")
