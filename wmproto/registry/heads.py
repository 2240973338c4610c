"""What a witness must never forget: of each log the last checkpoint that it cosigned, in one SQLite file.

The checkpoint is kept as a note with the log's line and the witness's own, and read back only if both verify. So
whoever holds the file, but not the keys, can take a witness back to an older state, and to nothing else.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from wmproto.errors import ConfigError, CorruptStoreError, FormatError, NotFoundError, RegistryError, SignatureError
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.note import LogKey, Note
from wmproto.registry.sqlite import connect, failure_code, make, remove, translated
from wmproto.wire.framing import sha256

_APPLICATION_ID = 0x776D7769  # "wmwi"
_SCHEMA = "1"
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE logs (origin TEXT PRIMARY KEY, vkey TEXT NOT NULL, note BLOB)",
)


@dataclass(frozen=True, slots=True)
class CosignedHead:
    """The last checkpoint of a log that the witness cosigned; of size 0, time 0 and without a note if there is none."""

    size: int
    root: bytes
    time: int
    note: bytes


class Heads:
    """The state of one witness; make it with ``create`` or ``open``. Threads and processes may share the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._what = f"the witness's state {path}"
        self._lock, self._failed = threading.Lock(), False
        with translated(self._what):
            self._db = connect(path, _APPLICATION_ID, self._what)
        try:
            with translated(self._what):
                meta = dict(self._db.execute("SELECT name, value FROM meta"))
            if meta.get("schema") != _SCHEMA:
                raise CorruptStoreError(f"{self._what} is not of this version")
            self.key = WitnessKey.parse(str(meta.get("witness")))
        except FormatError as err:
            self.close()
            raise CorruptStoreError(f"{self._what} does not know its witness") from err
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path, key: WitnessKey) -> Self:
        """Start the state of a new witness in a new file; no other state of this key may ever be made.

        Raises:
            ConflictError: The file exists; it is left alone.
            RegistryError: The file cannot be made.
        """
        what = f"the witness's state {path}"
        make(path, _APPLICATION_ID, what)
        try:
            with translated(what):
                db = connect(path, _APPLICATION_ID, what)
                try:
                    db.execute("BEGIN IMMEDIATE")
                    for table in _TABLES:
                        db.execute(table)
                    db.executemany("INSERT INTO meta VALUES (?, ?)", [("schema", _SCHEMA), ("witness", str(key))])
                    db.execute("COMMIT")
                finally:
                    db.close()
            return cls(path)
        except BaseException:
            remove(path)
            raise

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing state.

        Raises:
            NotFoundError: There is no such file: a witness that starts anew over a typo cosigns a second past.
            CorruptStoreError: Not a witness's state, or damaged.
            RegistryError: The file cannot be read.
        """
        try:
            path.stat()
        except FileNotFoundError:
            hint = "check the path; witness new makes a witness"
            raise NotFoundError(f"there is no witness's state at {path}", hint=hint) from None
        except OSError as err:
            what = f"the witness's state {path} cannot be read"
            raise RegistryError(f"{what}: {(err.strerror or '').lower()}", hint="check its permissions") from err
        return cls(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def follow(self, logs: Collection[LogKey]) -> None:
        """Remember under which key each of these logs is followed, for ever.

        Raises:
            ConfigError: A log of that name is followed under another key (reg-witness-10); nothing is changed.
        """
        with self.change() as change:
            for log in logs:
                change.follow(log)

    def last(self, log: LogKey) -> CosignedHead:
        """The last checkpoint of a followed log that was cosigned; see Change.last."""
        with self._lock, translated(self._what):
            return Change(self._db, self.key, self._what).last(log)

    @contextmanager
    def change(self) -> Iterator[Change]:
        """One transaction, alone from its first statement on; durable when the block has ended, or nothing of it is.

        Raises:
            RegistryError: The database says no. After an input or output error no more is written until the file is
                opened again: what the operating system kept of a failed sync is unknown.
        """
        with self._lock, translated(self._what):
            if self._failed:
                raise RegistryError(f"{self._what} failed before", hint="look at the disk, then start again")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield Change(self._db, self.key, self._what)
                self._db.execute("COMMIT")
            except BaseException as err:
                with suppress(sqlite3.Error):  # of a rollback; SQLite may have done it already
                    self._db.execute("ROLLBACK")
                self._failed |= failure_code(err) == sqlite3.SQLITE_IOERR or self._db.in_transaction
                raise


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction reads and writes."""

    db: sqlite3.Connection
    key: WitnessKey
    what: str

    def last(self, log: LogKey) -> CosignedHead:
        """The last checkpoint of a log that was cosigned.

        Raises:
            CorruptStoreError: It does not bear the log's signature and the witness's own.
        """
        row = self.db.execute("SELECT vkey, note FROM logs WHERE origin = ?", (log.name,)).fetchone()
        if row is None or row[0] != str(log):
            raise CorruptStoreError(f"{self.what} does not follow {log.name} under this key")
        if row[1] is None:
            return CosignedHead(0, sha256(b""), 0, b"")
        try:
            note = Note.parse(row[1] if isinstance(row[1], bytes) else b"")
            if not (note.signed_by(log) and note.signed_by(self.key)):
                raise FormatError("a signature is missing")
            checkpoint = Checkpoint.parse(note.text, extended=True)
        except (FormatError, SignatureError) as err:
            raise CorruptStoreError(
                f"{self.what} is damaged: its checkpoint of {log.name} is not what was cosigned ({err})",
                hint="this witness signs no more of that log: see specs/registry.md, Witnesses",
            ) from err
        own = [raw[4:12] for name, raw in note.lines if (name, raw[:4]) == (self.key.name, self.key.key_id)]
        time = int.from_bytes(max(own), "big")
        return CosignedHead(checkpoint.size, checkpoint.root, time, row[1])

    def store(self, log: LogKey, note: bytes) -> None:
        """Put a checkpoint in the place of the last one of a log that is followed."""
        self.db.execute("UPDATE logs SET note = ? WHERE origin = ?", (note, log.name))

    def follow(self, log: LogKey) -> None:
        """Remember the key of a log; raises ConfigError if it has another one already."""
        row = self.db.execute("SELECT vkey FROM logs WHERE origin = ?", (log.name,)).fetchone()
        if row is None:
            self.db.execute("INSERT INTO logs (origin, vkey) VALUES (?, ?)", (log.name, str(log)))
        elif row[0] != str(log):
            hint = "a log that has a new key is another log, and has another name"
            raise ConfigError(f"this witness follows {log.name} under another key", hint=hint)
