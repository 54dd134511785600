"""Damaged: stored bytes are not the bytes that were stored. Never repaired silently, never served."""

from __future__ import annotations


class Damaged(Exception):
    """Names the first wrong thing: ``table`` (or file), ``key`` within it, and ``detail``, a sentence."""

    def __init__(self, table: str, key: str, detail: str) -> None:
        super().__init__(f"{table}: {key}: {detail}")
        self.table = table
        self.key = key
        self.detail = detail
