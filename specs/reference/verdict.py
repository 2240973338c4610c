"""The bet that decides (D13), in fractions: what a gambler's wealth is, without any shortcut (specs/verdict.md)."""

from fractions import Fraction
from math import comb

STAKES = [Fraction(k, 32) for k in (1, 2, 4, 8, 16, 24, 32)]


def evidence(m, n, hits):
    """E after n marked leaves with that many hits, m equally likely labels."""
    total = Fraction(0)
    for u in STAKES:
        total += (1 + u * (m - 1)) ** hits * (1 - u) ** (n - hits)
    return total / 7


def fires(m, n, hits, bits):
    return evidence(m, n, hits) >= Fraction(2) ** bits


def floor_log2(x):
    """The largest integer e with 2**e <= x, for a fraction x > 0."""
    e = 0
    while Fraction(2) ** e > x:
        e -= 1
    while Fraction(2) ** (e + 1) <= x:
        e += 1
    return e


def ceil_log2(x):
    e = floor_log2(x)
    return e if Fraction(2) ** e == x else e + 1


def least_hits(m, n, bits):
    for hits in range(n + 1):
        if fires(m, n, hits, bits):
            return hits
    return None


def mark_absent(m, n, hits):
    """D14, of a later version: retention of 3/5 or more is excluded at 2**-20."""
    p, r = Fraction(1, m), Fraction(3, 5)
    return (p / r) ** hits * ((1 - p) / (1 - r)) ** (n - hits) >= 2**20


def tail(m, n, t):
    """P[Bin(n, 1/m) >= t]"""
    p = Fraction(1, m)
    return sum((comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(t, n + 1)), Fraction(0))


def ghost_tail(m, n, hits):
    """min(1, 2 * min(upper, lower))"""
    upper, lower = tail(m, n, hits), 1 - tail(m, n, hits + 1)
    return min(Fraction(1), 2 * min(upper, lower))


def bound_log2(bits, K, S, B, Q, beacon):
    """Ceiling of log2 of the chance that some label-independent model is ever found DEPENDENT; 0 says nothing."""
    tries = K * S * B if beacon else Q * S * B
    chance = tries / Fraction(2) ** bits + Fraction(Q**2, 2**257)
    if beacon:
        chance += Fraction(K * Q, 2**256)
    return min(0, ceil_log2(chance))


def supported_log2(log2_e, K, S, B, Q, beacon):
    """Ceiling of log2 of (tries / E) for E >= 2**log2_e."""
    tries = K * S * B if beacon else Q * S * B
    return min(0, ceil_log2(tries / Fraction(2) ** log2_e))
