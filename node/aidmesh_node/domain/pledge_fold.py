"""What a pledge is: two ordered sequences of statements, folded to the same state wherever both were heard.

Pure. Each side is folded on its own, so the two commute; a duplicate changes nothing; nothing here knows
which node is asking, what time it is, or where a statement came from. Who may say what when: pledge_rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from aidmesh_node.domain.quantity import ZERO
from aidmesh_node.domain.refused import illegal

REVISIONS_MAX = 64
"""Nobody haggles longer; a peer that does is broken, and the fold stays small."""

COUNTERED, DECLINED, ACCEPTED, RELEASED = "countered", "declined", "accepted", "released"
_RANK = {"": 0, COUNTERED: 1, DECLINED: 2, ACCEPTED: 2, RELEASED: 3}

PHASES = (
    "none",
    "offered",
    "countered",
    "accepted",
    "committed",
    "handed_over",
    "partly_received",
    "presumed",
    "received",
    "declined",
    "released",
    "withdrawn",
)


@dataclass(frozen=True, slots=True)
class Booking:
    """What a pledge takes of the giver's offer. Drawn at hand-over: what left the shelf cannot be promised
    again.
    """

    held: Decimal = ZERO
    committed: Decimal = ZERO
    drawn: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.held + self.committed + self.drawn


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a pledge does for the home's need. `open`: an answer or goods are still awaited. `presumed` is counted
    beside what was `received`, never in it.
    """

    reserved: Decimal = ZERO
    received: Decimal = ZERO
    open: bool = False
    presumed: Decimal = ZERO

    @property
    def arrived(self) -> Decimal:
        return self.received + self.presumed


@dataclass(frozen=True, slots=True)
class GiverSide:
    """Everything the giver has said. `offers[r - 1]` is the quantity of revision r; () before the first
    offer. `corrections`: how often it has set right what it had declared handed over.
    """

    offers: tuple[Decimal, ...] = ()
    commitment: int = 0
    committed: Decimal = ZERO
    withdrawn: bool = False
    attempts: int = 0
    handed: Decimal = ZERO
    corrections: int = 0

    @property
    def revision(self) -> int:
        return len(self.offers)

    def offer(self, quantity: Decimal) -> GiverSide:
        return self if self.offers else replace(self, offers=(quantity,))

    def revise(self, revision: int, quantity: Decimal) -> GiverSide:
        if revision <= self.revision:
            return self
        if revision != self.revision + 1 or not self.offers:
            raise illegal(f"Revision {revision} of a pledge came after revision {self.revision}.")
        if revision > REVISIONS_MAX:
            raise illegal(f"A pledge was revised more than {REVISIONS_MAX} times.")
        if self.withdrawn or self.commitment:
            raise illegal("A pledge was revised after it was firm or withdrawn.")
        return replace(self, offers=(*self.offers, quantity))

    def commit(self, acceptance: int, quantity: Decimal) -> GiverSide:
        if acceptance <= self.commitment:
            return self
        if self.commitment:
            raise illegal("A pledge was made firm twice.")
        if self.withdrawn:
            raise illegal("A pledge was made firm after it was withdrawn.")
        if not self.offers or quantity > max(self.offers):
            raise illegal("A pledge was made firm for more than was offered.")
        return replace(self, commitment=acceptance, committed=quantity)

    def withdraw(self) -> GiverSide:
        """Take back what has not been handed over; what has is still on its way, so the commitment shrinks to
        it.
        """
        if self.withdrawn:
            return self
        if not self.offers:
            raise illegal("A pledge was withdrawn that was never offered.")
        return replace(self, withdrawn=True, committed=min(self.committed, self.handed))

    def hand_over(self, number: int, quantity: Decimal) -> GiverSide:
        if not self._attempt(number):
            return self
        return replace(self, attempts=number, handed=self.handed + quantity)

    def fail_hand_over(self, number: int) -> GiverSide:
        return replace(self, attempts=number) if self._attempt(number) else self

    def correct_hand_over(self, number: int, quantity: Decimal) -> GiverSide:
        """All in all, `quantity` was handed over. After a withdrawal no more than that is committed."""
        if number <= self.corrections:
            return self
        if number != self.corrections + 1 or not self.attempts:
            raise illegal(f"Correction {number} of a hand-over came after correction {self.corrections}.")
        committed = min(self.committed, quantity) if self.withdrawn else self.committed
        return replace(self, corrections=number, handed=quantity, committed=committed)

    def _attempt(self, number: int) -> bool:
        if number <= self.attempts:
            return False
        if number != self.attempts + 1:
            raise illegal(f"Hand-over {number} of a pledge came after hand-over {self.attempts}.")
        if not self.commitment:
            raise illegal("A hand-over was declared for a pledge that was never firm.")
        return True


@dataclass(frozen=True, slots=True)
class HomeSide:
    """Everything the need's home has said.

    `word` is its last word on revision `revision` of the offer. Words on one revision only grow in rank
    (countered, then declined or accepted, then released), so an older word heard again changes nothing.
    `counted` is what was received while the acceptance stood. `presumed` is what nobody confirmed and the home
    takes to have arrived of what was handed over before the giver's correction `presumed_at`; a real
    confirmation replaces it.
    """

    word: str = ""
    revision: int = 0
    acceptance: int = 0
    accepted: Decimal = ZERO
    proposed: Decimal = ZERO
    receipts: int = 0
    received: Decimal = ZERO
    counted: Decimal = ZERO
    corrections: int = 0
    presumptions: int = 0
    presumed: Decimal = ZERO
    presumed_at: int = 0

    def counter(self, revision: int, quantity: Decimal) -> HomeSide:
        if self._known(COUNTERED, revision):
            return self
        return replace(self, word=COUNTERED, revision=revision, proposed=quantity)

    def decline(self, revision: int) -> HomeSide:
        if self._known(DECLINED, revision):
            return self
        return replace(self, word=DECLINED, revision=revision)

    def accept(self, acceptance: int, revision: int, quantity: Decimal) -> HomeSide:
        if acceptance <= self.acceptance:
            return self
        if acceptance != self.acceptance + 1:
            raise illegal(f"Acceptance {acceptance} of a pledge came after acceptance {self.acceptance}.")
        if self._known(ACCEPTED, revision):
            raise illegal(f"Revision {revision} of a pledge was accepted after it was {self.word}.")
        return replace(self, word=ACCEPTED, revision=revision, acceptance=acceptance, accepted=quantity)

    def release(self, acceptance: int) -> HomeSide:
        if acceptance > self.acceptance or not acceptance:
            raise illegal(f"Acceptance {acceptance} of a pledge was released but never given.")
        if acceptance < self.acceptance or self.word != ACCEPTED:
            return self
        return replace(self, word=RELEASED)

    def receive(self, number: int, quantity: Decimal) -> HomeSide:
        if number <= self.receipts:
            return self
        if number != self.receipts + 1:
            raise illegal(f"Receipt {number} of a pledge came after receipt {self.receipts}.")
        if not self.acceptance:
            raise illegal("A receipt was confirmed for a pledge that was never accepted.")
        received = self.received + quantity
        counted = min(self.accepted, received) if self.word == ACCEPTED else self.counted
        return replace(self, receipts=number, received=received, counted=counted, presumed=ZERO)

    def correct_receipt(self, number: int, quantity: Decimal) -> HomeSide:
        """All in all, `quantity` arrived."""
        if number <= self.corrections:
            return self
        if number != self.corrections + 1 or not self.receipts:
            raise illegal(f"Correction {number} of a receipt came after correction {self.corrections}.")
        counted = min(self.accepted if self.word == ACCEPTED else self.counted, quantity)
        return replace(self, corrections=number, received=quantity, counted=counted, presumed=ZERO)

    def presume(self, number: int, quantity: Decimal, hand_over_corrections: int) -> HomeSide:
        """Beside what was confirmed, `quantity` is presumed to have arrived."""
        if number <= self.presumptions:
            return self
        if number != self.presumptions + 1 or not self.acceptance:
            raise illegal(f"Presumption {number} of a receipt came after presumption {self.presumptions}.")
        return replace(self, presumptions=number, presumed=quantity, presumed_at=hand_over_corrections)

    def _known(self, word: str, revision: int) -> bool:
        """Whether our last word already says this or more; another word of the same rank contradicts it."""
        if (revision, _RANK[word]) > (self.revision, _RANK[self.word]):
            return False
        if revision == self.revision and word != self.word and _RANK[word] == _RANK[self.word]:
            raise illegal(f"Revision {revision} of a pledge was {word} after it was {self.word}.")
        return True


@dataclass(frozen=True, slots=True)
class PledgeState:
    """Both sides together. All properties are derived: nodes that heard the same statements agree on them."""

    giver: GiverSide = GiverSide()
    home: HomeSide = HomeSide()

    @property
    def offered(self) -> Decimal:
        """The quantity of the live revision."""
        return self.giver.offers[-1] if self.giver.offers else ZERO

    @property
    def answered(self) -> bool:
        """Whether the home's last word is about the live revision."""
        return self.giver.revision > 0 and self.home.revision == self.giver.revision

    @property
    def declined(self) -> bool:
        return self.answered and self.home.word == DECLINED

    @property
    def released(self) -> bool:
        """The home gave back its acceptance of the live revision, or the one that was committed to."""
        if self.home.word != RELEASED:
            return False
        return self.answered or self.home.acceptance == self.giver.commitment

    @property
    def acceptance_live(self) -> bool:
        """Whether the home's acceptance stands: on the live revision, not released, not withdrawn by the
        giver.
        """
        return self.answered and self.home.word == ACCEPTED and not self.giver.withdrawn

    @property
    def commitment_live(self) -> bool:
        """Whether the giver's commitment answers the acceptance that stands. After a withdrawal what was
        already handed over is still committed."""
        return (
            self.giver.commitment > 0
            and self.home.word == ACCEPTED
            and self.giver.commitment == self.home.acceptance
            and self.answered
        )

    @property
    def accepted(self) -> Decimal:
        return self.home.accepted if self.acceptance_live else ZERO

    @property
    def committed(self) -> Decimal:
        return self.giver.committed if self.commitment_live else ZERO

    @property
    def live_remainder(self) -> Decimal:
        """What the home may still count on: committed where committed, else accepted (shown as uncertain),
        less what was received."""
        promised = self.committed if self.giver.commitment else self.accepted
        return max(ZERO, promised - self.arrived)

    @property
    def handed(self) -> Decimal:
        return self.giver.handed

    @property
    def received(self) -> Decimal:
        return self.home.received

    @property
    def presumed(self) -> Decimal:
        """What the home presumes to have arrived; nothing once the giver has corrected what it handed over."""
        return self.home.presumed if self.home.presumed_at == self.giver.corrections else ZERO

    @property
    def arrived(self) -> Decimal:
        """Received or presumed to be."""
        return self.home.received + self.presumed

    @property
    def in_transit(self) -> Decimal:
        """Declared handed over, neither confirmed nor presumed."""
        return max(ZERO, self.giver.handed - self.arrived)

    @property
    def discrepancy(self) -> bool:
        """Both sides have said what happened and the quantities differ: a note, no accusation."""
        told = self.home.receipts > 0 and (self.giver.handed > 0 or self.giver.withdrawn)
        return told and self.giver.handed != self.arrived

    @property
    def awaiting_answer(self) -> bool:
        """An offer lies before the home that it has neither accepted nor declined."""
        if not self.giver.offers or self.giver.withdrawn or self.giver.commitment:
            return False
        return not self.answered or self.home.word == COUNTERED

    @property
    def ended(self) -> bool:
        """Nothing is held, nothing is counted on, no answer is awaited. Goods in transit may still be
        confirmed.
        """
        booking = self.booking
        return not (self.coverage.open or booking.held or booking.committed)

    @property
    def phase(self) -> str:
        """One word for people, of PHASES. Physical facts come before what was said."""
        if self.arrived:
            whole = "presumed" if self.presumed else "received"
            return "partly_received" if self.live_remainder else whole
        if self.giver.handed:
            return "handed_over"
        if self.giver.withdrawn:
            return "withdrawn"
        if self.released:
            return "released"
        if self.declined:
            return "declined"
        if self.commitment_live:
            return "committed"
        if self.acceptance_live:
            return "accepted"
        if self.answered and self.home.word == COUNTERED:
            return "countered"
        return "offered" if self.giver.offers else "none"

    @property
    def booking(self) -> Booking:
        """What the giver's offer must keep for this pledge.

        What the home confirmed before any release has left the shelf, declared or not. A commitment
        binds until its release is heard, even where the acceptance it answers was not heard yet: after a
        restore the giver's own words may come back before the home's.
        """
        giver = self.giver
        drawn = max(giver.handed, min(self.home.counted, giver.committed))
        if giver.withdrawn or self.released or self.declined:
            return Booking(drawn=drawn)
        if giver.commitment:
            return Booking(committed=max(ZERO, giver.committed - drawn), drawn=drawn)
        return Booking(held=self.offered)

    @property
    def coverage(self) -> Coverage:
        """What the home's need counts for this pledge."""
        remainder = self.live_remainder
        return Coverage(remainder, self.home.received, self.awaiting_answer or remainder > 0, self.presumed)
