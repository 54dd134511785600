"""When one of our own feeds may be signed. Pure: what the rows, the mark and the peers say goes in, a verdict
comes out.

A node never contradicts what it has signed: not after a crash, an old backup, a clone or a snapshot that took
the mark back too. The order of publishing (rows, mark, signature, served, stored checkpoint) and these rules
were searched exhaustively: tests/models/publisher_model.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

NEW, ACTIVE, RECOVERING, CLOSED = "new", "active", "recovering", "closed"
"""Standing of an own feed: never marked; in order; not to be signed until its entries are recovered; or gone on from in
a later generation, and never signed again."""

FRESH = "fresh"

GENERATION_MAX = 2**32
"""The protocol's bound: a second each until 2106."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was last let be signed of one feed. Kept outside the home and outside every backup."""

    size: int
    root: bytes
    generation: int


RootAt = Callable[[int], bytes | None]
"""The root of our own first `size` rows; None when we have fewer."""


def standing(
    mark: Mark | None, *, rows_size: int, root_at: RootAt, generation: int, ever_signed: bool, has_mark: bool
) -> tuple[str, str]:
    """Standing and reason ("" when in order) at the start, from the mark and the feed's rows.

    `has_mark`: the mark file exists; `init` writes it before the first row, so a home without it was moved or
    restored. `ever_signed`: a signed checkpoint of this feed is stored.
    """
    if not has_mark:
        return RECOVERING, "the mark is missing: this home was restored or moved from another machine"
    if mark is None:
        if ever_signed:
            return RECOVERING, "the mark does not know this feed although it was signed: the mark is older"
        return NEW, ""
    if mark.generation != generation:
        return RECOVERING, f"the mark is of generation {mark.generation}, this home of {generation}"
    if rows_size < mark.size:
        return RECOVERING, f"this home has {rows_size} entries, {mark.size} were signed: it is an older copy"
    if root_at(mark.size) != mark.root:
        return RECOVERING, f"the first {mark.size} entries are not those that were signed"
    return ACTIVE, ""


def fresh_at_start(*, known_at_start: bool) -> bool:
    """Whether a feed may be signed before any peer has shown what it last saw of it.

    Only when nothing of it existed when the node started: no row, no mark, no checkpoint and, for a circle,
    no agreement in force. A snapshot taken just before the first signature looks exactly like a feed never
    signed.
    """
    return not known_at_start


def hear_checkpoint(*, rows_size: int, root_at: RootAt, shown_size: int, shown_root: bytes) -> tuple[str, str]:
    """FRESH or RECOVERING, and why, from the newest checkpoint of our feed that a peer has seen.

    The caller has checked our signature on it; `shown_size` 0 means the peer has never seen one. The newest
    one *seen* counts, also when the peer does not have all of its entries yet.
    """
    if shown_size == 0:
        return FRESH, ""
    if shown_size > rows_size:
        return RECOVERING, f"a peer shows our signature on {shown_size} entries, this home has {rows_size}"
    if root_at(shown_size) != shown_root:
        return (
            RECOVERING,
            f"a peer shows our signature on other entries than the first {shown_size} of this home",
        )
    return FRESH, ""


def is_fresh(shown_by: Collection[object], audience: Collection[object]) -> bool:
    """Whether everybody who may have seen the feed has shown their newest checkpoint of it since the start.

    One of several is not enough: after a snapshot was restored, the one that answers may have missed the last
    checkpoint that another has seen. A two-party circle has an audience of one.
    """
    return set(audience) <= set(shown_by)


def unseen_from(*, signed_size: int, mark: Mark | None) -> int:
    """From which size on no entry can have been signed: neither stored as signed nor let be signed by the mark.

    Only of a feed that was in order when the node started: a mark that is missing or too old says nothing.
    """
    return max(signed_size, mark.size if mark is not None else 0)


def next_generation(*, known: int, seconds: int) -> int:
    """The generation in which a feed is begun anew. It grows with time (`seconds` since 1970), so that two copies of
    one node that both begin anew do not begin the same feed; a clock that stands still in 1970 harms only that.
    """
    return min(max(known + 1, seconds), GENERATION_MAX)


def has_all(*, root_at: RootAt, mark: Mark | None, shown: Collection[tuple[int, bytes]]) -> bool:
    """Whether our rows hold all that is known to have been signed: by the mark, and by what others have shown of it."""
    known = [(size, root) for size, root in shown] + ([(mark.size, mark.root)] if mark is not None else [])
    return all(root_at(size) == root for size, root in known)


def is_confirmed(confirmed_by: Collection[object], audience: Collection[object]) -> bool:
    """Whether more than half of those a feed is for have shown, since it is whole again, that they know of no more.

    A feed that is for nobody any more needs nobody's word.
    """
    return not audience or 2 * len(set(confirmed_by) & set(audience)) > len(set(audience))


def may_sign(feed_standing: str, fresh: bool) -> bool:
    """The rule itself: in order (SPEC §16.1a), and heard from its audience since the start (SPEC §16.2a)."""
    return feed_standing in (NEW, ACTIVE) and fresh
