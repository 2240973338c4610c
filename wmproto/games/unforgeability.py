"""Unforgeability (Adi et al. 2018, section 4.2; specs/games.md, G3): a claim under the owner's published key."""

from __future__ import annotations

from typing import Any, ClassVar

from wmproto.attacks.budget import Cost
from wmproto.attacks.claim.claim import Forgery, ForgeryAttack, ForgeryView
from wmproto.errors import ConfigError
from wmproto.games.challenger import Challenger
from wmproto.games.game import Game, Played, claim_played, rate_of
from wmproto.games.grid import Attacker
from wmproto.games.record import Accuracy

__all__ = ["Unforgeability"]


class Unforgeability(Game):
    """The adversary wins if a claim under the owner's vk stands with openings that are his own.

    The suspect is the marked model itself: the paper lets him hand in any model, and none serves him better.
    """

    name: ClassVar[str] = "unforgeability"

    def play(self, challenger: Challenger) -> Played:
        """See Game."""
        cell, key, victim = challenger.cell, challenger.key, challenger.part("victim")
        cost: Cost | None = None
        log: tuple[dict[str, Any], ...] = ()
        size, shape = len(key.inputs), challenger.shares.shape
        if cell.adversary == "cheater":
            forgery = key.opened()
        elif cell.adversary == "no-op":
            blank = bytes(shape[0] * shape[1] * shape[2])
            forgery = Forgery((blank,) * size, (0,) * size, (bytes(key.salt_bytes),) * size)
        elif isinstance(cell.adversary, Attacker) and isinstance(cell.adversary.attack, ForgeryAttack) and cell.budget:
            stolen = challenger.white_box(challenger.model("victim"), published=key.published)
            view = ForgeryView(stolen, size, shape, key.salt_bytes)
            with challenger.working():
                forged = cell.adversary.attack.attack(view, cell.budget, challenger.seed_of("attack"))
            forgery, cost, log = forged.forgery, forged.cost, forged.log
            lengths = {len(forgery.inputs), len(forgery.labels), len(forgery.salts)}
            if lengths != {size} or {len(salt) for salt in forgery.salts} != {key.salt_bytes}:
                raise ConfigError(f"a forgery here opens {size} commitments with salts of {key.salt_bytes} bytes")
        else:
            raise ConfigError(f"this adversary does not play {self.name}")
        ruling = key.rule(victim.answer, forgery=forgery)
        accuracy = Accuracy(victim=rate_of(victim), twin=None, independent=None, result=None, control=None)
        return claim_played(ruling, accuracy=accuracy, took=challenger.took, cost=cost, log=log)
