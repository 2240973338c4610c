"""The numbers of the verdict by another road; shares no code with wmproto.verdict.

Everything here is exact: path counts are integers, probabilities and wealth are ``Fraction``. Where wmproto.verdict
goes leaf by leaf, this file goes hit by hit. A dispute can only end on a hit, so with ``latest(M)`` the last leaf at
which the M-th hit still suffices, it ends at its M-th hit exactly if that hit comes at leaf ``latest(M)`` or before.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from math import comb
from typing import NamedTuple

STAKES = [Fraction(1, 32), Fraction(1, 16), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1)]


def wealth(m: int, hits: int, misses: int) -> Fraction:
    """D12: the average over seven gamblers, each with her own fixed stake at odds of m for 1."""
    return sum((1 - u + u * m) ** hits * (1 - u) ** misses for u in STAKES) / len(STAKES)


def reaches(m: int, bits: int, hits: int, misses: int) -> bool:
    """wealth >= 2**bits, the same average without the common divisors that ``Fraction`` looks for at every step."""
    n = hits + misses
    total = 0
    for u in STAKES:
        k, s = u.numerator, u.denominator.bit_length() - 1  # u = k / 2**s in lowest terms, so s is 0 to 5
        total += ((1 << s) - k + k * m) ** hits * ((1 << s) - k) ** misses << (5 - s) * n
    return total >= len(STAKES) << bits + 5 * n


def latest_leaves(m: int, bits: int, horizon: int) -> list[int]:
    """latest[M] for M = 0, 1, ... up to the first M that suffices at the horizon; M - 1 where M is never enough."""
    latest = [-1]
    while latest[-1] < horizon:
        hits = len(latest)
        n = max(latest[-1], hits - 1)
        while n < horizon and reaches(m, bits, hits, n + 1 - hits):
            n += 1
        latest.append(n)
    return latest


class Fire(NamedTuple):
    """``paths`` sequences of hits and misses end the dispute at leaf ``n`` with ``hits`` hits."""

    n: int
    hits: int
    paths: int


class Race(NamedTuple):
    """All ways in which a dispute of at most ``horizon`` marked leaves can go."""

    horizon: int
    fires: list[Fire]
    alive: list[int]  # alive[M] = sequences of ``horizon`` leaves with M hits that never fired


def race(m: int, bits: int, horizon: int) -> Race:
    latest = latest_leaves(m, bits, horizon)
    fires: list[Fire] = []
    alive = [1]
    # at[n] = sequences of n leaves whose last leaf is hit number ``hits`` and that have not fired before
    at = [1] + [0] * horizon
    for hits in range(1, len(latest)):
        at = [0, *accumulate(at[:-1])]
        fires += [Fire(n, hits, at[n]) for n in range(hits, min(latest[hits], horizon) + 1) if at[n]]
        at[: latest[hits] + 1] = [0] * min(latest[hits] + 1, horizon + 1)
        alive.append(sum(at))
    return Race(horizon, sorted(fires), alive)


def fire_probabilities(race_: Race, r: Fraction) -> dict[int, Fraction]:
    """P[the dispute ends at leaf n] when each marked leaf is a hit with chance r."""
    return {f.n: f.paths * r**f.hits * (1 - r) ** (f.n - f.hits) for f in race_.fires}


def remainder(m: int, bits: int, r: Fraction, horizon: int) -> Fraction | None:
    """A bound on the mean number of leaves after the horizon, by Markov's inequality on 1/wealth of the best gambler.

    Who has not fired has less than 7 * 2^L with each gambler, so P[not fired by n] < 7 * 2^L * E[1/factor]^n. None
    where every gambler's E[1/factor] is 1 or more.
    """
    bounds = []
    for u in STAKES[:-1]:
        rho = r / (1 - u + u * m) + (1 - r) / (1 - u)
        if rho < 1:
            bounds.append(7 * 2**bits * rho**horizon / (1 - rho))
    return min(bounds) if bounds else None


def horizon_for(m: int, bits: int, r: Fraction) -> int:
    """Leaves after which less than a millionth of a leaf of the mean is left."""
    horizon = 64
    while remainder(m, bits, r, horizon) > Fraction(1, 10**6):
        horizon += 64
    return horizon


def quantile(ends: dict[int, Fraction], share: Fraction) -> int:
    total = Fraction(0)
    for n in sorted(ends):
        total += ends[n]
        if total >= share:
            return n
    raise AssertionError("horizon too short")


def mean_interval(m: int, bits: int, race_: Race, r: Fraction) -> tuple[Fraction, Fraction]:
    """Rational numbers that enclose the mean number of leaves."""
    ends = fire_probabilities(race_, r)
    scale = r.denominator**race_.horizon  # one denominator for all, so that nothing has to be reduced
    weights = {n: p.numerator * (scale // p.denominator) for n, p in ends.items()}
    left = scale - sum(weights.values())
    low = Fraction(sum(n * w for n, w in weights.items()) + left * race_.horizon, scale)
    return low, low + (remainder(m, bits, r, race_.horizon) if left else 0)


def with_ghosts(ends: dict[int, Fraction], share: Fraction) -> int:
    """Leaves, each a ghost with chance 1/4, until the dispute ends, at the given quantile: negative binomial counts."""
    pieces = [(n, p) for n, p in ends.items() if p]
    total, t = Fraction(0), 0
    while total < share:
        t += 1
        total += sum((p * comb(t - 1, n - 1) * 3**n for n, p in pieces if n <= t), Fraction(0)) / 4**t
    return t


def fixed_size(m: int, bits: int, r: Fraction, power: Fraction = Fraction(99, 100)) -> tuple[int, int]:
    """Least n whose exact test has the power, and its threshold t, by the waiting time for the t-th hit.

    t hits are significant among n leaves as long as P[t-th hit within n leaves] <= 2^-bits by luck; the chance of t
    hits at retention r grows with n. The first t for which the second reaches the power while the first holds wins.
    """
    t = 0
    while True:
        t += 1
        if 2**bits > m**t:
            continue
        n, ways, luck, hits = t - 1, 1, 0, 0  # luck over m^n, hits over den^n; ways = C(n, t-1)
        while True:
            miss = n + 1 - t
            luck = luck * m + ways * (m - 1) ** miss
            if luck << bits > m ** (n + 1):
                break  # t is significant up to n leaves only
            hits = hits * r.denominator + ways * r.numerator**t * (r.denominator - r.numerator) ** miss
            n += 1
            ways = ways * n // (n - t + 1)
            if hits * power.denominator >= power.numerator * r.denominator**n:
                return n, t
