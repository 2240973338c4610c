"""What a monitor remembers, in a folder: the last checkpoint it believed, and every entry leaf below it.

The leaves are kept because a log that forks need not show its old tree again: with them the monitor proves the fork
alone. New leaves are on the disk before the checkpoint that covers them; what stands behind it was torn, and is cut.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wmproto.crypto.frontier import Frontier
from wmproto.crypto.merkle import tree_root
from wmproto.errors import CorruptStoreError, FormatError, NotFoundError, VerificationError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.locking import alone_in
from wmproto.registry.note import NOTE_LIMIT, LogKey, Note
from wmproto.registry.pending import PendingHeads
from wmproto.wire.files import read_file, told
from wmproto.wire.framing import sha256
from wmproto.wire.plain import plain
from wmproto.wire.schema import encode_b64
from wmproto.wire.writing import replace, sync_folder

__all__ = ["Memory", "open_memory"]

_HASH = 32  # bytes
_HINT = "start a new state with another folder; keep this one"


class Memory:
    """A state folder that one process has open; make one with ``open_memory``.

    Attributes:
        folder: Where.
        key: The log's key; None if nothing is remembered yet.
        note: The last believed checkpoint; empty if nothing is remembered yet.
        checkpoint: Its content, or None.
        frontier: The tree below it.
        pending: Heads that the log has signed, and that are not believed.
    """

    def __init__(self, folder: Path, key: LogKey | None, note: bytes, leaves: bytes) -> None:
        self.folder, self.key, self.note = folder, key, note
        self.pending = PendingHeads(folder / "pending")
        self.checkpoint = verify_checkpoint(note, key) if key is not None else None
        self.frontier = Frontier()
        self._leaves = bytearray(leaves)
        for leaf in self.leaves(0, len(leaves) // _HASH):
            self.frontier.push(leaf)

    @property
    def size(self) -> int:
        """Number of leaves that are remembered."""
        return self.frontier.size

    def leaves(self, start: int, end: int) -> list[bytes]:
        """Remembered leaf hashes, 32 bytes each, from ``start`` to ``end`` (exclusive)."""
        return [bytes(self._leaves[at * _HASH : (at + 1) * _HASH]) for at in range(start, end)]

    def remember(self, key: LogKey, note: bytes, leaves: Sequence[bytes], frontier: Frontier) -> None:
        """Believe a checkpoint; on the disk when this returns.

        Args:
            key: The log's key.
            note: The checkpoint.
            leaves: The leaf hashes that it has beyond those that are remembered.
            frontier: The tree with them.

        Raises:
            ConfigError: It cannot be written; then the old checkpoint stands.
        """
        path, data = self.folder / "leaves", b"".join(leaves)
        with told("write", path):
            with path.open("r+b" if path.exists() else "xb") as file:
                file.seek(len(self._leaves))
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path)
        replace(self.folder / "checkpoint", note)
        self.key, self.note, self.checkpoint = key, note, verify_checkpoint(note, key)
        self._leaves += data
        self.frontier = frontier

    def root(self, size: int) -> bytes:
        """Root of the first ``size`` of the remembered leaves, 32 bytes."""
        if self.checkpoint is not None and size == self.checkpoint.size:
            return self.checkpoint.root
        return tree_root(self.leaves(0, size))

    def keep_bad(self, index: int, reason: str, entry: bytes) -> None:
        """Write down that an entry does not hold, before the checkpoint above it is believed.

        Args:
            index: Its index.
            reason: What does not hold; the file's first line.
            entry: Its bytes; the file's second line, in base64.

        Raises:
            ConfigError: It cannot be written.
        """
        folder = self.folder / "bad"
        with told("make", folder):
            folder.mkdir(exist_ok=True)
        replace(folder / str(index), f"{plain(reason)}\n{encode_b64(entry)}\n".encode())

    def bad(self) -> int:
        """Number of entries that did not hold, of all looks; but those whose files somebody has moved away."""
        folder = self.folder / "bad"
        return sum(path.name.isdigit() for path in folder.iterdir()) if folder.is_dir() else 0

    def evidence(self) -> Path | None:
        """The evidence of a fork that was found before, if there is any."""
        return min(self.folder.glob("fork-*.json"), default=None)

    def keep_evidence(self, evidence: bytes) -> Path:
        """Write evidence of a fork beside the state, under a name of its own; returns the file."""
        path = self.folder / f"fork-{sha256(evidence).hex()[:16]}.json"
        if not path.exists():
            replace(path, evidence)
        return path


@contextmanager
def open_memory(folder: Path, keys: Sequence[LogKey]) -> Iterator[Memory]:
    """Open a state folder, alone, and check it; an empty or new one remembers nothing.

    Args:
        folder: The folder.
        keys: The logs that the monitor trusts to be named as they are; the state's must be among them.

    Raises:
        CorruptStoreError: The leaves do not hash to the checkpoint, which must be one of these logs.
        ConfigError: The folder cannot be read or written.
        RegistryError: Another process has it open.
    """
    with alone_in(folder):
        try:
            note = read_file(folder / "checkpoint", what="state", limit=NOTE_LIMIT)
        except NotFoundError:
            note = b""
        key = _key_of(folder, note, keys) if note else None
        size = verify_checkpoint(note, key).size if key is not None else 0
        leaves = _leaves(folder / "leaves", size * _HASH)
        memory = Memory(folder, key, note, leaves)
        if memory.checkpoint is not None and memory.frontier.root() != memory.checkpoint.root:
            raise CorruptStoreError(f"the leaves in {folder} do not hash to its checkpoint", hint=_HINT)
        yield memory


def _key_of(folder: Path, note: bytes, keys: Sequence[LogKey]) -> LogKey:
    try:
        origin = Checkpoint.parse(Note.parse(note).text).origin
        for key in keys:
            if key.name == origin:
                verify_checkpoint(note, key)
                return key
    except (FormatError, VerificationError) as err:
        raise CorruptStoreError(
            f"the checkpoint in {folder} is damaged, or of another key ({err})", hint=_HINT
        ) from err
    raise CorruptStoreError(f"{folder} follows the log {origin}, which the log policy does not name", hint=_HINT)


def _leaves(path: Path, size: int) -> bytes:
    """The first ``size`` bytes of the leaves' file; what an update that broke off has left behind them is cut off."""
    with told("read the leaves", path):
        if not path.exists():
            return b""
        with path.open("r+b") as file:
            data = file.read(size)
            if file.read(1):
                file.truncate(size)
                os.fsync(file.fileno())
            return data
