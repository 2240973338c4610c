"""Every cell of unremovability as a point: what it cost in accuracy, and what evidence was left."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from wmproto.games.page.plot import Frame, drawing, line, steps, text
from wmproto.games.pooling import WITHIN, grouped
from wmproto.games.record import Record
from wmproto.report.strokes import Stroke, strokes
from wmproto.report.svg import element
from wmproto.wire.profile import WMPROTO_1

__all__ = ["looks", "scatter", "scattered"]

_WIDTH, _HEIGHT = 480, 380
#: Paths around 0,0; with four colours 24 adversaries differ.
_MARKERS = (
    "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0z",  # circle
    "M-4,-4h8v8h-8z",  # square
    "M0,-5.5L5,4L-5,4z",  # triangle
    "M0,-6L5,0L0,6L-5,0z",  # diamond
    "M0,5.5L5,-4L-5,-4z",  # triangle, point down
    "M-2,-5.5h4v3.5h3.5v4h-3.5v3.5h-4v-3.5h-3.5v-4h3.5z",  # cross
)
_OPEN = {"fill": "#fff", "stroke_width": "2"}


def scattered(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The cells that have a point, by profile."""
    played = [
        r for r in records if r.game == "unremovability" and r.state == "played" and r.evidence and _loss(r) is not None
    ]
    return grouped(played, lambda record: record.profile)


def looks(records: Sequence[Record]) -> dict[str, Stroke]:
    """A look for each adversary's name, the same in all drawings."""
    names = sorted({r.adversary.name for r in records if r.adversary and r.game == "unremovability"})
    colours = [stroke.colour for stroke in strokes(4)]
    return {name: Stroke(colours[i % 4], "none", _MARKERS[(i + i // 4) % 6]) for i, name in enumerate(names)}


def scatter(records: Sequence[Record], look: dict[str, Stroke], *, profile: str, name: str) -> Markup:
    """One profile's cells; at least one. Filled: the adversary won."""
    at = [(loss, r.evidence.bits, r) for r in records if r.evidence and (loss := _loss(r)) is not None]
    across = steps(min(0, *(loss for loss, _, _ in at)), max(10, *(loss for loss, _, _ in at)), 6)
    bits = WMPROTO_1.bits(beacon=False) if profile == "wmproto/1" else None
    up = steps(min(0, *(y for _, y, _ in at)), max(bits or 1, *(y for _, y, _ in at)), 7)
    frame = Frame(52, 30, _WIDTH - 62, _HEIGHT - 84, across[0], across[-1], up[0], up[-1])
    parts = [*frame.across(up, "evidence, bits"), *frame.along(across, "accuracy lost, points")]
    parts.append(line(frame.x(WITHIN), frame.top, frame.x(WITHIN), frame.base, "level"))
    parts.append(text(frame.x(WITHIN) + 4, frame.top + 12, f"{WITHIN} points", "level-label"))
    parts += frame.level(bits, f"from {bits} bits on DEPENDENT", at_end=True) if bits else []
    for loss, y, record in at:
        parts.append(_point(look[record.adversary.name if record.adversary else ""], frame.x(loss), frame.y(y), record))
    told = "; ".join(
        f"{r.adversary.name if r.adversary else ''} {loss:.1f} points, {y} bits" for loss, y, r in at[:200]
    )
    title = f"{profile}: accuracy lost and evidence left, {len(at)} cells"
    return drawing(parts, name=name, title=title, told=told, width=_WIDTH, height=_HEIGHT)


def _point(look: Stroke, x: float, y: float, record: Record) -> Markup:
    place = f"translate({x:.1f},{y:.1f})"
    if record.won:
        return element(
            "path", d=look.marker, transform=place, fill=look.colour, stroke="#fff", stroke_width="0.7", class_="point"
        )
    return element("path", d=look.marker, transform=place, stroke=look.colour, class_="point", **_OPEN)


def _loss(record: Record) -> float | None:
    accuracy = record.accuracy
    if not accuracy or not accuracy.victim or not accuracy.result:
        return None
    return 100 * (accuracy.victim.share - accuracy.result.share)
