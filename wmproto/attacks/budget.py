"""Budgets in samples and queries: counted for the attack, not by it, and a hard limit.

While an attack runs, every outermost call of a torch module that has parameters is counted with the rows of its first
argument, whoever made that module; a second count is taken when a gradient comes back through what the call returned.
So a network of the attacker's own is counted as the victim's copy is, a part of a network counts as the whole, and an
evaluation counts as much as a training step. What is not counted: arithmetic on tensors outside modules.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from wmproto.errors import BudgetError

__all__ = ["Budget", "Cost", "Meter", "metered", "unmetered"]

_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


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


def count_queries(amount: int) -> None:
    """Count queries on the meter that is running, if one is; raises BudgetError beyond the budget."""
    if (meter := _METER.get()) is not None:
        meter.count("queries", amount)


@contextmanager
def unmetered() -> Iterator[None]:
    """Within: nothing is counted. For what somebody else computes on the attacker's demand, as an API does."""
    token = _METER.set(None)
    try:
        yield
    finally:
        _METER.reset(token)


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Within: every module call in this context is counted on ``meter``."""
    token = _METER.set(meter)
    depth = [0]
    hooks = (
        register_module_forward_pre_hook(lambda module, args: _enter(module, args, depth)),
        register_module_forward_hook(lambda module, _, out: _leave(module, out, depth), always_call=True),
    )
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        _METER.reset(token)


def _counts(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None  # a loss or an activation is no network


def _enter(module: nn.Module, args: tuple[Any, ...], depth: list[int]) -> None:
    if not _counts(module):
        return
    depth[0] += 1
    meter = _METER.get()
    if depth[0] == 1 and meter is not None:
        try:
            meter.count("forward", _rows(args))
        except BudgetError:
            depth[0] = 0  # torch calls no forward hook after a pre-hook that raised
            raise


def _leave(module: nn.Module, out: object, depth: list[int]) -> None:
    if not _counts(module):
        return
    depth[0] = max(0, depth[0] - 1)
    meter = _METER.get()
    if depth[0] == 0 and meter is not None and isinstance(out, Tensor) and out.requires_grad:
        rows = len(out) if out.dim() else 1
        with suppress(RuntimeError):  # a tensor that cannot carry a hook carries no gradient either
            out.register_hook(lambda _: meter.count("backward", rows))  # type: ignore[no-untyped-call]


def _rows(args: tuple[Any, ...]) -> int:
    first = next((arg for arg in args if isinstance(arg, Tensor)), None)
    return len(first) if first is not None and first.dim() else 1


def as_dict(cost: Cost | Budget) -> dict[str, int]:
    """The three numbers by name."""
    return asdict(cost)
