"""Help as a page of a manual: what it is, how it is typed, options, examples, exit codes, and what to look at next.

Every command becomes a `Page` by being made of a `Noun`: it writes its summary, options and examples, no more.
"""

from __future__ import annotations

import re
from typing import Final

import click

COMMON: Final = frozenset(
    ("--home", "--node", "--token-file", "--wait", "--json", "--quiet", "--no-input", "--dry-run", "--yes")
)
"""Options of most commands, shown after those that make this one."""

EXIT_CODES: Final = (
    "0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 not allowed,",
    "6 node or peer unreachable, 130 interrupted",
)

SEE_ALSO: Final = {
    "board": ("need list", "offer list", "pledge offer"),
    "bundle inspect": ("bundle read",),
    "bundle read": ("bundle inspect", "board"),
    "bundle sizes": ("bundle write",),
    "bundle write": ("bundle sizes", "bundle read", "peer list"),
    "completion": ("status",),
    "config": ("status",),
    "config show": ("init", "status"),
    "demo": ("init", "run"),
    "dispute open": ("dispute add", "dispute list", "pledge correct"),
    "dispute resolve": ("dispute show", "pledge show"),
    "erasure list": ("need erase", "offer erase", "peer list"),
    "fork export": ("fork verify", "fork show"),
    "fork resolve": ("fork show", "peer status"),
    "fork show": ("fork export", "fork resolve", "peer status"),
    "fork verify": ("fork show", "verify"),
    "import csv": ("need list", "offer list", "verify"),
    "init": ("run", "config show"),
    "member invite": ("member join", "member role"),
    "member forget": ("member revoke", "member list"),
    "member join": ("member invite", "status"),
    "need post": ("need share", "need list", "import csv"),
    "need share": ("need unshare", "peer list", "need show"),
    "need unshare": ("need share", "need erase", "need show"),
    "need erase": ("erasure list", "need unshare", "need show"),
    "need close": ("need withdraw", "need show"),
    "need withdraw": ("need close", "need show"),
    "offer post": ("offer share", "offer list", "import csv"),
    "offer share": ("offer unshare", "peer list", "offer show"),
    "offer erase": ("erasure list", "offer unshare", "offer show"),
    "peer invite": ("peer accept", "peer list"),
    "peer accept": ("peer invite", "peer status"),
    "pledge offer": ("board", "pledge show", "pledge hand-over"),
    "pledge accept": ("pledge list", "pledge counter", "pledge decline"),
    "pledge ask": ("pledge presume", "pledge receive"),
    "pledge correct": ("pledge show", "pledge leave", "dispute open"),
    "pledge hand-over": ("pledge show", "pledge receive"),
    "pledge leave": ("pledge correct", "dispute open"),
    "pledge presume": ("pledge ask", "pledge receive"),
    "pledge receive": ("pledge show", "pledge hand-over"),
    "recover status": ("recover wait", "recover override", "status"),
    "recover override": ("recover status", "peer list"),
    "run": ("init", "status", "verify"),
    "status": ("board", "peer list", "verify"),
    "verify": ("status",),
}
"""What somebody who reads a page is likely to want next; else the page of its noun."""

_FIRST_SENTENCE = re.compile(r"(.+?\.)(?:\s+(.*))?", re.DOTALL)


class _Written(click.Command):
    """What makes the help of a command or a noun a page."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        summary, rest = _summary(self)
        _prose(formatter, f"{ctx.command_path}: {summary}")
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        if rest:
            with formatter.section("Description"):
                _prose(formatter, rest)
        self.format_options(ctx, formatter)
        _, _, path = ctx.command_path.partition(" ")
        for title, lines in (
            ("Examples", (self.epilog or "").splitlines()),
            ("Exit codes", EXIT_CODES),
            ("See also", [f"aidmesh {one} --help" for one in see_also(path)]),
        ):
            with formatter.section(title):
                for line in lines:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


class Page(_Written):
    """A command of a noun; options that most commands have come after its own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        common: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                (common if COMMON.intersection(parameter.opts) else own).append(record)
        for title, records in (("Options", own), ("Options of most commands", common)):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class Noun(_Written, click.Group):
    """A group of commands; those that are made of it are pages."""

    command_class = Page
    group_class = type


def see_also(path: str) -> tuple[str, ...]:
    """Other pages for the reader of that of `path` ("need post"), without "aidmesh"."""
    noun, _, verb = path.partition(" ")
    return SEE_ALSO.get(path, (noun,) if verb else ("status", "board"))


def _summary(command: click.Command) -> tuple[str, str]:
    """The first sentence of what it is, and the rest."""
    found = _FIRST_SENTENCE.fullmatch((command.help or "").strip())
    return (found[1], found[2] or "") if found else (command.help or "", "")


def _prose(formatter: click.HelpFormatter, text: str) -> None:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        if number:
            formatter.write_paragraph()
        formatter.write_text(" ".join(paragraph.split()))
