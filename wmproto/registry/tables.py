"""The log's tables and what one transaction reads and writes in them: rows and tree nodes, through SQLAlchemy Core.

Decides nothing about entries, keys or signatures: view.py checks what is read, log.py what is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from wmproto.crypto.merkle import node_hash
from wmproto.errors import CorruptStoreError
from wmproto.wire.dsse import Envelope
from wmproto.wire.framing import sha256

__all__ = ["SCHEMA", "Rows"]

SCHEMA = "1"
_FEW = 16  # rows that are in memory at once; a signed object has up to 8 MiB


class _Exact(sa.TypeDecorator[Any]):
    """A column whose values have one Python type; SQLite itself would take and give any."""

    impl = sa.LargeBinary
    cache_ok = True
    _type: type = bytes

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002  SQLAlchemy's signature
        """Refuse what we never wrote; None is no value."""
        if value is not None and type(value) is not self._type:
            raise CorruptStoreError(f"the log's database is damaged: it holds a {type(value).__name__} out of place")
        return value


class _Text(_Exact):
    impl = sa.Text  # type: ignore[assignment]
    cache_ok = True
    _type = str


_TABLES = sa.MetaData()
_META = sa.Table("meta", _TABLES, sa.Column("name", _Text, primary_key=True), sa.Column("value", _Text, nullable=False))
_ENTRIES = sa.Table(
    "entries",
    _TABLES,
    sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),  # never a sequence: sequences have gaps
    sa.Column("kind", _Text, nullable=False),
    sa.Column("payload_hash", _Exact, nullable=False),
    sa.Column("signer", _Exact, nullable=False),
    sa.Column("signature", _Exact, nullable=False),
    sa.Column("leaf", _Exact, nullable=False, unique=True),
    sa.Column("subject", _Exact, nullable=False, index=True),
    sa.UniqueConstraint("kind", "payload_hash", "signer"),
)
_STATEMENTS = sa.Table(
    "statements",
    _TABLES,
    sa.Column("idx", sa.ForeignKey("entries.idx"), primary_key=True, autoincrement=False),
    sa.Column("envelope", _Exact, nullable=False),
)
_NODES = sa.Table(  # complete subtrees of 2**level leaves: they never change
    "nodes",
    _TABLES,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", _Exact, nullable=False),
    sqlite_with_rowid=False,
)
_CHECKPOINTS = sa.Table(  # one signed note a size, for ever
    "checkpoints",
    _TABLES,
    sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("note", _Exact, nullable=False),
)
_COSIGNATURES = sa.Table(  # the first line of each witness for a checkpoint; logs of the first version lack the table
    "cosignatures",
    _TABLES,
    sa.Column("size", sa.ForeignKey("checkpoints.size"), primary_key=True, autoincrement=False),
    sa.Column("witness", _Text, primary_key=True),
    sa.Column("line", _Text, nullable=False),
)


class Rows:
    """What one transaction sees and writes; nodes are remembered for its length."""

    def __init__(self, db: sa.Connection) -> None:
        self._db = db
        self._nodes: dict[tuple[int, int], bytes] = {}

    def _scalar(self, query: sa.Select[Any]) -> Any:
        return self._db.execute(query).scalar()

    # --- reading -----------------------------------------------------------------------------------------------

    def meta(self) -> dict[str, str]:
        """Everything in the table ``meta``."""
        return {row.name: row.value for row in self._db.execute(sa.select(_META))}

    def size(self) -> int:
        """Number of entries, by the highest index."""
        return int(self._scalar(sa.select(sa.func.coalesce(sa.func.max(_ENTRIES.c.idx) + 1, 0))))

    def count(self) -> int:
        """Number of entries, counted; differs from size() only if there is a gap."""
        return int(self._scalar(sa.select(sa.func.count()).select_from(_ENTRIES)))

    def last_checkpoint_size(self) -> int | None:
        """Size of the largest tree that was signed."""
        found: int | None = self._scalar(sa.select(sa.func.max(_CHECKPOINTS.c.size)))
        return found

    def note(self, size: int) -> bytes | None:
        """The signed checkpoint of that size."""
        note: bytes | None = self._scalar(sa.select(_CHECKPOINTS.c.note).where(_CHECKPOINTS.c.size == size))
        return note

    def cosignatures(self, size: int) -> dict[str, str]:
        """Witness's vkey -> its line, for the checkpoint of that size."""
        query = sa.select(_COSIGNATURES).where(_COSIGNATURES.c.size == size).order_by(_COSIGNATURES.c.witness)
        return {row.witness: row.line for row in self._db.execute(query)}

    def index_of(self, leaf: bytes) -> int | None:
        """Index of the entry with that leaf hash."""
        index: int | None = self._scalar(sa.select(_ENTRIES.c.idx).where(_ENTRIES.c.leaf == leaf))
        return index

    def same(self, kind: str, payload_hash: bytes, signer: bytes) -> int | None:
        """Index of the entry with the same type, payload and signer."""
        t = _ENTRIES.c
        query = sa.select(t.idx).where(t.kind == kind, t.payload_hash == payload_hash, t.signer == signer)
        index: int | None = self._scalar(query)
        return index

    def entries(
        self, kind: str | None = None, subject: bytes | None = None, index: int | None = None
    ) -> list[tuple[int, str, bytes, bytes, bytes]]:
        """(index, type, leaf hash, subject, envelope) in the order of the log, of what fits all that is given."""
        query = (
            sa.select(_ENTRIES.c.idx, _ENTRIES.c.kind, _ENTRIES.c.leaf, _ENTRIES.c.subject, _STATEMENTS.c.envelope)
            .outerjoin_from(_ENTRIES, _STATEMENTS)
            .order_by(_ENTRIES.c.idx)
        )
        for column, value in ((_ENTRIES.c.kind, kind), (_ENTRIES.c.subject, subject), (_ENTRIES.c.idx, index)):
            query = query if value is None else query.where(column == value)
        return [(row.idx, row.kind, row.leaf, row.subject, row.envelope or b"") for row in self._db.execute(query)]

    def raw(self, table: str, column: str, start: int, end: int) -> Iterator[Any]:
        """Rows of a table as the database has them, nothing checked, for whoever judges them; a few at a time.

        Args:
            table: Its name.
            column: Of this integer column, the values from ``start`` to ``end`` (exclusive).
            start: The first value.
            end: The first value not wanted.
        """
        t = _TABLES.tables[table]
        query = sa.select(*(sa.type_coerce(c, sa.types.NullType()).label(c.name) for c in t.c))
        query = query.where(t.c[column] >= start, t.c[column] < end).order_by(*t.primary_key)
        yield from self._db.execute(query.execution_options(yield_per=_FEW))

    def totals(self) -> dict[str, int]:
        """Number of rows of each table."""
        count = sa.select(sa.func.count())
        return {name: int(self._scalar(count.select_from(table))) for name, table in _TABLES.tables.items()}

    # --- the tree (RFC 6962 section 2.1) -----------------------------------------------------------------------

    def _node(self, level: int, index: int) -> bytes:
        if (level, index) not in self._nodes:
            query = sa.select(_NODES.c.hash).where(_NODES.c.level == level, _NODES.c.idx == index)
            node: bytes | None = self._scalar(query)
            if node is None:
                raise CorruptStoreError(f"the log lacks node {index} of level {level} of its tree")
            self._nodes[level, index] = node
        return self._nodes[level, index]

    def _range(self, start: int, end: int) -> bytes:
        """Hash of the subtree over leaves start to end (exclusive); start is a multiple of its width."""
        width = end - start
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self._node(level, start >> level)
        split = start + (1 << (width - 1).bit_length() - 1)
        return node_hash(self._range(start, split), self._range(split, end))

    def root(self, size: int) -> bytes:
        """Root over the first ``size`` leaves, from the complete nodes of its right edge."""
        return self._range(0, size) if size else sha256(b"")

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        """Inclusion proof of a leaf in the tree of that size, from its sibling upwards."""
        path, start, end = [], 0, size
        while end - start > 1:
            split = start + (1 << (end - start - 1).bit_length() - 1)
            path.append(self._range(split, end) if index < split else self._range(start, split))
            start, end = (start, split) if index < split else (split, end)
        return tuple(reversed(path))

    def leaves(self, start: int, end: int) -> list[bytes]:
        """Leaf hashes of the entries from ``start`` to ``end`` (exclusive)."""
        return self.nodes(0, start, end)

    def nodes(self, level: int, start: int, end: int) -> list[bytes]:
        """Hashes of the complete subtrees of 2**level leaves from number ``start`` to ``end`` (exclusive)."""
        t = _NODES.c
        query = sa.select(t.idx, t.hash).where(t.level == level, t.idx >= start, t.idx < end).order_by(t.idx)
        found = self._db.execute(query).all()
        if [row.idx for row in found] != list(range(start, end)):
            raise CorruptStoreError(f"the log lacks nodes of level {level} of its tree between {start} and {end}")
        return [row.hash for row in found]

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Consistency proof from the first ``old`` leaves to the first ``new`` (RFC 6962 section 2.1.2)."""
        if old in (0, new):
            return ()
        proof, start, end, whole = [], 0, new, True
        while old != end:
            split = start + (1 << (end - start - 1).bit_length() - 1)
            if old <= split:
                proof.append(self._range(split, end))
                end = split
            else:
                proof.append(self._range(start, split))
                start, whole = split, False
        return tuple(reversed(proof if whole else [*proof, self._range(start, end)]))

    # --- writing -----------------------------------------------------------------------------------------------

    def append(self, index: int, kind: str, envelope: Envelope, *, leaf: bytes, subject: bytes) -> None:
        """Insert an entry, its signed object, and the nodes of the tree that it completes."""
        row = {
            "idx": index,
            "kind": kind,
            "payload_hash": envelope.payload_hash,
            "signer": envelope.signer,
            "signature": envelope.signature,
            "leaf": leaf,
            "subject": subject,
        }
        self._db.execute(_ENTRIES.insert(), row)
        self._db.execute(_STATEMENTS.insert(), {"idx": index, "envelope": envelope.to_bytes()})
        level, node = 0, leaf
        nodes = [{"level": level, "idx": index, "hash": node}]
        while index & 1:
            node = node_hash(self._node(level, index - 1), node)
            level, index = level + 1, index >> 1
            nodes.append({"level": level, "idx": index, "hash": node})
        self._db.execute(_NODES.insert(), nodes)

    def create(self, meta: dict[str, str]) -> None:
        """Make the tables, and fill ``meta``."""
        _TABLES.create_all(self._db)
        self._db.execute(_META.insert(), [{"name": name, "value": value} for name, value in meta.items()])

    @property
    def complete(self) -> bool:
        """Whether every table is there."""
        return sa.inspect(self._db).has_table(_COSIGNATURES.name)

    def add_tables(self) -> None:
        """Make the tables that a log of an earlier version lacks."""
        _TABLES.create_all(self._db)

    def keep(self, size: int, lines: Mapping[str, str]) -> None:
        """Keep witnesses' lines (by their vkeys) for the checkpoint of that size; the first one of each stays."""
        have = self.cosignatures(size)
        new = [{"size": size, "witness": key, "line": line} for key, line in lines.items() if key not in have]
        if new:
            self._db.execute(_COSIGNATURES.insert(), new)

    def sign(self, size: int, note: bytes) -> None:
        """Keep the signed checkpoint of that size; there is never a second one."""
        self._db.execute(_CHECKPOINTS.insert(), {"size": size, "note": note})
