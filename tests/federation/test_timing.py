"""How long a refusal takes says nothing about what was refused (reliability.md K06, after dudect)."""

from __future__ import annotations

import random
from math import sqrt
from statistics import fmean, variance
from time import perf_counter_ns

import pytest

from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.request_auth import RequestAuth
from tests.support.federation import DrivenClock

T_MAX = 4.5
"""Of Welch's t: beyond this two samples differ by more than chance, one time in 100,000."""

CROPPED = 0.9
"""The share of the quickest that count: what takes longest was interrupted by something else."""


@pytest.mark.parametrize("samples", [20_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_k06_how_long_a_wrong_nonce_takes_tells_nothing(samples: int) -> None:
    auth = RequestAuth("a" * 32, lambda gid: pytest.fail("nobody is asked"), DrivenClock(), Entropy())
    issued = auth._issue("b" * 32)
    body, _, mac = issued.rpartition("~")
    assert auth._issued("b" * 32, issued)
    wrong = [f"{body}~{'A' if mac[0] != 'A' else 'B'}{mac[1:]}", f"{body}~{mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}"]
    taken: list[list[int]] = [[], []]
    chance = random.Random(6)
    for _ in range(samples):
        which = chance.getrandbits(1)
        begun = perf_counter_ns()
        accepted = auth._issued("b" * 32, wrong[which])
        taken[which].append(perf_counter_ns() - begun)
        assert not accepted
    assert abs(welch(*(sorted(each)[: int(len(each) * CROPPED)] for each in taken))) < T_MAX


def test_the_measure_finds_a_difference_that_is_there() -> None:
    chance = random.Random(7)
    one = [chance.gauss(1000, 100) for _ in range(10_000)]
    other = [chance.gauss(1010, 100) for _ in range(10_000)]
    assert abs(welch(one, other)) > T_MAX > abs(welch(one[::2], one[1::2]))


def welch(one: list[int] | list[float], other: list[int] | list[float]) -> float:
    return (fmean(one) - fmean(other)) / sqrt(variance(one) / len(one) + variance(other) / len(other))
