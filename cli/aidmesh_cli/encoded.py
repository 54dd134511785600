"""Bytes that a node sends as text."""

from __future__ import annotations

from base64 import b64decode

from aidmesh_cli.problems import FAILURE, Failed


def decoded(text: str) -> bytes:
    """The bytes of a base64 text; Failed for what is none, and so came from something that is not a node of ours."""
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Failed(
            FAILURE,
            "The answer cannot be read: where bytes belong is something else.",
            "Is that address really a node of aidmesh, of this version?",
            then="status",
        ) from None
