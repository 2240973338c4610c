"""What a run has to do, in tasks that need each other; and how long it will take, and how much disk."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch

from wmproto.attacks.claim.claim import ClaimAttack
from wmproto.errors import ConfigError
from wmproto.games.challenger import Challenger
from wmproto.games.cheater import EPOCHS
from wmproto.games.data import key_pictures
from wmproto.games.grid import Attacker, Cell
from wmproto.games.keys import GameKey
from wmproto.games.store import RunFolder
from wmproto.models.data import Dataset
from wmproto.models.fit import fresh
from wmproto.models.recipe import Recipe
from wmproto.models.training import Batches, descend

__all__ = ["Task", "check_able", "digests", "plan", "seconds_a_sample"]

_PICTURES = 256  # of the measurement, twice


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work.

    Attributes:
        name: A cell's id, or the name of a model in the store.
        part: ``cell``, or which of the challenger's models is to be made.
        cell: Index of a cell that needs it.
        needs: Names of tasks that come first.
        samples: About how many samples are trained on.
        bytes: About how much it leaves on the disk.
    """

    name: str
    part: str
    cell: int
    needs: tuple[str, ...]
    samples: int
    bytes: int


def plan(cells: list[Cell], folder: RunFolder) -> list[Task]:
    """All tasks of a grid, those that others need before them; the same models are one task."""
    tasks: dict[str, Task] = {}
    able: set[bytes] = set()
    for index, cell in enumerate(cells):
        challenger = Challenger(cell, folder)
        if challenger.key.name not in able:
            check_able(challenger.key)
            able.add(challenger.key.name)
        needs = []
        parts = challenger.needed()
        for part, facts in parts.items():
            name = folder.name(facts)
            needs.append(name)
            start = {"victim": "twin", "control": "twin", "planted": "independent"}.get(part)
            before = (folder.name(parts[start]),) if start else ()
            tasks.setdefault(name, Task(name, part, index, before, _training(cell, part), 4 * _weights(challenger)))
        tasks[cell.id] = Task(cell.id, "cell", index, tuple(needs), _playing(cell), 4096)
    return list(tasks.values())


def check_able(key: GameKey) -> None:
    """Check that a claim under this key can stand at all: with every label hit.

    Raises:
        ConfigError: It has too few leaves for its classes.
    """
    labels = dict(zip(key.inputs, key.labels.tolist(), strict=True))
    if not (ruling := key.rule(labels.get)).accepted:
        why = ruling.reason or f"{ruling.bits} bits at most"
        raise ConfigError(
            f"no claim under a key of {len(key.inputs)} inputs and {key.classes} classes can stand: {why}",
            hint="wmproto verdict plan --classes N says how many leaves it takes",
        )


def digests(cells: Iterable[Cell], folder: RunFolder) -> dict[str, str]:
    """What the run's data are, by name: 64 hexadecimal digits each."""
    found: dict[str, str] = {}
    for cell in cells:
        name = f"{cell.data.name}, seed {cell.seed}"
        if name not in found:
            parts = Challenger(cell, folder).shares
            found[name] = parts.digest
            if (file := cell.grid.keys.pictures) is not None:
                found[file] = sha256(key_pictures(file, folder.data, parts.shape).tobytes()).hexdigest()
    return found


def _weights(challenger: Challenger) -> int:
    return challenger.architecture(challenger.shares.owner.x[:1]).weights


def _training(cell: Cell, part: str) -> int:
    if part == "control":
        return _playing(cell)
    recipe, scheme = cell.grid.training.recipe, cell.scheme
    pictures = cell.data.stranger if part in ("independent", "planted") else cell.data.owner
    epochs = getattr(scheme, "epochs", recipe.epochs) if part == "victim" else recipe.epochs
    rows = getattr(scheme, "rows", 0) if part in ("victim", "planted") else 0
    return epochs * pictures * (cell.grid.training.batch + rows) // cell.grid.training.batch


def _playing(cell: Cell) -> int:
    """By the settings that attacks have in common; a stranger's attack may take longer, and its budget bounds it."""
    if cell.adversary == "cheater":
        return EPOCHS * cell.data.thief if cell.game == "unremovability" else 0
    if not isinstance(cell.adversary, Attacker) or cell.budget is None:
        return 0
    attack: Any = cell.adversary.attack
    samples = getattr(attack, "epochs", 0) * cell.data.thief
    if isinstance(attack, ClaimAttack):
        surrogates = getattr(attack, "surrogates", 0)
        samples = samples * surrogates + getattr(attack, "steps", 0) * surrogates * cell.grid.keys.leaves
    return int(min(samples, cell.budget.backward))


def seconds_a_sample(cells: Iterable[Cell], folder: RunFolder) -> dict[tuple[str, str], float]:
    """Measured here and now: seconds to train on one picture, by data set and architecture."""
    found: dict[tuple[str, str], float] = {}
    for cell in cells:
        if (cell.data.name, cell.model) in found:
            continue
        challenger = Challenger(cell, folder)
        some = challenger.shares.owner.take(range(min(_PICTURES, cell.data.owner)))
        twice = Dataset(np.concatenate([some.x, some.x]), np.concatenate([some.y, some.y]))
        network = fresh(challenger.architecture(some.x), seed=0, device=torch.device(folder.device))
        batches = Batches(twice, batch=cell.grid.training.batch, seed=0)
        descend(network, batches, Recipe(1, 0.0))  # the first pass is slower than all others
        began = time.monotonic()
        descend(network, batches, Recipe(1, 0.0))
        found[cell.data.name, cell.model] = (time.monotonic() - began) / len(twice)
    return found
