"""What a set of records comes to: the strongest setting of every attack, and who won what.

Pure functions from records to frozen tables; every rate is pooled over seeds (wmproto.games.pooling).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from wmproto.games.pooling import Loss, Pooled, Setup, grouped, loss, part, pool, settings, settings_key, setup_of, wins
from wmproto.games.record import GAMES, Limits, Named, Rate, Record

__all__ = ["Row", "Standing", "Tried", "matrix", "standings", "strongest", "tried"]

_ALONE = ("no-op", "cheater")


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting of an attack over its seeds."""

    adversary: Named
    records: tuple[Record, ...]
    retention: Pooled
    accuracy: Pooled
    loss: Loss


@dataclass(frozen=True, slots=True)
class Row:
    """One attack on one scheme: its strongest setting.

    Attributes:
        scheme: The scheme with its settings.
        budget: The attack's; None for no-op and cheater.
        shown: The strongest setting.
        setting: In words: the rate, and what else was varied.
        tried: How many settings were played.
        within: How many of them stay within 5 points.
        void: Cells of this attack where the mark had not taken. They count nowhere unless all are such.
        failed: Cells of this attack that failed.
        won: Cells of the shown setting that the adversary won, of those played; None where all are void.
        bits: Least and greatest evidence.
        verdicts: Word and number of cells, commonest first.
        control: Accuracy of the twin after the same attack.
        control_hits: Its marks.
        original_head: Marks with the victim's output layer put back.
        victim: Marks of the victim.
        twin: Marks of the unmarked twin.
        independent: Marks of the stranger's model.
    """

    scheme: Named
    budget: Limits | None
    shown: Tried
    setting: str
    tried: int
    within: int
    void: int
    failed: int
    won: Pooled | None
    bits: tuple[int, int] | None
    verdicts: tuple[tuple[str, int], ...]
    control: Pooled | None
    control_hits: Pooled | None
    original_head: Pooled | None
    victim: Pooled | None
    twin: Pooled | None
    independent: Pooled | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A game under a profile.

    Attributes:
        game: Which.
        profile: Which.
        stood: Cells without an adversary: claims that stood over the victim.
        won: Cells that attacks won, of those played.
        idle: Cells that no-op lost, of those played.
        told: Cells that the cheater won, of those played.
        void: Cells.
        failed: Cells.
        alarm: Whether no-op or cheater did not do what they must, or did not play.
    """

    game: str
    profile: str
    stood: Pooled | None
    won: Pooled | None
    idle: Pooled | None
    told: Pooled | None
    void: int
    failed: int
    alarm: bool


def tried(records: Iterable[Record]) -> list[Tried]:
    """The settings of one attack on one scheme under one budget, each pooled over its seeds."""
    measured = [r for r in records if r.accuracy and r.accuracy.victim and r.accuracy.result and r.retention]
    found = []
    for some in grouped(measured, lambda record: settings_key(record.adversary)).values():
        retention, accuracy = part(some, "retention", "result"), part(some, "accuracy", "result")
        if retention and accuracy and some[0].adversary:
            found.append(Tried(some[0].adversary, tuple(some), retention, accuracy, loss(some)))
    return found


def strongest(found: Sequence[Tried]) -> Tried:
    """Of the settings within 5 points the one that leaves the fewest marks; if there is none, the one that loses least.

    Raises:
        ValueError: No setting is given.
    """
    within = [one for one in found if one.loss.within]
    if within:
        return min(within, key=lambda one: (_exact(one.retention.rate), one.loss.exact))
    return min(found, key=lambda one: (one.loss.exact, _exact(one.retention.rate)))


def matrix(records: Iterable[Record]) -> dict[Setup, tuple[Row, ...]]:
    """Unremovability: a row for each scheme, attack and budget, by setup."""
    played = [r for r in records if r.game == "unremovability" and r.scheme and r.adversary]
    return {
        setup: tuple(
            row
            for of_scheme in grouped(some, lambda r: settings_key(r.scheme)).values()
            for of_attack in grouped(of_scheme, _attack).values()
            if (row := _row(of_attack))
        )
        for setup, some in grouped(played, setup_of).items()
    }


def standings(records: Sequence[Record]) -> list[Standing]:
    """Who won, by game and profile."""
    found = grouped(records, lambda record: (record.game, record.profile))
    order = sorted(found, key=lambda at: (GAMES.index(at[0]), at[1] != "wmproto/1"))
    return [_standing(game, profile, found[game, profile]) for game, profile in order]


def _exact(of: Rate) -> Fraction:
    return Fraction(of.hits, of.total)


def _attack(record: Record) -> tuple[Any, ...]:
    adversary, budget = record.adversary, record.budget
    limits = budget and (budget.forward, budget.backward, budget.queries)
    return (adversary.kind, adversary.name, limits) if adversary else ("", "", limits)


def _row(records: Sequence[Record]) -> Row | None:
    played, void = ([r for r in records if r.state == state] for state in ("played", "void"))
    found = tried(played or void)
    if not found or not records[0].scheme:
        return None
    shown = strongest(found)
    made, evidence = shown.records, [r.evidence for r in shown.records if r.evidence]
    varied = {name for one in found for name, value in one.adversary.settings.items() if _differs(found, name, value)}
    words = [one.verdict for one in evidence]
    return Row(
        scheme=records[0].scheme,
        budget=records[0].budget,
        shown=shown,
        setting=settings(shown.adversary, varied | {"lr", "then"}),
        tried=len(found),
        within=sum(one.loss.within for one in found),
        void=len(void),
        failed=sum(r.state == "failed" for r in records),
        won=wins(made),
        bits=(min(e.bits for e in evidence), max(e.bits for e in evidence)) if evidence else None,
        verdicts=tuple(sorted(((w, words.count(w)) for w in dict.fromkeys(words)), key=lambda one: -one[1])),
        control=part(made, "accuracy", "control"),
        control_hits=part(made, "retention", "control"),
        original_head=part(made, "retention", "original_head"),
        victim=part(made, "retention", "victim"),
        twin=part(made, "retention", "twin"),
        independent=part(made, "retention", "independent"),
    )


def _differs(found: Sequence[Tried], name: str, value: object) -> bool:
    return any(other.adversary.settings.get(name) != value for other in found)


def _standing(game: str, profile: str, records: Sequence[Record]) -> Standing:
    by = grouped(records, lambda record: record.adversary.kind if record.adversary else "")
    attacks = [r for r in records if r.adversary and r.adversary.kind not in _ALONE]
    idle, told = wins(by.get("no-op", ()), lost=True), wins(by.get("cheater", ()))
    claims = [(r.seed, r.evidence.accepted) for r in by.get("", ()) if r.evidence]
    return Standing(
        game=game,
        profile=profile,
        stood=pool((seed, Rate(hits=int(stood), total=1, low=0, high=1)) for seed, stood in claims),
        won=wins(attacks),
        idle=idle,
        told=told,
        void=sum(r.state == "void" for r in records),
        failed=sum(r.state == "failed" for r in records),
        alarm=game != "functionality" and not all(one and one.rate.hits == one.rate.total for one in (idle, told)),
    )
