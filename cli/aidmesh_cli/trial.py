"""What --dry-run says: the request that would be sent, and what the node would make of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aidmesh_cli.output import print_facts, print_sentence
from aidmesh_cli.phrases import counted

SECRETS: Final = frozenset({"invitation"})
HIDDEN: Final = "(not shown)"
LISTED_MAX: Final = 3
"""Items of a long list that are still named."""


class Tried(Exception):
    """The request was tried: the command ends here, and is well."""

    def __init__(self, path: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        super().__init__("a dry run ends here")
        self.path, self.answer = path, dict(answer)
        self.body = {name: HIDDEN if name in SECRETS else value for name, value in body.items()}

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "dry_run": True,
            "request": {"method": "POST", "path": self.path, "body": self.body},
            "answer": self.answer,
        }

    def write(self) -> None:
        """For people."""
        print_sentence("Dry run: nothing was changed. The node would take this:")
        print_facts([("send", f"POST {self.path}"), *((name, _value(value)) for name, value in _flat(self.body))])
        kept = [(name, value) for name, value in self.answer.items() if name not in _BESIDE]
        facts = [("record", _recorded(self.answer)), *((name, _value(value)) for name, value in _flat(dict(kept)))]
        print_sentence("It would then be so:")
        print_facts([(name.replace("_", " "), value) for name, value in facts])


_BESIDE: Final = frozenset({"dry_run", "would_record", "position", "schema_version", "notes"})


def _recorded(answer: Mapping[str, Any]) -> str:
    """ "need posted, 2 coverage changed" from {"need:posted": 1, "need:coverage_changed": 2}"""
    events = answer.get("would_record")
    if not isinstance(events, Mapping):
        return ""
    return (
        ", ".join(_words(topic) if count == 1 else f"{_words(topic)} ({count})" for topic, count in events.items())
        or "nothing new"
    )


def _words(topic: str) -> str:
    return topic.replace(":", " ").replace(".", " ").replace("_", " ")


def _flat(body: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", value


def _value(value: object) -> str:
    match value:
        case None:
            return "(none)"
        case bool():
            return "yes" if value else "no"
        case [{"text": str()}, *_]:  # the files of an import: their names say enough
            return ", ".join(str(file.get("name")) for file in value if isinstance(file, Mapping))
        case list() if len(value) > LISTED_MAX:
            return f"{counted(len(value), 'item')}"
        case list():
            return ", ".join(map(str, value))
    return str(value)
