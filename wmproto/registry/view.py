"""One transaction's view of a log, from which nothing leaves that does not lead to what the log has signed.

So whoever holds the database, but not the log's key, can neither forge nor change an entry: he can only break the log.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from wmproto.crypto.merkle import verify_inclusion
from wmproto.errors import CorruptStoreError, FormatError, InclusionError, NotFoundError, VerificationError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import LogKey, Note
from wmproto.registry.receipt import Receipt
from wmproto.registry.tables import Rows
from wmproto.wire.dsse import Envelope, Statement
from wmproto.wire.profile import Profile
from wmproto.wire.schema import Wire

__all__ = ["Head", "View", "doubt", "first_subject"]


class _Predicate(Wire):
    """Any object: what a predicate means is for its readers to judge."""

    model_config = ConfigDict(extra="allow")


def first_subject(kind: str, payload: bytes) -> bytes:
    """Digest of the first subject of a canonical Statement of that kind; raises FormatError if it is none."""
    return Statement[_Predicate].parse(payload, kind).subject[0].digest.sha256


def doubt(path: Path, what: str) -> CorruptStoreError:
    """The error for a store that contradicts what the log has signed."""
    return CorruptStoreError(
        f"the log {path} contradicts itself: {what}",
        hint="it signs no more: an older backup would fork the log; see specs/registry.md, Operating",
    )


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint that the log signed and the stored tree bears out, and its note."""

    checkpoint: Checkpoint
    note: bytes


@dataclass(frozen=True, slots=True)
class View:
    """Checked reading.

    Attributes:
        rows: The transaction.
        path: The file, for messages.
        key: The log's key.
        profile: The profile.
    """

    rows: Rows
    path: Path
    key: LogKey
    profile: Profile

    def signed(self, size: int) -> Head:
        """The checkpoint of that size.

        Raises:
            NotFoundError: None of that size was signed.
            CorruptStoreError: It is not the log's, or the stored tree has another root.
        """
        note = self.rows.note(size)
        if note is None:
            raise NotFoundError(f"the log has signed no checkpoint of {size} entries")
        try:
            checkpoint = verify_checkpoint(note, self.key)
        except (FormatError, VerificationError) as err:
            raise doubt(self.path, f"its checkpoint of {size} entries is not its own ({err})") from err
        if checkpoint.size != size or self.rows.root(size) != checkpoint.root:
            raise doubt(self.path, f"its tree of {size} entries does not have the root that it signed")
        return Head(checkpoint, note)

    def head(self) -> Head:
        """The last checkpoint; raises CorruptStoreError unless it covers exactly the entries that are there."""
        size, signed = self.rows.size(), self.rows.last_checkpoint_size()
        if signed != size:
            raise doubt(self.path, f"it has {size} entries, and its last checkpoint is of {signed}")
        return self.signed(size)

    def cosigned(self, head: Head, witnesses: Collection[WitnessKey] | None = None) -> bytes:
        """A checkpoint's note with the lines that are kept for it: of these witnesses, or of all.

        Raises:
            CorruptStoreError: A line that is kept does not verify.
        """
        note = head.note
        for vkey, line in self.rows.cosignatures(head.checkpoint.size).items():
            try:
                key = WitnessKey.parse(vkey)
                if not Note.parse(head.note + line.encode()).signed_by(key):
                    raise FormatError("it is another witness's")
            except (FormatError, VerificationError) as err:
                raise doubt(self.path, f"a cosignature of {head.checkpoint.size} entries is damaged ({err})") from err
            note += line.encode() if witnesses is None or key in witnesses else b""
        return note

    def find(self, leaf: bytes) -> int:
        """Index of the entry with that leaf hash; raises NotFoundError."""
        index = self.rows.index_of(leaf)
        if index is None:
            raise NotFoundError("the log has no such entry", hint="registry submit appends it")
        return index

    def receipt(self, head: Head, index: int, leaf: bytes, note: bytes | None = None) -> bytes:
        """Receipt of an entry under a checkpoint, with the note as cosigned() gives it or as the log signed it.

        Raises:
            NotFoundError: The entry is not below the checkpoint.
            CorruptStoreError: The proof would not verify.
        """
        size, root = head.checkpoint.size, head.checkpoint.root
        if index >= size:
            raise NotFoundError(f"entry {index} is not below the checkpoint of {size} entries")
        path = self.rows.path(index, size)
        try:
            verify_inclusion(leaf, index=index, size=size, path=path, root=root)
        except InclusionError as err:
            raise doubt(self.path, f"entry {index} does not lead to the root that it signed") from err
        return Receipt(index, path, note or head.note).to_bytes()

    def entries(
        self, kind: str | None = None, subject: bytes | None = None, index: int | None = None
    ) -> list[tuple[int, str, Envelope]]:
        """(index, type, signed object) in the order of the log, of what fits all that is given.

        That nothing is left out which fits, only a list without conditions shows: who edits the database can hide an
        entry from a list by type or subject, until the whole log is listed, exported or copied.

        Raises:
            CorruptStoreError: A stored object is not the one that was logged.
        """
        found = []
        for at, of_kind, leaf, filed, data in self.rows.entries(kind, subject, index):
            try:
                envelope = Envelope.parse(data)
                about = first_subject(of_kind, envelope.payload)
            except FormatError as err:
                raise doubt(self.path, f"the signed object of entry {at} is damaged or lost") from err
            if entry_leaf(self.profile, of_kind, envelope) != leaf or about != filed:
                raise doubt(self.path, f"the signed object of entry {at} is another one")
            found.append((at, of_kind, envelope))
        return found
