"""What the four fine-tuning attacks of Adi et al. share: their settings, and the descent on the thief's own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from wmproto.attacks.attack import RemovalAttack, Run
from wmproto.attacks.view import WhiteBox
from wmproto.errors import ConfigError
from wmproto.models.network import Network
from wmproto.models.recipe import Recipe, Schedule
from wmproto.models.training import Batches, descend

__all__ = ["Tuning", "last_layer", "reinitialise"]


@dataclass(frozen=True)
class Tuning(RemovalAttack):
    """Settings of a fine-tuning.

    Attributes:
        lr: Learning rate. The paper takes the last one of the training, 0.001 there; its README examples take 0.01. A
            grid should sweep it: at 0.01 and above marks fall that stand at 0.001 (attacks.md, 6.4).
        epochs: Passes over the thief's data at most; fewer where the budget pays for fewer. The paper fine-tunes for as
            long as it trained.
        batch: Pictures a batch.
        schedule: Of the learning rate.
        weight_decay: As in the authors' code.
    """

    lr: float = 0.001
    epochs: int = 20
    batch: int = 100
    schedule: Schedule = "constant"
    weight_decay: float = 0.0005

    def __post_init__(self) -> None:
        self.recipe(self.epochs)
        if self.batch < 1:
            raise ValueError("batch must be at least 1")

    def recipe(self, epochs: int) -> Recipe:
        """The settings for so many epochs."""
        return Recipe(epochs, self.lr, self.schedule, self.weight_decay)

    def tune(
        self, network: Network, view: WhiteBox, run: Run, *, only: Sequence[nn.Parameter] | None = None
    ) -> Network:
        """Descend on the thief's data for as many of the epochs as the budget pays for."""
        epochs = run.budget.passes(len(view.data), self.epochs)
        run.note(epochs=epochs)
        return descend(network, Batches(view.data, batch=self.batch, seed=run.seed), self.recipe(epochs), only=only)


def last_layer(network: Network) -> nn.Linear:
    """The output layer: the last linear one.

    Raises:
        ConfigError: The network has none.
    """
    found = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not found:
        raise ConfigError("the network has no linear output layer")
    return found[-1]


def reinitialise(layer: nn.Linear, generator: torch.Generator) -> None:
    """Draw an output layer anew: weights normal with variance 1 / fan in, biases 0, as untrained networks start."""
    with torch.no_grad():
        drawn = torch.randn(layer.weight.shape, generator=generator) * (1 / prod(layer.weight.shape[1:])) ** 0.5
        layer.weight.copy_(drawn)
        if layer.bias is not None:
            layer.bias.zero_()
