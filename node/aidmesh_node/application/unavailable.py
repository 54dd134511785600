"""Unavailable: the weather's fault, never the caller's. Nothing was kept; trying again later may work."""

from __future__ import annotations


class Unavailable(Exception):
    """Try later. ``reason`` is a stable code ("storage", "storage_full", "busy", "closing", "mark"); ``detail``
    and ``hint`` are for people."""

    def __init__(self, reason: str, detail: str = "", hint: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.hint = hint
