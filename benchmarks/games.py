"""Cells an hour, one by one and with two processes, and what the harness costs beside the work. Run: make bench

Plays examples/games/smoke.yaml into folders that are thrown away. Work is training, attacking and asking models; the
rest is the harness: keys, digests, reading and writing, waiting for a process. Without the start of the interpreter.
"""

import json
import tempfile
import time
from pathlib import Path

import torch
from results import header, write

from wmproto.games.gridfile import parse_grid
from wmproto.games.plan import digests, plan
from wmproto.games.runner import run
from wmproto.games.store import RunFolder

GRID = Path(__file__).parents[1] / "examples" / "games" / "smoke.yaml"


def play(folder: Path, workers: int) -> dict[str, float]:
    """Seconds of a whole run, and how many of them were work."""
    text = GRID.read_bytes()
    cells = list(parse_grid(text, what=GRID.name, folder=GRID.parent).cells())
    unmade = RunFolder(folder, {"device": "cpu", "data": None, "digests": {}})
    listed = [(cell.id, str(cell)) for cell in cells]
    found = digests(cells, unmade)
    runs = RunFolder.create(folder, text, device="cpu", data=None, digests=found, cells=listed, attacks={})
    tasks = plan(cells, runs)
    began = time.monotonic()
    run(folder, tasks, workers=workers, weights={task.name: 1 for task in tasks}, progress=lambda _done, _all: None)
    seconds = time.monotonic() - began
    records = [runs.record(cell.id) for cell in cells]
    if any(record is None or record.state == "failed" for record in records):
        raise SystemExit("a cell failed")
    trained = sum(json.loads(path.read_text())["facts"]["seconds"] for path in (folder / "models").glob("*.json"))
    return {
        "cells": len(cells),
        "cells_an_hour": 3600 * len(cells) / seconds,
        "seconds": seconds,
        "work_seconds": trained + sum(record.cost.work_seconds for record in records),
    }


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        play(Path(home) / "warm", 1)  # the first pass over a network is slower than all others
        found = {f"{n}_processes": play(Path(home) / str(n), n) for n in (1, 2)}
    one, two = found["1_processes"], found["2_processes"]
    ratios = {
        "harness_share": 1 - one["work_seconds"] / one["seconds"],
        "two_to_one": two["cells_an_hour"] / one["cells_an_hour"],
    }
    write("games", header() | {"figures": found, "ratios": ratios, "targets": {"harness_share": 0.03}})
    print(json.dumps(ratios, indent=1))


if __name__ == "__main__":
    main()
