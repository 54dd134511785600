"""The eleven ways a need ends: each with what has to be true or said for it, and the noes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aidmesh_node.domain.consent import Consent
from aidmesh_node.domain.need import CLOSE_REASONS, Need
from aidmesh_node.domain.need_closing import Closing
from aidmesh_node.domain.need_time import UNANSWERED_MAX
from aidmesh_node.domain.pledge_fold import Coverage
from aidmesh_node.domain.refused import Refused
from tests.domain.acts import AGREED, amount, by, items, new_id

OTHER = new_id()
SAID = {
    "duplicate": Closing(of=OTHER),
    "referred": Closing(to="Food bank of the North", consent=Consent("by_phone", "v3", "pt")),
    "out_of_scope": Closing(to="Town clinic", referral_offered=True),
}
PLAIN = ("met", "partly_met", "no_longer_wanted", "done_by_others", "entered_in_error")


def blankets() -> Need:
    return Need.post(new_id(), by(), person=new_id(), category="bedding", quantity=items(10))


def unreachable() -> Need:
    need = blankets()
    for outcome in ("no_answer", "message_left", "wrong_contact"):
        need.record_contact(by(), outcome)
    return need


def refused(need: Need, reason: str, said: Closing = SAID["duplicate"]) -> str:
    version = need.version
    with pytest.raises(Refused) as no:
        need.close(by(), reason, said)
    assert no.value.detail and no.value.hint
    assert need.is_open and need.version == version
    return no.value.reason


def test_there_are_eleven_reasons_and_each_is_told_below() -> None:
    assert set(CLOSE_REASONS) == {*PLAIN, *SAID, "unreachable", "withdrawn_by_person", "expired"}
    assert len(CLOSE_REASONS) == 11


@pytest.mark.parametrize("reason", PLAIN)
def test_five_need_nothing_but_a_person_who_says_so(reason: str) -> None:
    need = blankets()
    need.close(by(), reason)
    assert (need.state, need.closed_reason) == ("closed", reason)
    assert type(need.collect_events()[-1]) is Need.Closed


def test_a_duplicate_names_the_need_that_stays() -> None:
    need = blankets()
    assert refused(need, "duplicate", Closing()) == "duplicate_of_what"
    assert refused(need, "duplicate", Closing(of=need.id)) == "duplicate_of_itself"
    need.close(by(), "duplicate", SAID["duplicate"])
    marked = need.collect_events()[-1]
    assert isinstance(marked, Need.MarkedDuplicate)
    assert (marked.of, need.closed_reason) == (OTHER, "duplicate")


def test_somebody_is_referred_only_with_their_consent_and_to_somewhere() -> None:
    need = blankets()
    assert refused(need, "referred", Closing(consent=AGREED)) == "referred_to_whom"
    assert refused(need, "referred", Closing(to=" ", consent=AGREED)) == "referred_to_whom"
    assert refused(need, "referred", Closing(to="Food bank")) == "no_consent"
    assert refused(need, "referred", Closing(to="Ana, 0173 555 0142", consent=AGREED)) == "bad_to"
    need.close(by(), "referred", SAID["referred"])
    went = need.collect_events()[-1]
    assert isinstance(went, Need.Referred)
    assert (went.to, went.consent_given, went.consent_text_version, went.consent_language, went.person_knows) == (
        "Food bank of the North", "by_phone", "v3", "pt", None,
    )  # fmt: skip
    assert need.closed_reason == "referred"


def test_nobody_is_sent_away_without_another_place_to_turn_to() -> None:
    need = blankets()
    assert refused(need, "out_of_scope", Closing()) == "no_referral_offered"
    assert refused(need, "out_of_scope", Closing(to="Town clinic")) == "no_referral_offered"
    need.close(by(), "out_of_scope", Closing(referral_offered=True))
    assert (need.closed_reason, need.state) == ("out_of_scope", "closed")


def test_unreachable_is_somebody_who_was_tried_three_times_in_a_row() -> None:
    need = blankets()
    for tried in range(UNANSWERED_MAX):
        assert need.is_open, "calls close nothing"
        assert refused(need, "unreachable", Closing()) == "not_tried_enough"
        assert need.unanswered == tried
        need.record_contact(by(), "no_answer")
    need.record_contact(by(), "reached")
    assert refused(need, "unreachable", Closing()) == "not_tried_enough"
    for _ in range(20):
        need.record_contact(by(), "no_answer")
    assert need.is_open, "however many"
    with pytest.raises(Refused) as no:
        need.record_contact(by(), "shouted")
    assert no.value.reason == "unknown_outcome_of_a_call"
    need.close(by(), "unreachable")
    given_up = need.collect_events()[-1]
    assert isinstance(given_up, Need.GivenUpReaching)
    assert (given_up.attempts, need.closed_reason) == (20, "unreachable")
    other = unreachable()
    other.close(by(), "unreachable")
    assert other.closed_reason == "unreachable"


def test_what_helped_somebody_was_not_entered_in_error() -> None:
    for covered in (Coverage(amount(3), Decimal(0), True), Coverage(Decimal(0), amount(3), False)):
        need = blankets()
        need.cover(by(), new_id(), Coverage(), covered)
        assert refused(need, "entered_in_error", Closing()) == "already_helped"
        need.close(by(), "partly_met")


def test_two_happen_only_by_their_own_acts() -> None:
    need = blankets()
    assert refused(need, "withdrawn_by_person", Closing()) == "only_by_withdrawing"
    assert refused(need, "expired", Closing()) == "only_by_itself"
    need.withdraw(by("member"))
    assert need.closed_reason == "withdrawn_by_person"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("met", Closing(of=OTHER)),
        ("referred", Closing(of=OTHER, to="Clinic", consent=AGREED)),
        ("met", Closing(to="Clinic")),
        ("duplicate", Closing(of=OTHER, to="Clinic")),
        ("out_of_scope", Closing(consent=AGREED, referral_offered=True)),
        ("met", Closing(consent=AGREED)),
    ],
)
def test_what_does_not_belong_to_a_reason_is_not_swallowed(reason: str, said: Closing) -> None:
    assert refused(blankets(), reason, said) == "not_with_this_reason"


def test_what_was_closed_elsewhere_keeps_its_reason() -> None:
    for reason in CLOSE_REASONS:
        need = blankets()
        need.close_as_imported(by(), reason)
        assert (need.state, need.closed_reason) == ("closed", reason)
    with pytest.raises(Refused) as no:
        blankets().close_as_imported(by(), "because")
    assert no.value.reason == "unknown_reason_to_close"
