"""Takes a mark forward by one, so many times, beside another process that does the same; prints how often it
did.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aidmesh_node.application.mark import MarkConflict, MarkValue
from aidmesh_node.storage.mark import MarkFile


def main() -> None:
    mark, origin = MarkFile(Path(sys.argv[1])), sys.argv[2]
    swapped = 0
    while swapped < int(sys.argv[3]):
        found = (mark.read() or {})[origin]
        try:
            mark.swap(origin, found, MarkValue(found.size + 1, f"{found.size + 1:064x}", 0))
        except MarkConflict:
            continue
        swapped += 1
    print(swapped)


main()
