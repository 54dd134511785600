"""The JSON bodies of what is done about a need after it was posted; see bodies.py for what they are made of."""

from __future__ import annotations

from aidmesh_node.http.bodies import ConsentGiven, Strict
from aidmesh_node.http.fields import Amount, Moment, Urgency, Word


class Nothing(Strict, frozen=True):
    """No parameters."""


class Reviewed(Strict, frozen=True):
    """`next`: when it is to be looked at again; else after the usual time."""

    next: Moment | None = None


class ContactAttempted(Strict, frozen=True):
    outcome: Word


class Extended(Strict, frozen=True):
    until: Moment


class Amended(Strict, frozen=True):
    quantity: Amount


class UrgencyChanged(Strict, frozen=True):
    urgency: Urgency
    reason: Word
    emergency_advice_acknowledged: bool = False


class SharedWider(Strict, frozen=True):
    """The person's consent to being shown to every connected group, because a life is in danger."""

    consent: ConsentGiven
