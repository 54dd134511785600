"""The JSON bodies of what is done about an offer after it was posted; see bodies.py for what they are made of."""

from __future__ import annotations

from aidmesh_node.http.bodies import Strict
from aidmesh_node.http.fields import Moment, OfferCloseReason


class OfferExtended(Strict, frozen=True):
    until: Moment


class OfferReopened(Strict, frozen=True):
    """`until`: the new end, needed where the old one is over."""

    until: Moment | None = None


class OfferClosed(Strict, frozen=True):
    reason: OfferCloseReason
