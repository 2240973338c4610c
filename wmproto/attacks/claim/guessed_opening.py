"""Forging an opening: inputs that the marked model answers in a way of its own, labels read off it, salts guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from wmproto.attacks.attack import Run
from wmproto.attacks.claim.claim import Forgery, ForgeryAttack, ForgeryView

__all__ = ["GuessedOpening"]


@dataclass(frozen=True)
class GuessedOpening(ForgeryAttack):
    """Draws random pictures, takes the model's answers as labels, and passes random salts off as the owner's.

    Every answer fits, so all that stands in the way is that the commitments bind: each salt is right with a chance of
    2^-256, and each picture with less. Cost: one forward pass over the pictures.
    """

    name: ClassVar[str] = "guessed-opening"
    source: ClassVar[str] = "Adi et al. 2018, section 4.2: unforgeability rests on binding and hiding"

    def run(self, view: ForgeryView, run: Run) -> Forgery:
        """See ForgeryAttack."""
        pictures = torch.randint(256, (view.leaves, *view.shape), generator=run.generator, dtype=torch.uint8)
        with torch.no_grad():
            labels = view.stolen.network()(pictures.to(view.stolen.device)).argmax(1).tolist()
        salts = torch.randint(256, (view.leaves, view.salt_bytes), generator=run.generator, dtype=torch.uint8)
        return Forgery(
            inputs=tuple(one.numpy().tobytes() for one in pictures),
            labels=tuple(labels),
            salts=tuple(one.numpy().tobytes() for one in salts),
        )
