"""The judge: what a model answers, by the class rule of a dispute, whatever the attack that made it says.

A network that an attack returns is built anew from its architecture and tensors, so that no method, hook or state of
the attack's comes into court; then batches and single questions are the same but for last bits. Any other module, as
evasion may hand in, is asked everything one by one, test pictures and marks in one shuffled order, so that it cannot
tell what it is being asked for by how it is asked; and on a meter, so that it cannot go on training while it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import nn

from wmproto.attacks.budget import Budget, Meter, metered
from wmproto.errors import ConfigError
from wmproto.models.data import Dataset
from wmproto.models.fit import answerer, copy_of
from wmproto.models.network import Network

__all__ = ["LARGE", "Asked", "rebuilt"]

#: Pictures of a network that are asked at once where no evidence hangs on it.
LARGE = 500


def rebuilt(model: nn.Module, *, word: str) -> Network:
    """A fresh network of the same architecture and tensors, nothing else of it.

    Raises:
        ConfigError: It is no wmproto network, or its tensors are not its architecture's.
    """
    if not isinstance(model, Network):
        raise ConfigError(f"the attack {word} must return a wmproto Network, not {type(model).__name__}")
    try:
        return copy_of(model)
    except (ValueError, RuntimeError, AttributeError) as err:
        raise ConfigError(f"the attack {word} returned a network whose tensors are not its architecture's") from err


class Asked:
    """A model under questions.

    Args:
        model: (B, H, W, C) uint8 -> (B, classes) scores, in eval mode; a Network must be the challenger's own object.
        test: Test pictures.
        device: Where it runs.
        inputs: What else it will be asked: needed for modules that are no networks.
        seed: Of the order of questions.
        forward: Samples that it may put through layers while it answers; no sample backward.
        right: Right answers of a network where the challenger has counted them already.
        working: Entered while it is asked.

    Attributes:
        right: Right answers of the test pictures.
        total: Test pictures.
    """

    def __init__(
        self,
        model: nn.Module,
        test: Dataset,
        *,
        device: torch.device,
        inputs: tuple[bytes, ...] = (),
        seed: int = 0,
        forward: int = 0,
        right: int | None = None,
        working: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._working = working
        height, width, channels = test.x.shape[1:]
        self._answer = answerer(model.eval(), (height, width, channels), device=device)
        self._known: dict[bytes, int | None] = {}
        self.total = len(test)
        if type(model) is Network:
            self.right = _right_in_batches(model, test, device) if right is None else right
            return
        pictures = [one.tobytes() for one in test.x]
        questions = [*pictures, *inputs]
        with metered(Meter(Budget(forward, 0, 0))):
            for at in np.random.default_rng(seed).permutation(len(questions)).tolist():
                self._known[questions[at]] = self._answer(questions[at])
        self.right = sum(self._known[x] == int(y) for x, y in zip(pictures, test.y, strict=True))

    def answer(self, inputs: bytes) -> int | None:
        """The class that it gives, asked once; the same each time."""
        if inputs not in self._known:
            with self._working():
                self._known[inputs] = self._answer(inputs)
        return self._known[inputs]


def _right_in_batches(network: Network, test: Dataset, device: torch.device) -> int:
    right = 0
    with torch.no_grad():
        for at in range(0, len(test), LARGE):
            x = torch.from_numpy(test.x[at : at + LARGE].copy()).to(device)
            scores = network(x).float().cpu().numpy()
            valid = ~np.isnan(scores).any(1)  # NaN anywhere is no answer; numpy's argmax takes the lowest of ties
            right += int(((scores.argmax(1) == test.y[at : at + LARGE]) & valid).sum())
    return right
