"""The matrix at a glance: one line an attack, one column a scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wmproto.games.pooling import settings, settings_key
from wmproto.games.record import Limits
from wmproto.games.summary import Row

__all__ = ["Glance", "budget_of", "by_scheme", "glance"]


@dataclass(frozen=True, slots=True)
class Glance:
    """Schemes, and for each attack its row under each of them; None where it was not played."""

    schemes: tuple[str, ...]
    attacks: tuple[tuple[str, tuple[Row | None, ...]], ...]


def glance(rows: Sequence[Row]) -> Glance:
    """All rows of one setup."""
    schemes = list(dict.fromkeys(settings_key(row.scheme) for row in rows))
    names = {settings_key(row.scheme): scheme_of(row) for row in rows}
    budgets = {row.budget for row in rows if row.budget}
    at: dict[str, dict[str, Row]] = {}
    for row in rows:
        at.setdefault(attack_of(row, several=len(budgets) > 1), {})[settings_key(row.scheme)] = row
    attacks = tuple((name, tuple(of.get(scheme) for scheme in schemes)) for name, of in at.items())
    return Glance(tuple(names[scheme] for scheme in schemes), attacks)


def by_scheme(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Rows of one setup, scheme by scheme."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(scheme_of(row), []).append(row)
    return list(found.items())


def scheme_of(row: Row) -> str:
    """The scheme with all its settings."""
    said = settings(row.scheme)
    return f"{row.scheme.name} ({said})" if said else row.scheme.name


def attack_of(row: Row, *, several: bool) -> str:
    """The attack, with its budget where there are several."""
    name = row.shown.adversary.name
    return f"{name}, {budget_of(row.budget)}" if several and row.budget else name


def budget_of(budget: Limits | None) -> str:
    """A budget in words."""
    return f"{budget.backward:,} trained, {budget.queries:,} asked" if budget else "no budget"
