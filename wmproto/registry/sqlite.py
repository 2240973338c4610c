"""What every SQLite file of the registry needs: making it, opening it, and what its failures mean to people.

WAL, synchronous FULL, foreign keys on. A file is told from any other program's by the application id in its header
before anything in it is touched. Errors name the file as the caller calls it, as in "the log a.db".
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from wmproto.errors import ConflictError, CorruptStoreError, RegistryError

__all__ = ["connect", "failure_code", "make", "remove", "translated"]

BUSY_S = 30.0  # how long a writer waits for another one
_PERMISSIONS = (
    "look at the permissions of the file and its folder, and whether the disk is read-only: "
    "SQLite writes beside the file even to read it"
)
_KEEP = "keep the file, and see specs/registry.md, Operating"
_FAILURES: dict[int, tuple[type[RegistryError], str, str | None]] = {
    sqlite3.SQLITE_BUSY: (RegistryError, "is locked by another process", "wait until it is done, then try again"),
    sqlite3.SQLITE_READONLY: (RegistryError, "is read-only", _PERMISSIONS),
    sqlite3.SQLITE_FULL: (RegistryError, "cannot grow: the disk is full", "make room; nothing was appended"),
    sqlite3.SQLITE_CANTOPEN: (RegistryError, "cannot be opened", _PERMISSIONS),
    sqlite3.SQLITE_IOERR: (RegistryError, "cannot be read or written", "look at the disk: is it full? then try again"),
    sqlite3.SQLITE_NOTADB: (CorruptStoreError, "is no database of wmproto", "check the path"),
    sqlite3.SQLITE_CORRUPT: (CorruptStoreError, "is damaged", _KEEP),
    sqlite3.SQLITE_CONSTRAINT: (CorruptStoreError, "contradicts itself", _KEEP),
    sqlite3.SQLITE_ERROR: (CorruptStoreError, "lacks a table or column", "check the path"),
}


def make(path: Path, application_id: int, what: str) -> None:
    """Make a new, empty file that bears the application id.

    Raises:
        ConflictError: A file of that name exists; it is left alone.
        RegistryError: The file cannot be made; then there is none.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError as err:
        raise ConflictError(f"{path} exists already", hint="nothing is started anew over another file") from err
    except OSError as err:
        raise RegistryError(f"cannot make {path}: {(err.strerror or '').lower()}", hint="check the path") from err
    try:
        with translated(what):
            db = sqlite3.connect(path)
            try:
                db.execute(f"PRAGMA application_id={application_id}")
            finally:
                db.close()
    except BaseException:
        remove(path)
        raise


def remove(path: Path) -> None:
    """Remove a file that was made a moment ago, and what SQLite could not clear away beside it on a full disk."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def connect(path: Path, application_id: int, what: str) -> sqlite3.Connection:
    """Open an existing file, never making one; the caller begins and ends transactions itself.

    Args:
        path: The file.
        application_id: What stands in the header of its kind of file.
        what: Names the file in errors, as in "the log a.db".

    Raises:
        CorruptStoreError: Another program's file; it is left as it was.
        sqlite3.Error: The file cannot be opened; see translated.
    """
    uri = path.absolute().as_uri() + "?mode=rw"
    db = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        if db.execute("PRAGMA application_id").fetchone() != (application_id,):
            raise CorruptStoreError(f"{what} is no database of wmproto", hint="check the path")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            db.execute(f"PRAGMA {pragma}")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Let every error of SQLite, or of SQLAlchemy over it, leave the block as a RegistryError about ``what``."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError) as err:  # the last: names in a damaged file
        kind, says, hint = _FAILURES.get(failure_code(err), (RegistryError, "fails", None))
        raise kind(f"{what} {says} ({getattr(err, 'orig', None) or err})", hint=hint) from err


def failure_code(err: BaseException | None) -> int:
    """SQLite's primary result code of an error, 0 if it has none."""
    cause = getattr(err, "orig", None) or err
    if isinstance(cause, UnicodeDecodeError):
        return sqlite3.SQLITE_CORRUPT
    return int(getattr(cause, "sqlite_errorcode", 0)) & 0xFF  # the low byte of an extended code
