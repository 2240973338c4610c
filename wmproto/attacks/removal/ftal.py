"""FTAL: fine-tune all layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wmproto.attacks.attack import Run
from wmproto.attacks.removal.tuning import Tuning
from wmproto.attacks.view import WhiteBox
from wmproto.models.network import Network

__all__ = ["Ftal"]


@dataclass(frozen=True)
class Ftal(Tuning):
    """The output layer is kept, every layer is trained. The strongest of the four where the learning rate is swept.

    Settings: see Tuning. Cost: epochs * len(data) samples forward and as many backward.
    """

    name: ClassVar[str] = "ftal"
    source: ClassVar[str] = "Adi et al. 2018, section 5.3"

    def run(self, view: WhiteBox, run: Run) -> Network:
        """See RemovalAttack."""
        return self.tune(view.network(), view, run)
