"""Adi's Table 1: accuracy on test pictures and on triggers, without a mark and with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wmproto.games.page.published import TABLE_1, likeness, variant, with_k
from wmproto.games.pooling import Pooled, Setup, grouped, part, settings_key, setup_of
from wmproto.games.record import Record

__all__ = ["Line", "table_1"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Attributes:
        name: As in the paper.
        setting: Rows and what else the scheme is set to.
        test: Right on test pictures.
        trigger: Triggers answered with their label.
        published: Test and trigger accuracy in the paper, per cent; None where it has no such line.
    """

    name: str
    setting: str
    test: Pooled
    trigger: Pooled
    published: tuple[float, float] | None


def table_1(records: Sequence[Record]) -> dict[Setup, tuple[Line, ...]]:
    """Twin and victims of all records that measured both, by setup; every model counts once a seed."""
    measured = [r for r in records if r.scheme and r.accuracy and r.retention and r.retention.victim]
    found: dict[Setup, tuple[Line, ...]] = {}
    for setup, some in grouped(measured, setup_of).items():
        lines = [_line(some, setup, "twin", "NO-WM", "")]
        for of_scheme in grouped(some, lambda record: settings_key(record.scheme)).values():
            scheme = of_scheme[0].scheme
            if scheme:
                lines.append(_line(of_scheme, setup, "victim", variant(scheme.name), with_k(scheme)))
        kept = tuple(line for line in lines if line)
        found |= {setup: kept} if kept else {}
    return found


def _line(records: Sequence[Record], setup: Setup, model: str, name: str, setting: str) -> Line | None:
    test, trigger = part(records, "accuracy", model), part(records, "retention", model)
    if not test or not trigger:
        return None
    return Line(name, setting, test, trigger, TABLE_1.get(likeness(setup.profile, setup.data) or "", {}).get(name))
