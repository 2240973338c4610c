"""Exact binomial tails and the finding about ghosts."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.verdict.closed_form import least_threshold
from wmproto.verdict.tail import GhostTail, ghost_tail, tail_at_least

labels = st.integers(2, 50)
sizes = st.integers(0, 60)


def binomial(m: int, n: int, k: int) -> Fraction:
    return comb(n, k) * Fraction(1, m) ** k * Fraction(m - 1, m) ** (n - k)


def test_tail_by_hand() -> None:
    assert tail_at_least(10, 2, 0) == (100, 100)
    assert tail_at_least(10, 2, 1) == (19, 100)
    assert tail_at_least(10, 2, 2) == (1, 100)
    assert tail_at_least(10, 2, 3) == (0, 100)
    assert tail_at_least(2, 0, 0) == (1, 1)
    assert tail_at_least(2, 4, 3) == (5, 16)


@given(labels, sizes, st.integers(0, 70))
def test_tail_is_the_sum(m: int, n: int, t: int) -> None:
    num, den = tail_at_least(m, n, t)
    assert Fraction(num, den) == sum((binomial(m, n, k) for k in range(t, n + 1)), Fraction(0))
    assert den == m**n


def test_threshold_by_hand() -> None:
    assert least_threshold(10, 33, 112) is None  # 10^33 < 2^112
    assert least_threshold(10, 34, 112) == 34
    assert least_threshold(2, 112, 112) == 112  # exactly 2^-112
    assert least_threshold(2, 112, 113) is None
    assert least_threshold(10, 75, 112) == 52
    assert least_threshold(10, 196, 160) == 102
    assert least_threshold(10, 5, 0) == 0
    assert least_threshold(10, 0, 0) == 0
    assert least_threshold(10, 0, 1) is None


@given(labels, sizes, st.integers(0, 80))
def test_threshold_is_the_least(m: int, n: int, L: int) -> None:
    def luck(t: int) -> Fraction:
        return Fraction(*tail_at_least(m, n, t))

    t = least_threshold(m, n, L)
    if t is None:
        assert luck(n) > Fraction(1, 2**L)
    else:
        assert luck(t) <= Fraction(1, 2**L)
        assert t == 0 or luck(t - 1) > Fraction(1, 2**L)


def test_ghosts_by_hand() -> None:
    assert ghost_tail(10, 0, 0) == GhostTail(1, 1, 0, 0)
    assert ghost_tail(2, 4, 2) == GhostTail(16, 16, 0, 0)  # both tails 11/16
    assert ghost_tail(2, 4, 4) == GhostTail(2, 16, -3, -3)  # 2 * 1/16, exactly 2^-3
    assert ghost_tail(2, 4, 0) == GhostTail(2, 16, -3, -3)
    assert ghost_tail(10, 2, 2) == GhostTail(2, 100, -6, -5)  # 1/50
    assert ghost_tail(10, 2, 0) == GhostTail(100, 100, 0, 0)  # upper 1, lower 81/100: capped
    # 16 ghosts, all hits: 2/10^16, and 10^16/2 lies between 2^52 and 2^53
    assert ghost_tail(10, 16, 16) == GhostTail(2, 10**16, -53, -52)


@given(labels, sizes, st.data())
def test_ghost_tail_is_two_sided(m: int, n: int, data: Any) -> None:
    hits = data.draw(st.integers(0, n))
    tail = ghost_tail(m, n, hits)
    upper = sum(binomial(m, n, k) for k in range(hits, n + 1))
    lower = sum(binomial(m, n, k) for k in range(hits + 1))
    assert Fraction(tail.num, tail.den) == min(1, 2 * min(upper, lower))
    assert Fraction(2) ** tail.floor_log2 <= Fraction(tail.num, tail.den) <= Fraction(2) ** tail.ceil_log2
    assert tail.ceil_log2 - tail.floor_log2 in (0, 1)


@given(labels, st.integers(0, 30))
def test_ghost_tail_is_a_valid_p_value(m: int, n: int) -> None:
    tails = [Fraction(t.num, t.den) for t in (ghost_tail(m, n, hits) for hits in range(n + 1))]
    for level in tails:
        assert sum(binomial(m, n, hits) for hits in range(n + 1) if tails[hits] <= level) <= level


def test_errors() -> None:
    for call in (
        lambda: tail_at_least(1, 2, 2),
        lambda: tail_at_least(2, -1, 0),
        lambda: tail_at_least(2, 2, -1),
        lambda: least_threshold(2, 2, -1),
        lambda: ghost_tail(2, 2, 3),
        lambda: ghost_tail(1, 2, 1),
    ):
        with pytest.raises(ValueError):
            call()
    for other in (lambda: tail_at_least(2, 2.0, 1), lambda: least_threshold(2, 2, True), lambda: ghost_tail(2, 2, 1.5)):  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            other()
