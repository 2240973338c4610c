"""Grinding: a liar whose labels are hashes draws again until they suit the answers that he expects.

Both grinders register pictures of the task, because any model of the task answers those alike, and guess the answers
with surrogates. Where labels can be chosen there is nothing to grind: they choose what they guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from wmproto.attacks.attack import Run
from wmproto.attacks.claim.claim import Claim, ClaimAttack, ClaimView, Registered
from wmproto.attacks.claim.surrogates import guessed, train_surrogates
from wmproto.errors import ConfigError

__all__ = ["Grinding", "LeafGrinding", "RootGrinding"]


@dataclass(frozen=True)
class Grinding(ClaimAttack):
    """What the grinders share.

    Attributes:
        tries: Keys that are drawn at most, 1 or more; fewer where the budget has fewer queries.
        surrogates: Models to guess with.
        epochs: Of each of them.
    """

    tries: int = 1000
    surrogates: int = 2
    epochs: int = 5

    def __post_init__(self) -> None:
        if min(self.tries, self.surrogates, self.epochs) < 1:
            raise ValueError("tries, surrogates and epochs must be at least 1")

    def expected(self, view: ClaimView, run: Run) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Pictures of the task, (leaves, H, W, C) uint8, and the answers that are expected to them."""
        if len(view.data) < view.leaves:
            raise ConfigError(f"{len(view.data)} pictures are too few for a key of {view.leaves}")
        order = torch.randperm(len(view.data), generator=run.generator)[: view.leaves].numpy()
        pictures = view.data.x[order].copy()
        models = train_surrogates(view, run, count=self.surrogates, epochs=self.epochs)
        return pictures, guessed(models, pictures)

    def left(self, run: Run) -> int:
        """How often this attack may draw."""
        return max(1, min(self.tries, run.budget.queries))


def hits(key: Registered, guess: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which leaves are marked and would be hit if the guess is right."""
    found: NDArray[np.bool_] = (key.labels == guess) & ~key.ghosts
    return found


def _raw(pictures: NDArray[np.uint8]) -> list[bytes]:
    return [one.tobytes() for one in pictures]


@dataclass(frozen=True)
class RootGrinding(Grinding):
    """Draws whole keys over the same pictures, and brings the one whose labels suit his guess best.

    What it is worth: with Q tries a stake is multiplied by 2^L with a chance of at most Q * 2^-L, so it gains log2(Q)
    bits or so. That is why a Fiat-Shamir verdict needs 160 bits.
    """

    name: ClassVar[str] = "root-grinding"
    source: ClassVar[str] = "specs/security.md, hole R1: labels by Fiat-Shamir can be tried offline"

    def run(self, view: ClaimView, run: Run) -> Claim:
        """See ClaimAttack."""
        pictures, guess = self.expected(view, run)
        inputs = _raw(pictures)
        if view.chooses_labels:
            return Claim(view.register(inputs, guess.tolist()), 0, view.leaves)
        keys = (view.register(inputs) for _ in range(self.left(run)))
        best = max(keys, key=lambda key: int(hits(key, guess).sum()))
        run.note(expected_hits=int(hits(best, guess).sum()), keys=self.left(run))
        return Claim(best, 0, view.leaves)


@dataclass(frozen=True)
class LeafGrinding(Grinding):
    """Changes a bit in each picture that would miss, draws again, and keeps for each leaf what suits.

    Where a label hangs on its own leaf alone this forges a key in a few dozen draws: each draw puts one in C of the
    missing leaves right and leaves the others alone. Where labels hang on the whole root every draw is a new key.
    """

    name: ClassVar[str] = "leaf-grinding"
    source: ClassVar[str] = "specs/security.md: labels per leaf can be ground leaf by leaf"

    def run(self, view: ClaimView, run: Run) -> Claim:
        """See ClaimAttack."""
        pictures, guess = self.expected(view, run)
        if view.chooses_labels:
            return Claim(view.register(_raw(pictures), guess.tolist()), 0, view.leaves)
        best = key = view.register(_raw(pictures))
        flat = pictures.reshape(len(pictures), -1)
        for drawn in range(1, self.left(run)):
            missing = ~hits(key, guess) & ~key.ghosts
            if not missing.any():
                break
            flat[missing, drawn % flat.shape[1]] ^= 1  # no model sees a step of one grey level in one pixel
            key = view.register(_raw(pictures))
            if hits(key, guess).sum() > hits(best, guess).sum():
                best = key
        run.note(expected_hits=int(hits(best, guess).sum()), marked=int((~best.ghosts).sum()))
        return Claim(best, 0, view.leaves)
