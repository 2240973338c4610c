"""The line of the chart ends where the audit ends, in exact integers, whatever happened in the dispute."""

from math import floor

import pytest
from forge import Play, cast
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import dependent, inadmissible, reported, stranger, unfinished, unheard

from wmproto.report.wealth import CountedLeaf, counted_leaves, drawn_bits, series, wealth_walk
from wmproto.verdict.closed_form import fires
from wmproto.verdict.wealth import Wealth

ALL = [dependent, stranger, inadmissible, unfinished, unheard]


def check_series(each):
    """The walk gives the audit's wealth and counts; the points end at them."""
    audit = each.audit
    evidence = audit.outcome.evidence
    leaves = counted_leaves(audit)
    walk = list(wealth_walk(audit.dispute.key.z.m, leaves))
    assert walk[0] == Wealth.start(audit.dispute.key.z.m)
    assert walk[-1] == evidence.wealth
    assert walk[-1].floor_log2() == audit.outcome.evidence_log2
    assert len(walk) == evidence.asked + 1
    kinds = [leaf.counted for leaf in leaves]
    assert kinds.count("hit") == evidence.wealth.hits
    assert kinds.count("ghost") == evidence.ghosts
    assert kinds.count("not opened") == evidence.unopened
    assert kinds.count("miss") == evidence.wealth.n - evidence.wealth.hits - evidence.unopened
    points = series(audit)
    assert [point.leaves for point in points] == list(range(evidence.asked + 1))
    assert floor(points[-1].bits) == audit.outcome.evidence_log2
    assert [point.bits for point in points] == [drawn_bits(wealth) for wealth in walk]
    return walk


@pytest.mark.parametrize("sample", ALL)
def test_the_series_ends_at_the_numbers_of_the_audit(sample):
    check_series(sample())


def test_dependent_is_reached_at_the_last_point_and_not_before():
    walk = check_series(dependent())
    bits = dependent().audit.outcome.bits
    assert [wealth.fires(bits) for wealth in walk] == [False] * (len(walk) - 1) + [True]
    assert len(walk) - 1 < 32, "the rest of the last round does not count"


@settings(max_examples=20)
@given(st.sets(st.integers(0, 63)), st.sets(st.integers(0, 63)), st.integers(0, 4), st.sampled_from([2, 1000]))
def test_the_series_ends_at_the_numbers_of_the_audit_in_any_dispute(misses, closed, rounds, classes):
    of = cast(n=64, classes=classes)
    play = Play(of, of.thief(misses)).begin()
    for first in range(0, 16 * rounds, 16):
        play.round([i for i in range(first, first + 16) if i not in closed])
        if play.live().fired:
            break
    check_series(reported(play))


@given(st.lists(st.sampled_from(["hit", "miss", "ghost", "not opened"]), max_size=300), st.integers(2, 4096))
def test_the_walk_over_any_sequence_is_the_closed_form(kinds, m):
    walk = list(wealth_walk(m, tuple(CountedLeaf(i, kind, None) for i, kind in enumerate(kinds))))
    n, hits = len(kinds) - kinds.count("ghost"), kinds.count("hit")
    assert (walk[-1].n, walk[-1].hits) == (n, hits)
    for bits in (0, 112, 160):
        assert walk[-1].fires(bits) == fires(m, n, hits, bits)
    assert walk[-1].floor_log2() <= drawn_bits(walk[-1]) <= walk[-1].floor_log2() + 1


def test_a_long_dispute_is_thinned_and_keeps_both_ends():
    audit = stranger().audit
    points = series(audit, most=10)
    assert len(points) <= 12
    assert (points[0].leaves, points[-1].leaves) == (0, audit.outcome.evidence.asked)
    assert set(points) <= set(series(audit))
