"""``wmproto game``: play grids of security games, look at a run, go on with one. Needs the extra games."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import OrderedGroup, check_parent, progress
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from wmproto.games.grid import Cell
    from wmproto.games.plan import Task
    from wmproto.games.record import Record
    from wmproto.games.store import RunFolder

_PARTS = ("torch", "scipy", "yaml")


_workers_option = click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes, one thread each."
)


_workers = click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes, one thread each."
)


@click.group(cls=OrderedGroup)
def game() -> None:
    """Play marking schemes against attacks, and liars against verdicts."""


def _check_extra() -> None:
    if any(find_spec(name) is None for name in _PARTS):
        raise MissingExtraError("games")


@game.command()
@click.argument("grid_path", type=AnyPath, metavar="GRID")
@click.option("--out", type=AnyPath, required=True, help="New folder for the run.")
@click.option("--data", type=AnyPath, help="Folder of the .npz files that the grid names.")
@click.option("--device", default="cpu", show_default=True, help="Where models run: cpu, cuda or cuda:N.")
@_workers
@click.option("--dry-run", is_flag=True, help="Say what would be played, how long it takes, and how much disk.")
@json_option
def run(grid_path: Path, out: Path, data: Path | None, device: str, workers: int, dry_run: bool, as_json: bool) -> int:
    """Play the games of a GRID, and keep it all in a folder.

    GRID is YAML (specs/games.md). All of it is checked before anything runs. Stop when you like: ``game resume`` goes
    on. Exit code 0 if every cell was played, 4 if some failed.
    """
    _check_extra()
    from wmproto.games.catalogue import own_files
    from wmproto.games.gridfile import GRID_LIMIT, parse_grid
    from wmproto.games.plan import digests, plan
    from wmproto.games.store import RunFolder

    text = read_input(grid_path, what="grid", limit=GRID_LIMIT)
    grid = parse_grid(text, what=str(grid_path), folder=grid_path.parent)
    _check_device(device)
    cells = list(grid.cells())
    unmade = RunFolder(out, {"device": device, "data": str(data) if data else None, "digests": {}})
    if dry_run:
        return _foretold(cells, unmade, workers, as_json)
    if os.path.lexists(out):
        raise ConfigError(f"{out} exists already", hint=f"go on with it: wmproto game resume {out}; or another --out")
    check_parent(out)
    tasks = plan(cells, unmade)
    files = own_files(attacker.word for attacker in grid.attacks)
    folder = RunFolder.create(
        out.absolute(),  # an attack may change the current folder while it runs
        text,
        device=device,
        data=data,
        digests=digests(cells, unmade),
        cells=[(cell.id, str(cell)) for cell in cells],
        attacks={file: read_input(grid_path.parent / file, what="attack", limit=GRID_LIMIT) for file in files},
    )
    return _play(folder, cells, tasks, workers, out, as_json)


@game.command()
@click.argument("out", type=AnyPath, metavar="RUNS")
@_workers
@json_option
def resume(out: Path, workers: int, as_json: bool) -> int:
    """Go on with a run that was stopped or had failures.

    Cells that failed are tried again. Exit codes as ``game run``.
    """
    _check_extra()
    from wmproto.games.plan import digests, plan
    from wmproto.games.runner import cells_of
    from wmproto.games.store import RunFolder

    folder = RunFolder.open(out.absolute())
    _check_device(folder.device)
    cells = cells_of(folder.path)
    if changed := [name for name, digest in digests(cells, folder).items() if folder.digests.get(name) != digest]:
        raise ConfigError(f"other data than this run began with: {', '.join(changed)}", hint="put the old files back")
    return _play(folder, cells, plan(cells, folder), workers, out, as_json)


@game.command()
@click.argument("out", type=AnyPath, metavar="RUNS")
@json_option
def status(out: Path, as_json: bool) -> int:
    """Say what of a run is played, failed, void or still to do."""
    _check_extra()
    from wmproto.games.store import RunFolder

    folder = RunFolder.open(out, any_version=True)
    cells = folder.cells()
    return _told(cells, {cell: folder.record(cell) for cell, _ in cells}, out, as_json)


def _check_device(device: str) -> None:
    import torch

    torch.set_num_threads(1)  # as in every process of a run: what is measured beforehand must be what is played
    if not re.fullmatch(r"cpu|cuda(:[0-9]{1,3})?", device):
        raise ConfigError(f"there is no device {device!r}", hint="cpu, cuda or cuda:N")
    if device != "cpu" and int(device.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise ConfigError(f"this machine has no device {device}", hint="torch sees no such GPU; try --device cpu")


def _seconds(tasks: list[Task], cells: list[Cell], folder: RunFolder) -> dict[str, float]:
    """About how long each task takes: what it trains on, and a little for the rest."""
    from wmproto.games.plan import seconds_a_sample

    speed = seconds_a_sample(cells, folder)
    return {task.name: 0.2 + task.samples * speed[cells[task.cell].data.name, cells[task.cell].model] for task in tasks}


def _foretold(cells: list[Cell], folder: RunFolder, workers: int, as_json: bool) -> int:
    from wmproto.games.plan import plan

    tasks = plan(cells, folder)
    minutes = sum(_seconds(tasks, cells, folder).values()) / workers / 60
    size = sum(task.bytes for task in tasks)
    found = {
        "bytes": size,
        "cells": len(cells),
        "minutes": round(minutes, 1),
        "models": sum(task.part != "cell" for task in tasks),
        "workers": workers,
    }
    lines = [
        f"cells    {len(cells)}",
        f"models   {found['models']} to train or attack beforehand, each once",
        f"time     about {minutes:.1f} minutes with {workers} processes, measured here just now",
        f"disk     about {size / 1e6:.1f} MB",
        *(f"  {cell}" for cell in cells[:40]),
        *([f"  and {len(cells) - 40} more"] if len(cells) > 40 else []),
    ]
    emit(as_json, found | {"list": [str(cell) for cell in cells]}, lines)
    return 0


def _play(folder: RunFolder, cells: list[Cell], tasks: list[Task], workers: int, shown: Path, as_json: bool) -> int:
    """Do what is left of the tasks; ``shown`` is the folder as the reader named it."""
    from wmproto.games.runner import run as play

    done = {cell.id for cell in cells if (r := folder.record(cell.id)) is not None and r.state != "failed"}
    left = [task for task in tasks if task.name not in done and not folder.has(task.name)]
    wanted = {name for task in left if task.part == "cell" for name in (task.name, *task.needs)}
    left = [task for task in left if task.name in wanted]
    try:
        if left:
            weights = {name: max(1, round(1000 * s)) for name, s in _seconds(left, cells, folder).items()}
            with progress(f"{sum(task.part == 'cell' for task in left)} cells") as tick:
                play(folder.path, left, workers=min(workers, len(left)), weights=weights, progress=tick)
    finally:
        records = {record.cell: record for record in folder.gather([cell.id for cell in cells])}
    return _told(folder.cells(), records, shown, as_json)


def _told(cells: list[tuple[str, str]], records: Mapping[str, Record | None], out: Path, as_json: bool) -> int:
    found = {cell: records.get(cell) for cell, _ in cells}
    states = [record.state if record else "to do" for record in found.values()]
    counts = {state: states.count(state) for state in ("played", "void", "failed", "to do")}
    failures = [(text, record.error) for cell, text in cells if (record := found[cell]) and record.error]
    lines = [
        f"{out}: {', '.join(f'{count} {state}' for state, count in counts.items() if count)} of {len(cells)} cells"
    ]
    lines += [f"  failed: {name}: {error}" for name, error in failures]
    if counts["to do"]:
        lines.append(f"go on:   wmproto game resume {out}")
    lines.append(f"look at: wmproto report build {out} --out report.html")
    emit(as_json, {"cells": len(cells), "failures": [list(f) for f in failures], "states": counts}, lines)
    return 4 if counts["failed"] else 0
