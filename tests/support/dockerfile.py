"""The instructions of a Dockerfile, stage by stage: as much of its language as ours uses, anything else is an error."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {
    *("FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE"),
    *("STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"),
}


@dataclass(slots=True)
class Stage:
    """One `FROM` with what follows: (instruction, its text) in order."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        """The text of the last such instruction; KeyError where there is none."""
        return dict(self.steps)[instruction]

    def all(self, instruction: str) -> list[str]:
        return [text for known, text in self.steps if known == instruction]

    def command(self, instruction: str) -> list[str]:
        """The words of an instruction in its JSON form, which runs without a shell."""
        words: list[str] = json.loads(self.last(instruction))
        return words

    @property
    def environment(self) -> dict[str, str]:
        """What its ENV lines set."""
        return pairs(" ".join(self.all("ENV")))

    @property
    def healthcheck(self) -> tuple[dict[str, str], list[str]]:
        """Its options and its command."""
        options, _, command = self.last("HEALTHCHECK").partition("CMD")
        return dict(word.removeprefix("--").split("=", 1) for word in options.split()), json.loads(command)


def pairs(text: str) -> dict[str, str]:
    """The names and values of an ENV line."""
    return {name: value for name, _, value in (word.partition("=") for word in shlex.split(text))}


def read(path: Path) -> list[Stage]:
    """The stages, in order. Raises ValueError for an instruction that this reader does not know."""
    stages: list[Stage] = []
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, text = line.strip().partition(" ")
        if not instruction:
            continue
        if instruction not in KNOWN:
            raise ValueError(f"{path.name}: {instruction} is not known here")
        if instruction == "FROM":
            image, _, name = text.partition(" AS ")
            stages.append(Stage(image.strip(), name.strip()))
        else:
            stages[-1].steps.append((instruction, " ".join(text.split())))
    return stages
