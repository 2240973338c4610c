"""Budgets in samples and queries: counted for the attack, not by it, and a hard limit.

While an attack runs, every call of every layer that holds parameters is watched, whoever made it, in whatever thread:
``forward`` grows by the rows that the busiest layer sees within one call of a network, ``backward`` by the rows whose
gradient comes back through it. So a network of the attacker's own is counted as the victim's copy is, a training loop
inside a module is no way out, a part of a network counts as the whole, and an evaluation as much as a training step.
Not counted: arithmetic on tensors outside modules, rows that torch.vmap hides, other processes.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from wmproto.errors import BudgetError

__all__ = ["Budget", "Cost", "Meter", "metered", "unmetered"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used: samples forward, samples backward, queries to somebody else's model or register."""

    forward: int = 0
    backward: int = 0
    queries: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """What an attack may use at most.

    Attributes:
        forward: Samples through a network, 0 or more; a training step counts its batch here, too.
        backward: Samples whose gradient is taken, 0 or more.
        queries: Inputs that somebody else's model answers, and keys that are drawn in a claim; 0 or more.

    Raises:
        ValueError: A number below 0.
    """

    forward: int
    backward: int
    queries: int

    def __post_init__(self) -> None:
        if min(self.forward, self.backward, self.queries) < 0:
            raise ValueError("a budget is not negative")

    def passes(self, samples: int, most: int) -> int:
        """How many passes of training over ``samples`` pictures can be paid, at most ``most``.

        Raises:
            BudgetError: Not a single one.
        """
        afforded = min(most, min(self.forward, self.backward) // samples)
        if afforded < 1:
            raise BudgetError(f"the budget does not pay for one pass over {samples} pictures")
        return afforded


class Meter:
    """Counts against a budget; refuses what would go beyond it."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._used = {"forward": 0, "backward": 0, "queries": 0}

    def count(self, kind: str, amount: int) -> None:
        """Add to one of forward, backward, queries.

        Raises:
            BudgetError: That is more than the budget has; it is not added.
        """
        limit = getattr(self.budget, kind)
        if self._used[kind] + amount > limit:
            raise BudgetError(f"the budget of {limit} {_WORDS[kind]} is used up")
        self._used[kind] += amount

    def cost(self) -> Cost:
        """What was used so far."""
        return Cost(**self._used)


_WORDS = {"forward": "samples forward", "backward": "samples backward", "queries": "queries"}


@dataclass(slots=True)
class _Call:
    """One outermost call of a module: how many rows each of its layers has seen, forward and backward."""

    rows: dict[str, Counter[int]] = field(default_factory=lambda: {"forward": Counter(), "backward": Counter()})
    entered: list[int] = field(default_factory=list)  # rows counted on the way in, of the layers that are not left yet

    def saw(self, meter: Meter, kind: str, layer: int, rows: int) -> None:
        seen = self.rows[kind]
        beyond = seen[layer] + rows - max(seen.values(), default=0)
        if beyond > 0:
            meter.count(kind, beyond)
        seen[layer] += rows


class _Thread(threading.local):
    """What one thread is in the middle of."""

    depth: int = 0
    call: _Call | None = None
    unmetered: bool = False


_RUNNING: list[Meter] = []  # of the process, not of a context: threads of an attack are counted, too
_THREAD = _Thread()


def count_queries(amount: int) -> None:
    """Count queries on the meter that is running, if one is; raises BudgetError beyond the budget."""
    if _RUNNING and not _THREAD.unmetered:
        _RUNNING[-1].count("queries", amount)


@contextmanager
def unmetered() -> Iterator[None]:
    """Within: nothing of this thread is counted. For what somebody else computes on demand, as an API does."""
    before, _THREAD.unmetered = _THREAD.unmetered, True
    try:
        yield
    finally:
        _THREAD.unmetered = before


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Within: every layer's calls are counted on ``meter``."""
    _RUNNING.append(meter)
    depth, call = _THREAD.depth, _THREAD.call
    _THREAD.depth, _THREAD.call = 0, None
    hooks = (register_module_forward_pre_hook(_enter), register_module_forward_hook(_leave, always_call=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        _RUNNING.remove(meter)
        _THREAD.depth, _THREAD.call = depth, call


def _enter(module: nn.Module, args: tuple[Any, ...]) -> None:
    if _THREAD.depth == 0:
        _THREAD.call = _Call()
    _THREAD.depth += 1
    call = _THREAD.call
    if call is not None and _is_layer(module):
        rows = _rows(module, _tensors(args))
        call.entered.append(rows)
        if _RUNNING and not _THREAD.unmetered:
            call.saw(_RUNNING[-1], "forward", id(module), rows)


def _leave(module: nn.Module, _args: tuple[Any, ...], out: object) -> None:
    _THREAD.depth -= 1  # torch calls this hook after a forward or a pre-hook that raised, too
    call = _THREAD.call
    if call is None or not _is_layer(module):
        return
    counted, tensors, layer = call.entered.pop() if call.entered else 0, list(_tensors([out])), id(module)
    if not _RUNNING or _THREAD.unmetered:
        return
    meter, rows = _RUNNING[-1], _rows(module, tensors)
    if rows > counted:  # its input came by name, or behind something smaller
        call.saw(meter, "forward", layer, rows - counted)
    for tensor in tensors:
        if tensor.requires_grad:
            tensor.register_hook(lambda _: call.saw(meter, "backward", layer, rows))  # type: ignore[no-untyped-call]
            return  # one output is enough: a layer counts once


def _is_layer(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _tensors(values: Iterable[object]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _rows(module: nn.Module, tensors: Iterable[Tensor]) -> int:
    """Rows of the largest of these; of a linear layer all vectors, however they are laid out. 0 where there is none."""
    vectors = isinstance(module, nn.Linear)

    def rows(tensor: Tensor) -> int:
        if not tensor.dim():
            return 1
        return tensor.numel() // max(1, tensor.shape[-1]) if vectors else len(tensor)

    return max(map(rows, tensors), default=0)
