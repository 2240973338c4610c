"""No null model is needed: hits of 20 fixed models of every kind follow the exact binomial when labels are redrawn."""

import calibration
import numpy as np
import pytest

pytestmark = [pytest.mark.torch, pytest.mark.slow]
REDRAWINGS = 10_000
LEVEL = 1e-6 / 40  # 20 models, marked leaves and ghosts: together wrong once in a million


@pytest.fixture(scope="module")
def rows():
    return calibration.calibrate(REDRAWINGS)


def test_twenty_models_of_different_kinds_follow_the_exact_law(rows):
    assert len(rows) == 20
    for row in rows:
        print(f"{row['model']:45} {row['marked']} {row['ghosts']}")
    worst = min(row[kind]["p"] for row in rows for kind in ("marked", "ghosts"))
    assert worst > LEVEL
    assert {row["classes_used"] for row in rows} >= {1, 10}  # from constant to everything


def test_labels_ground_by_one_bit_fail_the_same_test():
    """Twin: of two keys the owner keeps the one whose labels please her more: one bit of grinding, and it is seen."""
    answers = np.zeros((1, calibration.LEAVES), np.int64)
    histogram = np.zeros(calibration.LEAVES + 1, np.int64)
    for number in range(1500):
        drawn = [calibration.redraw(n) for n in (2 * number, 2 * number + 1)]
        histogram[max(int(((answers[0] == y) & ~ghost).sum()) for y, ghost in drawn)] += 1
    assert calibration.chi_square(histogram, calibration.LEAVES, 0.075)[2] < LEVEL


def test_the_chi_square_is_the_textbooks():
    """Against scipy where no cells are put together, and its p-values are uniform under the law itself."""
    from scipy.stats import binom, chisquare

    generator = np.random.default_rng(1)
    expected = 10**7 * binom.pmf(np.arange(calibration.LEAVES + 1), 64, 0.075)
    drawn = np.bincount(generator.binomial(64, 0.075, 10**7), minlength=calibration.LEAVES + 1)
    value, freedom, _ = calibration.chi_square(drawn, 64, 0.075)
    kept = int((expected >= 10).sum())
    cells = [*drawn[: kept - 1], drawn[kept - 1 :].sum()], [*expected[: kept - 1], expected[kept - 1 :].sum()]
    assert value == pytest.approx(chisquare(*cells).statistic, rel=1e-6)
    assert freedom == kept - 1
    draws = (np.bincount(generator.binomial(64, 0.075, 2000), minlength=65) for _ in range(300))
    p = [calibration.chi_square(d, 64, 0.075)[2] for d in draws]
    assert 0.4 < np.mean(p) < 0.6
    assert min(p) < 0.05 < 0.95 < max(p)
