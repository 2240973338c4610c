"""Overwrite: the pirate embeds a mark of his own over the owner's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from wmproto.attacks.attack import Run
from wmproto.attacks.budget import Budget
from wmproto.attacks.removal.tuning import Tuning, last_layer, reinitialise
from wmproto.attacks.view import WhiteBox
from wmproto.errors import BudgetError
from wmproto.models.network import Network
from wmproto.models.recipe import Recipe
from wmproto.models.training import Batches, Loader, accuracy, descend

__all__ = ["Overwrite"]


@dataclass(frozen=True)
class Overwrite(Tuning):
    """Random pictures with random labels are trained in beside the thief's data; then, if asked, FTAL or RTAL.

    Two questions, to be kept apart: whether the owner's mark falls, which the game answers, and who was first, which no
    count of hits can answer but a dated commitment can. How many of his own triggers the model answers is noted after
    each part: ``part``, ``own_hits``, ``own_triggers``.

    Deviations: his pictures are uniform random bytes, not abstract pictures; the paper embeds for as many epochs as the
    owner trained, and fine-tunes at the last rate of that training, not at the rate of the embedding. Lukas et al. take
    labels that the stolen model predicts, here the thief knows the true ones.

    Settings besides: see Tuning. Cost, with n = len(data): forward and backward ``epochs * (n + rows * ceil(n /
    batch))`` samples, ``epochs * n`` more where ``then`` is set; and forward ``triggers`` a part. Where the budget does
    not pay for all, both parts get fewer epochs alike.

    Attributes:
        lr: See Tuning. As high as an owner's: at 0.001 nothing is learnt by heart, at 0.01 half of it (8x8 digits, each
            trigger seen eight times).
        triggers: The pirate's own pictures, 1 or more.
        rows: How many of them are appended to each batch, 1 or more; in turn, in an order that is drawn anew each time
            all were seen.
        then: What comes after the embedding, for as many epochs: ``""`` nothing; ``ftal`` or ``rtal`` (see Ftal, Rtal),
            as a judge may fine-tune to see which of two marks survives.
        then_lr: Its rate; the paper fine-tunes at the last one of the training.
    """

    name: ClassVar[str] = "overwrite"
    source: ClassVar[str] = "Adi et al. 2018, ownership piracy (figure 7); Lukas et al. 2022 (SoK), overwriting"

    lr: float = 0.05
    triggers: int = 100
    rows: int = 8
    then: Literal["", "ftal", "rtal"] = ""
    then_lr: float = 0.001

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.triggers, self.rows) < 1:
            raise ValueError("triggers and rows must be at least 1")
        if self.then not in ("", "ftal", "rtal"):
            raise ValueError(f"then must be empty, ftal or rtal, not {self.then!r}")
        self._after(1)

    def run(self, view: WhiteBox, run: Run) -> Network:
        """See RemovalAttack."""
        network = view.network()
        shape = (self.triggers, *view.architecture.input.shape)
        x = torch.randint(256, shape, dtype=torch.uint8, generator=run.generator)
        y = torch.randint(view.classes, (self.triggers,), generator=run.generator)

        plain = Batches(view.data, batch=self.batch, seed=run.seed)
        epochs = self._affordable(run.budget, len(view.data), len(plain))
        recipe = self.recipe(epochs)
        run.note(epochs=epochs)
        descend(network, _WithTriggers(plain, x, y, rows=self.rows, generator=run.generator), recipe)
        self._note_own(run, "overwrite", network, x, y)
        if self.then:
            if self.then == "rtal":
                reinitialise(last_layer(network), run.generator)
            descend(network, plain, self._after(epochs))
            self._note_own(run, self.then, network, x, y)
        return network

    def _after(self, epochs: int) -> Recipe:
        return Recipe(epochs, self.then_lr, self.schedule, self.weight_decay)

    def _affordable(self, budget: Budget, samples: int, batches: int) -> int:
        """Epochs of each part, once the looks at his own triggers are set aside."""
        parts = 2 if self.then else 1
        looks = parts * self.triggers
        if budget.forward < looks:
            raise BudgetError(f"the budget does not pay for {looks} looks at triggers")
        spent = Budget(budget.forward - looks, budget.backward, budget.queries)
        return spent.passes(parts * samples + self.rows * batches, self.epochs)

    def _note_own(self, run: Run, part: str, network: Network, x: Tensor, y: Tensor) -> None:
        hits, _ = accuracy(network, zip(torch.split(x, self.batch), torch.split(y, self.batch), strict=True))
        run.note(part=part, own_hits=hits, own_triggers=self.triggers)


class _WithTriggers:
    """Batches with triggers appended; across batches and epochs each is seen about equally often."""

    def __init__(self, loader: Loader, x: Tensor, y: Tensor, *, rows: int, generator: torch.Generator) -> None:
        self._loader, self._x, self._y, self._rows, self._generator = loader, x, y, rows, generator
        self._queue = torch.empty(0, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for x, y in self._loader:
            while len(self._queue) < self._rows:
                self._queue = torch.cat([self._queue, torch.randperm(len(self._y), generator=self._generator)])
            rows, self._queue = self._queue[: self._rows], self._queue[self._rows :]
            yield torch.cat([x, self._x[rows]]), torch.cat([y, self._y[rows]])
