"""Where everything of one node lies. A home is private to its user; the mark lies outside, see `state_dir`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class StartError(Exception):
    """The node cannot start, or its home cannot be used: one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class InitResult:
    """What `init` made: the group's id for ever, the home, where the operator's token lies, the node's address."""

    gid: str
    home: Path
    token_file: Path
    url: str


@dataclass(frozen=True, slots=True)
class Home:
    """The paths inside one home."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def token(self) -> Path:
        """The operator's bearer token, for the command line on this machine."""
        return self.path / "operator.token"

    @property
    def database(self) -> Path:
        return self.path / "node.db"

    @property
    def views(self) -> Path:
        return self.path / "views.db"

    @property
    def person_keys(self) -> Path:
        return self.path / "person.keys"

    @property
    def files(self) -> Path:
        """Files on their way in or out, sealed."""
        return self.path / "files"

    @property
    def group(self) -> Path:
        """The group's id; written last by `init`."""
        return self.path / "group.json"

    @property
    def address(self) -> Path:
        """While the node runs: `{"url": ..., "pid": ...}`."""
        return self.path / "address"


def state_root() -> Path:
    """Where marks lie unless `init` is told otherwise. Read once, by `init`, and then fixed in the configuration:
    a variable that differs between a shell and a service must not make a node look restored."""
    from platformdirs import user_state_path

    return user_state_path("aidmesh")
