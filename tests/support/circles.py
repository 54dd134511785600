"""A circle of more than two groups: terms that all have signed, and links between some of them.

How people come to such terms is not built yet; here they have signed them already.
"""

from __future__ import annotations

from itertools import pairwise

from aidmesh_node.application.ports import Work
from aidmesh_node.domain.peer_link import PeerLink
from aidmesh_node.federation.identities import introduce, keep
from aidmesh_node.federation.serve import own_ident
from aidmesh_node.home import Home
from aidmesh_node.storage.key_files import load_keys
from aidmesh_protocol.identity import identity_origin
from aidmesh_protocol.terms import Terms, circle_id, sign_terms
from tests.support.federation import Group, Mesh

WORDS = ("apple", "river", "stone", "cloud")


async def a_row_of(mesh: Mesh, *names: str, ring: bool = False) -> tuple[list[Group], bytes]:
    """Groups in one circle, each linked only with the one before and the one after it, in a `ring` the first with the
    last too; the circle's id."""
    groups = [await mesh.found(name) for name in names]
    parties = tuple(sorted(group.node.gid for group in groups))
    terms = Terms(1, parties, 498_728, b"a circle of many", "L1", 14).encode()
    for here, there in pairwise([*groups, groups[0]] if ring else groups):
        await _link(here, there, terms)
        await _link(there, here, terms)
    await mesh.settle()
    return groups, circle_id(terms)


async def _link(here: Group, there: Group, terms: bytes) -> None:
    origin = identity_origin(there.node.gid)
    served = there.federation.publisher.served(origin)
    assert served is not None
    ident = there.node.readers.run_now(lambda reading: own_ident(reading, there.node.gid, served))
    ours, theirs = (
        sign_terms(terms, group.node.gid, load_keys(Home(group.home).keys).signing) for group in (here, there)
    )
    by = here.act("operator")

    def activate(work: Work) -> None:
        keep(work, introduce(ident))
        link = PeerLink.invite(by, gid=there.node.gid, endpoints=[there.endpoint])
        link.meet(
            by, name=there.node.name, endpoints=[there.endpoint], words=WORDS, our_nonce="00", their_nonce="01",
            terms=terms.hex(),
        )  # fmt: skip
        link.confirm(by, words=WORDS, signature=ours.hex())
        link.sign(by, signature=theirs.hex())
        link.activate(by, circle=circle_id(terms).hex(), our_gid=here.node.gid)
        work.commit(link)

    await here.node.writer.run(activate)
    await here.federation.identities.load(there.node.gid)
    await here.federation.links.refresh()
