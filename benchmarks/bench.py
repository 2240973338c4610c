"""Seconds, memory and ratios of what users wait for, as JSON in results/bench.json: never a test. Run: make bench

Every figure is the median of several runs in this one process or, for a cold audit, of whole processes, so ratios
within a file can be compared; seconds of two machines cannot. Targets are those of two cores.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "dispute"))

import numpy as np
import torch
from commit_10000 import work
from results import header, write
from world import World

from wmproto.commitment.labels import Labels
from wmproto.commitment.statement import InputSpec
from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.marking import MarkedLeaves, MarkedLoader
from wmproto.models import Batches, Dataset, small_cnn, trained
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.receipt import verify_receipt
from wmproto.triggers.noise import noise_input
from wmproto.verdict.wealth import Wealth
from wmproto.wire.compose import compose_statement
from wmproto.wire.profile import WMPROTO_1

TARGETS = {
    "audit_64_cold_s": 0.4,
    "audit_64_in_process_s": 0.03,
    "commit_10000_peak_mib": 100,
    "commit_10000_s": 1.0,
    "labels_1000000_s": 10.0,
}


def timed(work: Callable[[], object], runs: int = 5) -> float:
    """Median seconds."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def commit_10000() -> dict[str, float]:
    """10,000 noise leaves of 32x32x3, here; and the peak of memory of a fresh process that does nothing else."""
    # Not ru_maxrss: a child inherits that of the process that started it, which has torch loaded.
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import commit_10000; commit_10000.work(); "
        "print(open('/proc/self/status').read())"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    status = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
    return {"commit_10000_s": timed(work), "commit_10000_peak_mib": peak}


def audits(folder: Path, leaves: int) -> dict[str, float]:
    """A transcript of that many leaves of 2x2x3, none of them a hit but by luck: cold, and in process."""
    world = World(folder, n=leaves, classes=1000)
    _, transcript = world.hold(world.stranger_model(), count=leaves)
    path, trust = folder / "t.json", folder / "trust.json"
    path.write_bytes(transcript.to_bytes())
    trust.write_bytes(world.trust.to_bytes())
    command = [sys.executable, "-m", "wmproto", "dispute", "audit", str(path), "--trust", str(trust)]
    data = path.read_bytes()

    def cold() -> None:
        if subprocess.run(command, capture_output=True, check=False).returncode != 10:
            raise SystemExit("the audit did not say NOT SHOWN")

    return {
        f"audit_{leaves}_cold_s": timed(cold, 7),
        f"audit_{leaves}_in_process_s": timed(lambda: audit(data, trust=world.trust), 7),
        f"audit_{leaves}_bytes": len(data),
    }


def imports() -> dict[str, float]:
    """A bare interpreter, and one that loads what an audit needs: the floor under a cold audit."""

    def run(code: str) -> float:
        return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True), 7)

    return {
        "interpreter_s": run("pass"),
        "libraries_s": run("import click, nacl.bindings, pydantic, rfc8785"),
        "audit_modules_s": run("import wmproto.cli.main, wmproto.cli.dispute_audit"),
    }


def labels(folder: Path) -> dict[str, float]:
    """A million labels of one key; leaf keys are given, as when a leaf is opened."""
    born = Labels(World(folder, n=16, classes=10).key)
    keys = [n.to_bytes(32, "big") for n in range(1000)]
    return {"labels_1000000_s": timed(lambda: [born.label(i, k) for _ in range(1000) for i, k in enumerate(keys)], 1)}


def verdict() -> dict[str, float]:
    """The betting rule over 10,000 leaves with one hit in two, threshold looked at after each."""

    def work() -> None:
        wealth = Wealth.start(10)
        for i in range(10000):
            wealth = wealth.hit() if i % 2 else wealth.miss()
            wealth.fires(1 << 20)

    return {"verdict_10000_leaves_s": timed(work, 3)}


def receipts(folder: Path) -> dict[str, float]:
    """Appending entries one by one, each durable before its receipt is out, and verifying a receipt among 500."""
    owner, shape = Signer(bytes([7]) * 32), InputSpec(dtype="uint8", kind="image", shape=(2, 2, 3))
    entries = [owner.envelope(compose_statement("key", shape, ("root", n.to_bytes(32, "big")))) for n in range(500)]
    log = Log.create(folder / "bench.db", "log.bench.example/1", Signer(bytes([8]) * 32), profile=WMPROTO_1)
    start = time.perf_counter()
    kept = [log.submit("key", entry) for entry in entries]
    seconds = time.perf_counter() - start
    leaf = entry_leaf(WMPROTO_1, "key", entries[-1])
    verified = timed(lambda: verify_receipt(kept[-1], leaf, log.key), 200)
    log.close()
    return {"receipt_verify_ms": 1000 * verified, "submit_ms": 1000 * seconds / len(entries)}


def training() -> dict[str, float]:
    """A marked against a clean model: 5,000 random pictures of 28x28x1, 2 epochs, batches of 76 and 4 trigger rows."""
    generator = np.random.default_rng(1)
    data = Dataset(
        generator.integers(0, 256, (5000, 28, 28, 1), dtype=np.uint8), generator.integers(0, 10, 5000, dtype=np.int64)
    )
    leaves = MarkedLeaves(
        generator.integers(0, 256, (384, 28, 28, 1), dtype=np.uint8), generator.integers(0, 10, 384), bytes(32)
    )
    architecture = small_cnn((28, 28, 1), 10)

    def run(rows: int) -> Callable[[], object]:
        batches = Batches(data, batch=76, seed=1)
        loader = MarkedLoader(batches, leaves, seed=2, rows_per_batch=rows) if rows else batches
        return lambda: trained(architecture, loader, seed=1, epochs=2)

    clean, marked = [], []
    for _ in range(5):  # in turn, so that a busy machine slows both
        clean.append(timed(run(0), 1))
        marked.append(timed(run(4), 1))
    return {"train_clean_s": statistics.median(clean), "train_marked_s": statistics.median(marked)}


def triggers() -> dict[str, float]:
    """Noise pictures of 32x32x3."""
    seeds = [n.to_bytes(32, "big") for n in range(2000)]
    seconds = timed(lambda: [noise_input(WMPROTO_1, seed, (32, 32, 3)) for seed in seeds])
    return {"triggers_32x32x3_per_s": len(seeds) / seconds}


def main() -> None:
    torch.set_num_threads(1)
    figures = commit_10000()
    with tempfile.TemporaryDirectory() as folder:
        for n, leaves in enumerate((64, 512)):
            (place := Path(folder) / str(n)).mkdir()
            figures |= audits(place, leaves)
        for name, part in (("labels", labels), ("receipts", receipts)):
            (place := Path(folder) / name).mkdir()
            figures |= part(place)
    figures |= imports() | verdict() | training() | triggers()
    ratios = {f"{name}_of_target": figures[name] / target for name, target in TARGETS.items()}
    ratios |= {
        "audit_512_to_64_in_process": figures["audit_512_in_process_s"] / figures["audit_64_in_process_s"],
        "cold_audit_to_loading_its_modules": figures["audit_64_cold_s"] / figures["audit_modules_s"],
        "marked_to_clean_training": figures["train_marked_s"] / figures["train_clean_s"],
    }
    result = header() | {"figures": figures, "ratios": ratios, "targets": TARGETS}
    write("bench", result)
    print(json.dumps(json.loads((Path(__file__).parent / "results" / "bench.json").read_text())["ratios"], indent=2))


if __name__ == "__main__":
    main()
