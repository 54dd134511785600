"""What was passed over unread, since this program did not know it, is read after an upgrade (SPEC §5.5a).

For each feed, type and schema the first entry that was passed over is a position of its own. A program that knows such
a type goes back to that entry when it starts, and interprets it and what follows once more, in order: what was
understood before is not done twice, what was impossible for want of it may turn out not to be.
"""

from __future__ import annotations

from aidmesh_node.application.ports import Work
from aidmesh_protocol.entry import Entry
from aidmesh_protocol.statements import Vocabulary

ANYTHING = "passed over"
"""Name of the position that says whether anything ever was: then a start costs one look."""


def remember(work: Work, feed: int, index: int, entry: Entry) -> None:
    """Entry `index` of a feed is of a type or schema that this program does not know."""
    name = _name(feed, entry.type, entry.schema)
    if not work.positions.get(name):
        work.positions.put(name, index + 1)
        work.positions.put(ANYTHING, 1)


def read_again(work: Work, vocabulary: Vocabulary) -> int:
    """Go back, in each feed, to the first entry that can be read now; in how many feeds there was one."""
    if not work.positions.get(ANYTHING):
        return 0
    known = [(name, schema) for name, newest in vocabulary.schemas.items() for schema in range(1, newest + 1)]
    feeds = 0
    for head in work.feeds.heads():
        names = [_name(head.feed, *each) for each in known]
        found = {name: first for name in names if (first := work.positions.get(name))}
        if found:
            feeds += 1
            work.feeds.read_again(head.feed, min(found.values()) - 1)
            for name in found:
                work.positions.put(name, 0)
    return feeds


def _name(feed: int, statement_type: str, schema: int) -> str:
    return f"passed over in feed {feed}: {statement_type} {schema}"
