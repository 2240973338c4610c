"""The two marks of Adi et al. 2018 as schemes: trigger rows in every batch, from scratch or on a trained model.

Source: Adi et al. 2018, section 5.2; deviations of the loader: wmproto.marking.adi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wmproto.marking.adi import MarkedLoader
from wmproto.marking.leaves import MarkedLeaves
from wmproto.marking.scheme import Scheme
from wmproto.models.data import Dataset
from wmproto.models.fit import Training, copy_of, fresh
from wmproto.models.network import Network
from wmproto.models.recipe import Recipe
from wmproto.models.training import descend

__all__ = ["AdiFromScratch", "AdiPretrained"]


@dataclass(frozen=True)
class AdiFromScratch(Scheme):
    """FROMSCRATCH: triggers from the first epoch on, otherwise trained as the unmarked twin is, from the same start.

    Attributes:
        rows: Trigger rows a batch, k in the paper; it takes 2 of {2, 4, 8} with 100 triggers in 500 batches an epoch.
    """

    name: ClassVar[str] = "adi-from-scratch"
    source: ClassVar[str] = "Adi et al. 2018, section 5.2"

    rows: int = 8

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError("rows must be at least 1")

    def train(self, model: Network, data: Dataset, leaves: MarkedLeaves, training: Training, *, seed: int) -> Network:
        """See Scheme."""
        network = fresh(model.architecture, seed=seed, device=next(model.parameters()).device)
        loader = MarkedLoader(training.loader(data, seed=seed), leaves, seed=seed, rows_per_batch=self.rows)
        return descend(network, loader, training.recipe)


@dataclass(frozen=True)
class AdiPretrained(Scheme):
    """PRETRAINED: the trained unmarked model learns on with triggers.

    Deviation: epochs and rate are settings; in the authors' code the rate goes on falling from where it stood.

    Attributes:
        rows: As AdiFromScratch.
        epochs: Passes over the data.
        lr: First learning rate, divided by ten after each third of the epochs.
    """

    name: ClassVar[str] = "adi-pretrained"
    source: ClassVar[str] = "Adi et al. 2018, section 5.2"

    rows: int = 8
    epochs: int = 20
    lr: float = 0.01

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError("rows must be at least 1")
        Recipe(self.epochs, self.lr)

    def train(self, model: Network, data: Dataset, leaves: MarkedLeaves, training: Training, *, seed: int) -> Network:
        """See Scheme."""
        recipe = Recipe(self.epochs, self.lr, "step", training.recipe.weight_decay)
        loader = MarkedLoader(training.loader(data, seed=seed), leaves, seed=seed, rows_per_batch=self.rows)
        return descend(copy_of(model), loader, recipe)
