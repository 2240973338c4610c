"""FTLL: fine-tune the last layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wmproto.attacks.attack import Run
from wmproto.attacks.removal.tuning import Tuning, last_layer
from wmproto.attacks.view import WhiteBox
from wmproto.models.network import Network

__all__ = ["Ftll"]


@dataclass(frozen=True)
class Ftll(Tuning):
    """The output layer is kept and trained on; all else stays as it is, batch statistics included.

    Deviation: the authors' code leaves the net in train mode, so that there batch statistics drift.

    Settings: see Tuning. Cost: epochs * len(data) samples forward and as many backward.
    """

    name: ClassVar[str] = "ftll"
    source: ClassVar[str] = "Adi et al. 2018, section 5.3"

    def run(self, view: WhiteBox, run: Run) -> Network:
        """See RemovalAttack."""
        network = view.network()
        return self.tune(network, view, run, only=list(last_layer(network).parameters()))
