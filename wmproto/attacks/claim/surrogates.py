"""Models that a liar trains on data of his own, to guess how a model that he has not seen will answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from wmproto.attacks.attack import Run
from wmproto.attacks.claim.claim import ClaimView
from wmproto.models.cnn import small_cnn, standardisation
from wmproto.models.fit import fresh
from wmproto.models.network import Network
from wmproto.models.recipe import Recipe
from wmproto.models.training import Batches, descend

__all__ = ["guessed", "train_surrogates"]


def train_surrogates(view: ClaimView, run: Run, *, count: int, epochs: int) -> list[Network]:
    """Train ``count`` small reference networks for ``epochs`` each, every one from another start."""
    architecture = small_cnn(view.shape, view.classes, *standardisation(view.data.x))
    made = []
    for _ in range(count):
        seed = int(torch.randint(2**62, (1,), generator=run.generator))
        network = fresh(architecture, seed=seed, device=view.device)
        made.append(descend(network, Batches(view.data, seed=seed), Recipe(epochs, 0.05, "cosine")))
    return made


def guessed(surrogates: Sequence[Network], inputs: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The class that the surrogates give together, (n,), to (n, H, W, C) uint8: the highest mean probability."""
    device = next(surrogates[0].parameters()).device
    with torch.no_grad():
        scores = sum(model(torch.from_numpy(inputs).to(device)).softmax(1) for model in surrogates)
    found: NDArray[np.int64] = scores.argmax(1).cpu().numpy()
    return found
