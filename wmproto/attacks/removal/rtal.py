"""RTAL: re-train all layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wmproto.attacks.attack import Run
from wmproto.attacks.removal.tuning import Tuning, last_layer, reinitialise
from wmproto.attacks.view import WhiteBox
from wmproto.models.network import Network

__all__ = ["Rtal"]


@dataclass(frozen=True)
class Rtal(Tuning):
    """The output layer is drawn anew, then every layer is trained.

    Settings: see Tuning. Cost: epochs * len(data) samples forward and as many backward.
    """

    name: ClassVar[str] = "rtal"
    source: ClassVar[str] = "Adi et al. 2018, section 5.3"

    def run(self, view: WhiteBox, run: Run) -> Network:
        """See RemovalAttack."""
        network = view.network()
        reinitialise(last_layer(network), run.generator)
        return self.tune(network, view, run)
