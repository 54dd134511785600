"""A database that is older than the list of what was erased, because a backup was restored, is brought up to it: by the
code that erases, before anything of it is served or shown (SPEC §5.6d).
"""

from __future__ import annotations

from aidmesh_node.application.evidence_bytes import strip_evidence
from aidmesh_node.application.ports import Work


def is_behind_the_list(work: Work) -> bool:
    """Whether the list names anything that this database does not know as erased."""
    return any(work.erasures.undone())


def bring_up_to_the_list(work: Work) -> None:
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
