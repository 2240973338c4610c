"""The gambler's wealth in bits against the leaves asked, for all disputes in one drawing (SVG, no script).

Built from numbers; the only words of others are titles, and these are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wmproto.report.strokes import strokes
from wmproto.report.svg import element, signed
from wmproto.report.wealth import Point

_LEFT, _TOP, _PLOT_WIDTH, _LABELS_WIDTH, _BOTTOM = 52, 44, 520, 220, 52  # pixels of the drawing
_PLOT_HEIGHT, _LABEL_GAP = 330, 20
_TITLE_LENGTH = 20  # characters that fit beside the plot; the legend has the whole title


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the chart: the dispute's title, the points, and L, the bits it had to reach."""

    title: str
    points: tuple[Point, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where values lie in the drawing."""

    most_leaves: int
    low: int  # bits
    high: int
    height: int  # of the plot

    def x(self, leaves: float) -> float:
        return _LEFT + _PLOT_WIDTH * leaves / self.most_leaves

    def y(self, bits: float) -> float:
        return _TOP + self.height * (self.high - bits) / (self.high - self.low)


def nice_step(span: int, most: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, ... that divides ``span`` into at most ``most`` parts."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if span <= step * most:
                return step
        power *= 10


def chart(lines: Sequence[Line]) -> Markup:
    """Draw the lines, the thresholds, the axes, and a label at the end of each line.

    Args:
        lines: At least one.

    Returns:
        An ``svg`` element with a title and a description for those who cannot see it.
    """
    scale = _scale(lines)
    right, bottom = _LEFT + _PLOT_WIDTH + _LABELS_WIDTH, _TOP + scale.height + _BOTTOM
    said = "; ".join(
        f"{number} {line.title}: {line.points[-1].bits:.1f} bits after {line.points[-1].leaves} leaves"
        for number, line in enumerate(lines, 1)
    )
    return element(
        "svg",
        element("title", "The gambler's wealth, leaf by leaf", id="chart-title"),
        element("desc", said, id="chart-desc"),
        *_axes(scale),
        *_thresholds(scale, sorted({line.threshold for line in lines})),
        *_lines(scale, lines),
        class_="chart",
        viewBox=f"0 0 {right} {bottom}",
        role="img",
        aria_labelledby="chart-title chart-desc",
    )


def _scale(lines: Sequence[Line]) -> _Scale:
    most = max(16, *(line.points[-1].leaves for line in lines))
    low = min(point.bits for line in lines for point in line.points)
    high = max(max(line.threshold, *(point.bits for point in line.points)) for line in lines)
    step = nice_step(int(high - low) + 1, 10)
    ends = int(low // step) * step, -int(-high // step) * step
    return _Scale(most, *ends, max(_PLOT_HEIGHT, _LABEL_GAP * len(lines)))


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> Markup:
    return element("text", text, x=float(x), y=float(y), class_=kind, text_anchor=anchor)


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("line", class_=kind, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))


def _axes(scale: _Scale) -> list[Markup]:
    end, base = _LEFT + _PLOT_WIDTH, _TOP + scale.height
    parts = []
    for bits in range(scale.low, scale.high + 1, nice_step(scale.high - scale.low, 10)):
        parts.append(_rule(_LEFT, scale.y(bits), end, scale.y(bits), "zero" if bits == 0 else "grid"))
        parts.append(_text(_LEFT - 8, scale.y(bits) + 4, signed(bits), "tick", "end"))
    for leaves in range(0, scale.most_leaves + 1, nice_step(scale.most_leaves, 8)):
        parts.append(_rule(scale.x(leaves), base, scale.x(leaves), base + 5, "axis"))
        parts.append(_text(scale.x(leaves), base + 20, str(leaves), "tick", "middle"))
    parts.append(_rule(_LEFT, base, end, base, "axis"))
    parts.append(_text(4, 18, "wealth in bits (log2 E): each bit doubles it", "name"))
    parts.append(_text((_LEFT + end) / 2, base + 42, "leaves asked and opened, one by one", "name", "middle"))
    return parts


def _thresholds(scale: _Scale, thresholds: Sequence[int]) -> list[Markup]:
    parts = []
    for bits in thresholds:
        y = scale.y(bits)
        parts.append(_rule(_LEFT, y, _LEFT + _PLOT_WIDTH, y, "threshold"))
        parts.append(_text(_LEFT + 6, y - 7, f"{bits} bits: from here on DEPENDENT", "threshold-label"))
    return parts


def _lines(scale: _Scale, lines: Sequence[Line]) -> list[Markup]:
    parts: list[Markup] = []
    end = _LEFT + _PLOT_WIDTH
    looks = strokes(len(lines))
    labels = _label_places([scale.y(line.points[-1].bits) for line in lines], _TOP, _TOP + scale.height)
    for number, (line, look, label_y) in enumerate(zip(lines, looks, labels, strict=True), 1):
        at = [(scale.x(point.leaves), scale.y(point.bits)) for point in line.points]
        x, y = at[-1]
        parts.append(_rule(x, y, end + 12, label_y, "leader"))
        parts.append(look.line(" ".join(f"{px:.1f},{py:.1f}" for px, py in at)))
        every = max(1, len(at) // 8)
        parts += [look.mark(*place) for place in at[every // 2 + number % 3 : -every // 2 : every]]
        parts.append(look.mark(x, y))
        parts.append(_text(end + 16, label_y + 4, f"{number}  {_short(line.title)}", "end"))
    return parts


def _label_places(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Heights for labels near where they are wanted, in the same order from top to bottom, none over another."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places, floor = [0.0] * len(wanted), bottom
    for i in reversed(order):  # from below upwards
        places[i] = floor = min(wanted[i], floor)
        floor -= _LABEL_GAP
    roof = top
    for i in order:  # what was pushed out at the top comes down again
        places[i] = roof = max(places[i], roof)
        roof += _LABEL_GAP
    return places


def _short(title: str) -> str:
    return title if len(title) <= _TITLE_LENGTH else title[: _TITLE_LENGTH - 1] + "\N{HORIZONTAL ELLIPSIS}"
