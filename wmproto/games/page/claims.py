"""Claims and forgeries: who won, and whether hits were what luck gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import binom

from wmproto.games.pooling import Pooled, Setup, grouped, part, pool, settings, settings_key, setup_of, wins
from wmproto.games.record import GAMES, Rate, Record

__all__ = ["LEVEL", "Claimed", "Owned", "claims", "classes_of", "piracy"]

LEVEL = 0.99  # of the band
_GAMES = tuple(game for game in GAMES if game not in ("functionality", "unremovability"))


@dataclass(frozen=True, slots=True)
class Claimed:
    """An adversary of a claim game, at one setting and budget, over its seeds.

    Attributes:
        game: Which game.
        name: The adversary.
        setting: His settings.
        scheme: The scheme of the model that is claimed; empty if nobody marked it.
        won: Cells won of those played.
        hits: Labels hit, of the marks that were asked.
        bits: Least and greatest evidence.
        band: The hits that one key over all its leaves stays within with 99 %; None where no such law holds.
        inside: Whether they do.
    """

    game: str
    name: str
    setting: str
    scheme: str
    won: Pooled
    hits: Pooled | None
    bits: tuple[int, int]
    band: tuple[int, int] | None
    inside: bool | None


@dataclass(frozen=True, slots=True)
class Owned:
    """Overwriting: the marks of the overwriter after each part of his work, beside the owner's.

    Attributes:
        scheme: How the owner's mark was embedded.
        setting: Of the attack.
        own: Part of the work and the overwriter's own marks after it.
        owner: The owner's marks at the end.
        accuracy: Right on test pictures at the end.
    """

    scheme: str
    setting: str
    own: tuple[tuple[str, Pooled], ...]
    owner: Pooled | None
    accuracy: Pooled | None


def claims(records: Sequence[Record]) -> dict[Setup, tuple[Claimed, ...]]:
    """By setup, in the order of the games."""
    played = [r for r in records if r.game in _GAMES and r.adversary and r.evidence and r.state == "played"]
    found = {}
    for setup, some in grouped(played, setup_of).items():
        rows = grouped(some, lambda r: (r.game, settings_key(r.scheme), settings_key(r.adversary), r.budget))
        made = [one for rows_of in rows.values() if (one := _claimed(rows_of))]
        found[setup] = tuple(sorted(made, key=lambda one: _GAMES.index(one.game)))
    return found


def piracy(records: Sequence[Record]) -> dict[Setup, tuple[Owned, ...]]:
    """What the attack ``overwrite`` noted, by setup."""
    played = [r for r in records if r.adversary and r.adversary.name == "overwrite" and r.retention]
    found = {}
    for setup, some in grouped(played, setup_of).items():
        rows = grouped(some, lambda r: (settings_key(r.scheme), settings_key(r.adversary), r.budget))
        found[setup] = tuple(_owned(one) for one in rows.values())
    return found


def classes_of(record: Record) -> int | None:
    """The number of classes, where the record has it."""
    found = record.config.get("classes")
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 1 else None


def _claimed(records: Sequence[Record]) -> Claimed | None:
    first, won, hits = records[0], wins(records), part(records, "retention", "result")
    adversary, evidence = first.adversary, [r.evidence.bits for r in records if r.evidence]
    if not adversary or not won or not evidence:
        return None
    band, classes = None, classes_of(first)
    lawful = first.profile == "wmproto/1" and first.game != "unforgeability" and adversary.kind != "cheater"
    if lawful and hits and classes:
        low, high = binom.interval(LEVEL, hits.rate.total, 1 / classes)
        band = int(low), int(high)
    return Claimed(
        game=first.game,
        name=adversary.name,
        setting=settings(adversary),
        scheme=_scheme(first),
        won=won,
        hits=hits,
        bits=(min(evidence), max(evidence)),
        band=band,
        inside=band[0] <= hits.rate.hits <= band[1] if band and hits else None,
    )


def _owned(records: Sequence[Record]) -> Owned:
    parts: dict[str, list[tuple[int, Any]]] = {}
    for record in records:
        for noted in record.log:
            if (rate := _noted(noted)) is not None:
                parts.setdefault(str(noted.get("part", "at the end")), []).append((record.seed, rate))
    own = tuple((name, pooled) for name, rates in parts.items() if (pooled := pool(rates)))
    adversary = records[0].adversary
    return Owned(
        scheme=_scheme(records[0]),
        setting=settings(adversary) if adversary else "",
        own=own,
        owner=part(records, "retention", "result"),
        accuracy=part(records, "accuracy", "result"),
    )


def _noted(noted: dict[str, Any]) -> Rate | None:
    """Own marks in a note of an attack, which is anybody's word: None where it makes no sense."""
    hits, total = noted.get("own_hits"), noted.get("own_total", noted.get("own_triggers"))
    if type(hits) is not int or type(total) is not int or not 0 <= hits <= total or not total:
        return None
    return Rate(hits=hits, total=total, low=0, high=1)


def _scheme(record: Record) -> str:
    return f"{record.scheme.name} ({settings(record.scheme)})" if record.scheme else ""
