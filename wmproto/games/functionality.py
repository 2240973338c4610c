"""Functionality preserving: a condition, with no adversary (Adi et al. 2018, section 4.2; specs/games.md, G0)."""

from __future__ import annotations

from typing import ClassVar

from wmproto.games.challenger import Challenger
from wmproto.games.game import Game, Played, asked, evidence_of, rate_of, retention_of
from wmproto.games.record import Accuracy, Retention

__all__ = ["Functionality"]


class Functionality(Game):
    """The marked model is about as accurate as its twin and shows its mark; neither twin nor stranger does."""

    name: ClassVar[str] = "functionality"

    def play(self, challenger: Challenger) -> Played:
        """See Game."""
        key, models = (
            challenger.key,
            (challenger.model("victim"), challenger.model("twin"), challenger.model("independent")),
        )
        answers = [asked(found.network, challenger) for found in models]
        victim, twin, independent = (retention_of(key, answer) for answer in answers)
        return Played(
            won=None,
            accuracy=Accuracy(
                victim=rate_of(models[0]),
                twin=rate_of(models[1]),
                independent=rate_of(models[2]),
                result=None,
                control=None,
            ),
            retention=Retention(
                victim=victim, twin=twin, independent=independent, result=None, control=None, original_head=None
            ),
            evidence=evidence_of(key.rule(answers[0])),
        )
