"""What models that never saw a mark answer: are their hits what luck gives?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from scipy.stats import binomtest

from wmproto.games.page.claims import classes_of
from wmproto.games.page.plot import Frame, drawing, line
from wmproto.games.pooling import Pooled, pool, setup_of
from wmproto.games.record import Rate, Record
from wmproto.report.strokes import Stroke, strokes

__all__ = ["Control", "Null", "controls", "null_chart", "nulls"]

_SIZE = 380


@dataclass(frozen=True, slots=True)
class Control:
    """One model that never saw the marks that it was asked: its hits and the exact two-sided p."""

    profile: str
    data: str
    model: str
    seed: int
    which: str
    rate: Rate
    classes: int
    p: float


@dataclass(frozen=True, slots=True)
class Null:
    """All controls of a profile and a number of classes, and what they come to.

    Attributes:
        profile: Which.
        classes: Of each.
        controls: At least one.
        pooled: All their hits.
        p: Exact and two-sided, of the pooled hits.
        small: How many controls have a p below 0.05.
        least: The least p.
    """

    profile: str
    classes: int
    controls: tuple[Control, ...]
    pooled: Pooled
    p: float
    small: int
    least: float


def controls(records: Sequence[Record]) -> list[Control]:
    """Twin and independent model of each setup and seed, each once."""
    found = {}
    for record in records:
        classes = classes_of(record)
        for which in ("twin", "independent") if record.retention and classes else ():
            rate = getattr(record.retention, which)
            key = (setup_of(record), record.seed, which)
            if rate is not None and classes and key not in found:
                p = _p(rate, classes)
                where = (record.profile, record.data, record.model, record.seed)
                found[key] = Control(*where, which=which, rate=rate, classes=classes, p=p)
    return list(found.values())


def nulls(records: Sequence[Record]) -> list[Null]:
    """By profile and number of classes."""
    by: dict[tuple[str, int], list[Control]] = {}
    for one in controls(records):
        by.setdefault((one.profile, one.classes), []).append(one)
    return [_null(*key, some) for key, some in sorted(by.items(), reverse=True)]


def null_chart(found: Sequence[Null], *, name: str) -> Markup:
    """p-values in order against those of a uniform law, one look for each of ``found``; at least one."""
    frame = Frame(44, 30, _SIZE - 54, _SIZE - 84, 0, 1, 0, 1)
    parts = [*frame.across((0, 0.25, 0.5, 0.75, 1), "p-value"), *frame.along((0, 0.25, 0.5, 0.75, 1), "uniform")]
    parts.append(line(frame.left, frame.base, frame.right, frame.top, "level"))
    for one, look in zip(found, null_looks(found), strict=True):
        ps = sorted(control.p for control in one.controls)
        parts += [look.mark(frame.x((at + 0.5) / len(ps)), frame.y(p)) for at, p in enumerate(ps)]
    told = "; ".join(f"{one.profile}: {', '.join(f'{c.p:.3f}' for c in one.controls[:100])}" for one in found)
    title = "p-values of models that never saw a mark, against a uniform law"
    return drawing(parts, name=name, title=title, told=told, width=_SIZE, height=_SIZE)


def null_looks(found: Sequence[Null]) -> list[Stroke]:
    """The looks of the chart."""
    return strokes(len(found))


def _null(profile: str, classes: int, found: Sequence[Control]) -> Null:
    pooled = pool((one.seed, one.rate) for one in found)
    if pooled is None:
        raise ValueError("at least one control is needed")
    ps = [one.p for one in found]
    p = _p(pooled.rate, classes)
    return Null(profile, classes, tuple(found), pooled, p, sum(one < 0.05 for one in ps), min(ps))


def _p(rate: Rate, classes: int) -> float:
    return float(binomtest(rate.hits, rate.total, 1 / classes).pvalue)
