"""The files we ship carry the demo: two requests, and a stock that covers all but some plastic sheets."""

from decimal import Decimal

from aidmesh_node.exchange.plan import column_values
from tests.exchange.written_csv import plan, sample, totals

WANTED = {
    "Blankets": 5_100,
    "Kitchen Sets": 1_000,
    "Hygiene Kits": 1_500,
    "Jerry Cans": 6_000,
    "Plastic Sheets": 32_000,
}


def test_two_requests_of_five_items_each() -> None:
    files = (sample("inv_req.csv"), sample("inv_req_item.csv"))
    assert totals(plan(*files)) == WANTED
    requests = column_values(files[0], "Request Number")
    assert len(requests) == 2
    for number in requests:
        assert len(plan(*files, where={"Request Number": number}).needs) == 5


def test_the_stock_of_the_larger_organisation_covers_all_but_200_m2() -> None:
    organisations = column_values(sample("inv_item.csv"), "Organisation")
    largest = max(organisations, key=lambda name: organisations[name])
    assert len(organisations) == 2
    result = plan(sample("inv_item.csv"), where={"Organisation": largest})
    assert len(result.offers) == 33
    offered = totals(result)
    assert offered["Plastic Sheets"] == 31_800
    assert all(offered[item] >= amount for item, amount in WANTED.items() if item != "Plastic Sheets")
    assert {offer.area for offer in result.offers} >= {"National", "Alderbrook"}


def test_one_answer_that_is_closed() -> None:
    [need] = plan(sample("submission_responses.csv")).needs
    assert need.closed_reason == "met"
    assert need.quantity.amount == Decimal(1)
