"""How many leaves a dispute takes: what ``wmproto verdict plan`` prints (`specs/verdict.md`, "Planning").

Retention r is the chance that the model still gives the label on a marked leaf, all leaves alike and independent: an
assumption about the mark, not about the protocol. Everything is exact: paths are counted leaf by leaf, and a path with
h hits of n weighs num^h (den-num)^(n-h) over den^n for r = num/den. No number here enters a verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import gcd

from wmproto.verdict.wealth import FRACTIONS, Wealth, whole

LIMIT = 8192
"""Marked leaves beyond which a plan is not worked out: such a mark is too weak to be useful."""


@dataclass(frozen=True, slots=True)
class Sequential:
    """Leaves that a dispute by D13 takes until it is DEPENDENT.

    Args:
        mean_tenths: Mean number of marked leaves in tenths, to the nearest (of a sum that lacks less than 2^-20).
        marked: Marked leaves that suffice with chance 99 % or more (the 99 % quantile).
        offered_simple: Those and one ghost for every three: ceil(4/3 * marked).
        offered: Leaves that suffice with chance 99 % or more when each one is a ghost with chance 1/4.
        range_leaves: ``offered`` rounded up to whole rounds of 16: the count to file.
    """

    mean_tenths: int
    marked: int
    offered_simple: int
    offered: int
    range_leaves: int

    @property
    def mean_leaves(self) -> int:
        """Mean number of leaves with ghosts, one in four, rounded up."""
        return -(-self.mean_tenths * 4 // 30)

    def disputes(self, leaves: int) -> tuple[int, int]:
        """Return how many disputes a key of ``leaves`` leaves is good for: if all use the whole range, and at the mean.

        A dispute starts at a multiple of max(16, N/128), so it costs a multiple of that.

        Raises:
            TypeError: ``leaves`` is not an int.
            ValueError: No key has that many leaves (16 to 65,536, in 16s, above 2,048 in 2,048s).
        """
        if whole("leaves", leaves, 16) > 65536 or leaves % (16 if leaves <= 2048 else 2048):
            raise ValueError(f"no key has {leaves} leaves")
        grid = max(16, leaves // 128)
        return leaves // _round_up(self.range_leaves, grid), leaves // _round_up(self.mean_leaves, grid)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to expect at retention ``num/den`` with ``m`` labels and ``bits`` = L; None where the mark is too weak.

    ``retention`` is in lowest terms; ``sequential`` follows D13; ``fixed`` is (n, t) of the fixed-size test.
    """

    m: int
    bits: int
    retention: tuple[int, int]
    sequential: Sequential | None
    fixed: tuple[int, int] | None


def plan(m: int, bits: int, retention: tuple[int, int]) -> Plan:
    """Work out a plan.

    Args:
        m: Number of equally likely labels, at least 2.
        bits: L, at least 1.
        retention: (num, den) with 0 <= num <= den and den >= 1.

    Raises:
        TypeError: An argument is not an int.
        ValueError: An argument is out of range.
    """
    ratio = _ratio(m, bits, retention)
    sequential = sequential_size(m, bits, ratio)
    return Plan(m, bits, ratio, sequential, fixed_size(m, bits, ratio) if sequential else None)


def fixed_size(m: int, bits: int, retention: tuple[int, int]) -> tuple[int, int] | None:
    """Return (n, t): t of n hits have chance <= 2^-bits by luck, >= 99 % at this retention; the least n, or None."""
    num, den = _ratio(m, bits, retention)
    if num * m <= den:
        return None
    # at n leaves: t the threshold, ways = C(n, t-1), null and power = P[>= t] over m^n and den^n
    t, ways, null, power = 1, 1, 0, 0
    for n in range(LIMIT):
        misses = n - t + 1
        null = null * m + ways * (m - 1) ** misses
        power = power * den + ways * num**t * (den - num) ** misses
        ways = ways * (n + 1) // (misses + 1)
        while null << bits > m ** (n + 1):
            misses = n + 1 - t
            ways = ways * (misses + 1) // t
            null -= ways * (m - 1) ** misses
            power -= ways * num**t * (den - num) ** misses
            t += 1
        if 100 * power >= 99 * den ** (n + 1):
            return n + 1, t
    return None


def sequential_size(m: int, bits: int, retention: tuple[int, int]) -> Sequential | None:
    """Return the leaves that D13 takes, or None if the mark is too weak; arguments and errors as ``plan``."""
    num, den = _ratio(m, bits, retention)
    horizon = _horizon(m, bits, num, den)
    if horizon is None:
        return None
    edge = Wealth.start(m)  # the fewest hits that fire at this leaf; all hits while even those do not
    alive = [1]  # alive[h] = sequences with h hits that have not fired
    done, total, marked = [0], 0, 0  # P[fired by leaf n] over den^n; sum of P[not fired by j], j < n, over den^n
    unit = 1  # den^n
    for n in range(1, horizon + 1):
        total, unit = (total + unit - done[-1]) * den, unit * den
        edge = lower if (lower := edge.miss()).fires(bits) else edge.hit()
        ended, alive = alive[-1], [1, *map(int.__add__, alive, alive[1:]), alive[-1]]
        fired = 0
        if edge.fires(bits):
            if len(alive) > edge.hits:  # the sequences that reached the edge with this leaf
                fired = ended * num**edge.hits * (den - num) ** (n - edge.hits)
            del alive[edge.hits :]
        done.append(done[-1] * den + fired)
        if not marked and 100 * done[n] >= 99 * unit:
            marked = n
        if done[n] == unit:
            break
    mean_tenths = (20 * total + unit) // (2 * unit)
    offered = _with_ghosts(done, den, marked)
    if offered is None:
        return None
    return Sequential(mean_tenths, marked, -(-4 * marked // 3), offered, _round_up(offered, 16))


def _horizon(m: int, bits: int, num: int, den: int) -> int | None:
    """Return an H with sum over n >= H of P[not fired by n] <= 2^-20, or None if there is none up to LIMIT.

    While E < 2^L each gambler has W_k < 7 * 2^L, so by Markov P[not fired by n] < 7 * 2^L * (p/q)^n, p/q = E[1/factor].
    """
    best = None
    for k in FRACTIONS[:-1]:
        up, down = 32 + k * (m - 1), 32 - k
        p, q = 32 * (num * down + (den - num) * up), den * up * down
        if p < q:
            best = _least(partial(_negligible, bits, p, q), best or LIMIT) or best
    return best


def _negligible(bits: int, p: int, q: int, n: int) -> bool:
    return bool(7 * p**n * q << bits + 20 <= q**n * (q - p))


def _least(enough: Callable[[int], bool], high: int) -> int | None:
    """Return the least n in 1 to ``high`` that is enough, or None; who is enough stays so as n grows."""
    if not enough(high):
        return None
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _with_ghosts(done: list[int], den: int, marked: int) -> int | None:
    """Return the least t with P[fired within t leaves] >= 99 % when each leaf is marked with chance 3/4.

    P[fired within j marked leaves] is rounded down to a multiple of 2^-256, so t is never too small.
    """
    chances = [(fired << 256) // den**j for j, fired in enumerate(done)]

    def enough(t: int) -> bool:
        total, ways = 0, 1  # ways = C(t, j) 3^j: j of the t leaves are marked
        for j in range(t + 1):
            total += ways * chances[min(j, len(chances) - 1)]
            ways = ways * 3 * (t - j) // (j + 1)
        return 100 * total >= 99 << 2 * t + 256

    return _least(enough, 2 * marked + 64) or _least(enough, 8 * LIMIT)


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step


def _ratio(m: int, bits: int, retention: tuple[int, int]) -> tuple[int, int]:
    whole("m", m, 2)
    whole("bits", bits, 1)
    num, den = retention
    if whole("retention numerator", num, 0) > whole("retention denominator", den, 1):
        raise ValueError("retention must be at most 1")
    return num // gcd(num, den), den // gcd(num, den)
