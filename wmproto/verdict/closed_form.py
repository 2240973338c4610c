"""D13 and the fixed-size test in one step from (m, n, M): for plans, tests and people; a dispute counts leaf by leaf.

See `specs/verdict.md`. Integers only.
"""

from __future__ import annotations

from wmproto.verdict.wealth import FRACTIONS, Wealth, floor_log2_ratio, whole


def _sum(m: int, n: int, hits: int) -> int:
    """Return E * 7 * 32^n by the formula of D13 (Python's 0**0 is 1)."""
    Wealth(m, n, hits)  # checks the ranges
    return sum((32 + k * (m - 1)) ** hits * (32 - k) ** (n - hits) for k in FRACTIONS)


def fires(m: int, n: int, M: int, L: int) -> bool:
    """Return whether M hits among n marked leaves with m equally likely labels make E >= 2^L; one step, no history.

    Raises:
        TypeError: An argument is not an int.
        ValueError: m < 2, n < 0, M outside 0 to n, or L < 0.
    """
    return _sum(m, n, M) >> whole("L", L, 0) + 5 * n >= len(FRACTIONS)


def floor_log2_evidence(m: int, n: int, M: int) -> int:
    """Return floor(log2 E) for M hits among n marked leaves; arguments and errors as ``fires``."""
    return floor_log2_ratio(_sum(m, n, M), len(FRACTIONS) << 5 * n)


def least_hits(m: int, n: int, L: int) -> int | None:
    """Return the least M with ``fires(m, n, M, L)``, or None if even n hits are too few; errors as ``fires``."""
    if not fires(m, n, n, L):
        return None
    low, high = -1, n  # E grows with M; high fires, low does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fires(m, n, middle, L) else (middle, high)
    return high


def least_threshold(m: int, n: int, L: int) -> int | None:
    """Return the least t with 2^L * P[Bin(n, 1/m) >= t] <= 1, or None if even t = n is too likely.

    Args:
        m: Number of equally likely labels, at least 2.
        n: Leaves, at least 0.
        L: Bits, at least 0.

    Raises:
        TypeError: An argument is not an int.
        ValueError: An argument is out of range.
    """
    whole("m", m, 2)
    whole("n", n, 0)
    limit = m**n >> whole("L", L, 0)  # for an integer x: 2^L x <= m^n exactly if x <= floor(m^n / 2^L)
    total, term = 0, 1
    for k in range(n, -1, -1):
        total += term
        if total > limit:
            return k + 1 if k < n else None
        term = term * k * (m - 1) // (n - k + 1)
    return 0
