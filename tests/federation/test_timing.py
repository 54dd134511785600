"""How long a refusal takes says nothing about what was refused (reliability.md K06, after dudect)."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import sqrt
from statistics import fmean, quantiles, variance
from time import perf_counter_ns

import pytest

from aidmesh_node.entropy import Entropy
from aidmesh_node.federation.request_auth import RequestAuth
from tests.support.federation import DrivenClock

T_MAX = 4.5
"""Of the t of differences: beyond this chance is no explanation, one time in 100,000."""

NANOSECONDS_MIN = 20
"""Two equal guesses in two places of memory differ by some nanoseconds, which enough samples make certain too."""

RUNS = 3
"""A difference that is there shows in every run; that of a machine which does other things besides does not."""

CROPPED = 90
"""Of a hundred measures the quickest so many count: what takes longest was interrupted by something else."""


@pytest.mark.parametrize("samples", [10_000, pytest.param(500_000, marks=pytest.mark.soak)])
def test_k06_how_long_a_wrong_nonce_takes_tells_nothing(samples: int) -> None:
    auth = RequestAuth("a" * 32, lambda gid: pytest.fail("nobody is asked"), DrivenClock(), Entropy())
    issued = auth._issue("b" * 32)
    body, _, mac = issued.rpartition("~")
    assert auth._issued("b" * 32, issued)
    assert not tells(lambda nonce: auth._issued("b" * 32, nonce), *wrong_at_both_ends(f"{body}~", mac), samples)


def test_the_measure_finds_a_comparison_that_ends_at_the_first_difference() -> None:
    secret = "k" * 24

    def leaks(guess: str) -> bool:
        return all(a == b for a, b in zip(guess, secret, strict=True))

    assert tells(leaks, *wrong_at_both_ends("", secret), 10_000)


def wrong_at_both_ends(start: str, right: str) -> tuple[str, str]:
    """A guess that is wrong at its first character, and one that is wrong at its last."""
    first, last = ("A" if each != "A" else "B" for each in (right[0], right[-1]))
    return f"{start}{first}{right[1:]}", f"{start}{right[:-1]}{last}"


def tells(accepts: Callable[[str], bool], early: str, late: str, samples: int) -> bool:
    """Whether the time of refusing one rather than the other differs in every run, and always the same way."""
    found = [difference(accepts, early, late, samples, seed) for seed in range(RUNS)]
    clear = [t for t, nanoseconds in found if abs(nanoseconds) > NANOSECONDS_MIN]
    return len(clear) == RUNS and (min(clear) > T_MAX or max(clear) < -T_MAX)


def difference(accepts: Callable[[str], bool], early: str, late: str, samples: int, seed: int) -> tuple[float, float]:
    """The t of (late - early) and its mean in nanoseconds. Each pair is measured at once and in random order: what is
    slow for a while is slow for both."""
    chance = random.Random(seed)
    pairs: list[tuple[int, int]] = []
    for _ in range(samples):
        first_late = chance.getrandbits(1)
        one, other = (took(accepts, guess) for guess in ((late, early) if first_late else (early, late)))
        pairs.append((other, one) if first_late else (one, other))
    limit = quantiles([each for pair in pairs for each in pair], n=100)[CROPPED - 1]
    kept = [late_took - early_took for early_took, late_took in pairs if max(early_took, late_took) <= limit]
    return fmean(kept) / sqrt(max(variance(kept), 1) / len(kept)), fmean(kept)


def took(accepts: Callable[[str], bool], guess: str) -> int:
    begun = perf_counter_ns()
    accepted = accepts(guess)
    ended = perf_counter_ns()
    assert not accepted
    return ended - begun
