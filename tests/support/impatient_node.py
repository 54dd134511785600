"""A node that looks at its clock and its deadlines every second, so that a test need not wait for an hour.

With `--believe` before `--home` it is a broken one: it believes every clock. The tests must catch it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aidmesh_node import main
from aidmesh_node.application import clock_trust, deadlines


def hurry() -> None:
    """What is an hour, ten minutes or five is a second here."""
    deadlines.CATCH_UP_SECONDS = deadlines.CHECK_SECONDS = clock_trust.LOOK_SECONDS = 1
    vars(deadlines)["LOOK_SECONDS"] = clock_trust.LOOK_SECONDS  # it has its own name for it


if __name__ == "__main__":
    hurry()
    if "--believe" in sys.argv:
        clock_trust.AHEAD_HOURS_MAX = 24 * 1000
    sys.exit(main.run(Path(sys.argv[-1])))
