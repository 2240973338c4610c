"""Prune: the least weights become 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from wmproto.attacks.attack import RemovalAttack, Run
from wmproto.attacks.view import WhiteBox
from wmproto.models.network import Network

__all__ = ["Prune"]


@dataclass(frozen=True)
class Prune(RemovalAttack):
    """A share of all weights of convolutions and linear layers, those of least magnitude in the whole net, become 0.

    Deviation: Lukas et al. prune 0.5 of each tensor, norms of shortcuts and their running statistics included; here the
    share is of all tensors of two or more axes together, and biases and norms stay.

    Cost: nothing; no data are used.

    Attributes:
        share: Of the weights, 0 or more and below 1; rounded down to whole weights. Equal magnitudes fall in the order
            of the tensors. Beyond 0.8 the net itself breaks (attacks.md, 6.4).
    """

    name: ClassVar[str] = "prune"
    source: ClassVar[str] = "Lukas et al. 2022 (SoK), weight pruning"

    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError("share must be 0 or more and below 1")

    def run(self, view: WhiteBox, run: Run) -> Network:
        """See RemovalAttack."""
        network = view.network()
        weights = [parameter for parameter in network.parameters() if parameter.dim() > 1]
        with torch.no_grad():
            magnitudes = torch.cat([weight.abs().flatten() for weight in weights])
            least = torch.sort(magnitudes, stable=True).indices[: int(self.share * len(magnitudes))]
            kept = torch.ones_like(magnitudes).index_fill_(0, least, 0)
            for weight, mask in zip(weights, torch.split(kept, [weight.numel() for weight in weights]), strict=True):
                weight.masked_fill_(mask.reshape(weight.shape) == 0, 0)  # a product would leave -0 behind
        run.note(pruned=len(least), weights=len(magnitudes))
        return network
