"""How often others may ask the doors of the federation, so that nobody's haste costs anybody else anything."""

from __future__ import annotations

from aidmesh_node.clock import Clock
from aidmesh_node.rates import Rates
from aidmesh_protocol.errors import ProtocolError

REQUESTS_PER_SECOND = 50.0
"""A peer that answers every piece of news with a new question stays well below this."""

REQUESTS_BURST = 200

PEERS_MAX = 10_000
"""Names are authenticated peers: there are never as many."""

PAIRING_PER_SECOND = 10.0
"""From one address: two groups that meet ask each other three questions, and twenty groups may meet in one hall."""

PAIRING_BURST = 100

ADDRESSES_MAX = 10_000


class PeerRates:
    """Buckets for peers by their id, and for pairing by address: who pairs is nobody yet. Pairing has one for all, too,
    because addresses can be many; a single one never empties that."""

    def __init__(self, clock: Clock) -> None:
        self._peers = Rates(clock, REQUESTS_PER_SECOND, REQUESTS_BURST, PEERS_MAX)
        self._pairing = Rates(clock, PAIRING_PER_SECOND, PAIRING_BURST, ADDRESSES_MAX)
        self._all_pairing = Rates(clock, REQUESTS_PER_SECOND, REQUESTS_BURST, 1)

    def spend(self, peer: str) -> None:
        """A peer's request. Raises ProtocolError("rate")."""
        _allow(self._peers.spend(peer))

    def spend_pairing(self, source: str) -> None:
        """A pairing question from an address. Raises ProtocolError("rate")."""
        _allow(self._pairing.spend(source))
        _allow(self._all_pairing.spend(""))


def _allow(wait: float) -> None:
    if wait:
        raise ProtocolError("rate", "too many requests: slow down")
