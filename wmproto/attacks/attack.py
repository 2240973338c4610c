"""What an attack is: a few numbers, and one method that turns a view into a model. Success is judged elsewhere.

To write one: subclass RemovalAttack, ExtractionAttack or EvasionAttack as a frozen dataclass whose fields are its
settings, and implement ``run``. The rest is done for it: budget, seeds, global state, and a check that what it returns
is a model. See docs/researcher.md for one in forty lines.
"""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import nn

from wmproto.attacks.budget import Budget, Cost, Meter, metered
from wmproto.attacks.view import BlackBox, WhiteBox
from wmproto.errors import ConfigError
from wmproto.models.network import Network

__all__ = ["Adversary", "Attack", "EvasionAttack", "ExtractionAttack", "Outcome", "RemovalAttack", "Run"]

View = TypeVar("View")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of an attack. It claims nothing: whether it won is the game's to say.

    Attributes:
        model: (B, H, W, C) uint8 -> (B, classes) scores, in eval mode, on the view's device.
        cost: What the attack used, as counted for it.
        log: What it noted on its way: dicts of JSON values.
    """

    model: nn.Module
    cost: Cost
    log: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Run:
    """One run of an attack.

    Attributes:
        budget: What may be used in all; counting is done for the attack, and going beyond raises BudgetError.
        seed: 0 <= seed < 2**63. The only source of randomness, with ``generator``.
        generator: Of torch, on the CPU, from the seed.
        log: What was noted.
    """

    budget: Budget
    seed: int
    generator: torch.Generator
    log: list[dict[str, Any]] = field(default_factory=list)

    def note(self, **facts: Any) -> None:
        """Add facts to the log.

        Raises:
            TypeError, ValueError: Something that is no JSON value: convert with int(), float(), .tolist().
        """
        json.dumps(facts, allow_nan=False)
        self.log.append(facts)


class Adversary(ABC, Generic[View, Made]):
    """Whoever plays against a challenger. The fields are the settings; two instances with equal fields are the same.

    Attributes:
        name: Its word in grids, records and reports: lower case, digits and dashes.
        source: Where it comes from: paper and section.
        makes: What ``run`` must return, and the word for it.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    makes: ClassVar[tuple[type, str]]

    @abstractmethod
    def run(self, view: View, run: Run) -> Made:
        """What the game asks for; to be written by each attack."""

    def counted(self, view: View, budget: Budget, seed: int) -> tuple[Made, Cost, tuple[dict[str, Any], ...]]:
        """Run it; returns what it made, what that cost, and its log.

        Global state is afterwards as before, see undisturbed(). The same seed gives the same bytes on the CPU of one
        machine.

        Args:
            view: What the game grants.
            budget: The hard limit.
            seed: 0 <= seed < 2**63.

        Raises:
            BudgetError: It asked for more than the budget.
            ConfigError: It returned something else than it must.
        """
        meter = Meter(budget)
        run = Run(budget, seed, torch.Generator(device="cpu").manual_seed(seed))
        with undisturbed(seed), metered(meter):
            made = self.run(view, run)
        kind, word = self.makes
        if not isinstance(made, kind):
            raise ConfigError(f"the attack {self.name} returned {type(made).__name__}, not a {word}")
        return made, meter.cost(), tuple(run.log)


class Attack(Adversary[View, nn.Module]):
    """An attack on a model."""

    makes = (nn.Module, "torch module")

    def attack(self, view: View, budget: Budget, seed: int) -> Outcome:
        """Run it; see ``counted``."""
        model, cost, log = self.counted(view, budget, seed)
        model.eval()
        for parameter in model.parameters():
            parameter.grad = None
        return Outcome(model, cost, log)


class RemovalAttack(Attack[WhiteBox]):
    """Has the weights, and changes them."""

    @abstractmethod
    def run(self, view: WhiteBox, run: Run) -> Network:
        """A network: a changed copy of ``view.network()``, or another one."""


class ExtractionAttack(Attack[BlackBox]):
    """Has an interface, and trains a model of its own on the answers.

    Attributes:
        soft: Whether the interface must give scores.
    """

    soft: ClassVar[bool] = False


class EvasionAttack(Attack[WhiteBox]):
    """Has the weights, deploys them as they are, and changes what they are asked."""


@contextmanager
def undisturbed(seed: int) -> Iterator[None]:
    """Within: the global generators of torch, numpy and Python start from ``seed``; afterwards all is as before.

    All: these generators, threads, default dtype, gradient mode, deterministic mode, the current folder.
    """
    own, folder = sys.modules.get("random"), Path.cwd()  # not imported here: no secret is ever drawn from it
    state = own.getstate() if own else None
    generator = np.random.get_state()
    threads, dtype, grad = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        if own:
            own.seed(seed)
        try:
            yield
        finally:
            if own:
                own.setstate(state)
            np.random.set_state(generator)
            torch.set_num_threads(threads)
            torch.set_default_dtype(dtype)
            torch.set_grad_enabled(grad)
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
            os.chdir(folder)
