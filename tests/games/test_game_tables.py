"""The tables of the page: the paper's, claims, controls, overwriting."""

import subprocess
import sys

import pytest
from record_samples import HOSTILE, removal, rich
from scipy.stats import binomtest

from wmproto.games.interval import rate
from wmproto.games.page.claims import claims, piracy
from wmproto.games.page.figure6 import figure_6
from wmproto.games.page.null import controls, nulls
from wmproto.games.page.sweep import sweeps
from wmproto.games.page.table1 import table_1


def test_figure_6_takes_the_paper_s_own_setting_not_the_strongest():
    cells = [
        removal(left=90, lr=0.0005, epochs=60),
        removal(left=80, lr=0.01, epochs=60),
        removal(left=99, lr=0.0001, epochs=10),
        removal(left=10, lr=0.1, epochs=10),
    ]
    (panels,) = figure_6(cells).values()
    ftal = {one.name: one for one in panels[0].conditions}["FTAL"]
    assert (ftal.setting, ftal.others, ftal.trigger.rate.hits) == ("lr=0.0005, epochs=60", 3, 90)
    assert ftal.published == (93.8, 100)
    assert panels[0].conditions[0].trigger.rate.hits == 100
    assert figure_6([removal("prune")]) == {}


@pytest.mark.parametrize(
    ("data", "profile", "published"),
    [
        ("cifar10", "adi2018", (93.81, 100.0)),
        ("cifar100-small", "adi2018", (73.67, 100.0)),
        ("cifar10-half", "adi2018", (93.81, 100.0)),
        ("digits", "adi2018", None),
        ("cifar10", "wmproto/1", None),
    ],
)
def test_published_numbers_stand_beside_the_same_data_and_profile_alone(data, profile, published):
    (lines,) = table_1([removal().model_copy(update={"data": data, "profile": profile})]).values()
    assert lines[1].published == published


def test_a_sweep_needs_two_rates():
    assert sweeps([removal(lr=0.1)]) == {}
    ((sweep,),) = sweeps([removal(lr=0.1, left=9), removal(lr=0.001, left=80), removal("prune", share=0.5)]).values()
    assert [rate for rate, _ in sweep.series[0].points] == [0.001, 0.1]
    assert (sweep.classes, sweep.twin.rate) == (10, rate(9, 100))


def test_claims_are_held_against_luck_where_that_is_the_law():
    (adi, born, _) = claims(rich()).values()
    assert {one.band for one in adi} == {None}
    by_name = {(one.game, one.name): one for one in born}
    assert by_name["false-claim", "transferable-pictures"].inside
    assert not by_name["false-claim", "root-grinding"].inside
    assert by_name["false-claim", "cheater"].band is None
    assert by_name["unforgeability", "guessed-opening"].band is None
    low, high = by_name["false-claim", "no-op"].band
    assert sum(binomtest(k, 570, 0.1).pvalue < 0.01 for k in (low - 1, high + 1)) == 2


def test_controls_count_once():
    cells = [removal(lr=lr, seed=seed) for lr in (0.1, 0.2) for seed in (1, 2)]
    assert len(controls(cells)) == 4
    (null,) = nulls(cells)
    assert (null.pooled.rate, null.classes) == (rate(40, 400), 10)
    assert null.p == pytest.approx(binomtest(40, 400, 0.1).pvalue)
    assert controls([removal().model_copy(update={"config": {}})]) == []


def test_notes_of_overwriting_that_make_no_sense_are_left_out():
    one = removal("overwrite")
    noted = [{"own_hits": 7, "own_total": 10}, {"part": HOSTILE, "own_hits": 3, "own_triggers": 10}]
    noted += [
        {"own_hits": 11, "own_total": 10},
        {"own_hits": True, "own_total": 1},
        {"own_hits": 1},
        {"own_total": 0, "own_hits": 0},
    ]
    ((owned,),) = piracy([one.model_copy(update={"log": tuple(noted)})]).values()
    assert [(name, found.rate) for name, found in owned.own] == [("at the end", rate(7, 10)), (HOSTILE, rate(3, 10))]


def test_the_page_needs_no_torch():
    code = "import sys, wmproto.games.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
