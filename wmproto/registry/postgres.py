"""A log in a PostgreSQL database of its own: for several machines that append. Needs the extra ``postgres``.

Writers take one advisory lock as the first statement of a READ COMMITTED transaction: what they read afterwards is what
the last writer left. Under REPEATABLE READ the snapshot could be older than the lock. Readers are REPEATABLE READ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from wmproto.errors import (
    ConfigError,
    ConflictError,
    CorruptStoreError,
    MissingExtraError,
    NotFoundError,
    RegistryError,
)
from wmproto.registry.rows import Rows
from wmproto.registry.store import Store
from wmproto.registry.tables import META

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except ImportError as _err:
    raise MissingExtraError("postgres") from _err

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["PostgresStore"]

_LOCK = 0x776D6C67  # "wmlg": key of the writers' lock; such locks are of one database
_BUSY_MS = 30_000  # how long a writer waits for another one
_IDLE_MS = 120_000  # after which the server ends a transaction whose program or machine is gone, with its lock
_CONNECT = {  # where the URL says nothing else; seconds. So a server that is gone is noticed.
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_SESSION = (
    f"SET synchronous_commit = on; SET lock_timeout = {_BUSY_MS}; SET idle_in_transaction_session_timeout = {_IDLE_MS}"
)
_AGAIN = "what was being appended may or may not be in the log: submit it again, an entry is never doubled"
_KEEP = "keep the database, and see specs/registry.md, Operating"
#: SQLSTATE, or its class -> what it means.
_FAILURES: dict[str, tuple[type[RegistryError], str, str | None]] = {
    "08": (RegistryError, "lost its connection", _AGAIN),
    "22021": (CorruptStoreError, "is damaged", _KEEP),
    "23": (CorruptStoreError, "contradicts itself", _KEEP),
    "25006": (RegistryError, "is read-only", "is this a standby, or is the server's disk read-only?"),
    "25P03": (RegistryError, "waited too long for this program", _AGAIN),
    "40": (RegistryError, "was changed meanwhile", _AGAIN),
    "42501": (RegistryError, "does not allow that", "the user needs the right to read, or also to write, its tables"),
    "42703": (CorruptStoreError, "lacks a column", "check the URL"),
    "42P01": (CorruptStoreError, "lacks a table", "check the URL"),
    "53100": (RegistryError, "cannot grow: the disk is full", "make room; nothing was appended"),
    "53": (RegistryError, "is out of resources", "look at the server's memory and connections, then try again"),
    "55P03": (RegistryError, "is locked by another process", "wait until it is done, then try again"),
    "57014": (RegistryError, "was told to stop", "is there a statement_timeout? then try again"),
    "57": (RegistryError, "lost its connection", _AGAIN),
    "58": (RegistryError, "cannot be read or written", "look at the server's disk: is it full? then try again"),
    "XX": (CorruptStoreError, "is damaged", _KEEP),
}


class PostgresStore(Store):
    """The Store in a PostgreSQL database; see store.py.

    Args:
        url: As libpq reads it, ``postgresql://user@host/database``; a password is refused, because arguments of
            programs are public.
    """

    def __init__(self, url: str) -> None:
        try:
            self._parameters: dict[str, Any] = _CONNECT | conninfo_to_dict(url)
        except psycopg.Error as err:
            raise ConfigError("not a URL of PostgreSQL", hint="as in postgresql://user@host/database") from err
        secret = [name for name, value in self._parameters.items() if "password" in name and value]
        if secret:
            raise ConfigError(
                f"a {secret[0]} in a URL can be read by every user of this machine",
                hint="leave it out; PGPASSWORD, ~/.pgpass or a service file give it",
            )
        engine = sa.create_engine(
            "postgresql+psycopg://", creator=self._connect, pool_pre_ping=True, use_native_hstore=False
        )
        super().__init__(url, engine)
        sa.event.listen(self._engine, "begin", _begin)

    def _connect(self) -> Connection:
        """A session that commits to the disk, on a server that does."""
        try:
            db = psycopg.connect(**self._parameters, autocommit=True)  # transactions are ours
        except psycopg.Error as err:
            said = " ".join(str(err).split())
            if 'database "' in said and said.endswith("does not exist"):
                raise NotFoundError(f"there is no database {self.where}", hint="createdb makes one") from err
            raise RegistryError(
                f"{self._what} cannot be reached ({said})", hint="is the server up, and does it let this user in?"
            ) from err
        try:
            db.execute(_SESSION)
            for name in ("fsync", "full_page_writes"):
                if db.execute("SELECT current_setting(%s)", [name]).fetchone() != ("on",):
                    raise ConfigError(
                        f"the server of {self._what} has {name} off", hint="a log that can lose its tail can fork"
                    )
        except BaseException:
            db.close()
            raise
        return db

    def create(self, meta: Mapping[str, str], note: bytes) -> None:
        """See Store.create; the database must be there, without tables."""
        with self.write() as rows:
            if self._tables(rows):
                raise ConflictError(
                    f"the database {self.where} holds tables already", hint="a log needs an empty one of its own"
                )
            rows.create(meta)
            rows.sign(0, note)

    def check(self) -> None:
        """See Store.check."""
        with self.read() as rows:
            if META.name not in self._tables(rows):
                raise NotFoundError(f"there is no log at {self.where}", hint="check the URL; registry new starts a log")

    @staticmethod
    def _tables(rows: Rows) -> list[str]:
        return sa.inspect(rows.connection).get_table_names()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, psycopg.Error) as err:
            cause = getattr(err, "orig", None) or err
            state = getattr(cause, "sqlstate", None) or ("08" if isinstance(cause, psycopg.OperationalError) else "")
            self._failed |= state == "58030"  # an input or output error
            unknown = (RegistryError, "fails", None)
            kind, says, hint = _FAILURES.get(state) or _FAILURES.get(state[:2], unknown)
            raise kind(f"{self._what} {says} ({' '.join(str(cause).split())})", hint=hint) from err


def _begin(db: sa.Connection) -> None:
    if not db.get_execution_options().get("alone"):
        db.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return
    db.exec_driver_sql("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
    db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
