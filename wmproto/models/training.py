"""A plain, deterministic training loop, and fine-tuning as a thief does it.

The loop knows nothing of marks: a marked model differs only by the loader that it is given (wmproto.marking.adi).
Same tensors, same loader seeds and same number of threads give the same bytes on one machine; another processor or
version of torch may give others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from wmproto.models.cnn import initial_tensors
from wmproto.models.data import Dataset
from wmproto.models.network import Network, build_network, network_tensors
from wmproto.models.recipe import Recipe
from wmproto.models.savepoint import Savepoint
from wmproto.models.weights import save_tensors
from wmproto.release.architecture import Architecture, architecture_bytes

__all__ = ["Batches", "Loader", "Resumable", "accuracy", "descend", "fine_tune", "train", "trained"]

Progress = Callable[[int, int], None]


class Loader(Protocol):
    """What a training loop goes over once an epoch: (inputs, labels) batches, and how many."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch."""

    def __len__(self) -> int:
        """Batches an epoch."""


class Resumable(Loader, Protocol):
    """A loader that can say where it is, and be put there again: what a training that goes on needs."""

    def state(self) -> dict[str, Tensor]:
        """Copies of all that the next epochs follow from; to be asked between two epochs. CPU, contiguous."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from such a state of an equal loader; raises ValueError where the values make no sense."""


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

    def state(self) -> dict[str, Tensor]:
        """See Resumable: the generator, (5056,) uint8."""
        return {"generator": self._generator.get_state()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """See Resumable."""
        set_generator(self._generator, state["generator"])


def set_generator(generator: torch.Generator, state: Tensor) -> None:
    """Put a generator where another one was; raises ValueError if the state is none."""
    try:
        generator.set_state(state)
    except (RuntimeError, TypeError) as err:
        raise ValueError("not the state of a generator") from err


def train(
    network: Network,
    loader: Loader,
    *,
    epochs: int = 25,
    lr: float = 0.05,
    progress: Progress | None = None,
    savepoint: Savepoint | None = None,
) -> Network:
    """Train in place: cross-entropy, SGD with momentum 0.9, learning rate falling to 0 as a half cosine over all steps.

    Args:
        network: In any mode; left in eval mode.
        loader: Gone over once an epoch; must be Resumable if there is a savepoint.
        epochs: 1 or more.
        lr: First learning rate.
        progress: Called after each step with (steps done, all steps), and once where a savepoint is gone on from.
        savepoint: Written after each epoch. If it is there already, training goes on from it, and on the CPU ends with
            the same bytes as one that was never cut off. Remove it when what came out is safe.

    Returns:
        The same module.

    Raises:
        ConfigError: The savepoint is of another training, or cannot be written.
        FormatError: It is damaged.
        TypeError: The loader is not Resumable.
    """
    recipe = Recipe(epochs, lr, "cosine")
    if savepoint is not None:
        savepoint = savepoint.bound(_training(network, loader, epochs=epochs, lr=lr))
    return descend(network, loader, recipe, progress=progress, savepoint=savepoint)


def trained(
    architecture: Architecture,
    loader: Loader,
    *,
    seed: int,
    epochs: int = 25,
    lr: float = 0.05,
    progress: Progress | None = None,
    savepoint: Savepoint | None = None,
) -> Network:
    """Train a fresh network of an architecture; see train(). ``seed`` draws its initial tensors."""
    network = build_network(architecture, initial_tensors(architecture, seed=seed))
    return train(network, loader, epochs=epochs, lr=lr, progress=progress, savepoint=savepoint)


def fine_tune(
    network: Network, loader: Loader, *, epochs: int = 10, lr: float = 0.001, progress: Progress | None = None
) -> Network:
    """Fine-tune all layers in place (FTAL of Adi et al. 2018, section 5): SGD with momentum 0.9 at a constant rate.

    Deviations: 10 epochs and no weight decay by default; the paper fine-tunes as long as it trained.

    Args and return value as train().
    """
    return descend(network, loader, Recipe(epochs, lr, "constant"), progress=progress)


def descend(
    network: Network,
    loader: Loader,
    recipe: Recipe,
    *,
    only: Sequence[nn.Parameter] | None = None,
    progress: Progress | None = None,
    savepoint: Savepoint | None = None,
) -> Network:
    """Train in place by a recipe.

    Args:
        network: On any device, in any mode; left in eval mode. Batches are moved to its device.
        loader: Gone over once an epoch; must be Resumable if there is a savepoint.
        recipe: See Recipe.
        only: The parameters that are trained, all others staying as they are; then the network stays in eval mode, so
            that batch statistics stay too. None: all, in train mode.
        progress: See train().
        savepoint: See train(); already bound to this training.

    Returns:
        The same module.

    Raises:
        ConfigError, FormatError, TypeError: As train().
    """
    epochs, total = recipe.epochs, recipe.epochs * len(loader)
    device = next(network.parameters()).device
    chosen = list(network.parameters() if only is None else only)
    optimiser = torch.optim.SGD(chosen, lr=recipe.lr, momentum=0.9, weight_decay=recipe.weight_decay)
    first = 0
    if savepoint is not None:
        first = _resume(savepoint, network, optimiser, loader)
    done = first * len(loader)
    if done and progress is not None:
        progress(done, total)
    network.train(only is None)
    asked = {id(parameter) for parameter in chosen}
    idle = [p for p in network.parameters() if p.requires_grad and id(p) not in asked]
    for parameter in idle:
        parameter.requires_grad_(False)
    with torch.enable_grad():
        for epoch in range(first, epochs):
            for x, y in loader:
                for group in optimiser.param_groups:
                    group["lr"] = recipe.rate(done, total)
                loss = nn.functional.cross_entropy(network(x.to(device)), y.to(device))
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                done += 1
                if progress is not None:
                    progress(done, total)
            if savepoint is not None:
                savepoint.save(epoch + 1, _state(network, optimiser, loader))
    for parameter in idle:
        parameter.requires_grad_(True)
    network.eval()
    return network


def _training(network: Network, loader: Loader, *, epochs: int, lr: float) -> dict[str, str]:
    """What a training knows of itself: with these, and with what its caller knows, all its bytes are fixed."""
    beginning = {f"weights.{name}": tensor for name, tensor in network_tensors(network).items()}
    beginning |= {f"loader.{name}": tensor for name, tensor in _resumable(loader).state().items()}
    return {
        "architecture": sha256(architecture_bytes(network.architecture)).hexdigest(),
        "number of epochs": str(epochs),
        "number of batches": str(len(loader)),
        "learning rate": repr(lr),
        "beginning": sha256(save_tensors(beginning)).hexdigest(),
    }


def _state(network: Network, optimiser: torch.optim.SGD, loader: Loader) -> dict[str, Tensor]:
    """Everything that the next epoch follows from, by name; momentum before the first step is 0."""
    tensors = {f"weights.{name}": tensor for name, tensor in network_tensors(network).items()}
    for name, parameter in network.named_parameters():
        kept = optimiser.state.get(parameter, {}).get("momentum_buffer", torch.zeros_like(parameter))
        tensors[f"momentum.{name}"] = kept.detach().to(device="cpu", copy=True).contiguous()
    return tensors | {f"loader.{name}": tensor for name, tensor in _resumable(loader).state().items()}


def _resume(savepoint: Savepoint, network: Network, optimiser: torch.optim.SGD, loader: Loader) -> int:
    """Put everything where the savepoint says; returns the epochs that are done."""
    found = savepoint.load(_state(network, optimiser, loader))
    if found is None:
        return 0
    epoch, tensors = found
    try:
        _resumable(loader).restore(
            {n.removeprefix("loader."): t for n, t in tensors.items() if n.startswith("loader.")}
        )
    except ValueError as err:
        raise savepoint.damaged() from err
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            tensor.copy_(tensors[f"weights.{name}"])
    for name, parameter in network.named_parameters():
        optimiser.state[parameter]["momentum_buffer"] = tensors[f"momentum.{name}"].to(parameter.device)
    return epoch


def _resumable(loader: Loader) -> Resumable:
    if not (hasattr(loader, "state") and hasattr(loader, "restore")):
        raise TypeError("to go on from a savepoint the loader needs state() and restore()")
    return cast(Resumable, loader)


def accuracy(network: Network, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[int, int]:
    """Right answers and all answers, in eval mode and in batches: for people, never for evidence.

    Args:
        network: Its mode is restored.
        batches: Gone over once.
    """
    mode = network.training
    device = next(network.parameters()).device
    network.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in batches:
            right += int((network(x.to(device)).argmax(1) == y.to(device)).sum())
            total += len(y)
    network.train(mode)
    return right, total
