"""How long each question lately took: a quick one is answered where it is asked, a slow one on a reader's thread."""

from __future__ import annotations

from collections.abc import Callable

QUICK_SECONDS = 0.001
"""Up to this a thread and the way back cost more than the answer, and nobody else waits noticeably for it."""

FORGETS = 0.95
"""What is left of a slow answer after each one that follows: one slow answer keeps some dozens that follow off the
event loop, so a question that is slow now and then stands in nobody's way."""


class Pace:
    """By question, which is a function of a view; so it never grows beyond their number."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` gives monotonic seconds."""
        self.now = now
        self._took: dict[object, float] = {}

    def is_quick(self, question: object) -> bool:
        """Whether it may be answered on the event loop. Not before it was answered once."""
        return self._took.get(question, 1.0) <= QUICK_SECONDS

    def took(self, question: object, seconds: float) -> None:
        """Remember how long it took just now."""
        self._took[question] = max(seconds, self._took.get(question, 0.0) * FORGETS)
