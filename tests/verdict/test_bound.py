"""The bound of 8.10 against values worked out by hand and against rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.verdict.bound import Assumptions, false_claim_bound_log2, supported_bound_log2

PROFILE = Assumptions()
counts = st.integers(1, 1 << 70)


def enclosed(x: Fraction, b: int) -> bool:
    """b = min(0, ceil(log2 x))."""
    return x > Fraction(1, 2) if b == 0 else Fraction(2) ** (b - 1) < x <= Fraction(2) ** b


def test_profile() -> None:
    assert (PROFILE.K, PROFILE.S, PROFILE.B, PROFILE.Q) == (2**17, 2**24, 2**7, 2**65)
    # K*S*B = 2^48 and Q*S*B = 2^96: the first term is 2^-64 in both cases, and the hash terms (2^-127 and 2^-174)
    # push the sum a little above it, so that the ceiling is -63
    assert false_claim_bound_log2(112, PROFILE, beacon=True) == -63
    assert false_claim_bound_log2(160, PROFILE, beacon=False) == -63
    # a beacon that somebody knew early: 2^-(112 - 96) and a little
    assert false_claim_bound_log2(112, PROFILE, beacon=False) == -15
    assert false_claim_bound_log2(96, PROFILE, beacon=False) == 0


def test_by_hand() -> None:
    small = Assumptions(K=1, S=1, B=1, Q=1)
    assert false_claim_bound_log2(7, small, beacon=False) == -6  # 2^-7 + 2^-257
    assert false_claim_bound_log2(257, small, beacon=False) == -256  # 2^-257 + 2^-257
    assert false_claim_bound_log2(258, small, beacon=False) == -256  # 1.5 * 2^-257
    assert false_claim_bound_log2(257, small, beacon=True) == -255  # 2 * 2^-257 + 2^-256 = 2^-255
    # 2^-257 + 2 * 2^-256 = 5 * 2^-257 and next to nothing
    assert false_claim_bound_log2(10**4, Assumptions(K=2, S=1, B=1, Q=1), beacon=True) == -254
    assert false_claim_bound_log2(0, small, beacon=True) == 0
    # three keys on 2^20 models, 5 starts, L = 64: 15 * 2^-44 is just below 2^-40, and so it stays with Q = 2^65
    assert false_claim_bound_log2(64, Assumptions(K=3, S=2**20, B=5), beacon=True) == -40
    # the hash terms alone: Q = 2^128 makes Q^2/2^257 = 1/2
    assert false_claim_bound_log2(10**4, Assumptions(Q=2**128), beacon=False) == 0
    assert false_claim_bound_log2(10**4, Assumptions(Q=2**100), beacon=False) == -56


@given(st.integers(0, 300), counts, counts, counts, counts, st.booleans())
def test_is_the_ceiling(bits: int, K: int, S: int, B: int, Q: int, beacon: bool) -> None:
    x = Fraction((K if beacon else Q) * S * B, 2**bits) + Fraction(Q**2, 2**257)
    if beacon:
        x += Fraction(K * Q, 2**256)
    assert enclosed(x, false_claim_bound_log2(bits, Assumptions(K, S, B, Q), beacon=beacon))


def test_supported_by_hand() -> None:
    assert supported_bound_log2(112, PROFILE, beacon=True) == -64
    assert supported_bound_log2(160, PROFILE, beacon=False) == -64
    assert supported_bound_log2(100, PROFILE, beacon=True) == -52
    assert supported_bound_log2(48, PROFILE, beacon=True) == 0
    assert supported_bound_log2(47, PROFILE, beacon=True) == 0
    assert supported_bound_log2(-5, PROFILE, beacon=False) == 0
    assert supported_bound_log2(50, Assumptions(K=3, S=1, B=1), beacon=True) == -48  # ceil(log2 3) = 2


@given(st.integers(-100, 400), counts, counts, counts, st.booleans())
def test_supported_is_the_ceiling(log2: int, K: int, S: int, B: int, beacon: bool) -> None:
    a = Assumptions(K, S, B)
    x = (K if beacon else a.Q) * S * B / Fraction(2) ** log2
    assert enclosed(x, supported_bound_log2(log2, a, beacon=beacon))


def test_errors() -> None:
    for field in ("K", "S", "B", "Q"):
        with pytest.raises(ValueError):
            Assumptions(**{field: 0})
        with pytest.raises(TypeError):
            Assumptions(**{field: 2.0**17})  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        false_claim_bound_log2(-1, PROFILE, beacon=True)
    with pytest.raises(TypeError):
        false_claim_bound_log2(112.0, PROFILE, beacon=True)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        supported_bound_log2(1.5, PROFILE, beacon=True)  # type: ignore[arg-type]
