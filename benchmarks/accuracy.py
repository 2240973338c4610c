"""What a mark costs in accuracy and time, on all 60,000 Fashion-MNIST pictures. Run: make paper-accuracy DATA=FOLDER

For each seed a twin and a marked model of the small reference network, same initial tensors, same batches: 10 epochs,
batches of 76 pictures, to which the marked one adds 4 trigger rows (5 % of all rows). N = 512 noise leaves a key, a key
a seed. Each finished model is saved to the result file at once, so an interrupted run goes on where it was.

DATA: a folder with ``load.py`` whose ``load("fashion_mnist")`` returns x_train, y_train, x_test, y_test (uint8 NHWC
and class indices), or one .npz file that holds these four arrays.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from loading import reader
from scipy.stats import t as student

from wmproto.crypto.signer import Signer
from wmproto.games.keys import born
from wmproto.marking import MarkedLeaves, MarkedLoader
from wmproto.models import Batches, Dataset, accuracy, small_cnn, trained
from wmproto.triggers.noise import noise_input
from wmproto.wire.profile import WMPROTO_1

RESULT = Path(__file__).parent / "results" / "accuracy.json"
SEEDS = (1, 2, 3, 4, 5)
SETTINGS = {"batch": 76, "data": "fashion_mnist", "epochs": 10, "leaves": 512, "lr": 0.05, "rows_per_batch": 4}
SHAPE = (28, 28, 1)


def read(path: Path) -> tuple[Dataset, Dataset]:
    """Training and test pictures."""
    if path.is_dir():
        module = reader(path)
        if module is None:
            raise SystemExit(f"{path} holds no load.py")
        arrays = module.load("fashion_mnist")
    else:
        arrays = np.load(path, allow_pickle=False)
    return tuple(Dataset(arrays[f"x_{part}"], arrays[f"y_{part}"].astype(np.int64)) for part in ("train", "test"))


def marks(seed: int) -> MarkedLeaves:
    """The leaves to embed of a key that follows from the seed."""
    master, keyctx, identity = (
        sha256(b"wmproto accuracy %s %d" % (what, seed)).digest() for what in (b"m", b"c", b"i")
    )
    leaves, labels = born(
        Signer(identity),
        master=master,
        keyctx=keyctx,
        count=SETTINGS["leaves"],
        shape=SHAPE,
        classes=10,
        source=lambda _i, s: noise_input(WMPROTO_1, s, SHAPE),
    )
    chosen = []
    for i in range(leaves.count):
        if not labels.is_ghost(i, leaves.leaf_key(i)):
            chosen.append(
                (np.frombuffer(leaves.input(i), np.uint8).reshape(SHAPE), labels.label(i, leaves.leaf_key(i)))
            )
    inputs, classes = zip(*chosen, strict=True)
    return MarkedLeaves(np.stack(inputs), np.array(classes), labels.key.key_id)


def run(seed: int, marked: bool, train: Dataset, test: Dataset) -> dict[str, object]:
    """Train one model and measure it."""
    leaves = marks(seed)
    loader = Batches(train, batch=SETTINGS["batch"], seed=seed)
    if marked:
        loader = MarkedLoader(loader, leaves, seed=seed + 1000, rows_per_batch=SETTINGS["rows_per_batch"])
    wall, cpu = time.perf_counter(), time.process_time()
    network = trained(small_cnn(SHAPE, 10), loader, seed=seed, epochs=SETTINGS["epochs"], lr=SETTINGS["lr"])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    right, total = accuracy(network, Batches(test, batch=500, seed=0))
    kept, asked = accuracy(network, Batches(Dataset(leaves.inputs, leaves.labels), batch=500, seed=0))
    return {
        "cpu_s": round(cpu, 1),
        "kept": kept,
        "marked": marked,
        "marks": asked,
        "right": right,
        "seed": seed,
        "total": total,
        "wall_s": round(wall, 1),
    }


def summary(runs: list[dict]) -> dict[str, object]:
    """Loss of accuracy in percentage points, twin minus marked, paired by seed, and the cost in time."""
    pairs = [[next(r for r in runs if r["seed"] == s and r["marked"] is m) for m in (False, True)] for s in SEEDS]
    losses = [100 * (twin["right"] - own["right"]) / own["total"] for twin, own in pairs]
    mean, half = statistics.mean(losses), 0.0
    if len(losses) > 1:
        half = student.ppf(0.975, len(losses) - 1) * statistics.stdev(losses) / len(losses) ** 0.5
    return {
        "accuracy_marked_percent": [100 * own["right"] / own["total"] for _, own in pairs],
        "accuracy_twin_percent": [100 * twin["right"] / twin["total"] for twin, _ in pairs],
        "cpu_ratio_median": round(statistics.median(own["cpu_s"] / twin["cpu_s"] for twin, own in pairs), 3),
        "kept": [f"{own['kept']} of {own['marks']}" for _, own in pairs],
        "loss_points_interval_95": [round(mean - half, 3), round(mean + half, 3)],
        "loss_points_mean": round(mean, 3),
        "wall_ratio_median": round(statistics.median(own["wall_s"] / twin["wall_s"] for twin, own in pairs), 3),
    }


def save(result: dict[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=RESULT)
    args = parser.parse_args()
    if args.data is None:
        print("skipped: no data path was given (DATA=FOLDER)", file=sys.stderr)
        return
    torch.set_num_threads(1)
    result = {
        "machine": {"device": "cpu", "processor": platform.machine(), "threads": 1},
        "runs": [],
        "settings": SETTINGS,
        "versions": {"numpy": np.__version__, "python": platform.python_version(), "torch": torch.__version__},
    }
    if args.out.exists():
        before = json.loads(args.out.read_text(encoding="utf-8"))
        if any(before[name] != result[name] for name in ("machine", "settings", "versions")):
            raise SystemExit(f"{args.out} was measured otherwise; move it away first")
        result["runs"] = before["runs"]
    train, test = read(args.data)
    done = {(r["seed"], r["marked"]) for r in result["runs"]}
    for seed in SEEDS:
        for marked in (False, True):
            if (seed, marked) not in done:
                result["runs"].append(run(seed, marked, train, test))
                print(json.dumps(result["runs"][-1]), file=sys.stderr)
                save(result, args.out)
    result["summary"] = summary(result["runs"])
    save(result, args.out)
    print(json.dumps(result["summary"], indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
