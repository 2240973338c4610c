"""What an adversary is given: frozen, and exactly what the game grants, as far as one Python process can hold it.

Weights come as copies, so that no attack can touch the victim; an API answers and shows nothing else; data are the
thief's own share, with labels or without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wmproto.attacks.budget import count_queries, unmetered
from wmproto.models.data import Dataset
from wmproto.models.fit import placed
from wmproto.models.network import Network, build_network
from wmproto.release.architecture import Architecture

__all__ = ["Api", "BlackBox", "WhiteBox"]


@dataclass(frozen=True, slots=True, eq=False)
class WhiteBox:
    """Unremovability with weights: the marked model M-hat, vk, and labelled data of the thief's own (the paper's O^f).

    Attributes:
        architecture: The victim's.
        tensors: The victim's weights, for ``network``.
        data: The thief's pictures with their true labels; disjoint from the owner's.
        classes: Number of classes.
        device: Where his models run.
        published: What the owner has published of her key: vk, or the logged statement. Commitments only.
    """

    architecture: Architecture
    tensors: dict[str, Tensor] = field(repr=False)
    data: Dataset = field(repr=False)
    classes: int
    device: torch.device
    published: bytes = field(repr=False)

    def network(self) -> Network:
        """A fresh copy of the stolen model on ``device``, in eval mode and free to be trained."""
        return placed(build_network(self.architecture, self.tensors), self.device).eval()


class Api:
    """A model behind an interface: pictures in, answers out, each picture one query.

    Args:
        answer: (n, H, W, C) uint8 -> (n, classes) float32 scores.
        soft: Whether it gives scores, or class indices alone.
    """

    def __init__(self, answer: Callable[[NDArray[np.uint8]], Tensor], *, soft: bool) -> None:
        self._answer, self.soft = answer, soft

    def labels(self, x: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Class indices, (n,) int64, of (n, H, W, C) uint8; raises BudgetError beyond the budget."""
        found: NDArray[np.int64] = self._asked(x).argmax(1).numpy()
        return found

    def scores(self, x: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Softmax probabilities, (n, classes) float32.

        Raises:
            BudgetError: Beyond the budget.
            ValueError: This API gives class indices alone.
        """
        if not self.soft:
            raise ValueError("this interface gives class indices alone")
        found: NDArray[np.float32] = self._asked(x).softmax(1).numpy()
        return found

    def _asked(self, x: NDArray[np.uint8]) -> Tensor:
        count_queries(len(x))
        with unmetered(), torch.no_grad():
            return self._answer(x).float().cpu()


@dataclass(frozen=True, slots=True, eq=False)
class BlackBox:
    """Unremovability with an interface: extraction. No weights, no labels but those that the interface gives.

    Attributes:
        api: The marked model behind its interface.
        pictures: (n, H, W, C) uint8, the thief's own, without labels.
        classes: Number of classes.
        device: Where his models run.
        published: See WhiteBox.
    """

    api: Api = field(repr=False)
    pictures: NDArray[np.uint8] = field(repr=False)
    classes: int
    device: torch.device
    published: bytes = field(repr=False)
