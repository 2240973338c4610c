"""D13: known answers, the closed form against the step by step form, and the bound it exists for."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import exact_dp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.verdict.closed_form import fires, floor_log2_evidence, least_hits
from wmproto.verdict.wealth import FRACTIONS, Wealth

KNOWN: dict[str, list[list[Any]]] = json.loads((Path(__file__).parent / "known_answers.json").read_text())

labels = st.integers(2, 2000)
runs = st.lists(st.booleans(), max_size=80)
bits = st.integers(0, 300)


def play(m: int, run: list[bool]) -> Wealth:
    wealth = Wealth.start(m)
    for hit in run:
        wealth = wealth.hit() if hit else wealth.miss()
    return wealth


@pytest.mark.parametrize(("m", "L", "n", "least"), KNOWN["least_hits"])
def test_known_least_hits(m: int, L: int, n: int, least: int | None) -> None:
    assert least_hits(m, n, L) == least
    assert fires(m, n, n, L) == (least is not None)
    if least is not None:
        assert fires(m, n, least, L)
        assert not fires(m, n, least - 1, L)


@pytest.mark.parametrize(("m", "n", "M", "log2"), KNOWN["floor_log2"])
def test_known_floor_log2(m: int, n: int, M: int, log2: int) -> None:
    assert floor_log2_evidence(m, n, M) == log2
    assert play(m, [True] * M + [False] * (n - M)).floor_log2() == log2


def test_first_steps_by_hand() -> None:
    # m = 10, one hit: factors 1 + 9k/32, sum (7*32 + 9*87)/32 = 1007/32, E = 1007/224 = 4.49
    assert Wealth.start(10).hit().terms == (41, 50, 68, 104, 176, 248, 320)
    assert sum(Wealth.start(10).hit().terms) == 1007
    # one miss: sum (7*32 - 87)/32 = 137/32, E = 137/224 = 0.61
    assert Wealth.start(10).miss().terms == (31, 30, 28, 24, 16, 8, 0)
    assert Wealth.start(10).miss().hit().terms == (1271, 1500, 1904, 2496, 2816, 1984, 0)


def test_a_gambler_who_stakes_everything_plays_until_the_first_miss() -> None:
    assert Wealth.start(2).terms[-1] == 1  # 0^0 = 1
    assert play(2, [True] * 5).terms[-1] == 64**5
    assert play(2, [True] * 5 + [False]).terms[-1] == 0
    assert play(2, [False] * 400).floor_log2() < 0  # and yet E > 0


@given(labels, runs, bits)
def test_step_by_step_is_the_closed_form(m: int, run: list[bool], L: int) -> None:
    wealth, n, hits = play(m, run), len(run), sum(run)
    assert (wealth.n, wealth.hits) == (n, hits)
    assert wealth.terms == tuple((32 + k * (m - 1)) ** hits * (32 - k) ** (n - hits) for k in FRACTIONS)
    assert wealth.fires(L) == fires(m, n, hits, L)
    assert wealth.floor_log2() == floor_log2_evidence(m, n, hits)


@given(labels, runs, bits)
def test_it_is_the_average_that_d12_defines(m: int, run: list[bool], L: int) -> None:
    n, hits = len(run), sum(run)
    evidence = exact_dp.wealth(m, hits, n - hits)
    assert evidence * 7 * 32**n == sum(play(m, run).terms)
    assert fires(m, n, hits, L) == (evidence >= 2**L) == exact_dp.reaches(m, L, hits, n - hits)
    assert (
        Fraction(2) ** floor_log2_evidence(m, n, hits)
        <= evidence
        < Fraction(2) ** (floor_log2_evidence(m, n, hits) + 1)
    )


@given(labels, runs, st.randoms(use_true_random=False))
def test_order_does_not_matter(m: int, run: list[bool], random: Any) -> None:
    shuffled = list(run)
    random.shuffle(shuffled)
    assert play(m, run) == play(m, shuffled)


@given(labels, runs, bits)
def test_a_hit_more_helps_and_a_miss_more_hurts(m: int, run: list[bool], L: int) -> None:
    wealth = play(m, run)
    assert sum(wealth.miss().terms) < 32 * sum(wealth.terms) < sum(wealth.hit().terms)
    if wealth.fires(L):
        assert wealth.hit().fires(L)
    else:
        assert not wealth.miss().fires(L)


@given(labels, runs)
def test_floor_log2_agrees_with_fires(m: int, run: list[bool]) -> None:
    wealth = play(m, run)
    log2 = wealth.floor_log2()
    assert not wealth.fires(max(0, log2 + 1))
    if log2 >= 0:
        assert wealth.fires(log2)


@given(labels, runs)
def test_the_bet_is_fair_for_every_gambler(m: int, run: list[bool]) -> None:
    wealth = play(m, run)
    for now, hit, miss in zip(wealth.terms, wealth.hit().terms, wealth.miss().terms, strict=True):
        p0, scale = Fraction(1, m), 32**wealth.n
        assert p0 * Fraction(hit, 32 * scale) + (1 - p0) * Fraction(miss, 32 * scale) == Fraction(now, scale)


@given(labels, st.integers(0, 60), st.integers(1, 120))
def test_least_hits_is_the_edge_of_fires(m: int, n: int, L: int) -> None:
    assert least_hits(m, n, L) == next((M for M in range(n + 1) if fires(m, n, M, L)), None)


@pytest.mark.parametrize("m", [2, 3, 10])
@pytest.mark.parametrize("L", range(7, 13))
def test_luck_never_reaches_two_to_the_l_more_often_than_it_may(m: int, L: int) -> None:
    """Exact: P[fires within 200 leaves], and with Ville from there on P[ever fires], is at most 2^-L."""
    horizon, p0 = 200, Fraction(1, m)
    run = exact_dp.race(m, L, horizon)
    fired = sum(exact_dp.fire_probabilities(run, p0).values())
    alive = [paths * p0**hits * (1 - p0) ** (horizon - hits) for hits, paths in enumerate(run.alive)]
    assert fired + sum(alive) == 1
    # the martingale, stopped when it fires, still has mean 1
    at_end = [exact_dp.wealth(m, hits, horizon - hits) for hits in range(len(alive))]
    ends = sum(
        f.paths * p0**f.hits * (1 - p0) ** (f.n - f.hits) * exact_dp.wealth(m, f.hits, f.n - f.hits) for f in run.fires
    )
    assert ends + sum(p * e for p, e in zip(alive, at_end, strict=True)) == 1
    ever = fired + sum(p * e / 2**L for p, e in zip(alive, at_end, strict=True))
    assert Fraction(1, 2 ** (L + 4)) < fired < ever <= Fraction(1, 2**L)
    # and wmproto.verdict fires at the same leaves, with the same chance
    states, by_steps = {0: (Wealth.start(m), 1)}, Fraction(0)
    for n in range(1, 81):
        after: dict[int, tuple[Wealth, int]] = {}
        for hits, (wealth, weight) in states.items():
            for new_hits, new, w in ((hits + 1, wealth.hit(), weight), (hits, wealth.miss(), weight * (m - 1))):
                if new.fires(L):
                    by_steps += Fraction(w, m**n)
                else:
                    after[new_hits] = (new, w + after.get(new_hits, (new, 0))[1])
        states = after
    assert by_steps == sum(p for n, p in exact_dp.fire_probabilities(run, p0).items() if n <= 80)


@pytest.mark.parametrize("bad", [True, 10.0, "10", None, Fraction(10)])
def test_only_ints(bad: Any) -> None:
    for call in (
        lambda: Wealth.start(bad),
        lambda: Wealth(10, bad),
        lambda: Wealth(10, 1, bad),
        lambda: Wealth.start(10).fires(bad),
        lambda: fires(bad, 1, 1, 1),
        lambda: fires(10, 1, 1, bad),
        lambda: floor_log2_evidence(10, bad, 0),
        lambda: least_hits(10, 1, bad),
    ):
        with pytest.raises(TypeError):
            call()


def test_out_of_range() -> None:
    for call in (
        lambda: Wealth.start(1),
        lambda: Wealth(10, -1),
        lambda: Wealth(10, 1, 2),
        lambda: Wealth(10, 1, 1, (1,)),
        lambda: Wealth.start(10).fires(-1),
        lambda: fires(10, 3, 4, 7),
        lambda: fires(10, 3, -1, 7),
        lambda: fires(10, 3, 3, -7),
        lambda: floor_log2_evidence(1, 3, 3),
        lambda: least_hits(10, -1, 7),
    ):
        with pytest.raises(ValueError):
            call()


def test_absurd_bits_cost_nothing() -> None:
    assert not fires(10, 50, 50, 10**15)
    assert not Wealth.start(10).fires(10**15)
    assert least_hits(10, 50, 10**15) is None
    assert least_hits(10, 0, 0) == 0


def test_frozen() -> None:
    with pytest.raises(AttributeError):
        Wealth.start(10).n = 3  # type: ignore[misc]
    assert not hasattr(Wealth.start(10), "__dict__")
