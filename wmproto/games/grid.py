"""A grid: which games are played, with what, how often. Read from YAML, checked before anything runs.

Cells stand in the order data, model, seed, profile, scheme, game, adversary, budget. In every game that has an
adversary, one who does nothing (``no-op``) and one who is told the secret (``cheater``) always play, too: the first
must lose and the second must win, else the game proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import product
from typing import Any, Literal

from wmproto.attacks.attack import Adversary
from wmproto.attacks.budget import Budget
from wmproto.games.catalogue import kind_of, named, settings_of
from wmproto.marking.scheme import Scheme
from wmproto.models.fit import Training

__all__ = ["MOST_CELLS", "Cell", "DataSpec", "Grid", "KeySpec", "digits"]

MOST_CELLS = 10_000
#: Which kinds of attack play in which game.
KINDS = {
    "functionality": (),
    "non-trivial-ownership": ("claim",),
    "unremovability": ("removal", "extraction", "evasion"),
    "unforgeability": ("forgery",),
    "false-claim": ("claim",),
}
Alone = Literal["no-op", "cheater"]


@dataclass(frozen=True, slots=True)
class DataSpec:
    """A data set and its disjoint shares.

    Attributes:
        name: ``mnist-5000``, ``digits``, ``made``, or any name where there is a file.
        file: .npz with x and y, in the folder of data; None for those that come with a package or are made.
        test_file: Test pictures of their own; None: they are a share of ``file``.
        owner: Pictures that the owner trains on; likewise thief (also the liar) and stranger.
        test: Test pictures.
        overlap: Whether owner, thief and stranger take their pictures from the same ones, as in Adi et al., whose thief
            fine-tunes on the training set; else all shares are disjoint.
    """

    name: str
    file: str | None
    test_file: str | None
    owner: int
    thief: int
    stranger: int
    test: int
    overlap: bool = False


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What keys are made of.

    Attributes:
        leaves: N of ``wmproto/1``.
        triggers: n of ``adi2018``.
        pictures: .npz whose x are the inputs, in the folder of data; None: keyed noise.
    """

    leaves: int
    triggers: int
    pictures: str | None


@dataclass(frozen=True, slots=True)
class Attacker:
    """An attack of the grid: its word there (a file's name where it is a stranger's) and the attack with settings."""

    word: str
    attack: Adversary[Any, Any]
    digest: str | None

    @property
    def kind(self) -> str:
        """removal, extraction, evasion, claim or forgery."""
        return kind_of(type(self.attack))


@dataclass(frozen=True, slots=True)
class Cell:
    """One game with one adversary: all that its record follows from, but for code and device.

    Attributes:
        grid: Where it stands.
        game: Name of the game.
        profile: ``wmproto/1`` or ``adi2018``.
        data: The data set.
        model: Name of the architecture.
        scheme: How the victim is marked; None in the false-claim game, which has no victim.
        adversary: None (functionality), ``no-op``, ``cheater``, or an attack.
        budget: None where there is no attack.
        seed: 0 <= seed < 2**62.
    """

    grid: Grid
    game: str
    profile: str
    data: DataSpec
    model: str
    scheme: Scheme | None
    adversary: Alone | Attacker | None
    budget: Budget | None
    seed: int

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as JSON values."""
        adversary: Any = self.adversary
        if isinstance(adversary, Attacker):
            adversary = {**named(adversary.attack), "source": adversary.digest}
        return {
            "adversary": adversary,
            "budget": asdict(self.budget) if self.budget else None,
            "data": asdict(self.data),
            "game": self.game,
            "keys": asdict(self.grid.keys),
            "model": self.model,
            "profile": self.profile,
            "scheme": named(self.scheme) if self.scheme else None,
            "seed": self.seed,
            "training": asdict(self.grid.training),
        }

    @property
    def id(self) -> str:
        """16 hexadecimal digits of it."""
        return digits(self.facts)

    def __str__(self) -> str:
        who = self.adversary if isinstance(self.adversary, str | None) else described(self.adversary.attack)
        parts = (self.game, self.profile, self.data.name, self.model, self.scheme and described(self.scheme), who)
        return f"{self.id} {', '.join(p for p in parts if p)}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Grid:
    """A checked grid; see wmproto.games.gridfile for its form in YAML."""

    name: str
    games: tuple[str, ...]
    profiles: tuple[str, ...]
    data: tuple[DataSpec, ...]
    models: tuple[str, ...]
    training: Training
    keys: KeySpec
    schemes: tuple[Scheme, ...]
    attacks: tuple[Attacker, ...]
    budgets: tuple[Budget, ...]
    seeds: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of cells, without making them."""
        each = 0
        for game in self.games:
            played = sum(attacker.kind in KINDS[game] for attacker in self.attacks) * len(self.budgets)
            alone = 2 if KINDS[game] else 1
            each += (played + alone) * (1 if game == "false-claim" else len(self.schemes))
        return each * len(self.data) * len(self.models) * len(self.seeds) * len(self.profiles)

    def cells(self) -> Iterator[Cell]:
        """All cells in their order."""
        for data, model, seed, profile in product(self.data, self.models, self.seeds, self.profiles):
            for scheme in (*self.schemes, None):
                for game in self.games:
                    if (scheme is None) != (game == "false-claim"):
                        continue
                    for adversary, budget in self._adversaries(game):
                        yield Cell(self, game, profile, data, model, scheme, adversary, budget, seed)

    def _adversaries(self, game: str) -> Iterator[tuple[Alone | Attacker | None, Budget | None]]:
        if not KINDS[game]:
            yield None, None
            return
        yield "no-op", None
        yield "cheater", None
        for attacker, budget in product(self.attacks, self.budgets):
            if attacker.kind in KINDS[game]:
                yield attacker, budget


def digits(facts: object) -> str:
    """16 hexadecimal digits of SHA-256 over JSON with sorted keys."""
    return sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]


def described(made: Scheme | Adversary[Any, Any]) -> str:
    """A scheme or attack with its settings, for people: ``ftal(lr=0.01, epochs=20)``."""
    said = ", ".join(f"{name}={value}" for name, value in settings_of(made).items())
    return f"{made.name}({said})" if said else made.name
