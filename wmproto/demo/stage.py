"""What all acts of the story share: the folder, the people, the log, the pictures, and how to tell a step."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from wmproto.crypto.secretfile import Secret, new_secret, seal
from wmproto.errors import ConfigError
from wmproto.models import (
    Batches,
    Dataset,
    EscrowSuspect,
    Network,
    accuracy,
    load_network,
    save_model,
    small_cnn,
    split,
    standardisation,
    trained,
)
from wmproto.models.training import Loader
from wmproto.owner import KeyFolder
from wmproto.owner.activated import ActivatedKey
from wmproto.registry.log import Log
from wmproto.release.modelfile import ModelFile, read_model
from wmproto.triggers.folder import Pictures
from wmproto.wire.profile import WMPROTO_1
from wmproto.wire.writing import write_new

PROFILE = WMPROTO_1
SEED = 2018  # of the split and of all training; keys and triggers are fresh in each run
#: ``progress(label)`` yields ``tick(done, total)``: how the caller shows a step that takes long.
Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]

_LEAST = 300  # pictures that a model of the story is trained on at least


@dataclass(frozen=True, slots=True)
class Size:
    """How large the story is.

    Attributes:
        pictures: Pictures for each of owner, thief and stranger.
        test: Test pictures.
        epochs: Epochs of every model but the liar's.
        leaves: N of the owner's key.
        offered: Leaves offered in a dispute over the release and over the thief's model.
        stranger: Leaves offered in the dispute over the stranger's model.
        ensemble: Models that the liar trains.
        ensemble_epochs: Epochs of each of them.
        claims: Pictures that the liar optimises: N of his key.
        steps: Gradient steps of his.
    """

    pictures: int
    test: int
    epochs: int
    leaves: int
    offered: int
    stranger: int
    ensemble: int
    ensemble_epochs: int
    claims: int
    steps: int


FULL = Size(
    pictures=1500,
    test=500,
    epochs=25,
    leaves=512,
    offered=128,
    stranger=128,
    ensemble=5,
    ensemble_epochs=8,
    claims=256,
    steps=60,
)
FAST = Size(
    pictures=1000,
    test=500,
    epochs=18,
    leaves=256,
    offered=128,
    stranger=48,
    ensemble=3,
    ensemble_epochs=4,
    claims=64,
    steps=40,
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A model of the story: right answers of all test pictures, and marks kept of all marks."""

    name: str
    model: ModelFile
    right: int
    total: int
    kept: int
    marks: int

    def __str__(self) -> str:
        return f"accuracy {self.right} of {self.total}, marks kept {self.kept} of {self.marks}"


@dataclass(slots=True)
class Stage:
    """Everything that the acts of the story share.

    Attributes:
        out: The story's folder.
        size: How large it is.
        progress: How a step that takes long is shown.
        tell: Prints one line.
        people: Secrets by role, and the liar's, who is an owner.
        hers, his, strangers, test: Pictures of owner, thief and stranger, and test pictures.
        classes: Class names.
        log: The log.
        lines: Every line told: (seconds since the start, text).
    """

    out: Path
    size: Size
    progress: Progress
    tell: Callable[[str], None]
    people: dict[str, Secret]
    hers: Dataset
    his: Dataset
    strangers: Dataset
    test: Dataset
    classes: tuple[str, ...]
    log: Log
    began: float
    lines: list[tuple[float, str]] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the pictures."""
        height, width, channels = self.hers.x.shape[1:]
        return height, width, channels

    def say(self, text: str) -> None:
        """Tell one step, with the seconds since the start."""
        self.lines.append((time.monotonic() - self.began, text))
        self.tell(f"[{self.lines[-1][0]:5.1f} s] {text}")

    def register(
        self, name: str, secret: Secret, *, count: int, pictures: Pictures | None = None, told: str = ""
    ) -> ActivatedKey:
        """Commit to inputs, log the key and activate it; files go to ``keys``.

        Args:
            name: Name of the key folder.
            secret: Its owner's.
            count: N.
            pictures: The inputs; None for keyed noise.
            told: A line to tell between commitment and log, while no label exists.
        """
        keys = self.out / "keys"
        with self.progress("hashing the leaves") as tick:
            home = KeyFolder.create(
                keys / name,
                secret=secret,
                keyctx=secret.contexts[-1],
                profile=PROFILE,
                classes=self.classes,
                count=count,
                shape=self.shape,
                pictures=pictures,
                progress=tick,
            )
        if told:
            self.say(told)
        receipt = self.log.submit("key", home.statement())
        write_new(keys / f"{name}.tlog-proof", receipt, mode=0o644)
        return home.activate(receipt, self.log.key, secret)

    def train(self, name: str, label: str, data: Dataset, *, seed: int, loader: Loader | None = None) -> ModelFile:
        """Train the small network from scratch, and keep it.

        Args:
            name: Name of the model's file.
            label: Of the progress bar.
            data: Pictures that standardise the inputs, and that are trained on unless there is a loader.
            seed: Of initial tensors and batches.
            loader: What to train on instead.
        """
        architecture = small_cnn(self.shape, len(self.classes), *standardisation(data.x))
        with self.progress(label) as tick:
            network = trained(
                architecture, loader or Batches(data, seed=seed), seed=seed, epochs=self.size.epochs, progress=tick
            )
        return self.keep(name, network)

    def keep(self, name: str, network: Network) -> ModelFile:
        """Write a model's file and read it back."""
        data = save_model(network, network.architecture)
        write_new(self.out / "models" / f"{name}.safetensors", data, mode=0o644)
        return read_model(data, profile=PROFILE)

    def accuracy(self, model: ModelFile) -> tuple[int, int]:
        """Right answers and all test pictures."""
        return accuracy(load_network(model), Batches(self.test, seed=0))


def suspect(model: ModelFile) -> EscrowSuspect:
    """A model in escrow."""
    return EscrowSuspect(model.data, model.architecture, profile=PROFILE)


def shares(data: Dataset, size: Size) -> tuple[tuple[Dataset, ...], Size]:
    """Owner's, thief's, stranger's and test pictures, all disjoint; and the size that fits them.

    Where there are fewer pictures than the size asks for there are more epochs, so that as many steps are trained.

    Raises:
        ConfigError: Too few pictures.
    """
    test = min(size.test, len(data) // 8)
    each = min(size.pictures, (len(data) - test) // 3)
    if each < _LEAST:
        raise ConfigError(f"{len(data)} pictures are too few", hint=f"at least {4 * _LEAST} are needed")
    longer = replace(
        size,
        pictures=each,
        test=test,
        epochs=-(-size.epochs * size.pictures // each),
        ensemble_epochs=-(-size.ensemble_epochs * size.pictures // each),
    )
    return split(data, [each] * 3 + [test], seed=SEED), longer


def make_people(keys: Path) -> dict[str, Secret]:
    """New secrets for everybody, sealed under one random passphrase in the folder ``keys``."""
    passphrase = secrets.token_hex(32).encode()
    write_new(keys / "passphrase.txt", passphrase + b"\n", mode=0o600)
    people = {role: new_secret(role, secrets.token_bytes) for role in ("owner", "arbitrator", "respondent", "log")}
    people["liar"] = new_secret("owner", secrets.token_bytes)
    for name in ("owner", "liar"):
        people[name] = people[name].with_context(secrets.token_bytes(32))
    for name, secret in people.items():
        # A random passphrase needs no slow stretching; people's passphrases get the default.
        sealed = seal(secret, passphrase, random=secrets.token_bytes, ops=2, mem=64 << 20)
        write_new(keys / f"{name}.key", sealed, mode=0o600)
    return people
