"""The verifier for the design's crashloop: what the restarted node tells, and whether all it holds is whole.

`loop_verify.py DATA PORT`: prints HAVE for each need on its list; exits 1 when its own `verify` names a problem.
"""

from __future__ import annotations

import json
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

data, port = Path(sys.argv[1]), sys.argv[2]
token = (data / "home" / "operator.token").read_text().strip()


def ask(method: str, path: str) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1{path}", method=method)
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


cursor = ""
while True:
    page = ask("GET", f"/needs?limit=500{cursor}")
    for need in page["items"]:
        print("HAVE", need["item"].removeprefix("crate "), need["quantity"])
    if not page["cursor"]:
        break
    cursor = "&" + urllib.parse.urlencode({"cursor": page["cursor"]})
verified = ask("POST", "/verify")
if not verified["ok"]:
    print(verified["first_problem"], file=sys.stderr)
sys.exit(0 if verified["ok"] else 1)
