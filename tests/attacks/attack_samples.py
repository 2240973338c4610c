"""For the tests of this folder: a tiny net with batch statistics, a marked digit reader, views, and bytes to compare."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

from wmproto.attacks.attack import EvasionAttack, ExtractionAttack, RemovalAttack
from wmproto.attacks.budget import Budget
from wmproto.attacks.evasion.blur import Blur
from wmproto.attacks.evasion.jpeg import Jpeg
from wmproto.attacks.extraction.hard import HardLabels
from wmproto.attacks.extraction.soft import SoftLabels
from wmproto.attacks.removal.ftal import Ftal
from wmproto.attacks.removal.ftll import Ftll
from wmproto.attacks.removal.noise import Noise
from wmproto.attacks.removal.overwrite import Overwrite
from wmproto.attacks.removal.prune import Prune
from wmproto.attacks.removal.quantise import Quantise
from wmproto.attacks.removal.rtal import Rtal
from wmproto.attacks.removal.rtll import Rtll
from wmproto.attacks.view import Api, BlackBox, WhiteBox
from wmproto.models import (
    Batches,
    Dataset,
    Recipe,
    build_network,
    descend,
    initial_tensors,
    network_tensors,
    small_cnn,
    split,
    standardisation,
)
from wmproto.release.architecture import parse_architecture

CPU = torch.device("cpu")
AMPLE = Budget(10**9, 10**9, 10**9)

_TUNED = {"epochs": 2, "batch": 16}
_TAUGHT = {"epochs": 2, "batch": 16, "lr": 0.01}

#: Every attack with small settings, by a word for the test's name.
ATTACKS = {
    "ftll": Ftll(**_TUNED),
    "ftal": Ftal(**_TUNED),
    "rtll": Rtll(**_TUNED),
    "rtal": Rtal(**_TUNED),
    "prune": Prune(),
    "quantise": Quantise(bits=4),
    "noise": Noise(),
    "overwrite": Overwrite(**_TUNED, triggers=10, rows=4),
    "overwrite-ftal": Overwrite(**_TUNED, triggers=10, rows=4, then="ftal"),
    "overwrite-rtal": Overwrite(**_TUNED, triggers=10, rows=4, then="rtal"),
    "extract-hard": HardLabels(**_TAUGHT),
    "extract-soft": SoftLabels(**_TAUGHT),
    "extract-hard-wide": HardLabels(**_TAUGHT, student="wide-cnn"),
    "blur": Blur(),
    "jpeg": Jpeg(),
}
#: Those that draw nothing.
FIXED = {"prune", "quantise", "blur", "jpeg"}


def tiny(seed=1):
    """A net with every kind of state: convolution, batch norm inside a residual too, linear. 8x8x3, 4 classes."""
    conv = {"op": "conv2d", "bias": False, "channels": 6, "groups": 1}
    conv |= {"kernel": [3, 3], "padding": [1, 1], "stride": [1, 1]}
    norm = {"op": "batchnorm2d", "eps": [1, 100000]}
    layers = [
        {"op": "affine", "scale": [[1, 64]] * 3, "shift": [[-2, 1]] * 3},
        conv,
        norm,
        {"op": "relu"},
        {"op": "residual", "body": [conv, norm], "shortcut": []},
        {"op": "maxpool", "kernel": [2, 2], "padding": [0, 0], "stride": [2, 2]},
        {"op": "flatten"},
        {"op": "linear", "bias": True, "features": 4},
    ]
    arch = parse_architecture(
        {"grammar": "layers/1", "input": {"dtype": "uint8", "shape": [8, 8, 3]}, "layers": layers}
    )
    return build_network(arch, initial_tensors(arch, seed=seed)).eval()


def noise_data(n, *, shape=(8, 8, 3), classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return Dataset(rng.integers(0, 256, (n, *shape), dtype=np.uint8), rng.integers(0, classes, n))


def white(network, data, device=CPU):
    arch = network.architecture
    return WhiteBox(arch, network_tensors(network), data, arch.classes, device, b"")


def black(answer, pictures, classes, *, soft, device=CPU):
    return BlackBox(Api(answer, soft=soft), pictures, classes, device, b"")


def answer_of(network):
    return lambda x: network(torch.from_numpy(x))


def view_for(attack, network, data, device=CPU):
    """What the game would grant this attack on this network."""
    if isinstance(attack, ExtractionAttack):
        return black(answer_of(network), data.x, network.architecture.classes, soft=attack.soft, device=device)
    return white(network, data, device)


def bytes_of(module):
    """All tensors of a module, batch statistics too."""
    state = module.state_dict()
    return b"".join(name.encode() + state[name].contiguous().numpy().tobytes() for name in sorted(state))


@dataclass(frozen=True)
class NothingRemoved(RemovalAttack):
    """Gives the stolen model back."""

    name = "nothing-removed"

    def run(self, view, run):
        return view.network()


@dataclass(frozen=True)
class NothingEvaded(EvasionAttack):
    """Deploys the stolen model bare."""

    name = "nothing-evaded"

    def run(self, view, run):
        return view.network()


@dataclass(frozen=True)
class NothingExtracted(ExtractionAttack):
    """An untrained student."""

    name = "nothing-extracted"

    def run(self, view, run):
        arch = small_cnn(view.pictures.shape[1:], view.classes, *standardisation(view.pictures))
        return build_network(arch, initial_tensors(arch, seed=run.seed))


def nothing_for(attack):
    """The attack of the same kind that does nothing."""
    kinds = ((ExtractionAttack, NothingExtracted), (EvasionAttack, NothingEvaded), (RemovalAttack, NothingRemoved))
    return next(nothing() for kind, nothing in kinds if isinstance(attack, kind))


class Marked:
    """A digit reader in which random pictures with random labels were trained, and what attacks make of it.

    Attributes:
        network: The victim.
        triggers: Its mark.
        thief: The thief's labelled pictures.
        test: Nobody's.
    """

    MARKS = 100
    SEED = 11

    def __init__(self):
        found = load_digits()
        digits = Dataset((found.images * 15.9375).astype(np.uint8)[..., None], found.target.astype(np.int64))
        owner, self.thief, self.test = split(digits, (900, 500, 397), seed=1)
        self.triggers = noise_data(self.MARKS, shape=(8, 8, 1), classes=10, seed=7)
        arch = small_cnn((8, 8, 1), 10, *standardisation(owner.x))
        network = build_network(arch, initial_tensors(arch, seed=3))
        self.network = descend(network, _Appended(owner, self.triggers), Recipe(25, 0.05, "cosine"))
        self._outcomes = {}

    def after(self, attack):
        """The attack's outcome, seed 11; run once."""
        if attack not in self._outcomes:
            view = view_for(attack, self.network, self.thief)
            self._outcomes[attack] = attack.attack(view, AMPLE, self.SEED)
        return self._outcomes[attack]

    def hits(self, model):
        """How many of the marks it answers."""
        return right(model, self.triggers)

    def correct(self, model):
        """How many of the test pictures it reads."""
        return right(model, self.test)


class _Appended:
    """The owner's batches, 16 triggers at the end of each."""

    def __init__(self, data, triggers):
        self._data, self._marks = Batches(data, batch=64, seed=1), Batches(triggers, batch=16, seed=2)

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        marks = iter(())
        for x, y in self._data:
            more = next(marks, None)
            if more is None:
                marks = iter(self._marks)
                more = next(marks)
            yield torch.cat([x, more[0]]), torch.cat([y, more[1]])


def right(model, data):
    with torch.no_grad():
        return int((model(torch.from_numpy(data.x)).argmax(1).numpy() == data.y).sum())


class Linear(nn.Module):
    """A module of an attacker's own, no wmproto network: (B, H, W, C) uint8 -> scores."""

    def __init__(self, features, classes):
        super().__init__()
        self.matrix = nn.Linear(features, classes)

    def forward(self, x):
        return self.matrix(x.flatten(1).float() / 255)
