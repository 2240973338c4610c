"""Axes, whiskers and labels of the drawings on the page: SVG from numbers, in a frame of fixed size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10

from markupsafe import Markup

from wmproto.report.svg import element, signed
from wmproto.wire.plain import plain

__all__ = ["Frame", "drawing", "line", "steps", "text"]


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot within a drawing: where it lies, in pixels, and which values its edges stand for."""

    left: float
    top: float
    width: float
    height: float
    x0: float
    x1: float
    y0: float
    y1: float
    log: bool = False

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def base(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    def x(self, value: float) -> float:
        """Where a value lies from left to right."""
        to: Callable[[float], float] = log10 if self.log else float
        return self.left + self.width * (to(value) - to(self.x0)) / (to(self.x1) - to(self.x0))

    def y(self, value: float) -> float:
        """Where a value lies from top to bottom; what is outside lies on the edge."""
        inside = min(max(value, self.y0), self.y1)
        return self.base - self.height * (inside - self.y0) / (self.y1 - self.y0)

    def across(self, values: Sequence[float], name: str, unit: str = "") -> list[Markup]:
        """Rules from left to right at these values, their numbers, and the name of the axis above."""
        parts = [text(self.left - 34, self.top - 12, name, "name")]
        for value in values:
            parts.append(line(self.left, self.y(value), self.right, self.y(value), "zero" if value == 0 else "grid"))
            parts.append(text(self.left - 6, self.y(value) + 4, signed(f"{value:g}") + unit, "tick", "end"))
        return parts

    def along(self, values: Sequence[float], name: str) -> list[Markup]:
        """The lower axis with numbers at these values and its name below."""
        parts = [line(self.left, self.base, self.right, self.base, "axis")]
        for value in values:
            parts.append(line(self.x(value), self.base, self.x(value), self.base + 5, "axis"))
            parts.append(text(self.x(value), self.base + 21, signed(f"{value:g}"), "tick", "middle"))
        return [*parts, text(self.left + self.width / 2, self.base + 41, name, "name", "middle")]

    def level(self, value: float, label: str, *, above: bool = True, at_end: bool = False) -> list[Markup]:
        """A dashed line at a value, with its meaning at its start or end."""
        y = self.y(value)
        label_y = y - 5 if above else y + 14
        x, anchor = (self.right - 4, "end") if at_end else (self.left + 4, "start")
        return [line(self.left, y, self.right, y, "level"), text(x, label_y, label, "level-label", anchor)]

    def whisker(self, x: float, low: float, high: float) -> Markup:
        """An interval, upright at the pixel ``x``: dark with a light edge, to be seen on bars, too."""
        bottom, top = self.y(low), self.y(high)
        d = f"M{x:.1f},{bottom:.1f}V{top:.1f}M{x - 4:.1f},{bottom:.1f}h8M{x - 4:.1f},{top:.1f}h8"
        return element("g", element("path", d=d, class_="halo"), element("path", d=d, class_="whisker"))


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> Markup:
    """Words at a place; somebody's words are made plain."""
    return element("text", plain(words), x=float(x), y=float(y), class_=kind, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line."""
    return element("line", class_=kind, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))


def drawing(
    parts: Sequence[Markup], *, name: str, title: str, told: str, width: int, height: int, kind: str = "plot"
) -> Markup:
    """An ``svg`` element; ``title`` and ``told`` are what a reader hears who cannot see it.

    Args:
        parts: What is drawn.
        name: Unique on the page.
        title: Short.
        told: All that the drawing shows, in words.
        width: In pixels.
        height: In pixels.
        kind: Its class.
    """
    return element(
        "svg",
        element("title", plain(title), id=f"{name}-title"),
        element("desc", plain(told), id=f"{name}-desc"),
        *parts,
        class_=kind,
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )


def steps(low: float, high: float, most: int) -> list[float]:
    """Round values, from at or below ``low`` to at or above ``high``, in about ``most`` steps."""
    span = max(high - low, 1e-9)
    power = 10.0 ** floor(log10(span / most))
    step = next(power * by for by in (1, 2, 5, 10, 20) if span / (power * by) <= most)
    first, last = floor(low / step), -floor(-high / step)
    return [round(step * i, 9) for i in range(first, max(last, first + 1) + 1)]
