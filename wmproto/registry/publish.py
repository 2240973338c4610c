"""Writes a log as files that any web server can serve (c2sp.org/tlog-tiles; specs/registry.md, reg-tile-*).

Everything is led up to the signed root before a byte of it is written. Only what is new is written, each file whole or
not at all, ``checkpoint`` last: an export that was interrupted goes on, and no reader finds a head without its tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wmproto.errors import ConfigError, CorruptStoreError, FormatError, InclusionError, NotFoundError, VerificationError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.locking import alone_in
from wmproto.registry.log import Log
from wmproto.registry.note import NOTE_LIMIT
from wmproto.registry.stored import stored_entries
from wmproto.registry.tiles import Tile, join_entries, join_hashes, lead_up, statement_path
from wmproto.registry.view import View, doubt
from wmproto.wire.files import read_file, told
from wmproto.wire.writing import replace, sync_folder, write_new

__all__ = ["publish"]


def publish(log: Log, folder: Path, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Checkpoint:
    """Write the log as files, or what is new of it; returns the checkpoint that they end in.

    Args:
        log: The log; it may grow meanwhile, and is written as it stood at the beginning.
        folder: Where; made if it is not there, empty, or of an earlier export of the same log.
        progress: Called with entries written and to write.

    Raises:
        CorruptStoreError: The log contradicts what it has signed, has not grown from what stands in the folder, or a
            file there is not what the log holds. ``checkpoint`` is left as it was.
        ConfigError: The folder cannot be written, or holds something else.
        RegistryError: Another process exports into it.
    """
    with alone_in(folder), log.reading() as view:
        head = view.head()
        size, root = head.checkpoint.size, head.checkpoint.root
        old = _exported(view, folder, size)
        files = _Files(folder)
        try:
            for tile, hashes in lead_up(size, old, root, lambda t: view.rows.nodes(8 * (t.level or 0), t.start, t.end)):
                files.write(tile.path, join_hashes(hashes))
                if tile.level == 0:
                    _write_bundle(view, files, Tile(None, tile.index, tile.width), hashes)
                    progress(tile.end - old, size - old)
        except InclusionError as err:
            raise doubt(view.where, f"its tree does not lead to the root that it signed ({err})") from err
        replace(folder / "checkpoint", view.cosigned(head))
        return head.checkpoint


def _exported(view: View, folder: Path, size: int) -> int:
    """Size of the log that stands in the folder, 0 if none does."""
    path = folder / "checkpoint"
    try:
        then = verify_checkpoint(read_file(path, what="checkpoint", limit=NOTE_LIMIT), view.key)
    except NotFoundError:
        ours = ("tile", "statement")  # of an export that was interrupted; so may be files that begin with a dot
        if any(child.name not in ours and child.name[0] != "." for child in folder.iterdir()):
            raise ConfigError(f"{folder} holds other files", hint="choose a new or empty folder") from None
        return 0
    except (FormatError, VerificationError) as err:
        raise ConfigError(f"{path} is no checkpoint of this log ({err})", hint="choose a new or empty folder") from err
    if then.size > size or view.rows.root(then.size) != then.root:
        text = f"it has {size} entries, and has not grown from the checkpoint of {then.size} entries in {folder}"
        raise doubt(view.where, text)
    return then.size


@dataclass
class _Files:
    """The folder, and which of its folders were made or seen."""

    root: Path
    known: set[Path] = field(default_factory=set)

    def write(self, name: str, data: bytes) -> None:
        """Write a file that never changes; one that is there must be the same."""
        path = self.root / name
        self._make(path.parent)
        try:
            there = read_file(path, what="file", limit=len(data))
        except NotFoundError:
            write_new(path, data)
            return
        except FormatError:
            there = None
        if there != data:
            raise CorruptStoreError(
                f"{path} is not what the log holds", hint="keep it, and export to a new folder: somebody changed it"
            )

    def _make(self, folder: Path) -> None:
        if folder in self.known or folder == self.root:
            return
        self._make(folder.parent)
        with told("make", folder):
            folder.mkdir(exist_ok=True)
            sync_folder(folder)
        self.known.add(folder)


def _write_bundle(view: View, files: _Files, bundle: Tile, leaves: list[bytes]) -> None:
    """Write the statements of a bundle, then the bundle: who finds an entry finds what was signed."""
    entries = []
    for stored, leaf in zip(stored_entries(view, bundle.start, bundle.end), leaves, strict=True):
        if stored.leaf != leaf:
            raise doubt(view.where, f"the signed object of entry {stored.index} is another one")
        files.write(statement_path(stored.envelope.payload_hash), stored.envelope.payload)
        entries.append(stored.entry)
    files.write(bundle.path, join_entries(entries))
