"""What was played, what was not, and why: counts and lists for the first and the last part of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wmproto.games.pooling import settings
from wmproto.games.record import Record

__all__ = ["MOST", "Overview", "Told", "failures", "findings", "overview", "who"]

MOST = 200  # rows of a list; the downloads hold all


@dataclass(frozen=True, slots=True)
class Overview:
    """Facts about the whole set."""

    grids: tuple[str, ...]
    versions: tuple[str, ...]
    devices: tuple[str, ...]
    seeds: tuple[int, ...]
    played: int
    void: int
    failed: int
    missing: int
    twice: int
    hours: float


@dataclass(frozen=True, slots=True)
class Told:
    """A cell and what there is to say of it."""

    cell: str
    game: str
    who: str
    seed: int
    state: str
    text: str


def overview(records: Sequence[Record], *, missing: int, twice: int) -> Overview:
    """Count.

    Args:
        records: Each cell once.
        missing: Cells that were not played.
        twice: Records of cells that stand above already.
    """
    states = [record.state for record in records]
    versions = (", ".join(f"{name} {r.versions[name]}" for name in sorted(r.versions, reverse=True)) for r in records)
    return Overview(
        grids=tuple(dict.fromkeys(record.grid for record in records)),
        versions=tuple(dict.fromkeys(versions)),
        devices=tuple(dict.fromkeys(record.device for record in records)),
        seeds=tuple(sorted({record.seed for record in records})),
        played=states.count("played"),
        void=states.count("void"),
        failed=states.count("failed"),
        missing=missing,
        twice=twice,
        hours=sum(record.cost.seconds for record in records if record.cost) / 3600,
    )


def who(record: Record) -> str:
    """Setup, scheme and adversary of a cell."""
    parts = [record.profile, record.data, record.model]
    for named in (record.scheme, record.adversary):
        if named:
            parts.append(f"{named.name} ({said})" if (said := settings(named)) else named.name)
    return ", ".join(parts)


def failures(records: Iterable[Record]) -> list[Told]:
    """Cells that failed, with their errors, and void ones with their reasons."""
    return [
        _told(r, r.error or "; ".join(one.text for one in r.findings) or "no reason was recorded")
        for r in records
        if r.state != "played"
    ]


def findings(records: Iterable[Record]) -> list[tuple[str, int, Told]]:
    """Each finding's code, how many cells have it, and the first of them."""
    found: dict[str, list[Told]] = {}
    for record in records:
        for one in record.findings:
            found.setdefault(one.code, []).append(_told(record, one.text))
    return [(code, len(told), told[0]) for code, told in found.items()]


def _told(record: Record, text: str) -> Told:
    return Told(record.cell, record.game, who(record), record.seed, record.state, text)
