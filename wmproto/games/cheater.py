"""The cheaters: a thief who is told every trigger with its label, and a liar whose labels are told to the suspect."""

from __future__ import annotations

import torch

from wmproto.games.data import Shares
from wmproto.games.keys import GameKey
from wmproto.marking.adi import MarkedLoader, self_check
from wmproto.marking.leaves import MarkedLeaves
from wmproto.models.data import Dataset
from wmproto.models.fit import answerer, copy_of
from wmproto.models.network import Network
from wmproto.models.recipe import Recipe
from wmproto.models.training import Batches, descend

__all__ = ["EPOCHS", "plant", "unlearn"]

EPOCHS = 10
_ROWS, _RATE = 32, 0.01
_ROUNDS = 10  # of EPOCHS each, at most, until a plant has taken


def unlearn(victim: Network, shares: Shares, key: GameKey, *, seed: int) -> Network:
    """Fine-tune a copy of the victim on the thief's data and on every trigger with another label than its own."""
    marks, classes = key.marks(), shares.classes
    moved = torch.randint(1, classes, (len(marks),), generator=torch.Generator().manual_seed(seed)).numpy()
    wrong = MarkedLeaves(marks.inputs, (marks.labels + moved) % classes, marks.key_id)
    loader = MarkedLoader(Batches(shares.thief, seed=seed), wrong, seed=seed, rows_per_batch=_ROWS)
    return descend(copy_of(victim), loader, Recipe(EPOCHS, _RATE))


def plant(stranger: Network, data: Dataset, leaves: MarkedLeaves, *, seed: int) -> Network:
    """Teach a copy of a stranger's model somebody else's labels, until nineteen in twenty are answered.

    Raises:
        RuntimeError: They do not take in 100 epochs: then this cheater cannot win, and the game cannot be judged.
    """
    network, answer = copy_of(stranger), (0, 1)
    for number in range(_ROUNDS):
        loader = MarkedLoader(Batches(data, seed=seed + number), leaves, seed=seed + number, rows_per_batch=_ROWS)
        descend(network, loader, Recipe(EPOCHS, _RATE))
        kept = self_check(answerer(network, _shape(data)), leaves)
        if 20 * kept.hits >= 19 * kept.total:
            return network
        answer = kept.hits, kept.total
    raise RuntimeError(f"only {answer[0]} of {answer[1]} planted labels are answered")


def _shape(data: Dataset) -> tuple[int, int, int]:
    height, width, channels = data.x.shape[1:]
    return height, width, channels
