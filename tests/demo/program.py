"""The demo as a program of its own, for tests that interrupt it: every event is one line of JSON on stdout.

Arguments: the folder for its homes, the folder with the files, and "exit" or "stay".
"""

import json
import sys
from pathlib import Path

from aidmesh_node.main import DemoEvent, DemoOptions, demo


def tell(event: DemoEvent) -> None:
    print(json.dumps([event.kind, event.text, event.done, event.total, event.report]), flush=True)


folder, data, ending = sys.argv[1:]
try:
    result = demo(DemoOptions(exit=ending == "exit", seed=1, data=Path(data), folder=Path(folder)), tell)
except KeyboardInterrupt:
    sys.exit(130)
sys.exit(0 if result.ok else 1)
