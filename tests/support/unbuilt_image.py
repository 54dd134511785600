"""Runs a Dockerfile's steps without a container engine: each stage is a layer over this machine's own root.

A stage sees the machine's files, a Python where the official image has it, and what its own steps made; nothing it does
reaches the machine. What this cannot show: the official image's own files, and that a builder reads the file as we do.
Needs root, overlay mounts and mount namespaces.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.dockerfile import Stage, pairs

BASE_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
STEP_SECONDS_MAX = 900

# Every call mounts anew in a namespace of its own, so nothing has to be unmounted, whatever happens. One at a time: a
# mount begins by clearing the work folder, and two that begin together take it from under each other.
ENTER = """
set -eu
exec 9> "$LAYER/mounting"
flock 9
mount -t overlay overlay -o "lowerdir=/,upperdir=$LAYER/upper,workdir=$LAYER/work" "$LAYER/root"
exec 9>&-
mount --bind "$PYTHON_PREFIX" "$LAYER/root/usr/local"
mount -t proc proc "$LAYER/root/proc"
mount --rbind /dev "$LAYER/root/dev"
for volume in $VOLUMES; do mount --bind "$LAYER/volumes$volume" "$LAYER/root$volume"; done
if [ -n "$READ_ONLY" ]; then
    mount -o remount,ro "$LAYER/root"
    mount -o remount,bind,ro "$LAYER/root/usr/local"
    mount -t tmpfs tmpfs "$LAYER/root/tmp"
fi
exec chroot "$LAYER/root" "$@"
"""


@dataclass(slots=True)
class Layer:
    """A stage with what its steps have made so far, in `folder`; `python` is the prefix of the Python it gets."""

    stage: Stage
    folder: Path
    python: Path
    cwd: str = "/"
    environment: dict[str, str] = field(default_factory=lambda: dict(BASE_ENVIRONMENT))
    volumes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("upper", "work", "root", "volumes"):
            (self.folder / name).mkdir(parents=True)

    def command(self, words: Sequence[str], variables: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs `words` inside, as root, where and with what the steps so far have said."""
        return self._entering([*self._set(variables or {}), *words], read_only=False)

    def unprivileged(self, words: Sequence[str]) -> list[str]:
        """As `command`, but as the stage's USER, without any capability, on a root that cannot be written to."""
        user, _, group = self.stage.last("USER").partition(":")
        lowered = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs"]
        lowered += ["--bounding-set=-all", "--inh-caps=-all"]
        return self._entering([*lowered, *self._set({"HOME": self.cwd}), *words], read_only=True)

    def _set(self, variables: Mapping[str, str]) -> list[str]:
        inside = {**self.environment, **variables}.items()
        return ["env", "-i", "-C", self.cwd, *(f"{name}={value}" for name, value in inside)]

    def _entering(self, words: Sequence[str], *, read_only: bool) -> list[str]:
        settings = {
            "LAYER": str(self.folder),
            "PYTHON_PREFIX": str(self.python),
            "VOLUMES": " ".join(self.volumes),
            "READ_ONLY": "yes" if read_only else "",
        }
        set_ = [f"{name}={value}" for name, value in settings.items()]
        return ["env", *set_, "unshare", "--mount", "sh", "-c", ENTER, "sh", *words]

    def run(self, words: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
        """What it printed. Raises AssertionError with that when it failed."""
        done = subprocess.run(
            self.command(words, variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STEP_SECONDS_MAX,
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}"
        return done.stdout

    def build(self, context: Path, others: Mapping[str, Layer], variables: Mapping[str, str]) -> None:
        """All steps in order. `variables` are for RUN alone, as a builder's own arguments are: pip's settings."""
        for instruction, text in self.stage.steps:
            if instruction == "WORKDIR":
                self.cwd = text
                self._made(text).mkdir(parents=True, exist_ok=True)
            elif instruction == "ENV":
                self.environment.update(pairs(text))
            elif instruction == "RUN":
                self.run(["sh", "-c", text], variables)
            elif instruction == "COPY":
                self._copy(text.split(), context, others)
            elif instruction == "VOLUME":
                self._make_volumes()

    def _copy(self, words: list[str], context: Path, others: Mapping[str, Layer]) -> None:
        source_root = context
        if words[0].startswith("--from="):
            source_root = others[words.pop(0).removeprefix("--from=")].folder / "upper"
        *sources, target = words
        for source in sources:
            found = source_root / source.lstrip("/")
            made = self._made(target)
            if found.is_dir():
                shutil.copytree(found, made, symlinks=True, dirs_exist_ok=True)
            else:
                made.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, made)

    def _made(self, inside: str) -> Path:
        """Where a path of the stage lies for whoever looks from outside."""
        return self.folder / "upper" / os.path.join(self.cwd, inside).lstrip("/")

    def _make_volumes(self) -> None:
        # An engine fills an empty volume with what the image has there, owner and all.
        self.volumes = tuple(self.stage.command("VOLUME"))
        for volume in self.volumes:
            made, kept = self._made(volume), self.folder / "volumes" / volume.lstrip("/")
            kept.mkdir(parents=True)
            kept.chmod(made.stat().st_mode & 0o7777)
            os.chown(kept, made.stat().st_uid, made.stat().st_gid)
