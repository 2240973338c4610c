"""How the lines of the chart differ: by grey value, by dashes and by marker, so that any one of the three is enough."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

from markupsafe import Markup

from wmproto.report.svg import element

#: Luminance rises step by step (L* about 14, 32, 46, 58), and each keeps a contrast of 3 to 1 on white.
_COLOURS = ("#14213d", "#8a1c4a", "#b85410", "#2c9a8b")
#: In pixels of the drawing; ``none`` is a whole line.
_DASHES = ("none", "9 4", "2 4", "12 4 2 4", "5 3")
#: Paths around 0,0; 3, 4 and 5 have no common divisor, so 60 lines differ.
_MARKERS = (
    "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0z",  # circle
    "M-4,-4h8v8h-8z",  # square
    "M0,-5.5L5,4L-5,4z",  # triangle
)


@dataclass(frozen=True, slots=True)
class Stroke:
    """The look of one line; all three parts are ours, nothing in it comes from a transcript."""

    colour: str
    dashes: str
    marker: str

    def line(self, points: str) -> Markup:
        """A line through ``points`` ("x,y x,y ...")."""
        return element(
            "polyline",
            class_="wealth",
            points=points,
            fill="none",
            stroke=self.colour,
            stroke_width="2.2",
            stroke_linejoin="round",
            stroke_dasharray=self.dashes,
        )

    def mark(self, x: float, y: float) -> Markup:
        """The marker with its middle at (x, y), in pixels."""
        return element("path", d=self.marker, transform=f"translate({x:.1f},{y:.1f})", fill=self.colour, stroke="#fff")

    def swatch(self) -> Markup:
        """A piece of the line with its marker, for the legend."""
        inside = (self.line("1,7 55,7"), self.mark(28, 7))
        return element("svg", *inside, class_="swatch", viewBox="0 0 56 14", width=56, height=14, aria_hidden="true")


def strokes(count: int) -> list[Stroke]:
    """As many looks as there are lines; after 60 they come again."""
    looks = zip(cycle(_COLOURS), cycle(_DASHES), cycle(_MARKERS), strict=False)
    return [Stroke(*look) for look in islice(looks, count)]
