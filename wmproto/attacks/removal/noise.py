"""Noise: random numbers are added to the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from wmproto.attacks.attack import RemovalAttack, Run
from wmproto.attacks.view import WhiteBox
from wmproto.models.network import Network

__all__ = ["Noise"]


@dataclass(frozen=True)
class Noise(RemovalAttack):
    """Each weight of two or more axes gets normal noise, scaled to the spread of its own tensor.

    Deviation: the noise term of weight shifting alone, in linear layers too. Lukas et al. draw it with the deviation of
    the tensor (strength 1), subtract a multiple of the mean filter besides, and fine-tune for ten epochs afterwards.

    Cost: nothing; no data are used.

    Attributes:
        strength: Standard deviation of the noise in standard deviations of the tensor, 0 or more.
    """

    name: ClassVar[str] = "noise"
    source: ClassVar[str] = "Lukas et al. 2022 (SoK), weight shifting"

    strength: float = 0.1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise ValueError("strength must be finite and not negative")

    def run(self, view: WhiteBox, run: Run) -> Network:
        """See RemovalAttack."""
        network = view.network()
        with torch.no_grad():
            for weight in network.parameters():
                if weight.dim() > 1:
                    # Drawn on the CPU, so that a seed means the same noise on every device.
                    drawn = torch.randn(weight.shape, generator=run.generator).to(weight.device)
                    weight.add_(drawn * (self.strength * weight.std(correction=0)))
        return network
