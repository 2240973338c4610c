"""The two games of a lying owner (specs/games.md, G1 and G4): he registers before the suspect exists, then claims it.

Non-trivial ownership is Adi et al. 2018, section 4.2: the suspect is the marked model of somebody else. In the
false-claim game it is a model that nobody marked (Liu et al. 2024).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from wmproto.attacks.attack import Run
from wmproto.attacks.budget import Budget, Cost
from wmproto.attacks.claim.claim import Claim, ClaimAttack, ClaimView, Registered
from wmproto.attacks.view import Api
from wmproto.errors import ConfigError
from wmproto.games.challenger import Challenger
from wmproto.games.data import own_copy
from wmproto.games.game import Game, Played, claim_played, rate_of
from wmproto.games.grid import Attacker
from wmproto.games.judge import Asked
from wmproto.games.keys import GameKey, noise_inputs
from wmproto.games.record import Accuracy
from wmproto.wire.profile import WMPROTO_1

__all__ = ["FalseClaim", "NonTrivialOwnership"]


class _Honest(ClaimAttack):
    """The adversary who does nothing: an honest owner of noise, who claims a model that is not hers."""

    name: ClassVar[str] = "no-op"
    source: ClassVar[str] = "specs/games.md"

    def run(self, view: ClaimView, run: Run) -> Claim:
        """See ClaimAttack."""
        inputs = noise_inputs(run.seed, view.leaves, view.shape)
        labels = np.random.default_rng(run.seed).integers(0, view.classes, view.leaves).tolist()
        return Claim(view.register(inputs, labels if view.chooses_labels else None), 0, view.leaves)


class _ClaimGame(Game):
    suspect: ClassVar[Literal["victim", "independent"]]

    @abstractmethod
    def cheat(self, challenger: Challenger) -> tuple[GameKey, Asked]:
        """What the cheater brings: a key, and the model that is claimed."""

    def play(self, challenger: Challenger) -> Played:
        """See Game."""
        adversary = challenger.cell.adversary
        cost: Cost | None = None
        log: tuple[dict[str, Any], ...] = ()
        if adversary == "cheater":
            key, suspect = self.cheat(challenger)
            ruling = key.rule(suspect.answer)
        else:
            suspect = challenger.part(self.suspect)
            keys: list[GameKey] = []
            attack, budget = self._attack(challenger)
            with challenger.working():
                claimed = attack.attack(self._view(challenger, keys), budget, challenger.seed_of("attack"))
            claim = claimed.claim
            if adversary != "no-op":
                cost, log = claimed.cost, claimed.log
            ruling = self._heard(keys, claim).rule(suspect.answer, start=claim.start, count=claim.count)
        marked = self.suspect == "victim"
        model = rate_of(suspect)
        accuracy = Accuracy(
            victim=model if marked else None,
            twin=None,
            independent=None if marked else model,
            result=None,
            control=None,
        )
        return claim_played(ruling, accuracy=accuracy, took=not marked or challenger.took, cost=cost, log=log)

    @staticmethod
    def _attack(challenger: Challenger) -> tuple[ClaimAttack, Budget]:
        cell = challenger.cell
        if cell.adversary == "no-op":
            return _Honest(), Budget(0, 0, 1)
        if not isinstance(cell.adversary, Attacker) or not isinstance(cell.adversary.attack, ClaimAttack):
            raise ConfigError(f"this adversary does not play {cell.game}")
        if cell.budget is None:
            raise ConfigError("an attack needs a budget")
        return cell.adversary.attack, cell.budget

    def _view(self, challenger: Challenger, keys: list[GameKey]) -> ClaimView:
        def register(inputs: Sequence[bytes], labels: Sequence[int] | None) -> Registered:
            key = challenger.make_key(inputs, ("liar", len(keys)), labels)
            keys.append(key)
            return Registered(len(keys) - 1, key.inputs, key.labels.copy(), key.ghosts.copy())

        def api() -> Api:
            return challenger.api(challenger.model(self.suspect).network, soft=False)

        parts, born = challenger.shares, challenger.cell.profile == "wmproto/1"
        return ClaimView(
            data=own_copy(parts.thief),
            shape=parts.shape,
            classes=parts.classes,
            leaves=challenger.size,
            grid=WMPROTO_1.start_grid(challenger.size) if born else challenger.size,
            chooses_labels=not born,
            device=challenger.device,
            _register=register,
            _suspect=api,
        )

    @staticmethod
    def _heard(keys: list[GameKey], claim: Claim) -> GameKey:
        number = claim.key.number
        if not 0 <= number < len(keys):
            raise ConfigError("the claim is about a key that was never registered")
        try:
            keys[number].check_range(claim.start, claim.count)
        except ValueError as err:
            raise ConfigError(str(err)) from err
        return keys[number]


class NonTrivialOwnership(_ClaimGame):
    """He wins if a claim under a key that he made beforehand stands over somebody else's marked model."""

    name: ClassVar[str] = "non-trivial-ownership"
    suspect = "victim"

    def cheat(self, challenger: Challenger) -> tuple[GameKey, Asked]:
        """He is told the owner's secrets, and claims as she would."""
        return challenger.key, challenger.part("victim")


class FalseClaim(_ClaimGame):
    """He wins if a claim stands over a model that was trained on other data, by somebody else, without any mark."""

    name: ClassVar[str] = "false-claim"
    suspect = "independent"

    def cheat(self, challenger: Challenger) -> tuple[GameKey, Asked]:
        """His labels are told to whoever trains the suspect: the one thing that the theorem excludes."""
        return challenger.cheats_key, challenger.part("planted")
