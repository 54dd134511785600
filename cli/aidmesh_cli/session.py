"""One command's run: the node it talks to, how long it may wait, and how its answer is written.

Data goes to stdout, everything said about it to stderr.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import click

from aidmesh_cli.client import Client, Document
from aidmesh_cli.output import print_json
from aidmesh_cli.plain import plain
from aidmesh_cli.problems import NodeDown
from aidmesh_cli.target import Where, find_target

POLL_SECONDS: Final = 0.1
SCHEMA_VERSION: Final = 1

T = TypeVar("T")


@dataclass(slots=True)
class Session:
    """`wait_seconds`: how long the node may take to start, and news of other groups to arrive."""

    where: Where
    as_json: bool = False
    quiet: bool = False
    wait_seconds: float = 0.0
    with_token: bool = True
    _deadline: float = field(init=False)
    _client: Client | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.wait_seconds

    def get(self, path: str, params: Mapping[str, object] | None = None) -> Document:
        """See Client.get; waits for a node that is still starting."""
        return self._patiently(lambda client: client.get(path, params))

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, long: bool = False) -> Document:
        """See Client.post; waits for a node that is still starting."""
        return self._patiently(lambda client: client.post(path, body, long=long))

    def until(self, look: Callable[[], T], enough: Callable[[T], bool]) -> T:
        """What `look` sees, as soon as it is `enough`; when waiting is over, what it saw last."""
        while True:
            seen = look()
            if enough(seen) or not self._may_wait():
                return seen

    def answer(self, document: Mapping[str, Any], line: str, *, name: str = "") -> None:
        """The outcome of a command: the reply as JSON, or only the `name` it can be called by, or one line."""
        if self.as_json:
            print_json({"schema_version": SCHEMA_VERSION, **document})
        elif self.quiet:
            click.echo(plain(name))
        else:
            click.echo(plain(line))
        if document.get("notice"):
            self.tell(str(document["notice"]))

    def show(self, document: Mapping[str, Any], write: Callable[[], None], *, names: Iterable[str] = ()) -> None:
        """What a question found: the document as JSON, or only `names`, one a line, or what `write` writes."""
        if self.as_json:
            print_json({"schema_version": SCHEMA_VERSION, **document})
        elif self.quiet:
            for name in names:
                click.echo(plain(name))
        else:
            write()

    def command(self, words: str) -> str:
        """A command that somebody could give next, for the same node."""
        return f"aidmesh {words}{self.where.arguments()}"

    def tell(self, sentence: str) -> None:
        """Something worth knowing beside the answer."""
        if not self.quiet and not self.as_json:
            click.echo(plain(sentence), err=True)

    def _patiently(self, ask: Callable[[Client], T]) -> T:
        while True:
            try:
                if self._client is None:
                    target = find_target(self.where, token=self.with_token)
                    self._client = Client(target, self.where.start_hint())
                return ask(self._client)
            except NodeDown:
                # A node that starts again may listen elsewhere.
                self._client = None
                if not self._may_wait():
                    raise

    def _may_wait(self) -> bool:
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(POLL_SECONDS, left))
        return True
