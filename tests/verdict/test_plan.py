"""Plans: what the tables of 4.3 do not hold (ghosts, key capacity, weak marks). The rest is in test_tables_4_3."""

from __future__ import annotations

import ast
from fractions import Fraction
from math import comb
from pathlib import Path

import exact_dp
import pytest

import wmproto.verdict
from wmproto.verdict.plan import fixed_size, plan, sequential_size


def test_a_plan() -> None:
    p = plan(10, 160, (6, 10))
    assert (p.m, p.bits, p.retention, p.fixed) == (10, 160, (3, 5), (196, 102))
    assert p.sequential is not None
    assert (p.sequential.mean_tenths, p.sequential.marked, p.sequential.offered_simple) == (1521, 203, 271)
    assert (p.sequential.offered, p.sequential.range_leaves) == (275, 288)
    # grid max(16, N/128): 2 of 288 in 640, and one after the other at the mean of 203 leaves (208 in whole rounds)
    assert p.sequential.disputes(640) == (2, 3)
    assert p.sequential.disputes(1024) == (3, 4)
    assert p.sequential.disputes(272) == (0, 1)
    assert p.sequential.disputes(4096) == (14, 18)  # grid 32: 288 and 224
    assert p.sequential.disputes(65536) == (128, 128)  # grid 512


@pytest.mark.parametrize(
    ("m", "bits", "r"),
    [
        (10, 112, "1"),
        (10, 112, "3/5"),
        (10, 160, "4/5"),
        (100, 112, "3/5"),
        (2, 64, "9/10"),
        (3, 40, "3/4"),
        (2, 112, "1"),
    ],
)
def test_leaves_with_ghosts(m: int, bits: int, r: str) -> None:
    retention, share = Fraction(r), Fraction(99, 100)
    size = sequential_size(m, bits, retention.as_integer_ratio())
    assert size is not None
    ends = exact_dp.fire_probabilities(exact_dp.race(m, bits, exact_dp.horizon_for(m, bits, retention)), retention)
    assert size.offered == exact_dp.with_ghosts(ends, share)
    assert size.range_leaves % 16 == 0
    assert 0 <= size.range_leaves - size.offered < 16
    assert size.offered_simple == -(-4 * size.marked // 3) <= size.offered


def test_four_thirds_are_too_few_leaves_for_a_strong_mark() -> None:
    size = sequential_size(10, 112, (1, 1))
    assert size is not None
    assert (size.marked, size.offered_simple, size.offered) == (35, 47, 57)
    marked_of_47 = sum(comb(47, k) * Fraction(3, 4) ** k * Fraction(1, 4) ** (47 - k) for k in range(35, 48))
    assert marked_of_47 < Fraction(65, 100)  # not 99 %


def test_weak_marks_have_no_plan() -> None:
    for m, r in ((10, (1, 10)), (10, (0, 1)), (10, (13, 100)), (2, (1, 2)), (2, (51, 100))):
        p = plan(m, 160, r)
        assert p.sequential is None
        assert p.fixed is None
    assert fixed_size(10, 160, (1, 10)) is None
    assert fixed_size(2, 9000, (1, 1)) is None  # beyond LIMIT


def test_errors() -> None:
    for bad in ((3, 2), (-1, 2), (0, 0), (1, -2)):
        with pytest.raises(ValueError):
            plan(10, 112, bad)
    for m, bits in ((1, 112), (10, 0)):
        with pytest.raises(ValueError):
            plan(m, bits, (1, 1))
    with pytest.raises(TypeError):
        plan(10, 112, (0.6, 1))  # type: ignore[arg-type]
    size = sequential_size(10, 112, (1, 1))
    assert size is not None
    for leaves in (0, 15, 17, 2064, 65536 + 2048):
        with pytest.raises(ValueError):
            size.disputes(leaves)


def test_integers_only() -> None:
    """No float, no true division, no import beyond the standard library and wmproto.errors, in the whole package."""
    for path in Path(wmproto.verdict.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not isinstance(node, ast.Div)
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
            assert not (isinstance(node, ast.Name) and node.id in ("float", "round", "eval"))
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                assert module in (
                    "__future__",
                    "collections.abc",
                    "dataclasses",
                    "functools",
                    "math",
                ) or module.startswith(("wmproto.verdict", "wmproto.errors"))
