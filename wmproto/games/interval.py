"""Exact intervals of rates (Clopper and Pearson, 1934), at 95 %."""

from __future__ import annotations

from scipy.stats import beta

from wmproto.games.record import LEVEL, Rate

__all__ = ["interval", "rate"]


def interval(hits: int, total: int) -> tuple[float, float]:
    """The exact two-sided interval of the rate behind ``hits`` of ``total``, total at least 1.

    Raises:
        ValueError: Not 0 <= hits <= total, or total 0.
    """
    if not 0 <= hits <= total or total < 1:
        raise ValueError("needs 0 <= hits <= total and a total of at least 1")
    tail = (1 - LEVEL) / 2
    low = float(beta.ppf(tail, hits, total - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, total - hits)) if hits < total else 1.0
    return low, high


def rate(hits: int, total: int) -> Rate:
    """A rate with its interval, rounded to six digits; arguments as ``interval``."""
    low, high = interval(hits, total)
    return Rate(hits=hits, total=total, low=round(low, 6), high=round(high, 6))
