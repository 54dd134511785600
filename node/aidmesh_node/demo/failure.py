"""Why a demo did not come to its end."""

from __future__ import annotations


class DemoFailed(Exception):
    """One sentence that names what is missing and, where it helps, what to do."""
