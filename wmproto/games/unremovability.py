"""Unremovability (Adi et al. 2018, section 4.2; specs/games.md, G2)."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from wmproto.attacks.attack import Attack
from wmproto.attacks.budget import Cost
from wmproto.errors import ConfigError
from wmproto.games.challenger import Challenger
from wmproto.games.cheater import unlearn
from wmproto.games.game import Game, Played, asked, evidence_of, rate_of, retention_of, with_head_of, working
from wmproto.games.grid import Attacker
from wmproto.games.interval import rate
from wmproto.games.record import Accuracy, Finding, Rate, Retention
from wmproto.models.fit import copy_of

__all__ = ["WITHIN", "Unremovability"]

#: Points of accuracy that a result may lose against the marked model (Lukas et al. 2022).
WITHIN = 5


class Unremovability(Game):
    """The adversary wins if what he hands in is within 5 points of the victim's accuracy and the claim does not stand.

    If the claim does not stand over the victim itself the cell is void: the mark did not take.
    """

    name: ClassVar[str] = "unremovability"

    def play(self, challenger: Challenger) -> Played:
        """See Game."""
        key, victim = challenger.key, challenger.model("victim")
        before = asked(victim.network, challenger)
        model, cost, log = self._result(challenger)
        with working(challenger):
            right, total = challenger.accuracy(model)
        after = asked(model, challenger)
        ruling, took = key.rule(after), key.rule(before).accepted
        lost = victim.facts["right"] - right
        accuracy, control = rate(right, total), self._control(challenger)
        original = with_head_of(model, victim.network)
        head = None if original is None else retention_of(key, asked(original, challenger))
        return Played(
            won=not ruling.accepted and 100 * lost <= WITHIN * total if took else None,
            accuracy=Accuracy(
                victim=rate_of(victim),
                twin=rate_of(challenger.model("twin")),
                independent=rate_of(challenger.model("independent")),
                result=accuracy,
                control=control[0] if control else None,
            ),
            retention=Retention(
                victim=retention_of(key, before),
                twin=retention_of(key, asked(challenger.model("twin").network, challenger)),
                independent=retention_of(key, asked(challenger.model("independent").network, challenger)),
                result=retention_of(key, after),
                control=control[1] if control else None,
                original_head=head,
            ),
            evidence=evidence_of(ruling),
            cost=cost,
            log=log,
            findings=() if took else (_NO_MARK,),
            void=not took,
        )

    def _result(self, challenger: Challenger) -> tuple[nn.Module, Cost | None, tuple[dict[str, object], ...]]:
        cell = challenger.cell
        if isinstance(cell.adversary, Attacker):
            if not isinstance(cell.adversary.attack, Attack) or cell.budget is None:
                raise ConfigError(f"{cell.adversary.word} does not play {self.name}")
            outcome = challenger.attacked(cell.adversary.attack, cell.budget)
            return outcome.model, outcome.cost, outcome.log
        with working(challenger):
            if cell.adversary == "no-op":
                return copy_of(challenger.model("victim").network), None, ()
            seed = challenger.seed_of("cheat")
            return unlearn(challenger.model("victim").network, challenger.shares, challenger.key, seed=seed), None, ()

    def _control(self, challenger: Challenger) -> tuple[Rate, Rate] | None:
        """Accuracy and hits of the twin after the same attack."""
        adversary = challenger.cell.adversary
        if not isinstance(adversary, Attacker):
            return None
        if "control" in challenger.needed():
            found = challenger.model("control")
            return rate_of(found), retention_of(challenger.key, asked(found.network, challenger))
        attack, budget = adversary.attack, challenger.cell.budget
        if not isinstance(attack, Attack) or budget is None:
            return None
        with working(challenger):
            view = challenger.view(attack, challenger.model("twin"))
            model = attack.attack(view, budget, challenger.seed_of("attack")).model
            right, total = challenger.accuracy(model)
        return rate(right, total), retention_of(challenger.key, asked(model, challenger))


_NO_MARK = Finding(
    code="mark-did-not-take",
    text="the claim does not stand over the marked model itself, so there is nothing to remove: measured, not won",
)
