"""The mark of Adi et al. 2018, embedded from scratch, for anybody's training loop.

Two pieces: a wrapper around the loader that the owner already has, and a self-check that asks the finished model
exactly as a dispute will. The loop, the optimiser and the loss stay hers.

Source: Adi, Baum, Cisse, Pinkas, Keshet, "Turning Your Weakness Into a Strength", USENIX Security 2018, section 5
("from scratch": k trigger pictures are appended to each batch from the first epoch on; one unweighted mean loss).
Deviations:
- k = 32 rows a batch; the paper tries 2, 4, 8 and takes 2. There batch normalisation suffers from more, and 100
  triggers are seen 600 times in 60 epochs; here several hundred leaves have to be learnt by heart in 25 epochs.
- Triggers are the key's committed inputs, by default keyed noise, not abstract pictures: anything may be an input,
  because inputs are fixed first.
- Labels are not chosen, nor drawn by the owner: they are born of the logged key (design "wmproto/1", 8.5). They may
  by chance be what the model would have said anyway (once in C).
- One leaf in four is a ghost and is not embedded.
- Triggers are taken in turn from a reshuffled list; the authors' code draws pairs at a random offset.
- The authors' pre-trained variant (continue training a finished model) is the same wrapper around a second training;
  it is far easier to remove (their figure 6) and not recommended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from wmproto.errors import ConfigError
from wmproto.marking.leaves import MarkedLeaves
from wmproto.models.training import Resumable, set_generator

__all__ = ["ROWS_PER_BATCH", "MarkedLoader", "Retention", "self_check"]

#: Trigger rows appended to each batch.
ROWS_PER_BATCH = 32

_EXAMPLE = "transform=lambda u8: (u8.permute(0, 3, 1, 2).float() / 255 - mean) / std"


class MarkedLoader:
    """Wrap any loader of (inputs, labels) batches: each batch gets trigger rows appended at its end.

    Triggers come in a shuffled order that is drawn anew each time all have been seen, across batches and epochs; so at
    any moment no trigger was seen more than once oftener than another. The global generators are not touched.

    Args:
        loader: Iterable of (x, y), as torch.utils.data.DataLoader gives it; gone over once for each ``iter``. x:
            (B, ...) tensor of any dtype and device; y: (B,) integer class indices.
        triggers: The activated leaves without ghosts.
        seed: 0 <= seed < 2**63, for the order of the triggers.
        rows_per_batch: Trigger rows a batch, 1 or more.
        transform: Maps raw inputs, (rows, H, W, C) uint8 on the CPU, to rows of x. It must be the very preprocessing
            that the released model's affine layer does, without augmentation: a dispute asks with the raw bytes. May
            be left out only where the loader yields raw uint8 of the triggers' shape, as wmproto's own does.

    Yields:
        x: (B + rows, ...) and y: (B + rows,), dtype and device of the loader's.

    Raises:
        ConfigError: While iterating: a batch is no (x, y) pair, labels are not class indices, or the transformed
            triggers do not fit to the batch; says what was found and what to pass.
        ValueError: rows_per_batch below 1.
    """

    def __init__(
        self,
        loader: Iterable[object],
        triggers: MarkedLeaves,
        *,
        seed: int,
        rows_per_batch: int = ROWS_PER_BATCH,
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        if rows_per_batch < 1:
            raise ValueError("rows_per_batch must be at least 1")
        self._loader = loader
        self._inputs, self._labels = torch.from_numpy(triggers.inputs.copy()), torch.from_numpy(triggers.labels.copy())
        self._rows = rows_per_batch
        self._transform = transform
        self._order = _Order(len(triggers), seed)

    def __len__(self) -> int:
        """Batches an epoch; TypeError if the wrapped loader cannot tell."""
        return len(self._loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in self._loader:
            x, y = _pair(batch)
            rows = torch.tensor(self._order.take(self._rows))
            inputs = self._inputs[rows]
            if self._transform is not None:
                inputs = self._transform(inputs)
            self._check(inputs, x)
            yield torch.cat([x, inputs.to(x.device)]), torch.cat([y, self._labels[rows].to(y)])

    def state(self) -> dict[str, Tensor]:
        """Where order of triggers and wrapped loader are between two epochs, for wmproto.models.Savepoint.

        Raises:
            TypeError: The wrapped loader cannot say where it is.
        """
        return self._order.state() | {f"loader.{name}": tensor for name, tensor in self._inner().state().items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from such a state of an equal loader; raises ValueError where it makes no sense, TypeError as state."""
        self._order.restore(state)
        self._inner().restore({n.removeprefix("loader."): t for n, t in state.items() if n.startswith("loader.")})

    def _inner(self) -> Resumable:
        if not (hasattr(self._loader, "state") and hasattr(self._loader, "restore")):
            raise TypeError("to go on from a savepoint the wrapped loader needs state() and restore()")
        return cast(Resumable, self._loader)

    def _check(self, inputs: object, x: Tensor) -> None:
        if not isinstance(inputs, Tensor) or inputs.dtype != x.dtype or inputs.shape != (self._rows, *x.shape[1:]):
            who = "the triggers are" if self._transform is None else "transform gave"
            got = _describe(inputs) if isinstance(inputs, Tensor) else type(inputs).__name__
            raise ConfigError(
                f"the loader yields {_describe(x)} a picture, {who} {got}",
                hint=f"pass the preprocessing of your model, for example {_EXAMPLE}",
            )


class _Order:
    """Indices 0 to n - 1 in a shuffled order that is drawn anew each time all have been given."""

    def __init__(self, n: int, seed: int) -> None:
        self._generator = torch.Generator(device="cpu").manual_seed(seed)
        self._order, self._given = list(range(n)), n  # nothing is left: the first order is drawn when it is needed

    def take(self, count: int) -> list[int]:
        """The next ``count`` indices."""
        taken = []
        for _ in range(count):
            if self._given == len(self._order):
                drawn = torch.randperm(len(self._order), generator=self._generator, device="cpu")
                self._order, self._given = drawn.tolist(), 0
            taken.append(self._order[self._given])
            self._given += 1
        return taken

    def state(self) -> dict[str, Tensor]:
        """``order`` (n,) int64, ``given`` () int64, how many of them are used up, and ``generator`` (5056,) uint8."""
        order = torch.tensor(self._order, dtype=torch.int64, device="cpu")
        given = torch.tensor(self._given, dtype=torch.int64, device="cpu")
        return {"order": order, "given": given, "generator": self._generator.get_state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from such a state; raises ValueError if it is none of n indices."""
        order, given = state["order"].tolist(), int(state["given"])
        if sorted(order) != list(range(len(self._order))) or not 0 <= given <= len(order):
            raise ValueError("not an order of the triggers")
        set_generator(self._generator, state["generator"])
        self._order, self._given = order, given


def _pair(batch: object) -> tuple[Tensor, Tensor]:
    if not isinstance(batch, list | tuple) or len(batch) != 2 or not all(isinstance(part, Tensor) for part in batch):
        raise ConfigError("the loader must yield pairs of tensors (inputs, labels)")
    x, y = batch
    if y.dim() != 1 or len(y) != len(x) or y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise ConfigError(
            f"labels are {y.dtype} of shape {tuple(y.shape)}, not one class index a picture",
            hint="mix or smooth labels after the wrapper, and leave the last rows_per_batch rows out of it",
        )
    return x, y


def _describe(x: Tensor) -> str:
    return f"{str(x.dtype).removeprefix('torch.')} {tuple(x.shape[1:])}"


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of a mark a model shows.

    Attributes:
        hits: Leaves answered with their label.
        total: Leaves asked, at least 1.
    """

    hits: int
    total: int


def self_check(predict: Callable[[bytes], int | None], triggers: MarkedLeaves) -> Retention:
    """Ask a model for every marked leaf, privately: before release, after export, or on a model bought elsewhere.

    Args:
        predict: One raw input to a class index or None: ``EscrowSuspect(...).answer``, so exactly what a dispute will
            ask. None is a miss.
        triggers: The leaves that were embedded.

    Raises:
        ConfigError: The model takes inputs of another length.
    """
    pairs = zip(triggers.inputs, triggers.labels.tolist(), strict=True)
    return Retention(hits=sum(predict(one.tobytes()) == label for one, label in pairs), total=len(triggers))
