"""The log's SQLite file: opening it, transactions, and what its failures mean to people.

WAL, synchronous FULL, foreign keys on, BEGIN IMMEDIATE for every writer. Every exception of the database leaves here
as a RegistryError. Threads may share a store; a forked process opens the file again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from wmproto.errors import ConflictError, CorruptStoreError, RegistryError
from wmproto.registry.tables import Rows

__all__ = ["Store"]

_APPLICATION_ID = 0x776D6C67  # "wmlg" in the file's header: tells a log from any other SQLite file before touching it
_BUSY_S = 30.0  # how long a writer waits for another one
_PERMISSIONS = (
    "look at the permissions of the file and its folder, and whether the disk is read-only: "
    "SQLite writes beside the file even to read it"
)
_FAILURES: dict[int, tuple[type[RegistryError], str, str | None]] = {
    sqlite3.SQLITE_BUSY: (RegistryError, "is locked by another process", "wait until it is done, then try again"),
    sqlite3.SQLITE_READONLY: (RegistryError, "is read-only", _PERMISSIONS),
    sqlite3.SQLITE_FULL: (RegistryError, "cannot grow: the disk is full", "make room; nothing was appended"),
    sqlite3.SQLITE_CANTOPEN: (RegistryError, "cannot be opened", _PERMISSIONS),
    sqlite3.SQLITE_IOERR: (RegistryError, "cannot be read or written", "look at the disk: is it full? then try again"),
    sqlite3.SQLITE_NOTADB: (CorruptStoreError, "is not a log's database", "check the path"),
    sqlite3.SQLITE_CORRUPT: (CorruptStoreError, "is damaged", "keep the file, and see specs/registry.md, Operating"),
    sqlite3.SQLITE_CONSTRAINT: (CorruptStoreError, "contradicts itself", "see specs/registry.md, Operating"),
    sqlite3.SQLITE_ERROR: (CorruptStoreError, "lacks a table of a log", "check the path"),
}


class Store:
    """An existing database file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._failed = False
        self._reader = sa.create_engine("sqlite://", creator=self._connect, poolclass=sa.QueuePool)
        self._writer = self._reader.execution_options(immediate=True)
        sa.event.listen(self._reader, "begin", _begin)

    @classmethod
    def create(cls, path: Path, meta: dict[str, str], note: bytes) -> Store:
        """Make a new file with its meta data and the checkpoint of the empty log.

        Raises:
            ConflictError: A file of that name exists; it is left alone.
            RegistryError: The file cannot be made.
        """
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError as err:
            raise ConflictError(f"{path} exists already", hint="a log is never started anew over another file") from err
        except OSError as err:
            raise RegistryError(f"cannot make {path}: {(err.strerror or '').lower()}", hint="check the path") from err
        store = cls(path)
        try:
            with store._translated():
                db = sqlite3.connect(path)
                db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
                db.close()
            with store.write() as rows:
                rows.create(meta)
                rows.sign(0, note)
        except BaseException:
            store.close()
            for suffix in ("", "-wal", "-shm", "-journal"):  # nobody has seen it; the next file of that name must not
                Path(f"{path}{suffix}").unlink(missing_ok=True)  # find what SQLite could not clear away on a full disk
            raise
        return store

    def close(self) -> None:
        """Close the connections; a store may be used again afterwards."""
        self._reader.dispose()

    @contextmanager
    def read(self) -> Iterator[Rows]:
        """One consistent view of the log; other writers go on meanwhile."""
        with self._translated(), self._reader.connect() as db:
            yield Rows(db)

    @contextmanager
    def write(self) -> Iterator[Rows]:
        """One transaction, alone from its first statement on; durable when the block has ended, or nothing of it is.

        Raises:
            RegistryError: The database says no. After an input or output error no more is written: what the operating
                system kept of a failed sync is unknown until the file is opened and checked again.
        """
        if self._failed:
            raise RegistryError(f"the log {self.path} failed before", hint="look at the disk, then open the log again")
        with self._translated(), self._writer.begin() as db:
            yield Rows(db)

    def _connect(self) -> sqlite3.Connection:
        uri = self.path.absolute().as_uri() + "?mode=rw"  # never makes a file
        db = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            if db.execute("PRAGMA application_id").fetchone() != (_APPLICATION_ID,):
                raise CorruptStoreError(f"{self.path} is not a log's database", hint="check the path")
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                db.execute(f"PRAGMA {pragma}")
        except BaseException:
            db.close()
            raise
        return db

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError) as err:  # the last: names in a damaged file
            cause = getattr(err, "orig", None) or err
            unreadable = sqlite3.SQLITE_CORRUPT if isinstance(cause, UnicodeDecodeError) else 0
            code = getattr(cause, "sqlite_errorcode", unreadable) & 0xFF  # the low byte of an extended code
            self._failed |= code == sqlite3.SQLITE_IOERR
            kind, says, hint = _FAILURES.get(code, (RegistryError, "fails", None))
            raise kind(f"the log {self.path} {says} ({cause})", hint=hint) from err


def _begin(db: sa.Connection) -> None:
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("immediate") else "BEGIN")
