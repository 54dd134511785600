"""What makes a node one of many: the parts of its federation, made and joined. Nothing runs before `start`."""

from __future__ import annotations

from aidmesh_node.application.deadlines import Deadlines
from aidmesh_node.application.mark import MarkFile
from aidmesh_node.application.ports import Readers, Reading, Writer
from aidmesh_node.application.publication import Publication
from aidmesh_node.application.spool import Spool
from aidmesh_node.application.subject_ids import SubjectIds
from aidmesh_node.clock import Clock
from aidmesh_node.config import Config
from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.bundles import Bundles
from aidmesh_node.federation.carrying import Carrying
from aidmesh_node.federation.federation import Federation
from aidmesh_node.federation.gossip import Gossip
from aidmesh_node.federation.identities import Identities
from aidmesh_node.federation.ledger import Ledger
from aidmesh_node.federation.links import Links
from aidmesh_node.federation.packing import Packer
from aidmesh_node.federation.pairing import Pairing
from aidmesh_node.federation.peer_client import PeerClient
from aidmesh_node.federation.peer_rates import PeerRates
from aidmesh_node.federation.publisher import Publisher
from aidmesh_node.federation.recovery import OwnRecovery
from aidmesh_node.federation.replication import Replication
from aidmesh_node.federation.request_auth import RequestAuth
from aidmesh_node.federation.serve import SyncServer
from aidmesh_node.federation.stock import Shelf
from aidmesh_protocol.keys import SigningKey
from aidmesh_protocol.statements import Vocabulary


def federate(
    gid: str,
    key: SigningKey,
    hpke: bytes,
    hpke_public: bytes,
    config: Config,
    writer: Writer,
    readers: Readers[Reading],
    spool: Spool,
    mark: MarkFile,
    publication: Publication,
    ids: SubjectIds,
    client: PeerClient,
    deadlines: Deadlines,
    clock: Clock,
    entropy: Entropy,
    vocabulary: Vocabulary,
) -> Federation:
    """The federation of the group `gid`. `client` is the network; `config` says under which address peers find us."""
    identities, links, ledger = Identities(readers), Links(gid, writer), Ledger(gid, writer, clock)
    publisher = Publisher(gid, key, writer, readers, mark, publication, clock, entropy)
    recovery = OwnRecovery(gid, writer, readers, mark, publisher, publication, ids, links, clock, entropy)
    gossip = Gossip(gid, key.verify_key, writer, readers, links, identities, publisher, clock, entropy)
    replication = Replication(
        gid, key, writer, readers, links, identities, publisher, gossip, client, clock, entropy, recovery, vocabulary
    )
    carrying = Carrying(gid, readers, publisher, links, identities)
    shelf = Shelf(gid, hpke_public, readers, publisher, links, identities, carrying)
    packer = Packer(gid, key, readers, shelf, ledger, clock, entropy)
    return Federation(
        gid=gid,
        publisher=publisher,
        links=links,
        identities=identities,
        pairing=Pairing(gid, key, writer, readers, links, identities, publisher, client, clock, entropy),
        gossip=gossip,
        replication=replication,
        server=SyncServer(gid, readers, publisher, links, gossip, ledger, carrying, clock, entropy, recovery),
        ledger=ledger,
        auth=RequestAuth(gid, lambda peer: identities.known(peer).key, clock, entropy),
        rates=PeerRates(clock),
        deadlines=deadlines,
        bundles=Bundles(hpke, writer, readers, replication, shelf, packer, spool),
        clock=clock,
        endpoints=(config.node.url,),
    )
