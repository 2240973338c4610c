"""A plain, deterministic training loop, and fine-tuning as a thief does it.

The loop knows nothing of marks: a marked model differs only by the loader that it is given (wmproto.marking.adi).
Same tensors, same loader seeds and same number of threads give the same bytes on one machine; another processor or
version of torch may give others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import torch
from torch import Tensor, nn

from wmproto.models.cnn import initial_tensors
from wmproto.models.data import Dataset
from wmproto.models.network import Network, build_network
from wmproto.release.architecture import Architecture

__all__ = ["Batches", "Loader", "accuracy", "fine_tune", "train", "trained"]

Progress = Callable[[int, int], None]


class Loader(Protocol):
    """What a training loop goes over once an epoch: (inputs, labels) batches, and how many."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch."""

    def __len__(self) -> int:
        """Batches an epoch."""


class Batches:
    """Shuffled batches of a data set, in another order each epoch.

    Args:
        data: The pictures.
        batch: Pictures a batch; the last batch of an epoch may be smaller.
        seed: 0 <= seed < 2**63; all epochs follow from it. The global generator is not touched.

    Yields:
        x: (B, H, W, C) uint8; y: (B,) int64; CPU.
    """

    def __init__(self, data: Dataset, *, batch: int = 64, seed: int) -> None:
        if batch < 1 or not len(data):
            raise ValueError("needs a picture and a batch of at least 1")
        self._x, self._y = torch.from_numpy(data.x.copy()), torch.from_numpy(data.y.copy())
        self._batch = batch
        self._generator = torch.Generator(device="cpu").manual_seed(seed)

    def __len__(self) -> int:
        return math.ceil(len(self._y) / self._batch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self._y), generator=self._generator, device="cpu")
        for part in torch.split(order, self._batch):
            yield self._x[part], self._y[part]


def train(
    network: Network, loader: Loader, *, epochs: int = 25, lr: float = 0.05, progress: Progress | None = None
) -> Network:
    """Train in place: cross-entropy, SGD with momentum 0.9, learning rate falling to 0 as a half cosine over all steps.

    Args:
        network: In any mode; left in eval mode.
        loader: Gone over once an epoch.
        epochs: 1 or more.
        lr: First learning rate.
        progress: Called after each step with (steps done, all steps).

    Returns:
        The same module.
    """
    return _descend(network, loader, epochs=epochs, lr=lr, cosine=True, progress=progress)


def trained(
    architecture: Architecture,
    loader: Loader,
    *,
    seed: int,
    epochs: int = 25,
    lr: float = 0.05,
    progress: Progress | None = None,
) -> Network:
    """Train a fresh network of an architecture; see train(). ``seed`` draws its initial tensors."""
    network = build_network(architecture, initial_tensors(architecture, seed=seed))
    return train(network, loader, epochs=epochs, lr=lr, progress=progress)


def fine_tune(
    network: Network, loader: Loader, *, epochs: int = 10, lr: float = 0.001, progress: Progress | None = None
) -> Network:
    """Fine-tune all layers in place (FTAL of Adi et al. 2018, section 5): SGD with momentum 0.9 at a constant rate.

    Deviations: 10 epochs and no weight decay by default; the paper fine-tunes as long as it trained.

    Args and return value as train().
    """
    return _descend(network, loader, epochs=epochs, lr=lr, cosine=False, progress=progress)


def _descend(
    network: Network, loader: Loader, *, epochs: int, lr: float, cosine: bool, progress: Progress | None
) -> Network:
    if epochs < 1:
        raise ValueError("epochs must be at least 1")
    total = epochs * len(loader)
    optimiser = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9)
    done = 0
    network.train()
    with torch.enable_grad():
        for _ in range(epochs):
            for x, y in loader:
                if cosine:
                    for group in optimiser.param_groups:
                        group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * done / total))
                loss = nn.functional.cross_entropy(network(x), y)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                done += 1
                if progress is not None:
                    progress(done, total)
    network.eval()
    return network


def accuracy(network: Network, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[int, int]:
    """Right answers and all answers, in eval mode and in batches: for people, never for evidence.

    Args:
        network: Its mode is restored.
        batches: Gone over once.
    """
    mode = network.training
    network.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in batches:
            right += int((network(x).argmax(1) == y).sum())
            total += len(y)
    network.train(mode)
    return right, total
