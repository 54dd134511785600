"""In which feed a circle hears of us: it changes when that is begun anew (SPEC §16.4)."""

from __future__ import annotations


def generation_of(circle: bytes) -> str:
    """The position that says which generation of our feed for this circle is written now."""
    return f"generation:{circle.hex()}"
