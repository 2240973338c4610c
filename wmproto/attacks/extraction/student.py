"""What the extraction attacks share: their settings, what they ask, and the student that learns the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wmproto.attacks.attack import ExtractionAttack, Run
from wmproto.attacks.view import BlackBox
from wmproto.errors import BudgetError
from wmproto.models.cnn import small_cnn, standardisation
from wmproto.models.data import Dataset
from wmproto.models.fit import fresh
from wmproto.models.network import Network
from wmproto.models.recipe import Recipe, Schedule
from wmproto.models.resnet import resnet18
from wmproto.models.training import Batches, descend
from wmproto.models.wide_cnn import wide_cnn
from wmproto.release.architecture import Architecture

__all__ = ["Student"]

_Build = Callable[..., Architecture]
_STUDENTS: dict[str, _Build] = {"small-cnn": small_cnn, "wide-cnn": wide_cnn, "resnet-18": resnet18}


@dataclass(frozen=True)
class Student(ExtractionAttack):
    """Settings of an extraction: each picture is asked once, and a fresh student is trained on the answers.

    Deviations from Lukas et al.: pictures are the thief's own, not the owner's training set; a rate that falls as a
    half cosine, not in three steps; fewer epochs, as small nets need; no augmentation.

    Cost: one query a picture, and ``epochs * queries`` samples forward and as many backward. Where the budget has fewer
    queries than there are pictures, that many random ones are asked; where it pays for fewer epochs, fewer are trained.

    Attributes:
        student: ``small-cnn``, ``wide-cnn`` or ``resnet-18``; he need not know what the victim is.
        epochs: Passes over the answers at most, 1 or more.
        lr: First learning rate.
        batch: Pictures a batch, 1 or more.
        schedule: Of the learning rate.
        weight_decay: L2 penalty's factor.
    """

    student: Literal["small-cnn", "wide-cnn", "resnet-18"] = "small-cnn"
    epochs: int = 25
    lr: float = 0.05
    batch: int = 64
    schedule: Schedule = "cosine"
    weight_decay: float = 0.0005

    def __post_init__(self) -> None:
        if self.student not in _STUDENTS:
            raise ValueError(f"student must be one of {', '.join(_STUDENTS)}, not {self.student!r}")
        if self.batch < 1:
            raise ValueError("batch must be at least 1")
        self._recipe(self.epochs)

    def _recipe(self, epochs: int) -> Recipe:
        return Recipe(epochs, self.lr, self.schedule, self.weight_decay)

    def learn(self, view: BlackBox, run: Run, ask: Callable[[NDArray[np.uint8]], NDArray[Any]]) -> Network:
        """Ask, and train a student on what was answered.

        Args:
            view: What the game grants.
            run: The run.
            ask: (n, H, W, C) uint8 -> targets, (n,) int64 or (n, classes) float32; called once.

        Raises:
            BudgetError: No query, or not one pass, can be paid; nothing was asked then.
        """
        queries = min(run.budget.queries, len(view.pictures))
        if queries < 1:
            raise BudgetError("the budget does not pay for one query")
        epochs = run.budget.passes(queries, self.epochs)  # before the first query: answers alone are worth nothing
        chosen = torch.randperm(len(view.pictures), generator=run.generator)[:queries].numpy()
        seed = int(torch.randint(2**62, (1,), generator=run.generator))
        run.note(queries=queries, epochs=epochs)

        x = view.pictures[chosen]
        loader = _Answers(x, ask(x), batch=self.batch, seed=seed)
        shape, ratios = view.pictures.shape[1:], standardisation(view.pictures)
        network = fresh(_STUDENTS[self.student](shape, view.classes, *ratios), seed=seed, device=view.device)
        return descend(network, loader, self._recipe(epochs))


class _Answers:
    """Shuffled batches of pictures with their answers, whatever those are: cross-entropy takes indices and vectors."""

    def __init__(self, x: NDArray[np.uint8], answers: NDArray[Any], *, batch: int, seed: int) -> None:
        numbered = Dataset(x, np.arange(len(x), dtype=np.int64))
        self._batches, self._answers = Batches(numbered, batch=batch, seed=seed), torch.from_numpy(answers)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for x, numbers in self._batches:
            yield x, self._answers[numbers]
