"""Blur: pictures are smoothed before the stolen model sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from wmproto.attacks.attack import EvasionAttack, Run
from wmproto.attacks.view import WhiteBox
from wmproto.errors import ConfigError
from wmproto.models.network import Network

__all__ = ["Blur"]

_MOST = 16.0  # pixels: beyond it a small picture is one grey


@dataclass(frozen=True)
class Blur(EvasionAttack):
    """Gaussian smoothing, each channel by itself; the kernel is cut off at ceil(3 sigma), edges are replicated.

    Deviation: what comes out is rounded to bytes, since the stolen model takes nothing else.

    Cost: nothing; no data are used.

    Attributes:
        sigma: Of the Gaussian in pixels, above 0 and at most 16. Lukas et al. take 0.5, 0.6 and 0.7.
    """

    name: ClassVar[str] = "blur"
    source: ClassVar[str] = "Lukas et al. 2022 (SoK), input smoothing"

    sigma: float = 0.6

    def __post_init__(self) -> None:
        if not 0 < self.sigma <= _MOST:
            raise ValueError(f"sigma must be above 0 and at most {_MOST:g}")

    def run(self, view: WhiteBox, run: Run) -> nn.Module:  # noqa: ARG002
        """See EvasionAttack.

        Raises:
            ConfigError: The model does not take pictures.
        """
        if len(view.architecture.input.shape) != 3:
            raise ConfigError("only pictures can be blurred")
        return _Blurred(view.network(), self.sigma)


class _Blurred(nn.Module):
    def __init__(self, network: Network, sigma: float) -> None:
        super().__init__()
        self.network = network
        radius = math.ceil(3 * sigma)
        weights = [math.exp(-0.5 * (step / sigma) ** 2) for step in range(-radius, radius + 1)]
        self._taps = [(place - radius, weight / sum(weights)) for place, weight in enumerate(weights)]

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) uint8 -> scores of the blurred pictures."""
        blurred = self._along(self._along(x.float(), 1), 2)
        scores: Tensor = self.network(blurred.round().clamp(0, 255).to(torch.uint8))
        return scores

    def _along(self, x: Tensor, axis: int) -> Tensor:
        # Shifted copies added up, and no convolution: on a GPU that may round to ten bits, here it must not.
        side = x.shape[axis]
        places, total = torch.arange(side, device=x.device), torch.zeros_like(x)
        for step, weight in self._taps:
            total += weight * x.index_select(axis, (places + step).clamp(0, side - 1))
        return total
