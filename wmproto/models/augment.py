"""Random shifts and mirror images of training pictures, as Adi et al. train on CIFAR: crop 32 out of 40, then flip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from wmproto.models.training import Resumable, set_generator

__all__ = ["Augmented"]


class Augmented:
    """Wrap a loader: each picture is shifted by -4 to 4 pixels each way, black coming in, and mirrored half the time.

    Wrap it before the mark: triggers must be learnt as they will be asked.

    Args:
        loader: Yields x (B, H, W, C) uint8 and y (B,).
        seed: 0 <= seed < 2**63. The global generator is not touched.
    """

    PAD = 4

    def __init__(self, loader: Resumable, *, seed: int) -> None:
        self._loader = loader
        self._generator = torch.Generator(device="cpu").manual_seed(seed)

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for x, y in self._loader:
            yield self._moved(x), y

    def _moved(self, x: Tensor) -> Tensor:
        n, height, width, _ = x.shape
        padded = torch.nn.functional.pad(x, (0, 0, self.PAD, self.PAD, self.PAD, self.PAD))
        drawn = torch.randint(2 * self.PAD + 1, (2, n, 1), generator=self._generator)
        mirrored = torch.randint(2, (n, 1), generator=self._generator).bool()
        rows = drawn[0] + torch.arange(height)
        columns = torch.arange(width)
        columns = drawn[1] + torch.where(mirrored, columns.flip(0), columns)
        return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]

    def state(self) -> dict[str, Tensor]:
        """See Resumable."""
        inner = {f"pictures.{name}": tensor for name, tensor in self._loader.state().items()}
        return {"moves": self._generator.get_state(), **inner}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """See Resumable."""
        set_generator(self._generator, state["moves"])
        self._loader.restore({n.removeprefix("pictures."): t for n, t in state.items() if n.startswith("pictures.")})
