"""`aidmesh demo`: groups on this machine help each other, on real input, and every step is checked."""

from __future__ import annotations

import click


@click.command()
def demo() -> None:
    """Demo."""
