"""The law of hits, measured: 20 fixed models, 64 fixed inputs, and labels that are born again and again.

Each redrawing is a new key over the same inputs (fresh keyctx, real leaves, root, statement, beta, labels, ghosts); one
redrawing serves all models. Hits on marked leaves must follow Bin(64, 3/4 * 1/10) exactly, hits on ghosts
Bin(64, 1/4 * 1/10), whatever the model is. Run: make bench (10^5 redrawings); the tests run 10^4.
"""

import sys
from collections.abc import Callable
from hashlib import sha256

import numpy as np
import torch
from numpy.typing import NDArray
from results import header, write
from scipy.stats import binom, chi2
from sklearn.datasets import load_digits

from wmproto.crypto.signer import Signer
from wmproto.games.keys import born
from wmproto.models import Batches, Dataset, EscrowSuspect, save_model, small_cnn, split, trained
from wmproto.triggers.noise import noise_input
from wmproto.wire.profile import WMPROTO_1

LEAVES, CLASSES, SHAPE = 64, 10, (8, 8, 1)
OWNER = Signer(sha256(b"calibration owner").digest())
INPUTS = [noise_input(WMPROTO_1, sha256(b"calibration input %d" % i).digest(), SHAPE) for i in range(LEAVES)]
Model = Callable[[bytes], int | None]


def models() -> dict[str, Model]:
    """20 models of different kinds, by name; each answers any input in the same way each time it is asked."""
    digits = load_digits()
    data = Dataset((digits.images * 15).astype(np.uint8)[..., None], digits.target.astype(np.int64))
    first, second, third = split(data, [590, 590, 590], seed=1)
    asked = Dataset(np.stack([np.frombuffer(x, np.uint8).reshape(SHAPE) for x in INPUTS]), np.zeros(LEAVES, np.int64))
    out: dict[str, Model] = {f"constant {c}": lambda _, c=c: c for c in (0, 3, 9)}
    out |= {f"linear, random {s}": _linear(_random_weights(s)) for s in (1, 2)}
    out |= {f"linear, trained {n}": _linear(_least_squares(d)) for n, d in (("one", first), ("two", second))}
    out |= {f"nearest of {len(d)} {n}": _nearest(d) for n, d in (("one", first), ("two", second), ("three", third))}
    out |= {f"cnn, untrained {s}": _cnn(first, seed=s, epochs=0) for s in (1, 2)}
    out |= {f"cnn, trained {s}": _cnn(d, seed=s, epochs=3) for s, d in ((3, first), (4, second), (5, third))}
    wrong = [np.random.default_rng(s).integers(0, CLASSES, LEAVES) for s in (1, 2, 3)]
    out |= {
        f"cnn, triggers by heart with wrong labels {s}": _cnn(Dataset(asked.x, y), seed=s, epochs=60)
        for s, y in enumerate(wrong, 6)
    }
    out["hash of the input"] = lambda x: sha256(x).digest()[0] % CLASSES
    out["refuses every second"] = lambda x: None if x[0] % 2 else x[1] % CLASSES
    return out


def _random_weights(seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(CLASSES, LEAVES + 1))


def _least_squares(data: Dataset) -> NDArray[np.float64]:
    flat = np.c_[data.x.reshape(len(data), -1) / 255, np.ones(len(data))]
    return np.linalg.lstsq(flat, np.eye(CLASSES)[data.y], rcond=None)[0].T


def _linear(weights: NDArray[np.float64]) -> Model:
    return lambda x: int(np.argmax(weights @ np.r_[np.frombuffer(x, np.uint8) / 255, 1.0]))


def _nearest(data: Dataset) -> Model:
    flat = data.x.reshape(len(data), -1).astype(np.int64)
    return lambda x: int(data.y[np.argmin(((flat - np.frombuffer(x, np.uint8)) ** 2).sum(1))])


def _cnn(data: Dataset, *, seed: int, epochs: int) -> Model:
    architecture = small_cnn(SHAPE, CLASSES)
    # No epoch: one step of rate 0 leaves the initial tensors as they are.
    network = trained(
        architecture, Batches(data, seed=seed), seed=seed, epochs=max(epochs, 1), lr=0.05 if epochs else 0.0
    )
    return EscrowSuspect(save_model(network, architecture), architecture, profile=WMPROTO_1).answer


def redraw(number: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Labels and ghost bits of the leaves under key number ``number``."""
    keyctx, master = (sha256(b"calibration %s %d" % (what, number)).digest() for what in (b"keyctx", b"master"))
    leaves, labels = born(
        OWNER, master=master, keyctx=keyctx, count=LEAVES, shape=SHAPE, classes=CLASSES, source=lambda i, _: INPUTS[i]
    )
    keys = [leaves.leaf_key(i) for i in range(LEAVES)]
    return (
        np.array([labels.label(i, k) for i, k in enumerate(keys)]),
        np.array([labels.is_ghost(i, k) for i, k in enumerate(keys)]),
    )


def count_hits(answers: NDArray[np.int64], redrawings: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each model had how many hits, on marked leaves and on ghosts.

    Args:
        answers: (models, leaves); -1 for no answer.
        redrawings: How many keys.

    Returns:
        Two histograms (models, leaves + 1).
    """
    marked, ghosts = (np.zeros((len(answers), LEAVES + 1), np.int64) for _ in range(2))
    rows = np.arange(len(answers))
    for number in range(redrawings):
        labels, ghost = redraw(number)
        hit = answers == labels
        marked[rows, (hit & ~ghost).sum(1)] += 1
        ghosts[rows, (hit & ghost).sum(1)] += 1
    return marked, ghosts


def chi_square(histogram: NDArray[np.int64], answered: int, chance: float) -> tuple[float, int, float]:
    """(chi-square, degrees of freedom, p-value) of one histogram against Bin(answered, chance).

    Neighbouring numbers of hits are put together until at least 10 are expected in each cell.
    """
    total = int(histogram.sum())
    expected = total * binom.pmf(np.arange(LEAVES + 1), answered, chance)
    cells, have, want = [], 0, 0.0
    for seen, due in zip(histogram.tolist(), expected.tolist(), strict=True):
        have, want = have + seen, want + due
        if want >= 10:
            cells.append([have, want])
            have, want = 0, 0.0
    cells[-1][0] += have
    cells[-1][1] += want
    value = sum((seen - due) ** 2 / due for seen, due in cells)
    return value, len(cells) - 1, float(chi2.sf(value, len(cells) - 1))


def calibrate(redrawings: int) -> list[dict[str, object]]:
    """The two chi-squares of every model."""
    torch.set_num_threads(1)
    all_models = models()
    answers = np.array([[-1 if (a := model(x)) is None else a for x in INPUTS] for model in all_models.values()])
    rows = []
    for name, row, *histograms in zip(all_models, answers, *count_hits(answers, redrawings), strict=True):
        answered = int((row >= 0).sum())
        found = {"model": name, "answered": answered, "classes_used": len(set(row.tolist()) - {-1})}
        for kind, share, histogram in zip(("marked", "ghosts"), (0.75, 0.25), histograms, strict=True):
            value, freedom, p = chi_square(histogram, answered, share / CLASSES)
            found[kind] = {"chi_square": round(value, 2), "freedom": freedom, "p": float(f"{p:.3g}")}
        rows.append(found)
    return rows


def main() -> None:
    redrawings = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rows = calibrate(redrawings)
    for row in rows:
        print(f"{row['model']:45} {row['marked']} {row['ghosts']}")
    least = min(row[kind]["p"] for row in rows for kind in ("marked", "ghosts"))
    print(f"least of {2 * len(rows)} p-values: {least}")
    write("calibration", header() | {"least_p": least, "redrawings": redrawings, "rows": rows})


if __name__ == "__main__":
    main()
