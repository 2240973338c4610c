"""A log in one SQLite file: the default, for one machine.

BEGIN IMMEDIATE for every writer: a transaction that reads first and writes later would fail if another one wrote
between. What else a file of ours needs stands in sqlite.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from wmproto.errors import NotFoundError, RegistryError
from wmproto.registry.sqlite import connect, failure_code, make, remove, translated
from wmproto.registry.store import Store

__all__ = ["SqliteStore"]

_APPLICATION_ID = 0x776D6C67  # "wmlg" in the file's header


class SqliteStore(Store):
    """The Store in a file; see store.py."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), sa.create_engine("sqlite://", creator=self._connect, poolclass=sa.QueuePool))
        self._path = path
        sa.event.listen(self._engine, "begin", _begin)

    def _connect(self) -> sqlite3.Connection:
        return connect(self._path, _APPLICATION_ID, self._what)

    def create(self, meta: Mapping[str, str], note: bytes) -> None:
        """See Store.create; a file that cannot be filled is removed."""
        make(self._path, _APPLICATION_ID, self._what)
        try:
            with self.write() as rows:
                rows.create(meta)
                rows.sign(0, note)
        except BaseException:
            self.close()
            remove(self._path)  # nobody has seen it
            raise

    def check(self) -> None:
        """See Store.check."""
        try:
            self._path.stat()
        except FileNotFoundError:
            raise NotFoundError(
                f"there is no log at {self._path}", hint="check the path; registry new starts a log"
            ) from None
        except OSError as err:
            raise RegistryError(f"{self._what} cannot be read: {err.strerror}", hint="check its permissions") from err

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with translated(self._what):
                yield
        except RegistryError as err:
            self._failed |= failure_code(err.__cause__) == sqlite3.SQLITE_IOERR
            raise


def _begin(db: sa.Connection) -> None:
    db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("alone") else "BEGIN")
