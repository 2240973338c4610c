"""Heads that a log has signed and the monitor does not believe, in its state folder: none is ever forgotten.

A log that withholds its files could else choose which of its heads count. Each is compared with the monitor's own tree
as soon as that is large enough.
"""

from __future__ import annotations

import re
from pathlib import Path

from wmproto.errors import CorruptStoreError, FormatError, RegistryError, SignatureError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.note import NOTE_LIMIT, LogKey, Note
from wmproto.wire.files import read_file, told
from wmproto.wire.framing import sha256
from wmproto.wire.writing import replace

__all__ = ["PendingHeads"]

_MOST = 256  # heads; only the holder of the log's key can make one
_NAME = re.compile("([0-9]{1,19})-[0-9a-f]{16}")  # of a head's file: its size, and part of a hash of what was signed


class PendingHeads:
    """The heads in a folder, which is made with the first of them.

    Args:
        folder: Where.

    Attributes:
        unkept: Heads of this look for which the folder has no room. They are compared all the same.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.unkept: list[tuple[bytes, Checkpoint]] = []

    def keep(self, note: bytes, checkpoint: Checkpoint) -> None:
        """Keep a head that its log has signed: on the disk when this returns, or in ``unkept``.

        Of notes of one text the longest is kept: it bears the most witnesses' lines.

        Raises:
            ConfigError: It cannot be written.
        """
        path = self._folder / f"{checkpoint.size}-{sha256(Note.parse(note).text.encode()).hex()[:16]}"
        if path.exists():
            if path.stat().st_size >= len(note):
                return
        elif len(self._paths()) >= _MOST:
            self.unkept.append((note, checkpoint))
            return
        with told("make", self._folder):
            self._folder.mkdir(exist_ok=True)
        replace(path, note)

    def check(self) -> None:
        """Raise a RegistryError if a head of this look could not be kept."""
        if self.unkept:
            size = self.unkept[0][1].size
            raise RegistryError(
                f"{self._folder} holds {_MOST} heads that could not be followed: no room for one of {size} entries",
                hint="ask the log's operator for its files of these sizes",
            )

    def heads(self, key: LogKey) -> list[tuple[bytes, Checkpoint]]:
        """Every head of that log, kept or not: its note, and what it says.

        Raises:
            CorruptStoreError: A file is damaged, or holds a head of another log.
        """
        kept = []
        for path in self._paths():
            note = read_file(path, what="head", limit=NOTE_LIMIT)
            try:
                kept.append((note, verify_checkpoint(note, key, extended=True)))
            except (FormatError, SignatureError) as err:
                raise CorruptStoreError(f"{path} is damaged, or a head of another log than {key.name}") from err
        return kept + self.unkept

    def twins(self, key: LogKey) -> tuple[bytes, bytes] | None:
        """Two heads of one size with different roots, if there are any."""
        first: dict[int, tuple[bytes, bytes]] = {}
        for note, head in self.heads(key):
            other, root = first.setdefault(head.size, (note, head.root))
            if root != head.root:
                return other, note
        return None

    def settle(self, size: int) -> None:
        """Let go of the heads up to that size, which have been compared; those without room may have some now."""
        for path in self._paths():
            if int(path.name.partition("-")[0]) <= size:
                with told("remove", path):
                    path.unlink()
        waiting, self.unkept = self.unkept, []
        for note, head in waiting:
            if head.size > size:
                self.keep(note, head)

    def _paths(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
