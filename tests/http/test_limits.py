"""How often one may ask: enough for any person, not enough to take the node from the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from aidmesh_node.config import Config, ConfigError, load_config
from aidmesh_node.federation.peer_rates import PAIRING_BURST, REQUESTS_BURST
from aidmesh_node.http.limits import FAILURES_BURST, FAILURES_PER_SECOND, MEMBER_BURST, MEMBER_PER_SECOND
from aidmesh_node.http.sources import Sources
from aidmesh_node.rates import Rates
from tests.support.federation import DrivenClock

from .conftest import Answer, Group, served

WRONG = "amesh_" + "a" * 32
NO_INVITATION = {"invitation": "amesh-invite_" + "b" * 32}
CHEAP = "/events?kinds="
"""Let in, then refused before anything is read."""


class StandingClock(DrivenClock):
    """Only the time passes that a test lets pass."""

    def monotonic(self) -> float:
        return self._ticks

    def passes(self, seconds: float) -> None:
        self._ticks += seconds


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def hall(group: Group, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Group]:
    """The group's node on a clock of the test's own, behind a proxy on this machine that says who asks."""
    config = behind(group.node.config, "127.0.0.1")
    async with served(replace(group.node, clock=clock, config=config), tmp_path / "home") as hall:
        hall.tokens, hall.members = group.tokens, group.members
        # Where nobody is forwarded the proxy itself asks; `from_` says for whom.
        yield hall


def behind(config: Config, proxies: str) -> Config:
    return msgspec.structs.replace(config, node=msgspec.structs.replace(config.node, proxies=proxies))


async def guess(hall: Group, address: str = "203.0.113.7", token: str = WRONG) -> Answer:
    return await hall.get(token, CHEAP, X_Forwarded_For=address)


async def use_up(hall: Group, address: str = "203.0.113.7") -> None:
    for _ in range(FAILURES_BURST):
        answer = await guess(hall, address)
        assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_who_guesses_tokens_is_told_to_wait_and_then_may_again(hall: Group, clock: StandingClock) -> None:
    await use_up(hall)
    for _ in range(3):
        answer = await guess(hall)
        assert (answer.status, answer.code) == (429, "too_many_attempts")
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.headers["Retry-After"] == "1" and "Wait 1 second" in answer.body["hint"]
    clock.passes(float(answer.headers["Retry-After"]))
    for _ in range(int(FAILURES_PER_SECOND)):
        assert (await guess(hall)).status == 401, "what Retry-After says is true"
    assert (await guess(hall)).status == 429


async def test_members_in_the_same_house_as_somebody_who_guesses_are_let_in(hall: Group) -> None:
    await use_up(hall)
    assert (await guess(hall)).status == 429
    for who in ("member", "coordinator", "operator"):
        # Also one whose token this process has not seen yet.
        assert (await guess(hall, token=hall.tokens[who])).status == 400
    invited = await hall.post("operator", "/members", {"name": "Bo", "role": "member"})
    joined = await hall.post(None, "/join", {"invitation": invited.body["invitation"]}, X_Forwarded_For="203.0.113.7")
    assert joined.status == 201, "and so is who comes with a right invitation"


async def test_other_addresses_are_not_affected_and_nobody_can_pretend_to_be_one(hall: Group) -> None:
    await use_up(hall)
    assert (await guess(hall, "203.0.113.8")).status == 401
    assert (await guess(hall, "198.51.100.1, 203.0.113.7")).status == 429, "only what our own proxy wrote counts"


async def test_wrong_invitations_and_wrong_tokens_are_counted_together(hall: Group) -> None:
    for number in range(FAILURES_BURST):
        wrong = {"invitation": "no"} if number % 2 else NO_INVITATION
        answer = await hall.post(None, "/join", wrong, X_Forwarded_For="203.0.113.7")
        assert (answer.status, answer.code) == (422, "bad_invitation")
    answer = await hall.post(None, "/join", NO_INVITATION, X_Forwarded_For="203.0.113.7")
    assert (answer.status, answer.code) == (429, "too_many_attempts")
    assert (await guess(hall)).status == 429
    assert (await guess(hall, token="")).status == 429


async def test_fifty_guesses_at_once_cost_fifty(hall: Group) -> None:
    answers = [
        answer
        for _ in range(FAILURES_BURST // 50 + 1)
        for answer in await asyncio.gather(*(guess(hall) for _ in range(50)))
    ]
    assert [answer.status for answer in answers].count(401) == FAILURES_BURST
    assert {answer.status for answer in answers} == {401, 429}


async def test_a_member_in_great_haste_is_held_up_alone(hall: Group, clock: StandingClock) -> None:
    async def ask(who: str) -> Answer:
        return await hall.get(who, CHEAP)

    answers = [answer for _ in range(MEMBER_BURST // 100) for answer in
               await asyncio.gather(*(ask("member") for _ in range(100)))]  # fmt: skip
    assert {answer.status for answer in answers} == {400}, "a thousand at once are no trouble"
    answer = await ask("member")
    assert (answer.status, answer.code) == (429, "too_many_requests")
    assert answer.headers["Retry-After"] == "1" and "nothing was done" in answer.body["detail"]
    refused = await hall.post("member", "/needs", {"category": "food", "quantity": "1", "unit": "kg"})
    assert refused.status == 429
    assert (await ask("other")).status == 400
    clock.passes(float(answer.headers["Retry-After"]))
    statuses = [answer.status for answer in await asyncio.gather(*(ask("member") for _ in range(150)))]
    assert statuses.count(400) == MEMBER_PER_SECOND and set(statuses) == {400, 429}


async def test_operators_import_and_measure_without_limit(hall: Group) -> None:
    for _ in range(MEMBER_BURST // 100 + 1):
        answers = await asyncio.gather(*(hall.get("operator", CHEAP) for _ in range(100)))
        assert {answer.status for answer in answers} == {400}


async def test_pairing_is_counted_by_address_and_by_all(hall: Group) -> None:
    async def pair(address: str) -> Answer:
        return await hall.ask(None, "POST", "/aidmesh/1/pair", b"x", X_Forwarded_For=address)

    answers = [await pair("203.0.113.7") for _ in range(PAIRING_BURST)]
    assert {answer.status for answer in answers} == {400}
    while (hasty := await pair("203.0.113.7")).status == 400:
        pass
    assert (hasty.status, hasty.code, hasty.headers["Retry-After"]) == (429, "rate", "1")
    assert (await pair("203.0.113.8")).status == 400, "a group at another address can pair"
    assert REQUESTS_BURST > PAIRING_BURST, "one address alone cannot use up what all have together"


def asking(remote: str, forwarded: tuple[str, ...] = ()) -> str:
    request = make_mocked_request(
        "GET", "/", headers=CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    ).clone(remote=remote)
    return Sources("10.0.0.0/8, 127.0.0.1, fd00::1").of(request)


@pytest.mark.parametrize(
    ("remote", "forwarded", "source"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),
        ("10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("192.0.2.1, 198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("192.0.2.1", "198.51.100.1"), "198.51.100.1"),
        ("10.1.2.3", ("not an address",), "10.1.2.3"),
        ("10.1.2.3", ("",), "10.1.2.3"),
        ("10.1.2.3", (), "10.1.2.3"),
        ("::ffff:203.0.113.7", (), "203.0.113.7"),
        ("::ffff:10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", (), "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", (), "2001:db8:1:2::/64"),
        ("fd00::1", ("2001:db8:1:2::9",), "2001:db8:1:2::/64"),
        ("fe80::1%eth0", (), "fe80::/64"),
        ("", (), ""),
    ],
)
def test_the_address_is_what_was_seen_by_somebody_we_believe(
    remote: str, forwarded: tuple[str, ...], source: str
) -> None:
    assert asking(remote, forwarded) == source


@pytest.mark.parametrize("proxies", ["caddy", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.1 10.0.0.2"])
def test_proxies_that_are_no_addresses_are_refused_at_the_start(proxies: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[node]\nname = "North"\n[state]\ndir = "/tmp"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"node\.proxies"):
        load_config(path, {"AIDMESH_NODE__PROXIES": proxies})
    config, origins = load_config(path, {"AIDMESH_NODE__PROXIES": "127.0.0.1, 172.28.0.0/16"})
    assert config.node.proxies and origins["node.proxies"] == "environment AIDMESH_NODE__PROXIES"


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 3)), max_size=200))
def test_nobody_gets_more_than_their_share_and_memory_is_bounded(asked: list[tuple[int, float]]) -> None:
    clock = StandingClock()
    rates = Rates(clock, per_second=2.0, burst=5, names_max=40)
    begun, allowed = clock.monotonic(), dict[int, int]()
    for name, pause in asked:
        clock.passes(pause)
        wait = rates.spend(str(name))
        allowed[name] = allowed.get(name, 0) + (wait == 0)
        assert allowed[name] <= 5 + 2 * (clock.monotonic() - begun) + 1e-6
        if wait:
            clock.passes(wait)
            assert rates.spend(str(name)) == 0 or wait < 1e-9, "after what it says, one may"
            allowed[name] += 1


def test_many_names_use_no_more_than_their_bound() -> None:
    rates = Rates(StandingClock(), per_second=1.0, burst=3, names_max=100)
    for number in range(10_000):
        rates.spend(str(number))
        if number % 50 == 0:
            rates.spend("somebody who comes again")
    assert len(rates) == 100
    assert rates.spend("somebody who comes again") > 0, "who asks all the time is not forgotten"
