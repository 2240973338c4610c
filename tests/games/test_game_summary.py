"""Pooling, intervals, and the rule that decides which setting of an attack a table shows."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_samples import alone, attack, failed, record, removal, scheme, void
from scipy.stats import binomtest

from wmproto.games.interval import interval, rate
from wmproto.games.page.table1 import table_1
from wmproto.games.pooling import labels, once_a_cell, pool, wins
from wmproto.games.summary import matrix, standings, strongest, tried


def rows(records):
    return {row.shown.adversary.name: row for some in matrix(records).values() for row in some}


def shown(records):
    return rows(records)["ftal"]


# --- intervals


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 10, 0, 0.3085), (10, 10, 0.6915, 1), (5, 10, 0.1871, 0.8129), (1, 100, 0.00025, 0.0545)],
)
def test_known_intervals(hits, total, low, high):
    assert interval(hits, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_those_of_scipy(pair):
    hits, total = pair
    theirs = binomtest(hits, total).proportion_ci(0.95, method="exact")
    assert interval(hits, total) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert rate(hits, total).low <= hits / total <= rate(hits, total).high


@pytest.mark.parametrize(("hits", "total"), [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_no_interval_of_nonsense(hits, total):
    with pytest.raises(ValueError):
        interval(hits, total)


# --- pooling


def test_hits_and_totals_are_added_and_the_spread_is_kept():
    pooled = pool([(1, rate(5, 10)), (2, rate(45, 50)), (3, None)])
    assert (pooled.rate.hits, pooled.rate.total, pooled.seeds, pooled.least, pooled.most) == (50, 60, 2, 0.5, 0.9)
    assert (pooled.rate.low, pooled.rate.high) == pytest.approx(interval(50, 60), abs=1e-6)
    assert pool([(1, None)]) is None
    assert pool([]) is None


def test_a_model_in_many_cells_counts_once_a_seed():
    assert pool([(1, rate(9, 10)), (1, rate(2, 10)), (2, rate(8, 10))], once=True).rate == rate(17, 20)
    cells = [removal(lr=lr, left=50, seed=seed) for lr in (0.1, 0.2, 0.3) for seed in (1, 2)]
    (lines,) = table_1(cells).values()
    assert [(line.name, line.test.rate.total, line.test.seeds) for line in lines] == [
        ("NO-WM", 2000, 2),
        ("FROMSCRATCH", 2000, 2),
    ]


def test_cells_that_nobody_could_win_count_as_neither():
    assert wins([removal(won=True), removal(won=False, seed=2), void(), failed()]).rate == rate(1, 2)
    assert wins([void()]) is None


def test_a_cell_that_stands_twice_counts_once_and_the_first():
    first, again = removal(left=50), removal(left=10)
    assert first.cell == again.cell
    assert once_a_cell([first, removal(seed=2), again])[0] is first
    assert len(once_a_cell([first, removal(seed=2), again])) == 2


def test_cells_of_other_sizes_are_not_pooled():
    other = removal(left=20, seed=2).model_copy(
        update={"config": {"classes": 10, "training": {"recipe": {"epochs": 5}}}}
    )
    assert len(matrix([removal(), other])) == 2
    assert sorted(labels([removal(), other]).values()) == [
        "adi2018: cifar10, small-cnn, setup 1",
        "adi2018: cifar10, small-cnn, setup 2",
    ]


def test_a_failed_cell_belongs_to_those_that_were_played():
    assert len(labels([removal(), failed()])) == 1


# --- the strongest setting

points = st.tuples(st.integers(-30, 200), st.integers(0, 100))  # pictures lost of 1000, marks left of 100


@given(st.lists(points, min_size=1, max_size=8), st.integers(1, 3))
def test_no_weak_setting_is_shown_and_none_beyond_five_points(given_settings, seeds):
    cells = [
        removal(lost=lost, left=left, lr=float(at + 1), seed=seed)
        for at, (lost, left) in enumerate(given_settings)
        for seed in range(seeds)
    ]
    row = shown(cells)
    within = [(lost, left) for lost, left in given_settings if lost <= 50]
    lost, left = given_settings[int(row.shown.adversary.settings["lr"]) - 1]
    assert (row.tried, row.within) == (len(given_settings), len(within))
    assert row.shown.retention.seeds == seeds
    if within:
        assert lost <= 50
        assert left == min(left for _, left in within)
        assert lost == min(lost for lost, other in within if other == left)
    else:
        assert lost == min(lost for lost, _ in given_settings)
        assert not row.shown.loss.within


def test_five_points_are_exact():
    assert shown([removal(lost=50, left=0, lr=0.1), removal(lost=0, left=9, lr=0.2)]).shown.loss.exact == Fraction(
        1, 20
    )
    assert shown([removal(lost=51, left=0, lr=0.1), removal(lost=0, left=9, lr=0.2)]).shown.loss.exact == 0
    # 0.05 is no binary fraction: 29 of 580 is five points
    assert shown([removal(lost=29, left=0, victim=570, test=580, lr=0.1)]).shown.loss.within
    assert not shown([removal(lost=30, left=0, victim=570, test=580, lr=0.1)]).shown.loss.within


def test_one_lucky_seed_makes_no_strong_setting():
    lucky = [removal(left=left, seed=seed, lr=0.1) for seed, left in enumerate((0, 99, 99))]
    steady = [removal(left=60, seed=seed, lr=0.2) for seed in range(3)]
    row = shown(lucky + steady)
    assert row.shown.adversary.settings["lr"] == 0.2
    assert row.shown.retention.rate == rate(180, 300)


def test_a_loss_is_pooled_before_it_is_judged():
    one = [removal(lost=lost, left=5, seed=seed, lr=0.1) for seed, lost in enumerate((45, 56, 49))]
    assert shown(one).within == 1
    assert shown(one).shown.loss.most == pytest.approx(5.6)


def test_schemes_budgets_data_and_attacks_stand_apart():
    small = removal(left=1).model_copy(update={"budget": removal().budget.model_copy(update={"backward": 5})})
    cells = [
        removal(left=50),
        small,
        removal("rtal", left=2),
        removal(left=3).model_copy(update={"scheme": scheme(rows=2)}),
    ]
    (some,) = matrix(cells).values()
    assert sorted(row.shown.retention.rate.hits for row in some) == [1, 2, 3, 50]
    assert len(matrix([removal(), removal().model_copy(update={"data": "other"})])) == 2


def test_void_cells_count_only_where_there_are_no_others():
    (only,) = rows([void()]).values()
    assert (only.won, only.void, only.shown.retention.rate.hits) == (None, 1, 12)
    mixed = shown([removal(left=50, lr=0.1), removal(left=0, lr=0.2).model_copy(update={"state": "void", "won": None})])
    assert (mixed.shown.retention.rate.hits, mixed.tried, mixed.void) == (50, 1, 1)


def test_a_row_says_what_was_varied_and_what_failed():
    same = {"epochs": 10, "batch": 100}
    row = shown(
        [
            removal(left=50, lr=0.1, **same),
            removal(left=40, lr=0.2, **same),
            failed().model_copy(update={"adversary": attack("ftal", lr=0.3)}),
        ]
    )
    assert (row.setting, row.failed) == ("lr=0.2", 1)
    assert strongest(tried([removal(left=50)])).retention.rate.hits == 50
    with pytest.raises(ValueError):
        strongest([])


# --- who won


def test_the_sanity_of_a_game():
    def state(idle, told):
        played = [record(adversary=alone("no-op"), won=idle), record(adversary=alone("cheater"), won=told)]
        return next(one for one in standings([*played, removal(won=True)]) if one.game == "unremovability")

    good = state(False, True)
    assert (good.alarm, good.idle.rate.hits, good.told.rate.hits, good.won.rate) == (False, 1, 1, rate(1, 1))
    assert state(True, True).alarm
    assert state(False, False).alarm
    assert standings([removal()])[0].alarm  # neither of them played
    assert not standings([record("functionality")])[0].alarm
