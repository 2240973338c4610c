"""Heads that a log has signed and the monitor does not believe, in its state folder: none is ever forgotten.

A log that withholds its files could else choose which of its heads count. Each is compared with the monitor's own tree
as soon as that is large enough.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from wmproto.errors import RegistryError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.note import NOTE_LIMIT, LogKey, Note
from wmproto.wire.files import read_file, told
from wmproto.wire.framing import sha256
from wmproto.wire.writing import write_new

__all__ = ["PendingHeads"]

_MOST = 256  # heads; only the holder of the log's key can make one


class PendingHeads:
    """The heads in a folder, which is made with the first of them.

    Args:
        folder: Where.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, note: bytes, checkpoint: Checkpoint) -> None:
        """Keep a head that its log has signed; on the disk when this returns.

        Raises:
            RegistryError: There are too many already: no more is believed of this log before somebody has looked.
            ConfigError: It cannot be written.
        """
        path = self._folder / f"{checkpoint.size}-{sha256(Note.parse(note).text.encode()).hex()[:16]}"
        if path.exists():
            return
        if len(self._paths()) >= _MOST:
            raise RegistryError(
                f"{self._folder} holds {_MOST} heads of this log that could not be followed",
                hint="ask its operator for the files of these sizes",
            )
        with told("make", self._folder):
            self._folder.mkdir(exist_ok=True)
        write_new(path, note)

    def heads(self, key: LogKey) -> list[tuple[bytes, Checkpoint]]:
        """Every head of that log: its note, and what it says."""
        notes = [read_file(path, what="head", limit=NOTE_LIMIT) for path in self._paths()]
        return [(note, verify_checkpoint(note, key, extended=True)) for note in notes]

    def twins(self, key: LogKey) -> tuple[bytes, bytes] | None:
        """Two heads of one size with different roots, if there are any."""
        for (one, said), (other, also) in combinations(self.heads(key), 2):
            if said.size == also.size and said.root != also.root:
                return one, other
        return None

    def settle(self, size: int) -> None:
        """Let go of the heads up to that size, which have been compared."""
        for path in self._paths():
            if int(path.name.partition("-")[0]) <= size:
                path.unlink()

    def _paths(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.name[0] != ".")
