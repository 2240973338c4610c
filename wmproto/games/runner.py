"""Plays a grid on local processes, each with one thread: ready tasks first in, a failed one stops nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import torch

from wmproto.errors import ConfigError, StateError
from wmproto.games.challenger import Challenger
from wmproto.games.grid import Cell
from wmproto.games.gridfile import parse_grid
from wmproto.games.plan import Task
from wmproto.games.play import failed, play
from wmproto.games.store import RunFolder

__all__ = ["cells_of", "run"]

Progress = Callable[[int, int], None]


@lru_cache(maxsize=1)
def cells_of(path: Path) -> list[Cell]:
    """The cells of a run's folder, in their order."""
    folder = RunFolder.open(path, any_version=True)
    return list(parse_grid(folder.grid_bytes(), what=str(path / "grid.yaml"), folder=folder.attacks).cells())


def run(path: Path, tasks: list[Task], *, workers: int, weights: dict[str, int], progress: Progress) -> None:
    """Do what is left to do of a run's tasks.

    Args:
        path: The folder.
        tasks: As plan() gives them.
        workers: Processes; 1 plays in this one.
        weights: name -> work, for the progress bar.
        progress: Called with (work done, all work).

    Raises:
        ConfigError: The folder cannot be written, or a process died; what is done is kept.
        CorruptStoreError: A model in it is damaged.
    """
    left = {task.name: task for task in tasks}
    total, done = sum(weights[name] for name in left), 0
    broken: dict[str, str] = {}
    running: dict[Future[str], Task] = {}
    try:
        with _workers(workers) as start:
            while left or running:
                while len(running) < workers and (task := _ready(left, running)):
                    del left[task.name]
                    why = next((broken[name] for name in task.needs if name in broken), "")
                    running[start(path, task, why)] = task
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    if error := future.result():
                        broken[running[future].name] = error
                    done += weights[running.pop(future).name]
                    progress(done, total)
    except BrokenProcessPool as err:
        doing = "; ".join(f"{task.part} of {cells_of(path)[task.cell]}" for task in running.values())
        raise ConfigError(
            f"a process of the run died, out of memory or by an attack's doing; it was at: {doing}",
            hint="wmproto game resume goes on; --workers 1 needs less memory and shows which cell it is",
        ) from err


def _ready(left: dict[str, Task], running: dict[Future[str], Task]) -> Task | None:
    """The first task that waits for no other."""
    busy = {task.name for task in running.values()}
    return next((task for task in left.values() if not any(n in left or n in busy for n in task.needs)), None)


def work(path: Path, task: Task, why: str) -> str:
    """Do one task in this process; returns why a model could not be made, else nothing.

    Args:
        path: The run's folder.
        task: The task.
        why: Why a model that it needs could not be made.
    """
    folder, cell = RunFolder.open(path), cells_of(path)[task.cell]
    if task.part == "cell":
        folder.keep(failed(cell, folder, why) if why else play(cell, folder))
        return ""
    if why:
        return why
    challenger = Challenger(cell, folder)
    try:
        challenger.model(task.part)
    except StateError as err:
        return str(err)
    return ""


@contextmanager
def _workers(count: int) -> Iterator[Callable[[Path, Task, str], Future[str]]]:
    if count == 1:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield _here
        finally:
            torch.set_num_threads(threads)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(os.getpid(),))
    try:
        yield lambda path, task, why: pool.submit(work, path, task, why)
    finally:
        for process in pool._processes.values() if pool._processes else ():
            process.terminate()  # what is written is whole at any moment
        pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's, which ends this one
    torch.set_num_threads(1)
    threading.Thread(target=_outlive_nobody, args=(parent,), daemon=True).start()


def _outlive_nobody(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)  # the first process was killed: nobody waits for what this one does


def _here(path: Path, task: Task, why: str) -> Future[str]:
    future: Future[str] = Future()
    try:
        future.set_result(work(path, task, why))
    except Exception as err:
        future.set_exception(err)
    return future
