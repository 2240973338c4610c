"""What a lying owner does: registers keys before the suspect exists, then claims it.

Also the forger, who claims under somebody else's published key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wmproto.attacks.attack import Adversary
from wmproto.attacks.budget import Budget, Cost, count_queries
from wmproto.attacks.view import Api, WhiteBox
from wmproto.errors import StateError
from wmproto.models.data import Dataset

__all__ = ["Claim", "ClaimAttack", "ClaimView", "Claimed", "Forged", "Forgery", "ForgeryAttack", "Registered"]


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """A key that the liar has registered, as he himself knows it.

    Attributes:
        number: Which of his keys, from 0.
        inputs: Raw inputs, n of them.
        labels: (n,) int64: chosen by him (``adi2018``), or born of the registered key (``wmproto/1``).
        ghosts: (n,) bool: leaves that count for nothing; all False where the profile has none.
    """

    number: int
    inputs: tuple[bytes, ...] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    ghosts: NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the liar brings to court.

    Attributes:
        key: One of his registered keys.
        start: First leaf; a multiple of the view's ``grid``.
        count: Leaves offered; a multiple of 16 in ``wmproto/1``.
    """

    key: Registered
    start: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class ClaimView:
    """False claim and non-trivial ownership: no model to begin with, only data of the liar's own, and the register.

    Attributes:
        data: The liar's labelled pictures.
        shape: (H, W, C) of an input.
        classes: Number of classes.
        leaves: Inputs that a key must have.
        grid: Claims start at multiples of this.
        chooses_labels: Whether he chooses his labels (``adi2018``), or they are born after he registers.
        device: Where his models run.
    """

    data: Dataset = field(repr=False)
    shape: tuple[int, int, int]
    classes: int
    leaves: int
    grid: int
    chooses_labels: bool
    device: torch.device
    _register: Callable[[Sequence[bytes], Sequence[int] | None], Registered] = field(repr=False)
    _suspect: Callable[[], Api] = field(repr=False)
    _closed: list[bool] = field(default_factory=lambda: [False], repr=False)

    def register(self, inputs: Sequence[bytes], labels: Sequence[int] | None = None) -> Registered:
        """Make a key over these inputs; one query. Every call draws fresh secrets, so equal inputs give another key.

        With labels by Fiat-Shamir a liar knows the labels of every key he could register before he registers one, so he
        may call this as often as his budget allows, and bring any of them to court.

        Args:
            inputs: ``leaves`` raw inputs.
            labels: As many class indices where he chooses them, else None.

        Raises:
            BudgetError: Beyond the budget.
            StateError: The suspect exists already.
            ValueError: Another number of inputs, or labels where none can be chosen or the other way round.
        """
        if self._closed[0]:
            raise StateError("the suspect exists already: no key that is registered now is heard")
        if len(inputs) != self.leaves or (labels is not None) != self.chooses_labels:
            raise ValueError("a key has the view's number of inputs, and labels only where they can be chosen")
        count_queries(1)
        return self._register(inputs, labels)

    def suspect(self) -> Api:
        """The suspect behind an interface; from now on nothing can be registered.

        He may choose after it which key he brings, where he starts, and how many leaves he offers.
        """
        self._closed[0] = True
        return self._suspect()


@dataclass(frozen=True, slots=True)
class Claimed:
    """What came of a claim attack, before any court has seen it; see Outcome."""

    claim: Claim
    cost: Cost
    log: tuple[dict[str, Any], ...]


class ClaimAttack(Adversary[ClaimView, Claim]):
    """Claims a model that he has no part in."""

    makes = (Claim, "Claim")

    def attack(self, view: ClaimView, budget: Budget, seed: int) -> Claimed:
        """Run it; see Adversary.counted."""
        return Claimed(*self.counted(view, budget, seed))


@dataclass(frozen=True, slots=True)
class Forgery:
    """An opening of somebody else's commitments, or what is passed off as one.

    Attributes:
        inputs: Raw inputs, one for each committed one.
        labels: Class indices.
        salts: What hides the commitments, ``ForgeryView.salt_bytes`` each: in ``wmproto/1`` the leaf key, in
            ``adi2018`` the salt of the input and after it that of the label.
    """

    inputs: tuple[bytes, ...] = field(repr=False)
    labels: tuple[int, ...] = field(repr=False)
    salts: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class ForgeryView:
    """Unforgeability: the marked model and vk; and, for nothing, what any opening shows that is no secret.

    Attributes:
        stolen: The marked model, data, and what the owner published.
        leaves: Inputs under vk.
        shape: (H, W, C) of an input.
        salt_bytes: Length of each salt.
    """

    stolen: WhiteBox
    leaves: int
    shape: tuple[int, int, int]
    salt_bytes: int


@dataclass(frozen=True, slots=True)
class Forged:
    """What came of a forgery; see Outcome."""

    forgery: Forgery
    cost: Cost
    log: tuple[dict[str, Any], ...]


class ForgeryAttack(Adversary[ForgeryView, Forgery]):
    """Claims the marked model under its owner's published key, without her secrets."""

    makes = (Forgery, "Forgery")

    def attack(self, view: ForgeryView, budget: Budget, seed: int) -> Forged:
        """Run it; see Adversary.counted."""
        return Forged(*self.counted(view, budget, seed))
