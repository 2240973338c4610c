"""Unremovability (Adi et al. 2018, section 4.2; specs/games.md, G2)."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from wmproto.attacks.attack import Attack
from wmproto.attacks.budget import Cost
from wmproto.errors import ConfigError
from wmproto.games.challenger import Challenger
from wmproto.games.cheater import unlearn
from wmproto.games.game import NO_MARK, Game, Played, evidence_of, rate_of, retention_of, with_head_of
from wmproto.games.grid import Attacker
from wmproto.games.judge import Asked
from wmproto.games.record import Accuracy, Retention
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
        key, victim = challenger.key, challenger.part("victim")
        twin, independent = challenger.part("twin"), challenger.part("independent")
        model, cost, log = self._result(challenger)
        after, control = self._asked(challenger, model), self._control(challenger)
        ruling, took = key.rule(after.answer), challenger.took
        original = with_head_of(model, challenger.model("victim").network)
        head = None if original is None else retention_of(key, challenger.asked(original).answer)
        within = 100 * (victim.right - after.right) <= WITHIN * after.total
        return Played(
            won=not ruling.accepted and within if took else None,
            accuracy=Accuracy(
                victim=rate_of(victim),
                twin=rate_of(twin),
                independent=rate_of(independent),
                result=rate_of(after),
                control=rate_of(control) if control else None,
            ),
            retention=Retention(
                victim=retention_of(key, victim.answer),
                twin=retention_of(key, twin.answer),
                independent=retention_of(key, independent.answer),
                result=retention_of(key, after.answer),
                control=retention_of(key, control.answer) if control else None,
                original_head=head,
            ),
            evidence=evidence_of(ruling),
            cost=cost,
            log=log,
            findings=() if took else (NO_MARK,),
            void=not took,
        )

    @staticmethod
    def _result(challenger: Challenger) -> tuple[nn.Module, Cost | None, tuple[dict[str, object], ...]]:
        cell = challenger.cell
        if isinstance(cell.adversary, Attacker):
            if not isinstance(cell.adversary.attack, Attack) or cell.budget is None:
                raise ConfigError(f"{cell.adversary.word} does not play {cell.game}")
            outcome = challenger.attacked(cell.adversary.attack, cell.budget, of="victim")
            return outcome.model, outcome.cost, outcome.log
        victim = challenger.model("victim").network
        with challenger.working():
            if cell.adversary == "no-op":
                return copy_of(victim), None, ()
            return unlearn(victim, challenger.shares, challenger.key, seed=challenger.seed_of("cheat")), None, ()

    @staticmethod
    def _asked(challenger: Challenger, model: nn.Module) -> Asked:
        budget = challenger.cell.budget
        return challenger.asked(model, forward=budget.forward if budget else 0)

    def _control(self, challenger: Challenger) -> Asked | None:
        """The twin after the same attack."""
        cell = challenger.cell
        if not isinstance(cell.adversary, Attacker) or not isinstance(cell.adversary.attack, Attack):
            return None
        if "control" in challenger.needed():
            return challenger.part("control")
        if cell.budget is None:
            return None
        return self._asked(challenger, challenger.attacked(cell.adversary.attack, cell.budget, of="twin").model)
