"""One process at a time in a folder: two that write there could each undo what the other had found."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wmproto.errors import RegistryError
from wmproto.wire.files import told

__all__ = ["alone_in"]


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Make the folder if it is not there, and be the only process in such a block over it; ends with the process.

    Raises:
        ConfigError: The folder cannot be made or written.
        RegistryError: Another process is in it.
    """
    path = folder / ".lock"
    with told("write", path):
        folder.mkdir(exist_ok=True)
        file = path.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RegistryError(f"another process works in {folder}", hint="wait until it is done") from None
        yield
