"""How an owner trains: recipe, batches and augmentation together; and fresh networks on a device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from wmproto.models.augment import Augmented
from wmproto.models.cnn import initial_tensors
from wmproto.models.data import Dataset
from wmproto.models.network import Network, build_network
from wmproto.models.recipe import Recipe
from wmproto.models.training import Batches, Resumable
from wmproto.release.architecture import Architecture
from wmproto.suspects.oracle import best_class

__all__ = ["Training", "answerer", "copy_of", "fresh", "placed"]


@dataclass(frozen=True, slots=True)
class Training:
    """A training that can be repeated on other data.

    Attributes:
        recipe: The descent.
        batch: Pictures a batch, 1 or more.
        augment: ``none``, or ``crop-flip`` (wmproto.models.augment).

    Raises:
        ValueError: Out of range.
    """

    recipe: Recipe
    batch: int = 64
    augment: Literal["none", "crop-flip"] = "none"

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ValueError("batch must be at least 1")
        if self.augment not in ("none", "crop-flip"):
            raise ValueError(f"augment must be none or crop-flip, not {self.augment!r}")

    def loader(self, data: Dataset, *, seed: int) -> Resumable:
        """Batches of these pictures; all epochs follow from the seed."""
        batches = Batches(data, batch=self.batch, seed=seed)
        return Augmented(batches, seed=seed) if self.augment == "crop-flip" else batches


def fresh(architecture: Architecture, *, seed: int, device: torch.device) -> Network:
    """An untrained network on a device; its tensors are drawn on the CPU, so they are the same on every device."""
    return placed(build_network(architecture, initial_tensors(architecture, seed=seed)), device)


def copy_of(network: Network) -> Network:
    """A copy on the same device, in eval mode."""
    copy = build_network(network.architecture, dict(network.state_dict()))
    return placed(copy, next(network.parameters()).device).eval()


def placed(network: Network, device: torch.device) -> Network:
    """Move a network to a device, channels last: pooling over 32x32x3 pictures is then twice as fast on the CPU."""
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def answerer(
    model: nn.Module, shape: tuple[int, int, int], *, device: torch.device | None = None
) -> Callable[[bytes], int | None]:
    """Ask a model as a dispute does: one input at a time, by the class rule of the profile.

    Args:
        model: (B, H, W, C) uint8 -> (B, classes) scores, in eval mode.
        shape: (H, W, C).
        device: Where it takes its inputs; None: where its first parameter is.
    """
    device = next(model.parameters()).device if device is None else device

    def answer(inputs: bytes) -> int | None:
        x = torch.frombuffer(bytearray(inputs), dtype=torch.uint8).reshape(1, *shape)
        with torch.no_grad():
            return best_class(model(x.to(device))[0].float().tolist())

    return answer
