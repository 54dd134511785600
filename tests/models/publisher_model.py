"""Every run of the publisher with crashes, old backups, snapshots and clones, over the rules the node uses.

One of our feeds, its mark, and the peers that hold it. Rows and marks are durable, a node's verdicts are not.
A node that is recovering gets back what a peer holds, and goes on once it has all that is known to have been signed
and its peers agree. A row is an event and a draw of chance: publishing the same event again after a restore makes
other bytes. A root is the tuple of rows it stands for, so two checkpoints contradict each other when neither tuple
begins with the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeVar

from aidmesh_node.domain import own_feed

Row = tuple[int, int]
Rows = tuple[Row, ...]

_T = TypeVar("_T")


class Node(NamedTuple):
    """Durable: `log`, `rows`, `stored` (size of the stored checkpoint), `claimed` (the largest checkpoint of its own
    that it was shown beyond its rows). The rest is lost in a crash; `in_order`: mark and rows agreed at the start;
    `step` is the size under way and how far it has come, `known_mark` what the next compare-and-swap expects.
    """

    log: tuple[int, ...] = ()
    rows: Rows = ()
    stored: int = 0
    running: bool = False
    standing: str = ""
    in_order: bool = False
    born_fresh: bool = False
    shown_by: frozenset[int] = frozenset()
    known_mark: Rows | None = None
    claimed: Rows = ()
    step: tuple[str, int] = ("", 0)


class Peer(NamedTuple):
    """The newest checkpoint it has seen, and the entries it has: the checkpoint travels first."""

    seen: Rows = ()
    held: Rows = ()


class Copy(NamedTuple):
    """A backup of the home, with what the mark said at that moment."""

    node: Node
    mark: Rows | None


class World(NamedTuple):
    nodes: tuple[Node, ...]
    marks: tuple[Rows | None, ...] = (None,)
    peers: tuple[Peer, ...] = (Peer(),)
    signed: frozenset[Rows] = frozenset()
    served: frozenset[Rows] = frozenset()
    copy: Copy | None = None
    events: int = 1
    draws: int = 0
    misfortunes: int = 0


def stand(mark: Rows | None, node: Node) -> str:
    """The node's own rule, with a root for every prefix of the rows."""
    verdict, _ = own_feed.standing(
        None if mark is None else own_feed.Mark(len(mark), root(mark), 0),
        rows_size=len(node.rows),
        root_at=lambda size: root(node.rows[:size]) if size <= len(node.rows) else None,
        generation=0,
        ever_signed=node.stored > 0,
        has_mark=True,
    )
    return verdict


def hear(node: Node, shown: Rows) -> str:
    verdict, _ = own_feed.hear_checkpoint(
        rows_size=len(node.rows),
        root_at=lambda size: root(node.rows[:size]) if size <= len(node.rows) else None,
        shown_size=len(shown),
        shown_root=root(shown),
    )
    return verdict


def has_all(node: Node, mark: Rows | None) -> bool:
    return own_feed.has_all(
        root_at=lambda size: root(node.rows[:size]) if size <= len(node.rows) else None,
        mark=None if mark is None else own_feed.Mark(len(mark), root(mark), 0),
        shown=[(len(node.claimed), root(node.claimed))] if node.claimed else [],
    )


def root(rows: Rows) -> bytes:
    return repr(rows).encode()


@dataclass(frozen=True)
class Rules:
    """What the node goes by; a mutant replaces one of them."""

    stand: Callable[[Rows | None, Node], str] = stand
    hear: Callable[[Node, Rows], str] = hear
    born_fresh: Callable[[bool, bool], bool] = lambda known, signed: own_feed.fresh_at_start(known_at_start=known)
    is_fresh: Callable[[frozenset[int], frozenset[int]], bool] = own_feed.is_fresh
    may_sign: Callable[[str, bool], bool] = own_feed.may_sign
    unseen_from: Callable[[int, Rows | None], int] = lambda stored, mark: own_feed.unseen_from(
        signed_size=stored, mark=None if mark is None else own_feed.Mark(len(mark), root(mark), 0)
    )
    has_all: Callable[[Node, Rows | None], bool] = lambda node, mark: has_all(node, mark)
    is_confirmed: Callable[[frozenset[int], frozenset[int]], bool] = own_feed.is_confirmed
    shows: Callable[[Peer], Rows] = lambda peer: peer.seen
    swap_compares: bool = True
    marks_first: bool = True
    skips_published: bool = True


@dataclass(frozen=True)
class Bounds:
    """`misfortune`: none, backup (the home alone), mark (the mark alone), snapshot (both), clone (one mark),
    machine_clone (each with a mark of its own). Each may happen `misfortunes` times."""

    misfortune: str = "none"
    misfortunes: int = 1
    events: int = 3
    draws: int = 4
    peers: int = 1


class Violation(Exception):
    def __init__(self, what: str, trace: list[str]) -> None:
        super().__init__("\n  ".join([what, *trace]))
        self.what = what
        self.trace = trace


@dataclass
class Search:
    bounds: Bounds
    rules: Rules = field(default_factory=Rules)
    states: list[World] = field(default_factory=list)

    def run(self) -> list[World]:
        """Every reachable world. Raises Violation with the shortest trace."""
        start = World((Node(log=(0,)),), peers=(Peer(),) * self.bounds.peers)
        parents: dict[World, tuple[World, str] | None] = {start: None}
        todo = deque([start])
        while todo:
            world = todo.popleft()
            for how, after in self._steps(world):
                if after in parents:
                    continue
                parents[after] = (world, how)
                broken = self._broken(after)
                if broken:
                    raise Violation(broken, _trace(parents, after))
                todo.append(after)
        self.states = list(parents)
        return self.states

    def _broken(self, world: World) -> str:
        # A snapshot of the whole machine forgets signatures nobody has seen; those can contradict nobody.
        checkpoints = world.served if self.bounds.misfortune == "snapshot" else world.signed
        by_size = sorted(checkpoints, key=len)
        for smaller, larger in pairwise(by_size):
            if larger[: len(smaller)] != smaller:
                return f"signed two roots: {smaller} and {larger}"
        for node in world.nodes:
            if len({event for event, _ in node.rows}) < len(node.rows):
                return f"published an event twice: {node.rows}"
        if self.bounds.misfortune == "none" and any(n.standing == own_feed.RECOVERING for n in world.nodes):
            return "a plain crash locked the node"
        return ""

    def _steps(self, world: World) -> Iterator[tuple[str, World]]:
        for at, node in enumerate(world.nodes):
            for how, after in self._node_steps(world, at, node):
                yield f"node {at} {how}", after
        yield from self._misfortunes(world)

    def _node_steps(self, world: World, at: int, node: Node) -> Iterator[tuple[str, World]]:
        if not node.running:
            yield "starts", self.started(world, at)
            return
        yield "crashes", _with(world, at, _stopped(node))
        if world.events < self.bounds.events:
            log = (*node.log, world.events)
            yield "decides something", _with(world, at, node._replace(log=log))._replace(events=world.events + 1)
        yield from self._append(world, at, node)
        yield from self._recover(world, at, node)
        yield from self._publish(world, at, node)
        for number, peer in enumerate(world.peers):
            if number not in node.shown_by:
                yield f"is shown by peer {number}", self.shown(world, at, number)
            seen = node.rows[: max(node.stored, node.step[1] if node.step[0] == self.signed_step else 0)]
            if len(seen) > len(peer.seen):
                peers = _put(world.peers, number, peer._replace(seen=seen))
                yield f"serves peer {number} a checkpoint", world._replace(peers=peers, served=world.served | {seen})
            if peer.seen != peer.held and node.rows[: len(peer.seen)] == peer.seen:
                peers = _put(world.peers, number, peer._replace(held=peer.seen))
                yield f"serves peer {number} entries", world._replace(peers=peers)

    def _recover(self, world: World, at: int, node: Node) -> Iterator[tuple[str, World]]:
        """Get back what a peer holds, each package proven to lead to a checkpoint of ours; go on when all agree."""
        if node.standing != own_feed.RECOVERING:
            return
        mark = world.marks[at % len(world.marks)]
        cut = self.rules.unseen_from(node.stored, node.known_mark)
        if node.in_order and node.claimed and len(node.rows) > cut and node.rows[: len(node.claimed)] != node.claimed:
            yield "cuts what nobody can have seen", _with(world, at, node._replace(rows=node.rows[:cut]))
        for number, peer in enumerate(world.peers):
            if len(peer.held) > len(node.rows) and peer.held[: len(node.rows)] == node.rows:
                back = node._replace(rows=peer.held, stored=len(peer.held))
                yield f"gets entries back from peer {number}", _with(world, at, back)
        confirmed = self.rules.is_confirmed(node.shown_by, frozenset(range(self.bounds.peers)))
        if self.rules.has_all(node, mark) and confirmed:
            back = node._replace(standing=own_feed.ACTIVE, born_fresh=True, known_mark=mark, step=("", 0))
            yield "has everything back", _with(world, at, back)

    def _append(self, world: World, at: int, node: Node) -> Iterator[tuple[str, World]]:
        published = {event for event, _ in node.rows} if self.rules.skips_published else set()
        waiting = [event for event in node.log if event not in published]
        if waiting and node.standing != own_feed.RECOVERING and world.draws < self.bounds.draws:
            rows = (*node.rows, (waiting[0], world.draws))
            yield "appends", _with(world, at, node._replace(rows=rows))._replace(draws=world.draws + 1)

    def _publish(self, world: World, at: int, node: Node) -> Iterator[tuple[str, World]]:
        """Mark, sign, store: one step each, so that a crash fits between any two. Served from the signature on."""
        done, size = node.step
        first, second = ("mark", "sign") if self.rules.marks_first else ("sign", "mark")
        if done == "":
            if len(node.rows) > node.stored and self.can_sign(node):
                yield from self._do(first, world, at, node, len(node.rows))
        elif done == first:
            yield from self._do(second, world, at, node, size)
        else:
            yield "stores the checkpoint", _with(world, at, node._replace(stored=size, step=("", 0)))

    def _do(self, step: str, world: World, at: int, node: Node, size: int) -> Iterator[tuple[str, World]]:
        rows = node.rows[:size]
        if step == "sign":
            after = _with(world, at, node._replace(step=("sign", size)))
            yield f"signs {size}", after._replace(signed=world.signed | {rows})
            return
        which = at % len(world.marks)
        if self.rules.swap_compares and world.marks[which] != node.known_mark:
            yield "finds another's mark", _with(world, at, node._replace(standing=own_feed.RECOVERING, step=("", 0)))
            return
        after = _with(world, at, node._replace(known_mark=rows, step=("mark", size)))
        yield f"marks {size}", after._replace(marks=_put(world.marks, which, rows))

    @property
    def signed_step(self) -> str:
        """The last step before storing: a checkpoint is served as soon as it is marked and signed."""
        return "sign" if self.rules.marks_first else "mark"

    def can_sign(self, node: Node) -> bool:
        audience = frozenset(range(self.bounds.peers))
        fresh = node.born_fresh or self.rules.is_fresh(node.shown_by, audience)
        return self.rules.may_sign(node.standing, fresh)

    def started(self, world: World, at: int) -> World:
        """After a start: what the mark and the rows say, and nothing heard yet."""
        node, mark = world.nodes[at], world.marks[at % len(world.marks)]
        born_fresh = self.rules.born_fresh(bool(node.log), mark is not None or node.stored > 0)
        standing = self.rules.stand(mark, node)
        in_order = standing != own_feed.RECOVERING
        standing = own_feed.RECOVERING if len(node.claimed) > len(node.rows) else standing
        node = node._replace(running=True, standing=standing, born_fresh=born_fresh, in_order=in_order)
        return _with(world, at, node._replace(known_mark=mark))

    def shown(self, world: World, at: int, number: int) -> World:
        """After a peer has shown the newest checkpoint it has seen."""
        node = world.nodes[at]
        shown = self.rules.shows(world.peers[number])
        if self.rules.hear(node, shown) == own_feed.RECOVERING:
            claimed = max(node.claimed, shown, key=len)
            found = node._replace(standing=own_feed.RECOVERING, born_fresh=False, shown_by=frozenset(), claimed=claimed)
            return _with(world, at, found)
        return _with(world, at, node._replace(shown_by=node.shown_by | {number}))

    def _misfortunes(self, world: World) -> Iterator[tuple[str, World]]:
        kind, home = self.bounds.misfortune, world.nodes[0]
        if kind == "none" or world.misfortunes >= self.bounds.misfortunes:
            return
        if kind in ("backup", "mark", "snapshot"):
            if world.copy is None:
                yield "a copy is made", world._replace(copy=Copy(_stopped(home), world.marks[0]))
                return
            back = world._replace(misfortunes=world.misfortunes + 1)
            if kind != "mark":
                back = _with(back, 0, world.copy.node)
            if kind != "backup":
                back = _with(back, 0, _stopped(back.nodes[0]))._replace(marks=(world.copy.mark,))
            yield f"the {kind} is restored", back
        elif len(world.nodes) == 1:
            cloned = world._replace(nodes=(home, _stopped(home)), misfortunes=world.misfortunes + 1)
            if kind == "machine_clone":
                cloned = cloned._replace(marks=world.marks * 2)
            yield "the home is cloned", cloned


def _stopped(node: Node) -> Node:
    return Node(node.log, node.rows, node.stored, claimed=node.claimed)


def _with(world: World, at: int, node: Node) -> World:
    return world._replace(nodes=_put(world.nodes, at, node))


def _put(items: tuple[_T, ...], at: int, item: _T) -> tuple[_T, ...]:
    return (*items[:at], item, *items[at + 1 :])


def _trace(parents: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    steps = []
    step = parents[world]
    while step is not None:
        steps.append(step[1])
        step = parents[step[0]]
    return steps[::-1]
