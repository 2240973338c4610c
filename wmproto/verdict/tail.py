"""Exact binomial tails: the test of a fixed number of leaves, and the finding about ghosts (`specs/verdict.md`).

For a model that knows nothing of the labels the hits among n opened leaves are Bin(n, 1/m) exactly, so every tail is an
integer over m^n: sum over k of C(n, k) (m-1)^(n-k). Nothing here is rounded. The fixed-size test is not the verdict of
a dispute, which is D13; it is what plans compare with.
"""

from dataclasses import dataclass

from wmproto.verdict.wealth import floor_log2_ratio, whole


def tail_at_least(m: int, n: int, t: int) -> tuple[int, int]:
    """Return P[Bin(n, 1/m) >= t] as (numerator, m^n), not reduced.

    Args:
        m: Number of equally likely labels, at least 2.
        n: Leaves, at least 0.
        t: Hits, at least 0; above n the numerator is 0.

    Raises:
        TypeError: An argument is not an int.
        ValueError: An argument is out of range.
    """
    whole("m", m, 2)
    whole("n", n, 0)
    whole("t", t, 0)
    total, term = 0, 1  # term = C(n, k) (m-1)^(n-k), from k = n downwards
    for k in range(n, t - 1, -1):
        total += term
        term = term * k * (m - 1) // (n - k + 1)
    return total, m**n


@dataclass(frozen=True, slots=True)
class GhostTail:
    """A two-sided tail ``num/den`` (0 < num <= den) and the whole numbers that enclose its log2, both at most 0."""

    num: int
    den: int
    floor_log2: int
    ceil_log2: int


def ghost_tail(m: int, n: int, hits: int) -> GhostTail:
    """Return min(1, 2 * min(P[X >= hits], P[X <= hits])) for X = Bin(n, 1/m), the finding about opened ghosts.

    Ghosts are never embedded, so an honest key has hits on them by chance alone. A small value is a finding about the
    owner (her labels leaked, or she embedded ghosts); it convicts and clears nobody (rule `verdict-ghost-2`).

    Args:
        m: Number of equally likely labels, at least 2.
        n: Ghosts asked and opened, at least 0.
        hits: Hits among them, 0 to n.

    Raises:
        TypeError: An argument is not an int.
        ValueError: An argument is out of range.
    """
    if whole("hits", hits, 0) > whole("n", n, 0):
        raise ValueError(f"hits must be at most n = {n}, not {hits}")
    upper, den = tail_at_least(m, n, hits)
    above, _ = tail_at_least(m, n, hits + 1)
    num = min(den, 2 * min(upper, den - above))
    return GhostTail(num, den, floor_log2_ratio(num, den), -floor_log2_ratio(den, num))
