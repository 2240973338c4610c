"""How a training descends: the numbers that people tune, in one object that can be written down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

__all__ = ["Recipe", "Schedule"]

Schedule = Literal["cosine", "step", "constant"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Stochastic gradient descent with momentum 0.9 on the mean cross-entropy.

    Attributes:
        epochs: Passes over the loader, 1 or more.
        lr: First learning rate, 0 or more.
        schedule: ``constant``; ``cosine``: to 0 as a half cosine over all steps; ``step``: divided by ten after each
            third of the epochs, as in the code of Adi et al. (60 epochs, every 20).
        weight_decay: L2 penalty's factor, 0 or more; Adi et al. take 0.0005.

    Raises:
        ValueError: A number out of range.
    """

    epochs: int
    lr: float
    schedule: Schedule = "constant"
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError("epochs must be at least 1")
        if not (
            math.isfinite(self.lr) and self.lr >= 0 and math.isfinite(self.weight_decay) and self.weight_decay >= 0
        ):
            raise ValueError("lr and weight_decay must be finite and not negative")
        if self.schedule not in ("cosine", "step", "constant"):
            raise ValueError(f"schedule must be cosine, step or constant, not {self.schedule!r}")

    def rate(self, done: int, total: int) -> float:
        """The learning rate of the step that follows ``done`` of ``total`` steps."""
        if self.schedule == "cosine":
            return self.lr * 0.5 * (1 + math.cos(math.pi * done / total))
        if self.schedule == "step":
            return self.lr * 0.1 ** (3 * done // total)
        return self.lr
