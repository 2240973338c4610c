"""The numbers of the verdict by another road; shares no code with wmproto.verdict.

Everything here is exact: path counts are integers, probabilities and wealth are ``Fraction``. Where wmproto.verdict goes
leaf by leaf, this file goes hit by hit. A dispute can only end on a hit, so with ``latest(M)`` the last leaf at which
the M-th hit still suffices, a dispute ends at its M-th hit exactly if that hit comes at leaf ``latest(M)`` or before.
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
    """latest[M] for M = 0, 1, ... up to the first M that still suffices at the horizon; M - 1 where M is never enough."""
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
