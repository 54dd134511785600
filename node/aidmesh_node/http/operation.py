"""What a route does, said where it is done: `@operation` above a handler is its entry in the API document.

The first line of the handler's docstring is the summary, the rest the description. A handler without one is no
Operation, and only an Operation can stand in the route table.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from aidmesh_node.http.bodies import Body
from aidmesh_node.http.call import Call

JSON_TYPE: Final = "application/json"

Serve = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A handler and what it says of itself. Codes are by status, those every route has are not repeated."""

    serve: Serve
    tells: Mapping[int, type]
    takes: Body[Any] | None
    asks: type | None
    refuses: Mapping[int, tuple[str, ...]]
    media_type: str
    headers: tuple[str, ...]

    @property
    def name(self) -> str:
        """Unique among all routes."""
        return self.serve.__name__

    @property
    def summary(self) -> str:
        return self._said.partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        return self._said.partition("\n")[2].strip()

    @property
    def _said(self) -> str:
        return inspect.getdoc(self.serve) or ""


def operation(
    tells: type | Mapping[int, type],
    *,
    status: int = 200,
    takes: Body[Any] | None = None,
    asks: type | None = None,
    refuses: Mapping[int, str] | None = None,
    media_type: str = JSON_TYPE,
    headers: tuple[str, ...] = (),
) -> Callable[[Serve], Operation]:
    """Make a handler an Operation.

    `tells`: the struct (http/answers.py) of its answer with `status`, or one for each status. `takes`: the decoder of
    its body. `asks`: the struct of its query parameters. `refuses`: the codes of the problems that are its own,
    separated by spaces, by status. `headers`: of the request, beside those that its method always may have.
    """
    answers = tells if isinstance(tells, Mapping) else {status: tells}
    codes = {number: tuple(text.split()) for number, text in (refuses or {}).items()}

    def document(serve: Serve) -> Operation:
        return Operation(serve, answers, takes, asks, codes, media_type, headers)

    return document
