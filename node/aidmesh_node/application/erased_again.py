"""A database that is older than the list of what was erased, because a backup was restored, is brought up to it: by the
code that erases, before anything of it is served or shown (SPEC §5.6d).
"""

from __future__ import annotations

from collections.abc import Callable

from aidmesh_node.application.evidence_bytes import strip_evidence
from aidmesh_node.application.ports import Work, Writer


async def erase_again(writer: Writer, forget_views: Callable[[], None]) -> None:
    """`forget_views` is called where they may still show what was erased: first, so that a crash in between leaves none
    behind."""
    if any((await writer.run(lambda work: work.erasures.undone())).value):
        forget_views()
        await writer.run(_bring_up_to_the_list)


def _bring_up_to_the_list(work: Work) -> None:
    """Erase again what the list names and this database still has. Doing it twice changes nothing."""
    parts, things = work.erasures.undone()
    for origin_hash, index, tag in parts:
        head = work.feeds.head_by_hash(origin_hash)
        if head is None:
            work.erasures.unheld_part((origin_hash, index, tag))
        else:
            work.erasures.part(head.feed, index, tag)
    for thing in things:
        work.erasures.words(thing)
    if parts:
        strip_evidence(work)
