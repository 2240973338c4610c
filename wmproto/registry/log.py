"""The log on one machine: checks what is submitted, appends, signs, proves (specs/registry.md, reg-log-*).

Trusts its own key and nothing that it reads from the database (view.py). Reads no clock. Never on the audit path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wmproto.crypto.merkle import leaf_hash, tree_root
from wmproto.crypto.signer import Signer
from wmproto.crypto.signing import verify_envelope
from wmproto.errors import ConfigError, CorruptStoreError, FormatError, NotFoundError, RegistryError, SignatureError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_bytes, entry_leaf
from wmproto.registry.note import LogKey, Note
from wmproto.registry.store import Store
from wmproto.registry.tables import SCHEMA, Rows
from wmproto.registry.view import Head, View, doubt, first_subject
from wmproto.registry.writing import sign_note, write_log_copy
from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope
from wmproto.wire.framing import sha256
from wmproto.wire.profile import WMPROTO_1, Profile
from wmproto.wire.writing import replace

__all__ = ["Appended", "Log"]

_ENTRY_LIMIT = 65_535  # bytes: a tlog-tiles bundle has room for no more

#: Types of log entries. Reserved for later: digest, answer-head, rotation, and key with public labels.
ENTRY_TYPES = ("key", "release", "admit", "decide")


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a signed object stands in the log.

    Attributes:
        index: Of its entry.
        envelope: The signed object of that entry. If it was submitted before with another valid signature, the first
            one stands, and the receipt is for that.
        receipt: Proves the entry under the latest checkpoint.
        new: Whether this call appended it.
    """

    index: int
    envelope: Envelope
    receipt: bytes
    new: bool


class Log:
    """A local log; make one with ``create`` or ``open``. Threads may share it, forked processes open their own."""

    def __init__(self, store: Store, key: LogKey, signer: Signer | None, profile: Profile) -> None:
        self.path, self.key, self.profile = store.path, key, profile
        self._store, self._signer = store, signer

    def _view(self, rows: Rows) -> View:
        return View(rows, self.path, self.key, self.profile)

    @classmethod
    def create(cls, path: Path, origin: str, signer: Signer, *, profile: Profile = WMPROTO_1) -> Log:
        """Start an empty log in a new file; its first checkpoint, of size 0, is signed at once.

        Args:
            path: The new file.
            origin: The log's name, as in ``log.example/1``; no other log of this key may ever bear it.
            signer: The log's key.
            profile: Under whose tags entries are hashed.

        Raises:
            ConflictError: The file exists; it is left alone.
            FormatError: The origin is no log name.
            RegistryError: The file cannot be made.
        """
        key = LogKey(origin, signer.public)
        meta = {"origin": origin, "profile": profile.name, "public": signer.public.hex(), "schema": SCHEMA}
        note = sign_note(Checkpoint(origin, 0, sha256(b"")).text, origin, signer)
        return cls(Store.create(path, meta, note), key, signer, profile)

    @classmethod
    def open(
        cls, path: Path, signer: Signer | None = None, *, profile: Profile = WMPROTO_1, checked: bool = True
    ) -> Log:
        """Open an existing log, to read it, or with its key to append. Checks the last checkpoint against the tree.

        Args:
            path: The file.
            signer: The log's key, to append.
            profile: Under whose tags entries are hashed.
            checked: False: without that check, for who names what is damaged (fsck.py).

        Raises:
            NotFoundError: There is no such file: a typo must not start an empty log.
            CorruptStoreError: Not a log's database, or one that contradicts what the log has signed.
            ConfigError: The signer or the profile is not this log's.
            RegistryError: The file cannot be read.
        """
        try:
            path.stat()
        except FileNotFoundError:
            raise NotFoundError(
                f"there is no log at {path}", hint="check the path; registry new starts a log"
            ) from None
        except OSError as err:
            raise RegistryError(f"the log {path} cannot be read: {err.strerror}", hint="check its permissions") from err
        store = Store(path)
        try:
            with store.read() as rows:
                meta = rows.meta()
                if meta.get("schema") != SCHEMA:
                    raise CorruptStoreError(f"{path} is not a log of this version")
                try:
                    key = LogKey(meta["origin"], bytes.fromhex(meta["public"]))
                except (FormatError, KeyError, ValueError) as err:
                    raise CorruptStoreError(f"the log {path} does not know its own key") from err
                if signer is not None and signer.public != key.public:
                    raise ConfigError(f"this is not the key of the log {key.name}", hint="each log has its own")
                if meta.get("profile") != profile.name:
                    raise ConfigError(f"the log is of profile {meta.get('profile')!r}, not {profile.name!r}")
                log = cls(store, key, signer, profile)
                if checked and rows.count() != rows.size():
                    raise CorruptStoreError(f"the log {path} has a gap among its entries")
                if checked:
                    log._view(rows).head()
                complete = rows.complete
            if not complete:
                with store.write() as rows:
                    rows.add_tables()
        except BaseException:
            store.close()
            raise
        return log

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    @property
    def vkey(self) -> str:
        """The log's verifier key."""
        return str(self.key)

    # --- reading -----------------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[View]:
        """One consistent view, for readers of more than one thing; appending goes on meanwhile."""
        with self._store.read() as rows:
            yield self._view(rows)

    def checkpoint(self, witnesses: Collection[WitnessKey] | None = None) -> bytes:
        """The latest signed checkpoint: a note; of size 0, with the root of nothing, for an empty log.

        Args:
            witnesses: Whose cosignatures it shall bear, of those that the log holds; None: everybody's.
        """
        with self._store.read() as rows:
            view = self._view(rows)
            return view.cosigned(view.head(), witnesses)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Proof that the first ``old`` entries of this log are the beginning of its first ``new`` (32 bytes a hash).

        Raises:
            NotFoundError: The log has fewer entries.
        """
        with self._store.read() as rows:
            if not 0 <= old <= new <= rows.size():
                raise NotFoundError(f"the log does not grow from {old} to {new} entries")
            return rows.proof(old, new)

    def verify_past(self, checkpoint: bytes) -> Checkpoint:
        """Check that this log has grown from a checkpoint that somebody else kept, and return that checkpoint.

        To be called before a restored log signs again: with the last checkpoint that was shown to anybody.

        Args:
            checkpoint: The note, as in any receipt.

        Raises:
            CorruptStoreError: It has not: the file is an old backup, or another history.
            FormatError: Not a checkpoint.
            SignatureError: Not signed by this log.
        """
        then = verify_checkpoint(checkpoint, self.key)
        with self._store.read() as rows:
            size = self._view(rows).head().checkpoint.size
            if then.size > size:
                raise doubt(self.path, f"it has {size} entries and has signed a checkpoint of {then.size}")
            if rows.root(then.size) != then.root:
                raise doubt(self.path, f"it has signed another root for its first {then.size} entries")
        return then

    def find(self, leaf: bytes) -> int:
        """Index of the entry with that leaf hash (entry.entry_leaf); raises NotFoundError."""
        with self._store.read() as rows:
            return self._view(rows).find(leaf)

    def entries(self, kind: str | None = None, subject: bytes | None = None) -> list[tuple[int, str, Envelope]]:
        """(index, type, signed object) of entries in the order of the log.

        Args:
            kind: Only entries of that type.
            subject: Only entries whose statement's first subject has that digest, 32 bytes.

        Raises:
            CorruptStoreError: A stored object is not the one that was logged. See view.py on what may be left out.
        """
        with self._store.read() as rows:
            return self._view(rows).entries(kind, subject)

    def receipts(
        self, leaves: Sequence[bytes], size: int | None = None, witnesses: Collection[WitnessKey] | None = None
    ) -> list[bytes]:
        """Receipts of several entries, all under one checkpoint.

        Args:
            leaves: Their leaf hashes.
            size: Size of an older checkpoint, for example of another receipt; None is the latest.
            witnesses: Whose cosignatures the checkpoint shall bear, of those that the log holds; None: everybody's.

        Raises:
            NotFoundError: An entry is not in the log, or not below that size; or there is no such checkpoint.
            CorruptStoreError: A proof would not verify.
        """
        with self._store.read() as rows:
            view = self._view(rows)
            head = view.head() if size is None else view.signed(size)
            note = view.cosigned(head, witnesses)
            return [view.receipt(head, view.find(leaf), leaf, note) for leaf in leaves]

    def export(self, path: Path) -> None:
        """Write a copy of the whole log for auditors, whole or not at all, in place of an older copy.

        Raises:
            CorruptStoreError: The entries do not hash to what the log signed.
            ConfigError: The file cannot be written.
        """
        with self._store.read() as rows:
            view = self._view(rows)
            head = view.head()
            note = view.cosigned(head)
            entries = [(kind, envelope) for _, kind, envelope in view.entries()]
        if tree_root([entry_leaf(self.profile, kind, e) for kind, e in entries]) != head.checkpoint.root:
            raise doubt(self.path, "its entries do not hash to the root that it signed")
        replace(path, b"".join(write_log_copy(note, self.key, entries)))

    def keep_cosignatures(self, size: int, lines: Mapping[WitnessKey, str]) -> None:
        """Keep witnesses' lines beside the checkpoint of that size; of each witness the first one stays.

        Args:
            size: Of a checkpoint that the log has signed.
            lines: Signature lines, each with its newline, that verify.

        Raises:
            NotFoundError: No such checkpoint.
            FormatError, SignatureError: A line is not that witness's cosignature of it; nothing is kept.
        """
        with self._store.write() as rows:
            note = self._view(rows).signed(size).note
            for key, line in lines.items():
                if not Note.parse(note + line.encode()).signed_by(key):
                    raise SignatureError(f"not a cosignature of {key.name}", rule="reg-cosign-3")
            rows.keep(size, {str(key): line for key, line in lines.items()})

    # --- appending ---------------------------------------------------------------------------------------------

    def submit(self, kind: str, envelope: Envelope) -> bytes:
        """Append a signed object and return its receipt; see append."""
        return self.append(kind, envelope).receipt

    def append(self, kind: str, envelope: Envelope) -> Appended:
        """Append a signed object as an entry; the same (type, payload, signer) again finds the first one.

        When it returns, entry and checkpoint are on the disk.

        Args:
            kind: key, release, admit or decide.
            envelope: A signed in-toto Statement of that kind. Only its form is checked.

        Raises:
            FormatError: Another kind, not a canonical Statement of that kind, or too large.
            SignatureError: The signature does not verify.
            ConfigError: The log was opened without its key.
            CorruptStoreError: The store contradicts what the log has signed; nothing is signed in doubt.
            RegistryError: The store fails: submit again when it is mended, an entry is never doubled.
        """
        if self._signer is None:
            raise ConfigError("the log was opened to be read only", hint="give the log's key to append")
        if kind not in ENTRY_TYPES:
            raise FormatError(f"entry type {kind!r} is none of {', '.join(ENTRY_TYPES)}")
        subject = first_subject(kind, verify_envelope(envelope))
        entry = entry_bytes(self.profile, kind, envelope)
        if len(entry) > _ENTRY_LIMIT or len(envelope.to_bytes()) > ENVELOPE_LIMIT:
            raise FormatError(f"{kind} entry: too large")
        leaf = leaf_hash(entry)
        with self._store.write() as rows:
            view = self._view(rows)
            head = view.head()
            index = rows.same(kind, envelope.payload_hash, envelope.signer)
            if new := index is None:
                index = head.checkpoint.size
                rows.append(index, kind, envelope, leaf=leaf, subject=subject)
                checkpoint = Checkpoint(self.key.name, index + 1, rows.root(index + 1))
                head = Head(checkpoint, sign_note(checkpoint.text, self.key.name, self._signer))
                rows.sign(index + 1, head.note)
            else:
                [(_, _, envelope)] = view.entries(index=index)
                leaf = entry_leaf(self.profile, kind, envelope)
            return Appended(index, envelope, view.receipt(head, index, leaf), new)
