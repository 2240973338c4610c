"""Functionality preserving: a condition, with no adversary (Adi et al. 2018, section 4.2; specs/games.md, G0)."""

from __future__ import annotations

from typing import ClassVar

from wmproto.games.challenger import Challenger
from wmproto.games.game import Game, Played, evidence_of, rate_of, retention_of
from wmproto.games.record import Accuracy, Retention

__all__ = ["Functionality"]


class Functionality(Game):
    """The marked model is about as accurate as its twin and shows its mark; neither twin nor stranger does."""

    name: ClassVar[str] = "functionality"

    def play(self, challenger: Challenger) -> Played:
        """See Game."""
        key, parts = challenger.key, [challenger.part(name) for name in ("victim", "twin", "independent")]
        victim, twin, independent = (retention_of(key, part.answer) for part in parts)
        accuracies = [rate_of(part) for part in parts]
        return Played(
            won=None,
            accuracy=Accuracy(
                victim=accuracies[0], twin=accuracies[1], independent=accuracies[2], result=None, control=None
            ),
            retention=Retention(
                victim=victim, twin=twin, independent=independent, result=None, control=None, original_head=None
            ),
            evidence=evidence_of(key.rule(parts[0].answer)),
        )
