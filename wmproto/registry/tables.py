"""The log's tables, the same in SQLite and PostgreSQL; rows.py reads and writes them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from wmproto.errors import CorruptStoreError

__all__ = ["CHECKPOINTS", "COSIGNATURES", "ENTRIES", "META", "NODES", "SCHEMA", "STATEMENTS", "TABLES", "exact"]

SCHEMA = "1"


def exact(value: Any, kind: type) -> Any:
    """Return a value of the database if it has the type that we wrote, or is None; SQLite would take and give any.

    Raises:
        CorruptStoreError: It has another type.
    """
    if value is not None and type(value) is not kind:
        raise CorruptStoreError(f"the log's database is damaged: it holds a {type(value).__name__} out of place")
    return value


class _Bytes(sa.TypeDecorator[Any]):
    """A column of bytes and nothing else."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002  SQLAlchemy's signature
        """Refuse what we never wrote."""
        return exact(value, bytes)


class _Text(sa.TypeDecorator[Any]):
    """A column of text and nothing else."""

    impl = sa.Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002  SQLAlchemy's signature
        """Refuse what we never wrote."""
        return exact(value, str)


_INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # 64 bits in both; SQLite's row id must be an "INTEGER"

TABLES = sa.MetaData()
META = sa.Table("meta", TABLES, sa.Column("name", _Text, primary_key=True), sa.Column("value", _Text, nullable=False))
ENTRIES = sa.Table(
    "entries",
    TABLES,
    sa.Column("idx", _INDEX, primary_key=True, autoincrement=False),  # never a sequence: sequences have gaps
    sa.Column("kind", _Text, nullable=False),
    sa.Column("payload_hash", _Bytes, nullable=False),
    sa.Column("signer", _Bytes, nullable=False),
    sa.Column("signature", _Bytes, nullable=False),
    sa.Column("leaf", _Bytes, nullable=False, unique=True),
    sa.Column("subject", _Bytes, nullable=False, index=True),
    sa.UniqueConstraint("kind", "payload_hash", "signer"),
)
STATEMENTS = sa.Table(
    "statements",
    TABLES,
    sa.Column("idx", sa.ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
    sa.Column("envelope", _Bytes, nullable=False),
)
NODES = sa.Table(  # complete subtrees of 2**level leaves: they never change
    "nodes",
    TABLES,
    sa.Column("level", _INDEX, primary_key=True, autoincrement=False),
    sa.Column("idx", _INDEX, primary_key=True, autoincrement=False),
    sa.Column("hash", _Bytes, nullable=False),
    sqlite_with_rowid=False,
)
CHECKPOINTS = sa.Table(  # one signed note a size, for ever; not every size has one
    "checkpoints",
    TABLES,
    sa.Column("size", _INDEX, primary_key=True, autoincrement=False),
    sa.Column("note", _Bytes, nullable=False),
)
COSIGNATURES = sa.Table(  # the first line of each witness for a checkpoint; logs of the first version lack the table
    "cosignatures",
    TABLES,
    sa.Column("size", sa.ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False),
    sa.Column("witness", _Text, primary_key=True),
    sa.Column("line", _Text, nullable=False),
)
