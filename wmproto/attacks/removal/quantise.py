"""Quantise: weights to few bits and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from wmproto.attacks.attack import RemovalAttack, Run
from wmproto.attacks.view import WhiteBox
from wmproto.errors import ConfigError
from wmproto.models.int8 import dequantised, quantised
from wmproto.models.network import Network

__all__ = ["Quantise"]


@dataclass(frozen=True)
class Quantise(RemovalAttack):
    """Post-training quantisation of weights: each becomes a whole multiple of its output's scale, then float32 again.

    Deviations: Lukas et al. take the midpoints of 32 or 64 equal bins of each tensor, and then fine-tune for an epoch,
    which leaves nothing quantised; here scales are symmetric, one for each output, as deployed int8 models have them
    (wmproto.models.int8), and nothing is trained. Biases and norms stay.

    Cost: nothing; no data are used.

    Attributes:
        bits: 2 to 8; b bits hold the steps -(2**(b-1) - 1) to 2**(b-1) - 1, so that 2 bits leave -1, 0 and 1.
    """

    name: ClassVar[str] = "quantise"
    source: ClassVar[str] = "Lukas et al. 2022 (SoK), weight quantization"

    bits: int = 8

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 8:
            raise ValueError("bits must be 2 to 8")

    def run(self, view: WhiteBox, run: Run) -> Network:  # noqa: ARG002
        """See RemovalAttack.

        Raises:
            ConfigError: A weight is not finite: it has no whole number.
        """
        network = view.network()
        with torch.no_grad():
            for name, weight in network.named_parameters():
                if weight.dim() < 2:
                    continue
                if not bool(torch.isfinite(weight).all()):
                    raise ConfigError(f"tensor {name!r} holds a weight that is not finite")
                weight.copy_(dequantised(*quantised(weight, 2 ** (self.bits - 1) - 1)))
        return network
