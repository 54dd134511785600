"""Domain events to stored events and back. The stored state ends with a hash over everything that identifies
it.

The hash is checked before anything else is looked at, so a damaged topic never resolves to a class. state =
msgpack || SHA-256(originator id hex, version, topic, msgpack). It guards against bad disks, not forgers.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from eventsourcing.utils import TopicError, get_topic, resolve_topic

from aidmesh_node.application.damaged import Damaged
from aidmesh_node.application.ports import Event

# A topic resolves only once its class exists, also in a program that only reads, such as `aidmesh verify`.
from aidmesh_node.domain import dispute, fork, group, member, need, offer, peer_link, pledge

AGGREGATES = (
    group.Group, member.Member, need.Need, offer.Offer, peer_link.PeerLink, pledge.Pledge, dispute.Dispute,
    fork.Fork,
)  # fmt: skip
"""Everything whose events are stored."""

HASH_BYTES = 32
TABLE = "stored_events"


class HashingMapper(Mapper[UUID]):
    """The library's mapper with a hash, without its per-event reflection; same class_version and
    upcasting."""

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        event_class = type(domain_event)
        topic = get_topic(event_class)
        state = dict(vars(domain_event))
        originator_id: UUID = state.pop("originator_id")
        version: int = state.pop("originator_version")
        class_version = getattr(event_class, "class_version", 1)
        if class_version > 1:
            state["class_version"] = class_version
        body = self.transcoder.encode(state)
        return StoredEvent(originator_id, version, topic, body + state_hash(originator_id.hex, version, topic, body))

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        id = stored_event.originator_id
        return self.restore(
            id.hex if isinstance(id, UUID) else id,
            stored_event.originator_version,
            stored_event.topic,
            stored_event.state,
        )

    def restore(self, id_hex: str, version: int, topic: str, state: bytes) -> Event:
        """The event behind one row. Raises Damaged when hash, topic or state do not hold."""
        body = state[:-HASH_BYTES]
        if state[-HASH_BYTES:] != state_hash(id_hex, version, topic, body):
            raise Damaged(TABLE, event_key(id_hex, version), "the event's hash does not match its content")
        try:
            event_class = resolve_topic(topic)
            values: dict[str, Any] = self.transcoder.decode(body)
        except (TopicError, ValueError) as error:
            # An intact row that this program does not understand: most likely written by a newer one.
            raise Damaged(TABLE, event_key(id_hex, version), f"cannot be read by this version: {error}") from error
        values["originator_id"] = UUID(id_hex)
        values["originator_version"] = version
        class_version: int = getattr(event_class, "class_version", 1)
        stored_version: int = values.pop("class_version", 1)
        for older in range(stored_version, class_version):
            getattr(event_class, f"upcast_v{older}_v{older + 1}")(values)
        event: Event = object.__new__(event_class)
        object.__setattr__(event, "__dict__", values)
        return event


def state_hash(id_hex: str, version: int, topic: str, body: bytes) -> bytes:
    """SHA-256 over the lines id, version, topic (none of which holds a line end) and the body."""
    return sha256(f"{id_hex}\n{version}\n{topic}\n".encode() + body).digest()


def event_key(id_hex: str, version: int) -> str:
    """How a stored event is named in messages."""
    return f"event {id_hex} version {version}"
