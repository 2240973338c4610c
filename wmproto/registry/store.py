"""Where a log's rows are: one narrow interface over SQLite (the default) and PostgreSQL.

A place is a path, or a URL ``postgresql://...``. Every exception of a database leaves a store as a RegistryError.
Threads may share a store; forked processes open their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import sqlalchemy as sa

from wmproto.errors import RegistryError
from wmproto.registry.rows import Rows

__all__ = ["Store", "is_url", "store_at"]

_URL = "postgresql://"


class Store(ABC):
    """The database of one log, there or to be made.

    Args:
        where: Its path or URL, for people; never a password.
        engine: Connects to it. Its event ``begin`` starts transactions, those of writers where the option ``alone`` is
            set: each store knows how.

    Attributes:
        where: As given.
    """

    def __init__(self, where: str, engine: sa.Engine) -> None:
        self.where, self._what, self._failed = where, f"the log {where}", False
        self._engine, self._writer = engine, engine.execution_options(alone=True)

    @abstractmethod
    def create(self, meta: Mapping[str, str], note: bytes) -> None:
        """Make an empty log: its meta data and the checkpoint of size 0, both or nothing.

        Raises:
            ConflictError: Something is there; it is left alone.
            RegistryError: It cannot be made.
        """

    @abstractmethod
    def check(self) -> None:
        """Look whether a log is there, and change nothing; raises NotFoundError."""

    @abstractmethod
    def _translated(self) -> AbstractContextManager[None]:
        """Let the database's errors leave the block as RegistryErrors; of input or output, set ``_failed``."""

    @contextmanager
    def read(self) -> Iterator[Rows]:
        """One consistent view; writers go on meanwhile."""
        # begin, not connect: it ends in a commit, and after a rollback psycopg forgets what it has prepared.
        with self._translated(), self._engine.begin() as db:
            yield Rows(db)

    @contextmanager
    def write(self) -> Iterator[Rows]:
        """One transaction, alone from its first statement on; durable when the block has ended, or nothing of it is.

        Raises:
            RegistryError: The database says no. After an input or output error no more is written: what was kept of a
                failed sync is unknown until the log is opened and checked again.
        """
        if self._failed:
            raise RegistryError(f"{self._what} failed before", hint="look at the disk, then open the log again")
        with self._translated(), self._writer.begin() as db:
            yield Rows(db)

    def close(self) -> None:
        """Close the connections; a store may be used again afterwards."""
        self._engine.dispose()


def is_url(place: str) -> bool:
    """Whether the text names a database on a server, and no file."""
    return place.startswith(_URL)


def store_at(place: Path | str) -> Store:
    """The store of a place, not opened yet.

    Raises:
        ConfigError: The URL is none, or holds a password.
        MissingExtraError: PostgreSQL needs the extra ``postgres``.
    """
    if isinstance(place, str) and is_url(place):
        from wmproto.registry.postgres import PostgresStore

        return PostgresStore(place)
    from wmproto.registry.sqlite_store import SqliteStore

    return SqliteStore(Path(place))
