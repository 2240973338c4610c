"""Checks a whole log from its signed objects upwards, and names the first thing that is wrong (reg-log-*).

Recomputed: every entry from its object, every column beside it, every node of every level, the root under every
checkpoint, every signature. Reads each table once or twice in order, a few rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from wmproto.crypto.frontier import Frontier
from wmproto.crypto.merkle import node_hash
from wmproto.crypto.signing import verify_envelope
from wmproto.errors import CorruptStoreError, FormatError, SignatureError, VerificationError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.log import Log
from wmproto.registry.note import Note
from wmproto.registry.receipt import Receipt
from wmproto.registry.stored import Stored, stored_entries
from wmproto.registry.submission import ENTRY_TYPES, first_subject
from wmproto.registry.view import View, doubt

__all__ = ["Totals", "fsck", "note_in"]

_ALL = 1 << 62  # more than any index, size or level


def note_in(data: bytes) -> bytes:
    """The checkpoint's note in a file that somebody kept: a receipt, or a checkpoint itself; raises FormatError."""
    return Receipt.parse(data).note if data.startswith(b"c2sp.org/tlog-proof@") else data


@dataclass(frozen=True, slots=True)
class Totals:
    """What was found whole: numbers of rows."""

    entries: int
    nodes: int
    checkpoints: int
    cosignatures: int


def fsck(
    log: Log, past: Collection[bytes] = (), progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Totals:
    """Check everything that a log holds.

    What cannot be seen: that a checkpoint other than the first and the last one, or a cosignature, is missing.

    Args:
        log: The log.
        past: Checkpoints' notes that were kept elsewhere: the log must have grown from each.
        progress: Called with rows checked and to check, of entries and nodes together.

    Raises:
        CorruptStoreError: Something is damaged, missing or too much; the message names the first of it.
        FormatError, SignatureError: A checkpoint of ``past`` is not this log's.
    """
    held = [verify_checkpoint(note, log.key) for note in past]
    with log.reading() as view:
        totals = view.rows.totals()
        size = totals["entries"]
        nodes = sum(size >> level for level in range(size.bit_length()))
        _entries(view, size, held, lambda done: progress(done, size + nodes))
        done = size
        for level in range(size.bit_length()):
            for _ in _level(view, level, size >> level):
                done += 1
                progress(done, size + nodes)
        for table, expected in (("statements", size), ("nodes", nodes)):
            if totals[table] != expected:
                raise doubt(view.where, f"it has {totals[table]} {table}, and {size} entries have {expected}")
        return Totals(size, nodes, totals["checkpoints"], totals["cosignatures"])


def _entries(view: View, size: int, held: Collection[Checkpoint], progress: Callable[[int], None]) -> None:
    """Check every entry, and every checkpoint as the tree reaches its size."""
    frontier = Frontier()
    checkpoints = _Checkpoints(view, held)
    checkpoints.check(frontier)
    for stored in stored_entries(view, 0, size):
        _entry(view, stored)
        frontier.push(stored.leaf)
        checkpoints.check(frontier)
        progress(frontier.size)
    checkpoints.end(frontier)


def _entry(view: View, stored: Stored) -> None:
    """Check an entry's signature and form, and that what stands beside it is its own."""
    try:
        if stored.kind not in ENTRY_TYPES:
            raise FormatError(f"its type {stored.kind[:80]!r} is none of {', '.join(ENTRY_TYPES)}")
        subject = first_subject(stored.kind, verify_envelope(stored.envelope))
    except (FormatError, SignatureError) as err:
        raise doubt(view.where, f"entry {stored.index} does not hold ({err})") from err
    right = {
        "payload_hash": stored.envelope.payload_hash,
        "signer": stored.envelope.signer,
        "signature": stored.envelope.signature,
        "leaf": stored.leaf,
        "subject": subject,
    }
    for column, value in stored.columns.items():
        if right[column] != value:
            raise doubt(view.where, f"the {column} of entry {stored.index} is not that of its signed object")


class _Checkpoints:
    """The stored checkpoints and cosignatures in the order of their sizes, and those that were kept elsewhere."""

    def __init__(self, view: View, held: Collection[Checkpoint]) -> None:
        self._view, self._held = view, held
        self._rows = view.rows.raw("checkpoints", "size", -_ALL, _ALL)
        self._lines = view.rows.raw("cosignatures", "size", -_ALL, _ALL)
        self._row, self._line = next(self._rows, None), next(self._lines, None)
        self._last = -1
        if self._row is None or self._row.size != 0:
            raise self._doubt("it has no checkpoint of 0 entries")

    def check(self, frontier: Frontier) -> None:
        """Check all that there is of the size that the tree has now."""
        size = frontier.size
        if self._row is not None and self._row.size == size:
            self._checkpoint(self._row.note, frontier)
            self._row, self._last = next(self._rows, None), size
        for checkpoint in self._held:
            if checkpoint.size == size and checkpoint.root != frontier.root():
                raise doubt(self._view.where, f"it has signed another root for its first {size} entries")

    def end(self, frontier: Frontier) -> None:
        """Check that nothing is left over, and that the last checkpoint is of all entries."""
        if self._row is not None:
            raise self._doubt(f"it has {frontier.size} entries and a checkpoint of {self._row.size}")
        if self._line is not None:
            raise self._doubt(f"it has a cosignature of {self._line.size} entries and no such checkpoint")
        if self._last != frontier.size:
            raise self._doubt(f"it has {frontier.size} entries and no checkpoint of them")
        for checkpoint in self._held:
            if checkpoint.size > frontier.size:
                raise self._doubt(f"it has {frontier.size} entries and has signed a checkpoint of {checkpoint.size}")

    def _checkpoint(self, note: Any, frontier: Frontier) -> None:
        size = frontier.size
        try:
            checkpoint = verify_checkpoint(_exact(note, bytes), self._view.key)
        except (FormatError, VerificationError) as err:
            raise self._doubt(f"its checkpoint of {size} entries is not its own ({err})") from err
        if checkpoint.size != size:
            raise self._doubt(f"in the place of its checkpoint of {size} entries is one of {checkpoint.size}")
        if checkpoint.root != frontier.root():
            raise self._doubt(f"its first {size} entries do not hash to the root that it signed")
        while self._line is not None and self._line.size == size:
            self._cosignature(note, self._line.witness, self._line.line)
            self._line = next(self._lines, None)

    def _cosignature(self, note: bytes, witness: Any, line: Any) -> None:
        try:
            key = WitnessKey.parse(_exact(witness, str))
            whole = note + _exact(line, str).encode()
            if len(Note.parse(whole).lines) != len(Note.parse(note).lines) + 1 or not Note.parse(whole).signed_by(key):
                raise FormatError("it is another witness's")
        except (FormatError, VerificationError, UnicodeEncodeError) as err:
            size = Checkpoint.parse(Note.parse(note).text).size
            raise self._doubt(f"a cosignature of {size} entries is damaged ({err})") from err

    def _doubt(self, what: str) -> CorruptStoreError:
        return doubt(self._view.where, what)


def _exact(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise FormatError(f"a {type(value).__name__} is stored out of place")
    return value


def _level(view: View, level: int, count: int) -> Iterator[None]:
    """Check the nodes of a level by those below it, which were checked before; those of level 0 by the entries."""
    below = view.rows.raw("nodes", "level", level - 1, level) if level else view.rows.raw("entries", "idx", 0, count)
    nodes = view.rows.raw("nodes", "level", level, level + 1)
    for index in range(count):
        node = next(nodes, None)
        right = node_hash(next(below).hash, next(below).hash) if level else next(below).leaf
        if node is None or node.idx != index:
            raise doubt(view.where, f"node {index} of level {level} of its tree is missing")
        if node.hash != right:
            raise doubt(view.where, f"node {index} of level {level} of its tree is not what stands below it")
        yield
    extra = next(nodes, None)
    if extra is not None:
        raise doubt(view.where, f"node {extra.idx} of level {level} of its tree is too much")
