"""One command's run: the node it talks to, how long it may wait, what it may ask, and how its answer is written.

Data goes to stdout, everything said about it to stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import click

from aidmesh_cli.client import Client, Document
from aidmesh_cli.next_commands import words_after
from aidmesh_cli.output import print_command, print_json, print_sentence, say
from aidmesh_cli.plain import plain
from aidmesh_cli.problems import FAILURE, USAGE, Answered, Failed, NodeDown
from aidmesh_cli.target import Where, find_target
from aidmesh_cli.trial import Tried

POLL_SECONDS: Final = 0.1
ASKING: Final = "Asking the node"
SCHEMA_VERSION: Final = 1
BARE: Final = ("--help", "--version", "--node ")
"""In a command: it needs no arguments that say which node."""

T = TypeVar("T")


@dataclass(slots=True)
class Session:
    """`wait_seconds`: how long the node may take to start, and news of other groups to arrive. `interactive`: somebody
    may be asked; `assured`: they have said beforehand that they are sure. With `dry_run` the first post ends it all."""

    where: Where
    as_json: bool = False
    quiet: bool = False
    wait_seconds: float = 0.0
    with_token: bool = True
    interactive: bool = True
    assured: bool = False
    dry_run: bool = False
    _deadline: float = field(init=False)
    _client: Client | None = field(init=False, default=None)
    _path: str = field(init=False, default="")
    _patient: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.wait_seconds

    def run(self, do: Callable[[], None]) -> None:
        """A whole command. Raises Failed with the command that leads on."""
        try:
            do()
        except Tried as tried:
            if self.as_json:
                print_json({"schema_version": SCHEMA_VERSION, **tried.to_json()})
            elif not self.quiet:
                tried.write()
        except Failed as failure:
            failure.next_command = failure.next_command or self._after(failure)
            raise

    def get(self, path: str, params: Mapping[str, object] | None = None) -> Document:
        """See Client.get; waits for a node that is still starting."""
        self._path = path
        return self._patiently(lambda client: client.get(path, params), ASKING)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        long: bool = False,
        doing: str = "Telling the node",
        safe: bool = False,
    ) -> Document:
        """See Client.post; waits for a node that is still starting. `doing` is said when it takes a while; what is
        `safe` changes nothing, and is done in a dry run too. Raises Tried in a dry run."""
        self._path = path
        tries = self.dry_run and not safe
        reply = self._patiently(lambda client: client.post(path, body, long=long, dry_run=tries), doing)
        if tries:
            raise Tried(path, body or {}, reply)
        return reply

    def until(self, look: Callable[[], T], enough: Callable[[T], bool]) -> T:
        """What `look` sees, as soon as it is `enough`; when waiting is over, what it saw last."""
        with self._bar("Waiting for news" if self.wait_seconds else ASKING, self.wait_seconds or None):
            while True:
                seen = look()
                if enough(seen) or not self._may_wait():
                    return seen

    @contextmanager
    def during(self, text: str) -> Iterator[None]:
        """Several questions as one wait, under one name."""
        with self._bar(text, None):
            yield

    def wait_at_least(self, seconds: float) -> None:
        """Wait so long from now on, unless the caller said something longer."""
        if self.wait_seconds < seconds:
            self.wait_seconds, self._deadline = seconds, time.monotonic() + seconds

    def answer(self, document: Mapping[str, Any], line: str, *, name: str = "") -> None:
        """The outcome of a command: the reply as JSON, or only the `name` it can be called by, or one line."""
        if self.as_json:
            print_json({"schema_version": SCHEMA_VERSION, **document})
        elif self.quiet or line == name:
            click.echo(plain(name))
        else:
            print_sentence(line)
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
        arguments = "" if any(bare in words for bare in BARE) else self.where.arguments()
        return f"aidmesh {words}{arguments}"

    def tell(self, sentence: str, command: str = "") -> None:
        """Something worth knowing beside the answer, and a whole command that follows from it."""
        if self.quiet or self.as_json:
            return
        if sentence:
            say(sentence)
        if command:
            print_command(command, err=True)

    def ask(self, question: str, instead: str, *, hidden: bool = False) -> str:
        """What somebody answers, "" for nothing. Raises Failed where nobody may be asked; `instead`: what to give."""
        if not self.interactive:
            raise Failed(USAGE, f"{question}: nobody may be asked.", instead)
        answer: str = click.prompt(question, default="", show_default=False, hide_input=hidden, err=True)
        return answer.strip()

    def confirm(self, question: str) -> None:
        """Return if somebody is sure. Raises Failed where nobody can be asked and none has said --yes."""
        if self.assured:
            return
        if not self.interactive or not sys.stdin.isatty():
            raise Failed(USAGE, f"{question} Nobody can be asked.", "If you are sure, add --yes.")
        if not click.confirm(plain(question), err=True):
            raise Failed(FAILURE, "Nothing was done.")

    def _after(self, failure: Failed) -> str:
        """The command that leads on, or "" where there is none."""
        name = click.get_current_context().command_path.removeprefix("aidmesh ")
        match failure:
            case NodeDown() if self.where.home is not None:
                return f"aidmesh run{Where(self.where.home, spoken=self.where.spoken).arguments()}"
            case Answered() if not failure.then:
                return self.command(words_after(failure.code, failure.status, self._path, name))
        return self.command(failure.then or f"{name} --help")

    def _patiently(self, ask: Callable[[Client], T], doing: str) -> T:
        with self._bar(doing, self.wait_seconds or None):
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

    @contextmanager
    def _bar(self, text: str, seconds: float | None) -> Iterator[None]:
        """Only the outermost wait is shown."""
        if self._patient:
            yield
            return
        from aidmesh_cli.patience import Patience

        self._patient = True
        try:
            with Patience(text, seconds, quiet=self.quiet):
                yield
        finally:
            self._patient = False

    def _may_wait(self) -> bool:
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(POLL_SECONDS, left))
        return True
