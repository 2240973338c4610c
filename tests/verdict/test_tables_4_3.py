"""Every cell of the size tables in the protocol text (4.3), recomputed exactly by ``exact_dp``.

Most of these numbers are rounded; "printed" below means: the exact value lies within half a unit of the last printed
digit, decided with integers. ``wmproto.verdict`` is held against the same cells where it computes them.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb

import exact_dp
import pytest

from wmproto.verdict.closed_form import least_hits
from wmproto.verdict.plan import fixed_size, sequential_size

BITS_PER_LEAF = """
2    1.000 .278  .029  -     -     -
10   3.322 1.966 1.083 .449  .222  .064
100  6.644 4.596 3.021 1.695 1.122 .618
1000 9.966 7.251 5.009 3.016 2.109 1.272
"""

FIXED = """
10 40 13/13 32/20 61/28
10 64 20/20 47/31 89/43
10 72 22/22 52/35 101/49
10 96 29/29 66/45 126/63
10 112 34/34 75/52 144/73
10 160 49/49 103/73 196/102
100 40 7/7 15/8 26/10
100 64 10/10 22/13 36/15
100 72 11/11 23/14 38/16
100 96 15/15 30/19 50/22
100 112 17/17 35/22 56/25
100 160 25/25 47/31 75/35
1000 40 5/5 10/5 18/6
1000 64 7/7 15/8 24/9
1000 72 8/8 16/9 26/10
1000 96 10/10 20/12 32/13
1000 112 12/12 23/14 36/15
1000 160 17/17 30/19 48/21
"""

# m, L, r, n/t. m = 9 is the exclusion of a base label at C = 10 (D3: p0 = 1/(C-1)).
FIXED_MORE = """
9 96 1 31/31
9 96 .8 70/48
9 96 .6 137/69
10 72 .4 243/80
10 72 .3 493/125
10 72 .2 1681/299
10 112 .4 352/120
10 112 .3 716/187
10 160 .4 481/168
1000 112 .4 64/17
1000 112 .3 92/18
1000 112 .2 153/20
"""

# m, L, mean/quantile at four (m = 2: three) retentions, log2 of the type-I error
SEQUENTIAL = """
10 40 13/13 22.3/36 40.1/70 98.2/169 -41.5
10 64 21/21 34.6/51 62.5/98 153.9/239 -66.0
10 96 30/30 51.0/71 92.4/135 228.6/327 -97.8
10 112 35/35 59.1/81 107.4/151 265.8/372 -114.1
10 160 50/50 83.6/109 152.1/203 377.7/499 -162.7
100 40 7/7 9.9/16 14.8/28 26.2/51 -42.5
100 64 11/11 15.2/23 22.7/38 40.6/70 -66.6
100 96 15/15 22.2/32 33.4/52 59.9/95 -98.3
100 112 18/18 25.7/36 38.7/57 69.4/107 -114.9
100 160 25/25 36.3/48 54.9/76 98.4/143 -163.1
1000 40 5/5 6.3/12 9.0/18 15.0/32 -42.6
1000 64 7/7 9.8/16 14.0/25 23.3/44 -67.0
1000 96 10/10 14.0/20 20.3/34 33.8/58 -98.4
1000 112 12/12 16.5/23 23.7/38 39.3/64 -115.6
1000 160 17/17 23.1/32 33.3/50 55.4/85 -163.8
2 40 43/43 81.7/123 155.8/244 -41.2
2 64 67/67 127.5/177 245.3/353 -65.5
2 96 99/99 188.4/248 365.1/489 -97.5
2 112 115/115 218.7/282 425.0/557 -113.5
2 160 163/163 309.9/383 604.8/758 -161.5
"""

WEAK = """
.3 525.5/792
.25 896.7/1248
.2 1817/2737
"""

BOUNDARY = """
10 112 35/35 40/40 48/60 56/80 63/100 77/150 91/200
10 160 50/50 58/60 66/80 74/100 91/150 105/200 134/300
1000 112 12/12 14/20 16/40
2 112 115/115 148/150 184/200 255/300
"""

DISPUTES = """
10 40 76/31/16 76/44/24
10 64 50/21/11 47/28/15
10 96 34/15/7 33/19/10
10 112 29/13/6 28/16/9
10 160 20/9/5 20/11/6
100 40 142/66/38 142/100/67
100 64 100/45/27 90/65/43
100 96 66/33/20 66/45/29
100 112 58/28/17 55/38/25
100 160 40/21/13 40/27/18
1000 40 200/100/55 200/158/110
1000 64 142/66/41 142/102/71
1000 96 100/50/31 100/71/49
1000 112 83/43/27 83/60/42
1000 160 58/33/20 58/43/30
"""

RETENTIONS = [Fraction(1), Fraction(4, 5), Fraction(3, 5), Fraction(2, 5)]
RETENTIONS_2 = [Fraction(1), Fraction(9, 10), Fraction(4, 5)]
TYPE_I_LEAVES = {2: 1000, 10: 400, 100: 200, 1000: 150}
NINETY_NINE = Fraction(99, 100)


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


def half_unit(text: str) -> Fraction:
    """Half a unit of the last digit that is printed."""
    return Fraction(1, 2 * 10 ** len(text.partition(".")[2]))


def printed(text: str, low: Fraction, high: Fraction) -> bool:
    """Whether everything from low to high is printed as ``text``."""
    return Fraction(text) - half_unit(text) <= low <= high <= Fraction(text) + half_unit(text)


def printed_log2(text: str, x: Fraction, times: int = 1) -> bool:
    """Whether log2(x) / times is printed as ``text``: powers of x against powers of 2, no logarithm."""
    unit = half_unit(text).denominator
    above = int((Fraction(text) - half_unit(text)) * unit * times)
    below = int((Fraction(text) + half_unit(text)) * unit * times)
    return Fraction(2) ** above <= x**unit <= Fraction(2) ** below


@cache
def race(m: int, bits: int) -> exact_dp.Race:
    retentions = RETENTIONS_2 if m == 2 else RETENTIONS
    return exact_dp.race(m, bits, max(TYPE_I_LEAVES[m], *(exact_dp.horizon_for(m, bits, r) for r in retentions)))


def sizes(m: int, bits: int, r: Fraction, run: exact_dp.Race) -> tuple[Fraction, Fraction, int]:
    low, high = exact_dp.mean_interval(m, bits, run, r)
    return low, high, exact_dp.quantile(exact_dp.fire_probabilities(run, r), NINETY_NINE)


def test_helpers_tell_neighbours_apart() -> None:
    assert printed("22.3", Fraction("22.25"), Fraction("22.35"))
    assert not printed("22.3", Fraction("22.24"), Fraction("22.3"))
    assert printed_log2("1.5", Fraction(2828427, 1000000))
    assert not printed_log2("1.4", Fraction(2828427, 1000000))
    assert printed_log2("-7.0", Fraction(1, 128))


@pytest.mark.parametrize("row", rows(BITS_PER_LEAF), ids=lambda row: row[0])
def test_bits_per_leaf(row: list[str]) -> None:
    p0 = Fraction(1, int(row[0]))
    for r, cell in zip([*RETENTIONS, Fraction(3, 10), Fraction(1, 5)], row[1:], strict=True):
        if cell == "-":
            assert r <= p0
            continue
        a, b = r.numerator, r.denominator
        ratio = (r / p0) ** a * ((1 - r) / (1 - p0)) ** (b - a)  # b * D(r||p0) = log2 of this
        assert printed_log2(cell, ratio, times=b)


@pytest.mark.parametrize("row", rows(FIXED), ids="-".join)
def test_fixed_sizes(row: list[str]) -> None:
    for r, cell in zip(RETENTIONS, row[2:], strict=False):
        expected = tuple(map(int, cell.split("/")))
        assert exact_dp.fixed_size(int(row[0]), int(row[1]), r) == expected
        assert fixed_size(int(row[0]), int(row[1]), r.as_integer_ratio()) == expected


@pytest.mark.parametrize("row", rows(FIXED_MORE), ids="-".join)
def test_fixed_sizes_with_exclusion_and_at_low_retention(row: list[str]) -> None:
    r, expected = Fraction(row[2]), tuple(map(int, row[3].split("/")))
    assert exact_dp.fixed_size(int(row[0]), int(row[1]), r) == expected
    assert fixed_size(int(row[0]), int(row[1]), r.as_integer_ratio()) == expected


def test_fixed_sizes_for_two_labels() -> None:
    for bits, n in ((40, 220), (64, 326), (72, 361), (96, 464)):
        assert exact_dp.fixed_size(2, bits, Fraction(1)) == (bits, bits)
        assert exact_dp.fixed_size(2, bits, Fraction(4, 5))[0] == n
        assert fixed_size(2, bits, (1, 1)) == (bits, bits)
        assert fixed_size(2, bits, (4, 5)) == exact_dp.fixed_size(2, bits, Fraction(4, 5))


def test_two_labels_at_retention_three_fifths_are_unusable() -> None:
    # printed as "about 2,180"; exactly:
    assert exact_dp.fixed_size(2, 40, Fraction(3, 5)) == (2173, 1251) == fixed_size(2, 40, (3, 5))


def test_a_block_sized_for_four_fifths_fails_at_three_fifths() -> None:
    r = Fraction(3, 5)
    power = sum(comb(66, k) * r**k * (1 - r) ** (66 - k) for k in range(45, 67))
    assert printed("11", 100 * power, 100 * power)


@pytest.mark.parametrize("row", rows(SEQUENTIAL), ids=lambda row: f"{row[0]}-{row[1]}")
def test_sequential_sizes(row: list[str]) -> None:
    m, bits, run = int(row[0]), int(row[1]), race(int(row[0]), int(row[1]))
    for r, cell in zip(RETENTIONS_2 if m == 2 else RETENTIONS, row[2:-1], strict=True):
        mean, marked = cell.split("/")
        low, high, q = sizes(m, bits, r, run)
        assert printed(mean, low, high)
        assert q == int(marked)
        size = sequential_size(m, bits, r.as_integer_ratio())
        assert size is not None
        assert size.marked == q
        assert printed(f"{size.mean_tenths // 10}.{size.mean_tenths % 10}", low, high)


@pytest.mark.parametrize("row", rows(SEQUENTIAL), ids=lambda row: f"{row[0]}-{row[1]}")
def test_type_one_error(row: list[str]) -> None:
    m, bits = int(row[0]), int(row[1])
    null = exact_dp.fire_probabilities(race(m, bits), Fraction(1, m))
    error = sum(p for n, p in null.items() if n <= TYPE_I_LEAVES[m])
    assert printed_log2(row[-1], error)
    saved = Fraction(row[-1]) + bits
    assert Fraction(-38, 10) <= saved <= Fraction(-12, 10)  # 8.10: "1.2 to 3.8 bits smaller"


@pytest.mark.parametrize("row", rows(WEAK), ids=lambda row: row[0])
def test_weak_marks(row: list[str]) -> None:
    r = Fraction(row[0])
    mean, marked = row[1].split("/")
    low, high, q = sizes(10, 112, r, exact_dp.race(10, 112, exact_dp.horizon_for(10, 112, r)))
    assert printed(mean, low, high)
    assert q == int(marked)
    size = sequential_size(10, 112, r.as_integer_ratio())
    assert size is not None
    assert size.marked == q
    assert printed(f"{size.mean_tenths // 10}.{size.mean_tenths % 10}", low, high)


@pytest.mark.parametrize("row", rows(BOUNDARY), ids=lambda row: f"{row[0]}-{row[1]}")
def test_stopping_boundary(row: list[str]) -> None:
    m, bits = int(row[0]), int(row[1])
    for cell in row[2:]:
        hits, n = map(int, cell.split("/"))
        assert exact_dp.wealth(m, hits, n - hits) >= 2**bits > exact_dp.wealth(m, hits - 1, n - hits + 1)
        assert least_hits(m, n, bits) == hits


@pytest.mark.parametrize("row", rows(DISPUTES), ids=lambda row: f"{row[0]}-{row[1]}")
def test_disputes_per_thousand_marked_leaves(row: list[str]) -> None:
    m, bits = int(row[0]), int(row[1])
    for r, fixed, sequential in zip(RETENTIONS, row[2].split("/"), row[3].split("/"), strict=False):
        assert 1000 // exact_dp.fixed_size(m, bits, r)[0] == int(fixed)
        low, high, _ = sizes(m, bits, r, race(m, bits))
        assert 1000 // high == 1000 // low == int(sequential)


def test_a_hundred_triggers_support_few_disputes() -> None:
    assert 100 // exact_dp.fixed_size(10, 40, Fraction(4, 5))[0] == 3
    assert 100 // exact_dp.fixed_size(10, 96, Fraction(4, 5))[0] == 1
