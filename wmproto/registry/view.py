"""One transaction's view of a log, from which nothing leaves that does not lead to what the log has signed.

So whoever holds the database, but not the log's key, can neither forge nor change an entry: he can only break the log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from wmproto.crypto.merkle import verify_inclusion
from wmproto.errors import CorruptStoreError, FormatError, InclusionError, NotFoundError, VerificationError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.nodes import inclusion_spans
from wmproto.registry.note import SIGNATURES, LogKey, Note
from wmproto.registry.receipt import Receipt
from wmproto.registry.rows import Rows
from wmproto.registry.submission import Name, first_subject
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import Profile

__all__ = ["Head", "Standing", "View", "doubt"]

#: An entry that stands in the log: index, signed object, leaf hash.
Standing = tuple[int, Envelope, bytes]
#: Verifying is a function of the bytes alone, so what has verified need not be verified again.
_verified = lru_cache(maxsize=64)(verify_checkpoint)


def doubt(where: str, what: str) -> CorruptStoreError:
    """The error for a store that contradicts what the log has signed."""
    return CorruptStoreError(
        f"the log {where} contradicts itself: {what}",
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
        where: Path or URL of the log, for messages.
        key: The log's key.
        profile: The profile.
    """

    rows: Rows
    where: str
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
        return self._signed(size, note)

    def _signed(self, size: int, note: bytes) -> Head:
        try:
            checkpoint = _verified(note, self.key)
        except (FormatError, VerificationError) as err:
            raise doubt(self.where, f"its checkpoint of {size} entries is not its own ({err})") from err
        if checkpoint.size != size or self.rows.root(size) != checkpoint.root:
            raise doubt(self.where, f"its tree of {size} entries does not have the root that it signed")
        return Head(checkpoint, note)

    def head(self) -> Head:
        """The last checkpoint; raises CorruptStoreError unless it covers exactly the entries that are there."""
        size, signed, note = self.rows.last()
        if signed != size:
            raise doubt(self.where, f"it has {size} entries, and its last checkpoint is of {signed}")
        return self._signed(size, note)

    def extends(self, past: Checkpoint) -> None:
        """Check that the log has grown from a checkpoint that verified; raises CorruptStoreError."""
        size = self.head().checkpoint.size
        if past.size > size:
            raise doubt(self.where, f"it has {size} entries and has signed a checkpoint of {past.size}")
        if self.rows.root(past.size) != past.root:
            raise doubt(self.where, f"it has signed another root for its first {past.size} entries")

    def cosigned(self, head: Head, witnesses: Collection[WitnessKey] | None = None) -> bytes:
        """A checkpoint's note with the lines that are kept for it: of these witnesses, or of all it has room for.

        Raises:
            CorruptStoreError: A line that is kept does not verify.
        """
        lines = []
        for vkey, line in self.rows.cosignatures(head.checkpoint.size).items():
            try:
                key = WitnessKey.parse(vkey)
                if not Note.parse(head.note + line.encode()).signed_by(key):
                    raise FormatError("it is another witness's")
            except (FormatError, VerificationError) as err:
                raise doubt(self.where, f"a cosignature of {head.checkpoint.size} entries is damaged ({err})") from err
            if witnesses is None or key in witnesses:
                lines.append(line.encode())
        return head.note + b"".join(lines[: SIGNATURES - 1])

    def find(self, leaves: Sequence[bytes]) -> list[int]:
        """Indices of the entries with these leaf hashes; raises NotFoundError."""
        found = self.rows.indices_of(leaves)
        if any(leaf not in found for leaf in leaves):
            raise NotFoundError("the log has no such entry", hint="registry submit appends it")
        return [found[leaf] for leaf in leaves]

    def filed(self, found: Mapping[Name, int]) -> dict[Name, Standing]:
        """The entries that stand under these names, by their indices.

        Raises:
            CorruptStoreError: What stands there is another object, or none.
        """
        stored = {index: (kind, envelope) for index, kind, envelope in self.entries(indices=found.values())}
        standing = {}
        for name, index in found.items():
            kind, envelope = stored[index]
            if (kind, envelope.payload_hash, envelope.signer) != name:
                raise doubt(self.where, f"the signed object of entry {index} is another one")
            standing[name] = index, envelope, entry_leaf(self.profile, kind, envelope)
        return standing

    def receipts(self, head: Head, entries: Sequence[tuple[int, bytes]], note: bytes | None = None) -> list[bytes]:
        """Receipts of entries, each (index, leaf hash), under a checkpoint.

        Args:
            head: The checkpoint.
            entries: What is to be proved.
            note: The checkpoint's note as cosigned() gives it; None: as the log signed it.

        Raises:
            NotFoundError: An entry is not below the checkpoint.
            CorruptStoreError: A proof would not verify.
        """
        size, root = head.checkpoint.size, head.checkpoint.root
        for index, _ in entries:
            if index >= size:
                raise NotFoundError(f"entry {index} is not below the checkpoint of {size} entries")
        self.rows.load([span for index, _ in entries for span in inclusion_spans(index, size)])
        receipts = []
        for index, leaf in entries:
            path = self.rows.path(index, size)
            try:
                verify_inclusion(leaf, index=index, size=size, path=path, root=root)
            except InclusionError as err:
                raise doubt(self.where, f"entry {index} does not lead to the root that it signed") from err
            receipts.append(Receipt(index, path, note or head.note).to_bytes())
        return receipts

    def entries(
        self, kind: str | None = None, subject: bytes | None = None, indices: Collection[int] | None = None
    ) -> list[tuple[int, str, Envelope]]:
        """(index, type, signed object) in the order of the log, of what fits all that is given.

        That nothing is left out which fits, only a list without conditions shows: who edits the database can hide an
        entry from a list by type or subject, until the whole log is listed, exported or copied.

        Raises:
            CorruptStoreError: A stored object is not the one that was logged.
        """
        found = []
        for at, of_kind, leaf, filed, data in self.rows.entries(kind, subject, indices):
            try:
                envelope = Envelope.parse(data)
                about = first_subject(of_kind, envelope.payload)
            except FormatError as err:
                raise doubt(self.where, f"the signed object of entry {at} is damaged or lost") from err
            if entry_leaf(self.profile, of_kind, envelope) != leaf or about != filed:
                raise doubt(self.where, f"the signed object of entry {at} is another one")
            found.append((at, of_kind, envelope))
        return found
