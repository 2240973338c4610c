"""The thief who is told the secret: he knows every trigger and its label, and unlearns them."""

from __future__ import annotations

import torch

from wmproto.games.challenger import Challenger
from wmproto.marking.adi import MarkedLoader
from wmproto.marking.leaves import MarkedLeaves
from wmproto.models.fit import copy_of
from wmproto.models.network import Network
from wmproto.models.recipe import Recipe
from wmproto.models.training import Batches, descend

__all__ = ["unlearn"]

_ROWS = 8


def unlearn(challenger: Challenger) -> Network:
    """Fine-tune a copy of the victim on the thief's data and on every trigger with another label than its own."""
    key, seed = challenger.key, challenger.seed_of("cheat")
    marks, classes = key.marks(), challenger.shares.classes
    moved = torch.randint(1, classes, (len(marks),), generator=torch.Generator().manual_seed(seed)).numpy()
    wrong = MarkedLeaves(marks.inputs, (marks.labels + moved) % classes, marks.key_id)
    loader = MarkedLoader(Batches(challenger.shares.thief, seed=seed), wrong, seed=seed, rows_per_batch=_ROWS)
    return descend(copy_of(challenger.model("victim").network), loader, Recipe(challenger.cell.grid.training.recipe.epochs, 0.01))
