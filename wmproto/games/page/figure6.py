"""Adi's Figure 6: test and trigger accuracy after no fine-tuning, FTLL, FTAL, RTLL and RTAL, for each scheme.

Shown is the setting nearest to the paper's own, not the strongest one: the paper fine-tunes for as long as it trained,
at the last rate of the training. So: the number of epochs nearest to that of the training, then the least rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from wmproto.games.page.published import CONDITIONS, FIGURE_6, likeness, variant, with_k
from wmproto.games.pooling import Pooled, Setup, grouped, part, settings, settings_key, setup_of
from wmproto.games.record import Named, Record
from wmproto.games.summary import Tried, tried

__all__ = ["Condition", "Panel", "figure_6"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Two bars: what a model has left after an attack.

    Attributes:
        name: As in the paper.
        setting: Of the attack: rate and epochs.
        others: How many more settings of this attack were played.
        test: Right on test pictures.
        trigger: Triggers answered with their label, by the model as it was handed in.
        original: By the model with the victim's output layer put back.
        published: Test and trigger accuracy in the paper, per cent.
    """

    name: str
    setting: str
    others: int
    test: Pooled | None
    trigger: Pooled | None
    original: Pooled | None
    published: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Panel:
    """The bars of one scheme."""

    name: str
    setting: str
    conditions: tuple[Condition, ...]

    @property
    def title(self) -> str:
        """For the heading of the drawing."""
        return f"{self.name}, {self.setting}" if self.setting else self.name


def figure_6(records: Sequence[Record]) -> dict[Setup, tuple[Panel, ...]]:
    """A panel for each scheme that one of the four attacks was played against, by setup."""
    wanted = dict(CONDITIONS)
    played = [r for r in records if r.game == "unremovability" and r.adversary and r.adversary.name in wanted]
    found: dict[Setup, tuple[Panel, ...]] = {}
    for setup, some in grouped(played, setup_of).items():
        panels = [
            _panel(setup, of_scheme[0].scheme, of_scheme)
            for of_scheme in grouped(some, lambda record: settings_key(record.scheme)).values()
            if of_scheme[0].scheme
        ]
        kept = tuple(panel for panel in panels if any(one.test for one in panel.conditions[1:]))
        found |= {setup: kept} if kept else {}
    return found


def nearest(found: Sequence[Tried]) -> Tried:
    """The setting nearest to the paper's own; at least one is given."""

    def distance(one: Tried) -> tuple[float, float, int]:
        config, budget = one.records[0].config, one.records[0].budget
        meant = config.get("training", {}).get("recipe", {}).get("epochs")
        epochs = _number(one.adversary, "epochs")
        off = abs(epochs - meant) if isinstance(meant, int) and epochs < inf else 0
        return off, _number(one.adversary, "lr"), -budget.backward if budget else 0

    return min(found, key=distance)


def _panel(setup: Setup, scheme: Named | None, records: Sequence[Record]) -> Panel:
    name = variant(scheme.name) if scheme else ""
    paper = FIGURE_6.get(likeness(setup.profile, setup.data) or "", {}).get(name)
    by_attack = grouped(records, lambda record: record.adversary.name if record.adversary else "")
    conditions = [
        _condition(word, by_attack.get(attack, ()), records, paper[at] if paper else None)
        for at, (attack, word) in enumerate(CONDITIONS)
    ]
    rows = {"rows"} if scheme and "rows" in scheme.settings else None
    setting = with_k(scheme, rows) if scheme else ""
    return Panel(name, setting, tuple(conditions))


def _condition(
    name: str, records: Sequence[Record], whole: Sequence[Record], published: tuple[float, float] | None
) -> Condition:
    by_budget = grouped(records, lambda record: str(record.budget))
    found = [one for some in by_budget.values() for one in tried(some)]
    if name == CONDITIONS[0][1]:  # the victim itself, which every cell has measured
        test, trigger = part(whole, "accuracy", "victim"), part(whole, "retention", "victim")
        return Condition(name, "", 0, test, trigger, None, published)
    if not found:
        return Condition(name, "", 0, None, None, None, published)
    one = nearest(found)
    original = part(one.records, "retention", "original_head")
    setting = settings(one.adversary, ("lr", "epochs"))
    return Condition(name, setting, len(found) - 1, one.accuracy, one.retention, original, published)


def _number(named: Named, name: str) -> float:
    value = named.settings.get(name)
    return float(value) if isinstance(value, int | float) else inf
