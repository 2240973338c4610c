"""Where a log's rows are: one narrow interface over SQLite (the default) and PostgreSQL.

A place is a path, or a URL ``postgresql://...``. Every exception of a database leaves a store as a RegistryError.
Threads may share a store; forked processes open their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from wmproto.registry.rows import Rows

__all__ = ["Store", "is_url", "store_at"]

_URL = "postgresql://"


class Store(Protocol):
    """The database of one log, there or to be made.

    Attributes:
        where: Its path or URL, for people; never a password.
    """

    where: str

    def create(self, meta: Mapping[str, str], note: bytes) -> None:
        """Make an empty log: its meta data and the checkpoint of size 0, both or nothing.

        Raises:
            ConflictError: Something is there; it is left alone.
            RegistryError: It cannot be made.
        """
        ...

    def check(self) -> None:
        """Look whether a log is there, and change nothing; raises NotFoundError."""
        ...

    def read(self) -> AbstractContextManager[Rows]:
        """One consistent view; writers go on meanwhile."""
        ...

    def write(self) -> AbstractContextManager[Rows]:
        """One transaction, alone from its first statement on; durable when the block has ended, or nothing of it is.

        Raises:
            RegistryError: The database says no. After an input or output error no more is written: what was kept of a
                failed sync is unknown until the log is opened and checked again.
        """
        ...

    def close(self) -> None:
        """Close the connections; a store may be used again afterwards."""
        ...


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
