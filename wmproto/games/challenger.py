"""The challenger: makes the models and keys that a cell needs, and hands out views. What is trained is trained once.

Seeds: everything follows from the cell's seed. Twin and victim start from the same tensors and see the same batches;
the stranger's model has data and a start of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wmproto.attacks.attack import Attack, EvasionAttack, ExtractionAttack, Outcome
from wmproto.attacks.budget import Budget
from wmproto.attacks.view import Api, BlackBox, WhiteBox
from wmproto.errors import ConfigError
from wmproto.games.catalogue import MODELS, named
from wmproto.games.cheater import plant
from wmproto.games.data import Shares, key_pictures, own_copy, shares
from wmproto.games.grid import Attacker, Cell
from wmproto.games.judge import LARGE, Asked, rebuilt
from wmproto.games.keys import Adi2018Key, GameKey, Wmproto1Key, drawn, noise_inputs
from wmproto.games.store import Artefact, RunFolder
from wmproto.models.cnn import standardisation
from wmproto.models.data import Dataset
from wmproto.models.fit import fresh, placed
from wmproto.models.network import Network, network_tensors
from wmproto.models.training import descend
from wmproto.release.architecture import Architecture

__all__ = ["Challenger"]


class Challenger:
    """The challenger of one cell.

    Args:
        cell: The cell.
        folder: Where models are kept.

    Attributes:
        work_seconds: Spent on training, attacking and asking, so far.
    """

    def __init__(self, cell: Cell, folder: RunFolder) -> None:
        self.cell, self.folder = cell, folder
        self.device = torch.device(folder.device)
        self.work_seconds = 0.0
        self._models: dict[str, Artefact] = {}
        self._asked: dict[str, Asked] = {}

    # --- data and keys ------------------------------------------------------------------------------------------

    @cached_property
    def shares(self) -> Shares:
        """The pictures."""
        return shares(self.cell.data, self.folder.data, self.cell.seed)

    @property
    def size(self) -> int:
        """Inputs of a key of this profile."""
        keys = self.cell.grid.keys
        return keys.leaves if self.cell.profile == "wmproto/1" else keys.triggers

    @property
    def key(self) -> GameKey:
        """The owner's key; the same object for all cells of one data set, seed and profile."""
        file = self.cell.grid.keys.pictures
        return _owners_key(self.shares, self.cell.profile, self.size, self.cell.seed, file, self.folder.data)

    @cached_property
    def cheats_key(self) -> GameKey:
        """The key that the cheater of the false-claim game has planted."""
        return self.make_key(noise_inputs(self.seed_of("cheat"), self.size, self.shares.shape), ("cheat",))

    def make_key(
        self, inputs: Sequence[bytes], who: tuple[str | int, ...], labels: Sequence[int] | None = None
    ) -> GameKey:
        """A key of the cell's profile; labels only where its owner chooses them."""
        return _made_key(self.shares, self.cell.profile, inputs, self.cell.seed, who, labels)

    # --- models -------------------------------------------------------------------------------------------------

    def architecture(self, x: NDArray[np.uint8]) -> Architecture:
        """The cell's architecture, standardised for these pictures."""
        return MODELS[self.cell.model](self.shares.shape, self.shares.classes, *standardisation(x))

    def needed(self) -> dict[str, dict[str, Any]]:
        """What this cell needs from the store: part -> what it follows from, in the order in which they can be made."""
        cell, parts = self.cell, dict[str, dict[str, Any]]()
        if cell.scheme is not None:
            parts["twin"] = self._spec("twin")
        if cell.scheme is None or cell.game in ("functionality", "unremovability"):
            parts["independent"] = self._spec("independent")
        if cell.scheme is not None:
            parts["victim"] = self._spec("victim", key=self.key.name.hex(), scheme=named(cell.scheme))
        if cell.scheme is None and cell.adversary == "cheater":
            parts["planted"] = self._spec("planted", key=self.cheats_key.name.hex())
        if isinstance(cell.adversary, Attacker) and cell.budget and cell.adversary.kind in ("removal", "extraction"):
            source = cell.adversary.digest
            attack, budget = {**named(cell.adversary.attack), "source": source}, asdict(cell.budget)
            parts["control"] = self._spec("control", attack=attack, budget=budget)
        return parts

    def _spec(self, kind: str, **more: Any) -> dict[str, Any]:
        cell, training = self.cell, asdict(self.cell.grid.training)
        common = {"data": self.shares.digest, "model": cell.model, "seed": cell.seed, "training": training}
        return {"kind": kind, **common, **more}

    def model(self, part: str) -> Artefact:
        """A model that this cell needs, trained if it is not in the store yet.

        Args:
            part: ``twin``: unmarked, M of the paper. ``independent``: a stranger's. ``victim``: marked, M-hat; its
                facts have ``hits`` and ``marks`` of the scheme's own check, and ``stands``: whether the claim does.
                ``planted``: a stranger's into which the cheater's labels were planted. ``control``: the twin after the
                cell's attack.

        Raises:
            StateError: It cannot be made; says why.
            KeyError: This cell needs no such part.
        """
        if part not in self._models:
            make = {
                "twin": lambda: self._clean("owner", self.shares.owner),
                "independent": lambda: self._clean("independent", self.shares.stranger),
                "victim": self._victim,
                "planted": self._planted,
                "control": self._control,
            }[part]
            found = self.folder.artefact(self.needed()[part], lambda: self._timed(make))
            placed(found.network, self.device)
            self._models[part] = found
        return self._models[part]

    def _timed(self, make: Callable[[], tuple[Network, dict[str, Any]]]) -> tuple[Network, dict[str, Any]]:
        began = time.monotonic()
        network, facts = make()
        asked = self.asked(network)
        return network, {"right": asked.right, "total": asked.total, "seconds": time.monotonic() - began, **facts}

    def _clean(self, start: str, data: Dataset) -> tuple[Network, dict[str, Any]]:
        training, seed = self.cell.grid.training, self.seed_of(start)
        network = fresh(self.architecture(data.x), seed=seed, device=self.device)
        return descend(network, training.loader(data, seed=seed), training.recipe), {}

    def _victim(self) -> tuple[Network, dict[str, Any]]:
        if self.cell.scheme is None:
            raise ValueError("this game has no victim")
        twin, seed = self.model("twin").network, self.seed_of("owner")
        training = self.cell.grid.training
        marked = self.cell.scheme.embed(twin, self.shares.owner, self.key.marks(), training, seed=seed)
        stands = self.key.rule(self.asked(marked.network).answer).accepted
        return marked.network, {"hits": marked.retention.hits, "marks": marked.retention.total, "stands": stands}

    def _planted(self) -> tuple[Network, dict[str, Any]]:
        stranger, marks = self.model("independent").network, self.cheats_key.marks()
        return plant(stranger, self.shares.stranger, marks, seed=self.seed_of("cheat")), {}

    def _control(self) -> tuple[Network, dict[str, Any]]:
        cell = self.cell
        if not isinstance(cell.adversary, Attacker) or cell.budget is None:
            raise ValueError("this cell has no attack")
        attack = cell.adversary.attack
        if not isinstance(attack, Attack):
            raise ValueError("only attacks on models have a control")
        return rebuilt(self.attacked(attack, cell.budget, of="twin").model, word=attack.name), {}

    # --- views --------------------------------------------------------------------------------------------------

    def view(self, attack: Attack[Any], of: Artefact, *, published: bytes) -> WhiteBox | BlackBox:
        """What the game grants an attack on this model."""
        if isinstance(attack, ExtractionAttack):
            api = self.api(of.network, soft=attack.soft)
            return BlackBox(api, self.shares.thief.x.copy(), self.shares.classes, self.device, published)
        return self.white_box(of, published=published)

    def white_box(self, of: Artefact, *, published: bytes) -> WhiteBox:
        """Weights and labelled data."""
        architecture, classes, data = of.network.architecture, self.shares.classes, own_copy(self.shares.thief)
        return WhiteBox(architecture, network_tensors(of.network), data, classes, self.device, published)

    def api(self, network: Network, *, soft: bool) -> Api:
        """A model behind an interface."""
        device = self.device

        def answer(x: NDArray[np.uint8]) -> Tensor:
            parts = torch.split(torch.from_numpy(np.ascontiguousarray(x)), LARGE)
            return torch.cat([network(part.to(device)).cpu() for part in parts])

        return Api(answer, soft=soft)

    def attacked(self, attack: Attack[Any], budget: Budget, *, of: str) -> Outcome:
        """Run an attack on one of the models; what it returns comes back as the judge takes it."""
        view = self.view(attack, self.model(of), published=self.key.published if of == "victim" else b"")
        with self.working():
            outcome = attack.attack(view, budget, self.seed_of("attack"))
        if isinstance(attack, EvasionAttack):
            return outcome
        return replace(outcome, model=rebuilt(outcome.model, word=attack.name))

    @property
    def took(self) -> bool:
        """Whether the owner's claim stands over the victim itself."""
        return bool(self.model("victim").facts["stands"])

    def asked(self, model: nn.Module, *, forward: int = 0, right: int | None = None) -> Asked:
        """A model under the judge's questions; ``forward``: what a module that is no network may compute meanwhile."""
        inputs, seed = self.key.inputs, self.seed_of("judge")
        with self.working():
            return Asked(
                model,
                self.shares.test,
                device=self.device,
                inputs=inputs,
                seed=seed,
                forward=forward,
                right=right,
                working=self.working,
            )

    def part(self, name: str) -> Asked:
        """One of the models of ``model()`` under questions; the same object each time."""
        if name not in self._asked:
            found = self.model(name)
            self._asked[name] = self.asked(found.network, right=found.facts["right"])
        return self._asked[name]

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count what happens within as work, not as harness."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.work_seconds += time.monotonic() - began

    def seed_of(self, what: str) -> int:
        """A seed below 2**62 for one use."""
        return int.from_bytes(drawn(self.cell.seed, "seed", what)[:8], "big") >> 2


def _made_key(
    parts: Shares,
    profile: str,
    inputs: Sequence[bytes],
    seed: int,
    who: tuple[str | int, ...],
    labels: Sequence[int] | None = None,
) -> GameKey:
    shape, classes = parts.shape, parts.classes
    if profile == "wmproto/1":
        return Wmproto1Key(inputs, shape=shape, classes=classes, seed=seed, who=who)
    return Adi2018Key(inputs, shape=shape, classes=classes, seed=seed, who=who, labels=labels, truth=parts.truth)


@lru_cache(maxsize=4)
def _owners_key(parts: Shares, profile: str, size: int, seed: int, file: str | None, data: Path | None) -> GameKey:
    if file is None:
        return _made_key(parts, profile, noise_inputs(seed, size, parts.shape), seed, ("owner",))
    pictures = key_pictures(file, data, parts.shape)
    if len(pictures) < size:
        raise ConfigError(f"{file} has {len(pictures)} pictures, a key needs {size}")
    return _made_key(parts, profile, [one.tobytes() for one in pictures[:size]], seed, ("owner",))
