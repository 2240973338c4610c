"""Marks that are left, and accuracy that is lost, against the learning rate of the attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from markupsafe import Markup

from wmproto.games.page.plot import Frame, drawing, steps
from wmproto.games.page.published import variant, with_k
from wmproto.games.pooling import WITHIN, Pooled, Setup, grouped, part, settings, settings_key, setup_of
from wmproto.games.record import Limits, Named, Record
from wmproto.games.summary import Tried, tried
from wmproto.report.strokes import strokes

__all__ = ["Series", "Sweep", "sweep_chart", "sweeps"]

_WIDTH, _HEIGHT = 480, 470
_APART = 4.0  # pixels between two attacks at the same rate


@dataclass(frozen=True, slots=True)
class Series:
    """An attack at several rates, everything else the same."""

    name: str
    points: tuple[tuple[float, Tried], ...]

    @property
    def seeds(self) -> str:
        """How many stand behind its points."""
        counts = sorted({one.retention.seeds for _, one in self.points})
        said = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
        return f"{said} seed" if said == "1" else f"{said} seeds"


@dataclass(frozen=True, slots=True)
class Sweep:
    """All attacks on one scheme whose rate was swept.

    Attributes:
        title: The scheme.
        series: At least one.
        twin: Marks of the unmarked twin.
        classes: Number of classes, where it is known.
    """

    title: str
    series: tuple[Series, ...]
    twin: Pooled | None
    classes: int | None


def sweeps(records: Sequence[Record]) -> dict[Setup, tuple[Sweep, ...]]:
    """By setup; schemes without an attack that was played at two rates or more are left out."""
    played = [r for r in records if r.game == "unremovability" and r.scheme and _rate(r) and r.state == "played"]
    found: dict[Setup, tuple[Sweep, ...]] = {}
    for setup, some in grouped(played, setup_of).items():
        made = [_sweep(one) for one in grouped(some, lambda record: settings_key(record.scheme)).values()]
        kept = tuple(sweep for sweep in made if sweep.series)
        found |= {setup: kept} if kept else {}
    return found


def sweep_chart(sweep: Sweep, *, name: str) -> Markup:
    """Two plots, one above the other, over the same axis of rates."""
    rates = [rate for series in sweep.series for rate, _ in series.points]
    losses = [one.loss.points for series in sweep.series for _, one in series.points]
    marks = steps(min(0.0, *losses), max(WITHIN, *losses), 4)
    ends = min(rates) / 1.5, max(rates) * 1.5
    above = Frame(44, 30, _WIDTH - 52, 210, *ends, 0, 100, log=True)
    below = Frame(44, 292, _WIDTH - 52, 126, *ends, marks[0], marks[-1], log=True)
    powers = [10.0**n for n in range(ceil(log10(ends[0])), floor(log10(ends[1])) + 1)]
    parts = above.across(range(0, 101, 20), "marks that are left, per cent")
    parts += above.along([], "")
    parts += below.across(marks, "accuracy lost, points")
    parts += below.along(powers if len(powers) > 1 else sorted(set(rates)), "learning rate")
    if sweep.classes:
        parts += above.level(100 / sweep.classes, f"luck: 1 in {sweep.classes}", above=False)
    parts += below.level(WITHIN, f"{WITHIN} points")
    beside = -_APART * (len(sweep.series) - 1) / 2
    for series, look in zip(sweep.series, strokes(len(sweep.series)), strict=True):
        ways = [(above, [100 * one.retention.rate.share for _, one in series.points])]
        ways.append((below, [one.loss.points for _, one in series.points]))
        for frame, values in ways:
            at = [
                (frame.x(rate) + beside, frame.y(value)) for (rate, _), value in zip(series.points, values, strict=True)
            ]
            parts.append(look.line(" ".join(f"{x:.1f},{y:.1f}" for x, y in at)))
            if frame is above:
                shown = [one.retention.rate for _, one in series.points]
                parts += [frame.whisker(x, 100 * r.low, 100 * r.high) for (x, _), r in zip(at, shown, strict=True)]
            parts += [look.mark(*place) for place in at]
        beside += _APART
    told = "; ".join(_told(series) for series in sweep.series)
    return drawing(parts, name=name, title=sweep.title, told=told, width=_WIDTH, height=_HEIGHT)


def _sweep(records: Sequence[Record]) -> Sweep:
    scheme, found = records[0].scheme, []
    groups = grouped(records, lambda record: (_rest(record.adversary), record.budget))
    several = len({record.budget for record in records}) > 1
    alike: dict[str, list[Named]] = {}
    for record in records:
        if record.adversary:
            alike.setdefault(record.adversary.name, []).append(record.adversary)
    for (_, budget), some in groups.items():
        adversary = some[0].adversary
        points = [(_lr(one.adversary), one) for one in tried(some)]
        points.sort(key=lambda point: point[0])
        if adversary and any(low[0] < high[0] for low, high in pairwise(points)):
            found.append(Series(_named(adversary, alike[adversary.name], budget if several else None), tuple(points)))
    classes = records[0].config.get("classes")
    title = f"{variant(scheme.name)}, {with_k(scheme)}" if scheme else ""
    twin = part(records, "retention", "twin")
    return Sweep(title, tuple(found), twin, classes if isinstance(classes, int) and classes > 1 else None)


def _named(adversary: Named, alike: Sequence[Named], budget: Limits | None) -> str:
    """The attack with what differs between its series, and its budget where there are several."""
    names = [n for n, v in adversary.settings.items() if n != "lr" and any(o.settings.get(n) != v for o in alike)]
    said = settings(adversary, names)
    name = f"{adversary.name} ({said})" if said else adversary.name
    return f"{name}, {budget.backward:,} samples" if budget else name


def _rest(adversary: Named | None) -> str:
    if adversary is None:
        return ""
    others = {name: value for name, value in adversary.settings.items() if name != "lr"}
    return settings_key(adversary.model_copy(update={"settings": others}))


def _lr(adversary: Named) -> float:
    return float(adversary.settings["lr"])


def _rate(record: Record) -> bool:
    value = record.adversary.settings.get("lr") if record.adversary else None
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _told(series: Series) -> str:
    points = ", ".join(
        f"at {rate:g} {100 * one.retention.rate.share:.1f} % left and {one.loss.points:.1f} points lost"
        for rate, one in series.points
    )
    return f"{series.name}: {points}"
