"""Pooling over seeds, and what cells must share before they may be pooled.

Hits and totals are added; the exact interval of the sums, the number of seeds, and the least and the greatest share of
one record stand beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Literal, TypeVar

from wmproto.games.interval import rate
from wmproto.games.record import Named, Rate, Record

__all__ = ["Loss", "Pooled", "Setup", "grouped", "labels", "loss", "once_a_cell", "part", "pool", "settings"]
__all__ += ["settings_key", "setup_of", "wins"]

#: Points of accuracy that a result may lose; as in wmproto.games.unremovability, which needs torch.
WITHIN = 5
_LATER = ("classes", "data_digest")  # what a failed cell's config does not have yet
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Pooled:
    """A rate over some seeds.

    Attributes:
        rate: Hits and totals of all seeds added, with the exact interval.
        seeds: Number of different seeds.
        least: Least share of one record.
        most: Greatest share of one record.
    """

    rate: Rate
    seeds: int
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Loss:
    """Accuracy lost against the victim, in points: pooled, and the least and greatest of one record.

    Attributes:
        exact: As a share, exactly; negative where the result is better than the victim.
        points: The same in points.
        least: Of one record.
        most: Of one record.
    """

    exact: Fraction
    points: float
    least: float
    most: float

    @property
    def within(self) -> bool:
        """Whether at most 5 points are lost, exactly."""
        return 100 * self.exact <= WITHIN


@dataclass(frozen=True, slots=True, order=True)
class Setup:
    """What cells must share to be compared: profile, data, architecture, and the digest of sizes, keys and recipe."""

    profile: str
    data: str
    model: str
    config: str


def grouped(records: Iterable[Record], key: Callable[[Record], Key]) -> dict[Key, list[Record]]:
    """Records by a key, keys in the order in which they come first."""
    found: dict[Key, list[Record]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return found


def once_a_cell(records: Iterable[Record]) -> list[Record]:
    """The first record of each cell over the same data, in order."""
    return [some[0] for some in grouped(records, lambda r: (r.cell, r.config.get("data_digest"))).values()]


def setup_of(record: Record) -> Setup:
    """What the record may be compared with."""
    given = {name: value for name, value in record.config.items() if name not in _LATER}
    digest = sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:8]
    return Setup(record.profile, record.data, record.model, digest)


def labels(records: Iterable[Record]) -> dict[Setup, str]:
    """A heading for each setup, in order; setups that differ in sizes or recipe alone are numbered."""
    found = dict.fromkeys(setup_of(record) for record in records)
    configs: dict[tuple[str, str], list[str]] = {}
    for setup in found:
        same = configs.setdefault((setup.data, setup.model), [])
        same += [setup.config] if setup.config not in same else []
    made = {}
    for setup in found:
        same = configs[setup.data, setup.model]
        number = f", setup {same.index(setup.config) + 1}" if len(same) > 1 else ""
        made[setup] = f"{setup.profile}: {setup.data}, {setup.model}{number}"
    return made


def settings(named: Named, names: Iterable[str] | None = None) -> str:
    """Settings as text: ``lr=0.01, epochs=20``; all, or those of these names."""
    wanted = named.settings if names is None else [name for name in named.settings if name in set(names)]
    return ", ".join(f"{name}={named.settings[name]}" for name in wanted)


def pool(rates: Iterable[tuple[int, Rate | None]], *, once: bool = False) -> Pooled | None:
    """Pool (seed, rate) pairs; None where there is none.

    Args:
        rates: Pairs; those whose rate is None are left out.
        once: Count one rate a seed, the first: for a model that has a part in many cells.
    """
    known = [(seed, found) for seed, found in rates if found is not None]
    if once:
        known = list(dict(reversed(known)).items())
    if not known:
        return None
    shares = [found.share for _, found in known]
    whole = rate(sum(found.hits for _, found in known), sum(found.total for _, found in known))
    return Pooled(whole, len({seed for seed, _ in known}), min(shares), max(shares))


def part(records: Iterable[Record], of: Literal["accuracy", "retention"], name: str) -> Pooled | None:
    """Pool a model's accuracy or retention; all but those that an attack made count once a seed."""
    pairs = ((record.seed, getattr(getattr(record, of), name, None)) for record in records)
    return pool(pairs, once=name in ("victim", "twin", "independent"))


def wins(records: Iterable[Record], *, lost: bool = False) -> Pooled | None:
    """Cells won (or lost) of those that were played to an end."""
    return pool(
        (r.seed, Rate(hits=int(r.won is not lost), total=1, low=0, high=1)) for r in records if r.won is not None
    )


def loss(records: Sequence[Record]) -> Loss:
    """Pooled accuracy that these results lost; at least one record must have both rates."""
    pairs = [(r.accuracy.victim, r.accuracy.result) for r in records if r.accuracy]
    both = [(victim, result) for victim, result in pairs if victim and result]
    each = [100 * (victim.share - result.share) for victim, result in both]
    victims = Fraction(sum(victim.hits for victim, _ in both), sum(victim.total for victim, _ in both))
    exact = victims - Fraction(sum(result.hits for _, result in both), sum(result.total for _, result in both))
    return Loss(exact, float(100 * exact), min(each), max(each))


def settings_key(named: Named | None) -> str:
    """Equal for two schemes or attacks of the same name and settings."""
    return "" if named is None else json.dumps([named.name, named.settings], sort_keys=True)
