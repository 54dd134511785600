"""Moving the mark: on the thread that asks while the disk is quick, else on a thread of its own."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from aidmesh_node.application.mark import MarkFile, MarkValue
from aidmesh_node.clock import Clock

HERE_SECONDS = 0.003
"""When the mark last took no longer to move, the writer's thread does it: nobody notices so short a wait."""


class MarkMover:
    """`seconds` is how long the last move took; unknown at first, and then nobody is made to wait for it."""

    def __init__(self, mark: MarkFile, clock: Clock) -> None:
        self.mark = mark
        self.seconds = float("inf")
        self.closed = False
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aidmesh-mark")

    def move(self, origin: str, expected: MarkValue | None, value: MarkValue, *, here: bool) -> Future[None]:
        """See MarkFile.swap, which says what the future may raise. `here`: on this thread, if the disk is quick."""

        def swap() -> None:
            begun = self._clock.monotonic()
            try:
                self.mark.swap(origin, expected, value)
            finally:
                self.seconds = self._clock.monotonic() - begun

        if not here or self.seconds > HERE_SECONDS:
            return self._thread.submit(swap)
        moved: Future[None] = Future()
        try:
            swap()
            moved.set_result(None)
        except Exception as error:
            # Whoever waits for the future hears of it, as from the other thread.
            moved.set_exception(error)
        return moved

    def close(self) -> None:
        """Finish moving the mark, and move it no more."""
        self.closed = True
        self._thread.shutdown()
