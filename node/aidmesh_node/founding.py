"""Founding a group: keys, mark, identity and the first operator, in the order that a crash can be told from a theft.

The mark is written before the first row, so that a home without a mark is always a moved or restored one. `group.json`
comes last: until it is there, the home is not usable and `init` says to start over in an empty folder.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

from aidmesh_node.application import own_feeds
from aidmesh_node.application.mark import MarkValue
from aidmesh_node.application.members import MEMBER_RECORD
from aidmesh_node.application.ports import Work
from aidmesh_node.clock import Clock
from aidmesh_node.config import Config, write_config
from aidmesh_node.domain.act import NODE, Act
from aidmesh_node.domain.group import Group
from aidmesh_node.domain.member import Member
from aidmesh_node.entropy import Entropy
from aidmesh_node.home import Home, InitResult
from aidmesh_node.storage.database import Database
from aidmesh_node.storage.files import fsync_directory
from aidmesh_node.storage.key_files import create_keys, write_secret
from aidmesh_node.storage.mark import MarkFile
from aidmesh_node.storage.person_keys import PersonKeys
from aidmesh_node.storage.writer import Writer
from aidmesh_protocol import checkpoint
from aidmesh_protocol.checkpoint import Checkpoint
from aidmesh_protocol.identity import Inception, group_id, identity_origin, incept, next_key_hash, origin_hash
from aidmesh_protocol.merkle import Frontier, leaf_hash

PART_KEY_BYTES = 16


def found_group(home: Home, config: Config, clock: Clock, entropy: Entropy) -> InitResult:
    """Fill an empty home. Raises Refused for a name that is none, OSError when the disk says no."""
    now = clock.now()
    endpoints = (config.node.url,)
    keys = create_keys(home.keys, entropy)
    token = f"amesh_{entropy.secret_text()}"
    by = Act(entropy.uuid(), now, None, NODE)

    inception = Inception(
        keys.signing.verify_key.raw, keys.witness.verify_key.raw, keys.hpke_public, next_key_hash(keys.next.verify_key)
    )
    first = incept(inception, entropy.bytes(PART_KEY_BYTES), own_feeds.epoch_hour(now))
    gid = group_id(first.entry)
    group = Group.found(by, gid=gid, name=config.node.name, endpoints=endpoints)
    second = own_feeds.describe(group.name, endpoints, now, lambda: entropy.bytes(PART_KEY_BYTES))

    frontier, _ = Frontier.empty().extend([leaf_hash(first.entry), leaf_hash(second.entry)])
    origin = identity_origin(gid)
    signed = checkpoint.sign(Checkpoint(origin, frontier.size, frontier.root()), keys.signing)
    mark = MarkFile(Path(config.state.dir) / gid / "mark")
    mark.swap(origin_hash(origin).hex(), None, MarkValue(frontier.size, frontier.root().hex(), own_feeds.GENERATION))

    member_id, person = entropy.uuid(), entropy.uuid()
    secret = hashlib.sha256(entropy.bytes(20)).hexdigest()

    def found(work: Work) -> None:
        own_feeds.append_identity(work, gid, first, second)
        head = work.feeds.head(origin)
        assert head is not None
        work.feeds.store_checkpoint(head.feed, signed.note, frontier.size)
        member = Member.invite(
            member_id, by, person=person, role="operator", secret_hash=secret, expires=now + timedelta(minutes=1)
        )
        member.join(by, secret_hash=secret, token_hash=hashlib.sha256(token.encode()).hexdigest())
        work.vault.put(person, MEMBER_RECORD, {"name": "operator"})
        work.commit(group, member)

    database = Database.open(home.database, entropy.bytes)
    writer = Writer(database, PersonKeys(home.person_keys, entropy.bytes), entropy.bytes)
    try:
        writer.submit(found).result()
    finally:
        writer.close()
        database.close()
    write_secret(home.token, token + "\n")
    write_config(home.config, config)
    write_secret(home.group, json.dumps({"gid": gid}) + "\n")
    # The folders themselves, in those they were made in.
    fsync_directory(home.path.parent)
    fsync_directory(mark.path.parent.parent)
    return InitResult(gid, home.path, home.token, config.node.url)
