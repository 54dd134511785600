"""Write our vectors for canonical encoding, keys, trees, checkpoints, feeds and fork proofs into protocol/vectors.

Run from the repository: `PYTHONPATH=protocol python -m tests.support.make_core_vectors`.
Verdicts are stated, never computed by the code they judge; trees and proofs come from the RFC's definition.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.core_vectors.checkpoints import checkpoint_file
from tests.support.core_vectors.encodings import canonical_file
from tests.support.core_vectors.feeds import feed_file
from tests.support.core_vectors.forks import fork_file
from tests.support.core_vectors.keys import keys_file
from tests.support.core_vectors.trees import merkle_file

FOLDER = Path(__file__).parents[2] / "protocol" / "vectors"


def vector_files() -> dict[str, str]:
    """File name without ending -> text. The same bytes every time."""
    files: dict[str, dict[str, Any]] = {
        "canonical": canonical_file(),
        "keys": keys_file(),
        "merkle": merkle_file(),
        "checkpoint": checkpoint_file(),
        "feed": feed_file(),
        "fork": fork_file(),
    }
    return {name: json.dumps(content, indent=1) + "\n" for name, content in files.items()}


if __name__ == "__main__":
    for name, text in vector_files().items():
        (FOLDER / f"{name}.json").write_text(text)
