"""The bars of Figure 6, drawn; the numbers stand below the bars, so that nothing can cover them."""

from __future__ import annotations

from markupsafe import Markup

from wmproto.games.page.figure6 import Condition, Panel
from wmproto.games.page.plot import Frame, drawing, line, text
from wmproto.games.pooling import Pooled
from wmproto.report.svg import element

__all__ = ["TEST", "TRIGGER", "bars", "bars_legend"]

TEST, TRIGGER = "#14213d", "#d98b4a"  # L* about 14 and 64
_WIDTH, _HEIGHT, _BAR = 480, 318, 33
_DIAMOND = "M0,-6L6,0L0,6L-6,0z"


def bars(panel: Panel, *, name: str) -> Markup:
    """Two bars for each condition, whiskers, and what the paper has as a tick across the bar."""
    frame = Frame(40, 34, _WIDTH - 44, 200, 0, len(panel.conditions), 0, 100)
    parts = frame.across(range(0, 101, 20), "per cent")
    for at, one in enumerate(panel.conditions):
        middle = frame.x(at + 0.5)
        paper = one.published or (None, None)
        parts += _bar(frame, middle - _BAR - 1, one.test, TEST, paper[0])
        parts += _bar(frame, middle + 1, one.trigger, TRIGGER, paper[1])
        if one.original:
            place = f"translate({middle + 1 + _BAR * 0.75:.1f},{frame.y(100 * one.original.rate.share):.1f})"
            parts.append(element("path", d=_DIAMOND, transform=place, class_="diamond"))
        parts.append(text(middle, frame.base + 38, one.name, "end", "middle"))
        if one.setting:
            for row, word in enumerate(one.setting.split(", ")):
                parts.append(text(middle, frame.base + 55 + 15 * row, word, "tick", "middle"))
    parts.append(line(frame.left, frame.base, frame.right, frame.base, "axis"))
    told = "; ".join(_told(one) for one in panel.conditions)
    return drawing(parts, name=name, title=panel.title, told=told, width=_WIDTH, height=_HEIGHT, kind="plot bars")


def bars_legend() -> list[tuple[Markup, str]]:
    """Pieces of the drawing with their meaning."""
    tick = f"M2,7h{_BAR}"
    diamond = element("path", d=_DIAMOND, transform="translate(19,7)", class_="diamond")
    pieces = (
        (element("rect", x=2, y=1, width=_BAR, height=12, fill=TEST), "right on test pictures"),
        (element("rect", x=2, y=1, width=_BAR, height=12, fill=TRIGGER), "triggers answered with their label"),
        (diamond, "triggers, with the marked model's own output layer put back"),
        (element("path", d=tick, class_="published"), "published by Adi et al., Figure 6"),
    )
    return [(_swatch(piece), meaning) for piece, meaning in pieces]


def _swatch(piece: Markup) -> Markup:
    return element(
        "svg", piece, class_="swatch plot-swatch", viewBox="0 0 38 14", width=38, height=14, aria_hidden="true"
    )


def _bar(frame: Frame, x: float, found: Pooled | None, colour: str, published: float | None) -> list[Markup]:
    parts = []
    if found:
        share, height = found.rate.share, frame.height * found.rate.share
        parts.append(
            element("rect", x=float(x), y=frame.base - height, width=float(_BAR), height=float(height), fill=colour)
        )
        parts.append(frame.whisker(x + _BAR / 3, 100 * found.rate.low, 100 * found.rate.high))
        number = f"{100 * share:.1f}" if 0 < share < 1 else f"{100 * share:.0f}"
        parts.append(text(x + _BAR / 2, frame.base + 17, number, "tick", "middle"))
    if published is not None:
        d = f"M{x - 1:.1f},{frame.y(published):.1f}h{_BAR + 2}"
        parts += [element("path", d=d, class_="published-halo"), element("path", d=d, class_="published")]
    return parts


def _told(one: Condition) -> str:
    if not one.test or not one.trigger:
        return f"{one.name}: not played"
    words = f"{one.name}: test {100 * one.test.rate.share:.1f} %, triggers {100 * one.trigger.rate.share:.1f} %"
    if one.original:
        words += f", with the original head {100 * one.original.rate.share:.1f} %"
    if one.published:
        words += f"; published {one.published[0]:g} and {one.published[1]:g}"
    return words
