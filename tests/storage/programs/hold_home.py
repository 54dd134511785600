"""Holds a home until it is killed or its input ends; says so once it does."""

from __future__ import annotations

import sys
from pathlib import Path

from aidmesh_node.storage.home_lock import HomeLock

with HomeLock([Path(argument) for argument in sys.argv[1:]], "aidmesh run, 2026-11-22 08:00"):
    print("held", flush=True)
    sys.stdin.read()
