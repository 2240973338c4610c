"""The log on one machine: checks what is submitted, appends, signs, proves (specs/registry.md, reg-log-*).

Trusts its own key and nothing that it reads from the database (view.py). Reads no clock. Never on the audit path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from wmproto.crypto.merkle import tree_root
from wmproto.crypto.signer import Signer
from wmproto.errors import ConfigError, CorruptStoreError, FormatError, NotFoundError, SignatureError
from wmproto.registry.appending import Appended, append_verified
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import LogKey, Note
from wmproto.registry.rows import Rows
from wmproto.registry.store import Store, store_at
from wmproto.registry.submission import Submission, verify_submission
from wmproto.registry.tables import SCHEMA
from wmproto.registry.view import View, doubt
from wmproto.registry.writing import sign_note, write_log_copy
from wmproto.wire.dsse import Envelope
from wmproto.wire.framing import sha256
from wmproto.wire.profile import WMPROTO_1, Profile
from wmproto.wire.writing import replace

__all__ = ["Appended", "Log"]


class Log:
    """A log that one or several processes append to; make one with ``create`` or ``open``.

    Threads may share it, forked processes open their own. Several machines can append where the store is PostgreSQL.
    """

    def __init__(self, store: Store, key: LogKey, signer: Signer | None, profile: Profile) -> None:
        self.where, self.key, self.profile = store.where, key, profile
        self._store, self._signer = store, signer

    def _view(self, rows: Rows) -> View:
        return View(rows, self.where, self.key, self.profile)

    @classmethod
    def create(cls, place: Path | str, origin: str, signer: Signer, *, profile: Profile = WMPROTO_1) -> Log:
        """Start an empty log in a new place; its first checkpoint, of size 0, is signed at once.

        Args:
            place: A new file, or ``postgresql://...``, an empty database.
            origin: The log's name, as in ``log.example/1``; no other log of this key may ever bear it.
            signer: The log's key.
            profile: Under whose tags entries are hashed.

        Raises:
            ConflictError: Something is there; it is left alone.
            FormatError: The origin is no log name.
            RegistryError: It cannot be made.
            ConfigError: The URL is none, or holds a password; PostgreSQL is not installed.
        """
        key = LogKey(origin, signer.public)
        meta = {"origin": origin, "profile": profile.name, "public": signer.public.hex(), "schema": SCHEMA}
        store = store_at(place)
        try:
            store.create(meta, sign_note(Checkpoint(origin, 0, sha256(b"")).text, origin, signer))
        except BaseException:
            store.close()
            raise
        return cls(store, key, signer, profile)

    @classmethod
    def open(
        cls,
        place: Path | str,
        signer: Signer | None = None,
        *,
        profile: Profile = WMPROTO_1,
        held: Collection[bytes] = (),
        checked: bool = True,
    ) -> Log:
        """Open an existing log, to read it, or with its key to append. Checks the last checkpoint against the tree.

        Args:
            place: The file, or ``postgresql://...``.
            signer: The log's key, to append.
            profile: Under whose tags entries are hashed.
            held: Checkpoints of this log that are kept elsewhere, as notes: the log must have grown from each. Nothing
                in a store can tell that it is an old backup.
            checked: False: without any check of the tree, for who names what is damaged (fsck.py).

        Raises:
            NotFoundError: There is no log: a typo must not start an empty one.
            CorruptStoreError: Not a log's database, or one that contradicts what the log has signed.
            ConfigError: The signer or the profile is not this log's; the URL is none, or holds a password.
            RegistryError: The store cannot be read.
        """
        store = store_at(place)
        try:
            store.check()
            with store.read() as rows:
                key = _key_of(rows.meta(), store.where, signer, profile)
                log = cls(store, key, signer, profile)
                if checked and rows.count() != rows.size():
                    raise CorruptStoreError(f"the log {store.where} has a gap among its entries")
                if checked:
                    log._view(rows).head()
                complete = rows.complete
            for note in held:
                log.verify_past(note)
            if not complete:
                with store.write() as rows:
                    rows.add_tables()
        except BaseException:
            store.close()
            raise
        return log

    def close(self) -> None:
        """Close the store."""
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
            self._view(rows).extends(then)
        return then

    def find(self, leaf: bytes) -> int:
        """Index of the entry with that leaf hash (entry.entry_leaf); raises NotFoundError."""
        with self._store.read() as rows:
            return self._view(rows).find([leaf])[0]

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
            return view.receipts(head, list(zip(view.find(leaves), leaves, strict=True)), note)

    def export(self, path: Path) -> Checkpoint:
        """Write a copy of the whole log for auditors, whole or not at all, in place of an older copy.

        Returns:
            The checkpoint that it ends in.

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
            raise doubt(self.where, "its entries do not hash to the root that it signed")
        replace(path, b"".join(write_log_copy(note, self.key, entries)))
        return head.checkpoint

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
        return self.append_all([(kind, envelope)])[0]

    def append_all(self, items: Sequence[tuple[str, Envelope]]) -> list[Appended]:
        """Append several signed objects, each (type, object), in one transaction under one new checkpoint.

        Raises:
            WmprotoError: As append; then nothing is appended.
        """
        return self.commit([self.verified(kind, envelope) for kind, envelope in items])

    def verified(self, kind: str, envelope: Envelope) -> Submission:
        """Verify what is to be appended, without the store; raises as append."""
        return verify_submission(self.profile, kind, envelope)

    def commit(self, submissions: Sequence[Submission]) -> list[Appended]:
        """Append what ``verified`` gave, in one transaction under one new checkpoint; raises as append."""
        if self._signer is None:
            raise ConfigError("the log was opened to be read only", hint="give the log's key to append")
        with self._store.write() as rows:
            return append_verified(self._view(rows), self._signer, submissions)


def _key_of(meta: Mapping[str, str], where: str, signer: Signer | None, profile: Profile) -> LogKey:
    """The log's key, by its own account: what it signed shows whether that is true."""
    if meta.get("schema") != SCHEMA:
        raise CorruptStoreError(f"{where} is not a log of this version")
    try:
        key = LogKey(meta["origin"], bytes.fromhex(meta["public"]))
    except (FormatError, KeyError, ValueError) as err:
        raise CorruptStoreError(f"the log {where} does not know its own key") from err
    if signer is not None and signer.public != key.public:
        raise ConfigError(f"this is not the key of the log {key.name}", hint="each log has its own")
    if meta.get("profile") != profile.name:
        raise ConfigError(f"the log is of profile {meta.get('profile')!r}, not {profile.name!r}")
    return key
