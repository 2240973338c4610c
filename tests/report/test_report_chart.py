"""The drawing: readable in grey, labels that do not cover each other, nothing of a transcript but escaped titles."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.report.chart import _LABEL_GAP, Line, _label_places, chart, nice_step
from wmproto.report.strokes import strokes
from wmproto.report.svg import element
from wmproto.report.wealth import Point


def luminance(colour):
    """Relative luminance as WCAG defines it, 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def line(title="a", ends=(0.0, 5.0), threshold=160):
    return Line(title, tuple(Point(i, bits) for i, bits in enumerate(ends)), threshold)


def test_lines_differ_in_each_of_three_ways():
    looks = strokes(60)
    assert len({(look.colour, look.dashes, look.marker) for look in looks}) == 60
    for one, other in pairwise(looks):
        assert one.colour != other.colour
        assert one.dashes != other.dashes
        assert one.marker != other.marker


def test_colours_differ_in_grey_and_can_be_seen_on_white():
    grey = sorted(luminance(look.colour) for look in strokes(4))
    for darker, lighter in pairwise(grey):
        assert (lighter + 0.05) / (darker + 0.05) > 1.25
    assert 1.05 / (grey[-1] + 0.05) >= 3, "WCAG 1.4.11"


def test_a_title_cannot_break_out_of_the_drawing():
    drawn = chart([line('</text></svg><script>"')])
    assert "<script" not in drawn
    assert drawn.count("</svg>") == 1
    assert "&lt;/text&gt;" in drawn


def test_an_element_escapes_text_and_attributes():
    made = element("text", "<b>&", element("b", "x"), class_='"><i>', stroke_width=1.25)
    assert made == '<text class="&#34;&gt;&lt;i&gt;" stroke-width="1.2">&lt;b&gt;&amp;<b>x</b></text>'


def test_every_threshold_is_drawn_and_named_once():
    drawn = chart([line(threshold=160), line(threshold=112), line(threshold=160)])
    assert re.findall(r">(\d+) bits: from here on DEPENDENT<", drawn) == ["112", "160"]
    assert drawn.count('<line class="threshold"') == 2


@pytest.mark.parametrize("ends", [(0.0,), (0.0, -400.5), (0.0, 1e5), (0.0, 159.999), (-0.25, 0.0)])
def test_everything_lies_within_the_drawing(ends):
    drawn = chart([line(ends=ends)])
    _, _, width, height = map(int, re.search(r'viewBox="([\d ]+)"', drawn)[1].split())
    points = [tuple(map(float, p.split(","))) for p in re.search(r'points="([^"]*)"', drawn)[1].split()]
    xs = [float(x) for x in re.findall(r' x\d?="([-\d.]+)"', drawn)] + [x for x, _ in points]
    ys = [float(y) for y in re.findall(r' y\d?="([-\d.]+)"', drawn)] + [y for _, y in points]
    assert 0 <= min(xs) <= max(xs) <= width
    assert 0 <= min(ys) <= max(ys) <= height


@given(st.lists(st.floats(44, 374), min_size=1, max_size=16))
def test_labels_keep_their_order_and_do_not_cover_each_other(wanted):
    places = _label_places(wanted, 44, 374)
    by_place = sorted(places)
    assert all(b - a >= _LABEL_GAP - 1e-6 for a, b in pairwise(by_place))
    assert by_place[0] >= 44
    assert by_place[-1] <= 374 + 1e-6
    for i, a in enumerate(wanted):
        assert all(places[i] < places[j] for j, b in enumerate(wanted) if a < b)


def test_many_lines_make_a_taller_drawing():
    height = lambda n: int(re.search(r'viewBox="0 0 \d+ (\d+)"', chart([line()] * n))[1])  # noqa: E731
    assert height(1) == height(10) < height(40)


@given(st.integers(1, 10**9), st.integers(1, 20))
def test_steps_are_round_and_few(span, most):
    step = nice_step(span, most)
    assert re.fullmatch("[125]0*", str(step))
    assert span <= step * most
