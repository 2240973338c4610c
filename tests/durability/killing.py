"""Commands in a forked process that is killed: after a time, or at its n-th step on the way to the disk.

A fork is a process as any other, but need not load torch first: so a kill costs a tenth of a second. The one test with
a process started anew is tests/cli/test_mark.py.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import torch
from town import Result, run

_FORK = get_context("fork")
_STEPS = ("fsync", "link", "replace", "rename", "mkdir")  # of os: what write_new, replace and KeyFolder do


def killed(*command: object, cwd: Path, after: float) -> Result | None:
    """Run a command and kill it after that many seconds; what it said, or None if it was not done by then."""
    return _forked(lambda: run(*command, cwd=cwd), after)


def killed_at(*command: object, cwd: Path, step: int) -> Result | None:
    """Run a command that is killed right before its ``step``-th call of the kind of _STEPS; None if it was."""

    def stepping() -> Result:
        left = step

        def counted(real: Callable) -> Callable:
            def call(*args, **kw):
                nonlocal left
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kw)

            return call

        for name in _STEPS:
            setattr(os, name, counted(getattr(os, name)))
        return run(*command, cwd=cwd)

    return _forked(stepping, None)


def duration(*command: object, cwd: Path) -> float:
    """How long a command takes in a fork."""
    start = time.monotonic()
    assert killed(*command, cwd=cwd, after=60) is not None
    return time.monotonic() - start


def _forked(work: Callable[[], Result], after: float | None) -> Result | None:
    ours, theirs = _FORK.Pipe(duplex=False)

    def child() -> None:
        torch.set_num_threads(1)  # the threads of the process that was forked are not there
        theirs.send(work())

    process = _FORK.Process(target=child)
    process.start()
    theirs.close()
    ours.poll(after)  # until it is done, or ended, or its time is up
    process.kill()
    process.join()
    try:
        return ours.recv()
    except EOFError:
        return None
    finally:
        ours.close()
