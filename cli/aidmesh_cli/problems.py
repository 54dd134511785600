"""What can go wrong for somebody at a terminal: one sentence, what to do next, and an exit code for scripts.

Never shows a traceback, a token or an untouched byte of what a node sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aidmesh_cli.output import print_command, say

OK: Final = 0
FAILURE: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
CONFLICT: Final = 4
AUTH: Final = 5
UNREACHABLE: Final = 6
INTERRUPTED: Final = 130

_EXIT_CODES: Final = {
    400: USAGE,
    401: AUTH,
    403: AUTH,
    404: NOT_FOUND,
    409: CONFLICT,
    410: NOT_FOUND,
    412: CONFLICT,
    502: UNREACHABLE,
    504: UNREACHABLE,
}
PLACES_SHOWN_MAX: Final = 20
"""Problems of a file shown at once: more than that nobody reads before correcting the first."""


class Failed(Exception):
    """The command did not do what was asked. `places` are (where, what, hint) of single things that were wrong.

    A node names only the first of very many: `places_found` is how many there were. `then` is what leads on, without
    "aidmesh" and without the node; `next_command` is that command whole, once somebody knows the node.
    """

    def __init__(
        self,
        exit_code: int,
        detail: str,
        hint: str = "",
        *,
        then: str = "",
        places: Sequence[tuple[str, str, str]] = (),
        places_found: int = 0,
    ) -> None:
        super().__init__(detail)
        self.exit_code = exit_code
        self.detail = detail
        self.hint = hint
        self.then = then
        self.next_command = ""
        self.places = tuple(places)
        self.places_found = max(places_found, len(self.places))

    def write(self, command: str) -> None:
        """To stderr: what failed and why, where, what to do, and the command for it."""
        say(f"{command}: {self.detail}", rest="  ")
        for where, what, hint in self.places[:PLACES_SHOWN_MAX]:
            say(f"{where}: {what}" if where else what, lead="  ", rest="    ")
            if hint:
                say(hint, lead="    ")
        if len(self.places) > PLACES_SHOWN_MAX:
            say(f"and {self.places_found - PLACES_SHOWN_MAX} more", lead="  ")
        if self.hint:
            say(f"What to do: {self.hint}", lead="  ", rest="    ")
        if self.next_command:
            print_command(self.next_command, lead="  Next: ", err=True)


class NodeDown(Failed):
    """There is no node to talk to, at least not yet: waiting may help."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(UNREACHABLE, detail, hint, then="status")


class Answered(Failed):
    """The node answered with a problem document (RFC 9457). `code` is stable and meant for programs."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.code = _text(document, "code")
        detail = _text(document, "detail") or _text(document, "title") or f"The node answered {status}."
        found = document.get("errors_found")
        super().__init__(
            exit_code_of(status, self.code),
            detail,
            _text(document, "hint"),
            places=_places(document, detail),
            places_found=found if isinstance(found, int) else 0,
        )


def exit_code_of(status: int, code: str) -> int:
    """The exit code for a problem document."""
    if code.startswith("peer_") or code == "unreachable":
        return UNREACHABLE
    return _EXIT_CODES.get(status, FAILURE)


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _places(document: Mapping[str, Any], detail: str) -> list[tuple[str, str, str]]:
    errors = document.get("errors")
    if not isinstance(errors, list):
        return []
    places = [
        (_text(error, "where"), _text(error, "message"), _text(error, "hint"))
        for error in errors
        if isinstance(error, dict)
    ]
    # A single wrong field is already named in the sentence.
    return [place for place in places if len(places) > 1 or place[1] not in detail]
