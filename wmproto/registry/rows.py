"""What one transaction reads and writes in the log's tables: rows and tree nodes, through SQLAlchemy Core.

Decides nothing about entries, keys or signatures: view.py checks what is read, log.py what is written. Asks for many
rows at once where it can: on PostgreSQL every statement is a way there and back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice
from typing import Any

import sqlalchemy as sa

from wmproto.crypto.merkle import node_hash
from wmproto.errors import CorruptStoreError
from wmproto.registry.nodes import Node, Span, consistency_spans, cover, inclusion_spans, new_nodes
from wmproto.registry.submission import Name, Submission
from wmproto.registry.tables import CHECKPOINTS, COSIGNATURES, ENTRIES, META, NODES, STATEMENTS, TABLES, exact
from wmproto.wire.framing import sha256

__all__ = ["Rows"]

_FEW = 16  # rows that are in memory at once; a signed object has up to 8 MiB
_MANY = 500  # keys that one statement asks for; a database takes some thousand values


class Rows:
    """What one transaction sees and writes; nodes are remembered for its length.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self._nodes: dict[Node, bytes] = {}

    def _scalar(self, query: sa.Select[Any]) -> Any:
        return self.connection.execute(query).scalar()

    def _matching(self, table: sa.Table, wanted: str, columns: str, keys: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """Rows of a table whose ``columns`` are one of ``keys``, each by its index; key columns, then ``wanted``.

        Written out, because SQLite reads the whole table for a row value IN a list, and SQLAlchemy takes longer to
        write a list of values than the database to read the rows.
        """
        names, left = columns.split(", "), iter(keys)
        mark = "?" if self.connection.dialect.name == "sqlite" else "%s"
        row = f"({', '.join([mark] * len(names))})"
        on = " AND ".join(f"{name} = k_{name}" for name in names)
        while some := list(islice(left, _MANY)):
            listed = f"WITH k ({', '.join(f'k_{name}' for name in names)}) AS (VALUES {', '.join([row] * len(some))})"
            query = f"{listed} SELECT {columns}, {wanted} FROM k CROSS JOIN {table.name} WHERE {on}"  # noqa: S608  ours
            yield from self.connection.exec_driver_sql(query, tuple(value for key in some for value in key))

    # --- reading -----------------------------------------------------------------------------------------------

    def meta(self) -> dict[str, str]:
        """Everything in the table ``meta``."""
        return {row.name: row.value for row in self.connection.execute(sa.select(META))}

    def size(self) -> int:
        """Number of entries, by the highest index."""
        return int(self._scalar(_SIZE))

    def count(self) -> int:
        """Number of entries, counted; differs from size() only if there is a gap."""
        return int(self._scalar(sa.select(sa.func.count()).select_from(ENTRIES)))

    def last(self) -> tuple[int, int | None, bytes]:
        """Number of entries, size of the largest tree that was signed (None: there is none), and its note."""
        row = self.connection.execute(_LAST).first()
        return (self.size(), None, b"") if row is None else (row.entries, row.size, row.note)

    def note(self, size: int) -> bytes | None:
        """The signed checkpoint of that size."""
        note: bytes | None = self._scalar(sa.select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.size == size))
        return note

    def cosignatures(self, size: int) -> dict[str, str]:
        """Witness's vkey -> its line, for the checkpoint of that size."""
        return {row.witness: row.line for row in self.connection.execute(_COSIGNED, {"size": size})}

    def indices_of(self, leaves: Collection[bytes]) -> dict[bytes, int]:
        """Leaf hash -> index of its entry, for those that are there."""
        found = self._matching(ENTRIES, "idx", "leaf", ((leaf,) for leaf in leaves))
        return {exact(row.leaf, bytes): exact(row.idx, int) for row in found}

    def same(self, names: Collection[Name]) -> dict[Name, int]:
        """Name -> index of its entry, for those that are there."""
        found = self._matching(ENTRIES, "idx", "kind, payload_hash, signer", names)
        return {(row.kind, row.payload_hash, row.signer): exact(row.idx, int) for row in found}

    def entries(
        self, kind: str | None = None, subject: bytes | None = None, indices: Collection[int] | None = None
    ) -> list[tuple[int, str, bytes, bytes, bytes]]:
        """(index, type, leaf hash, subject, envelope) in the order of the log, of what fits all that is given."""
        query = (
            sa.select(ENTRIES.c.idx, ENTRIES.c.kind, ENTRIES.c.leaf, ENTRIES.c.subject, STATEMENTS.c.envelope)
            .outerjoin_from(ENTRIES, STATEMENTS)
            .order_by(ENTRIES.c.idx)
        )
        for column, value in ((ENTRIES.c.kind, kind), (ENTRIES.c.subject, subject)):
            query = query if value is None else query.where(column == value)
        query = query if indices is None else query.where(ENTRIES.c.idx.in_(indices))
        return [
            (row.idx, row.kind, row.leaf, row.subject, row.envelope or b"") for row in self.connection.execute(query)
        ]

    def raw(self, table: str, column: str, start: int, end: int) -> Iterator[Any]:
        """Rows of a table as the database has them, nothing checked, for whoever judges them; a few at a time.

        Args:
            table: Its name.
            column: Of this integer column, the values from ``start`` to ``end`` (exclusive).
            start: The first value.
            end: The first value not wanted.
        """
        t = TABLES.tables[table]
        query = sa.select(*(sa.type_coerce(c, sa.types.NullType()).label(c.name) for c in t.c))
        query = query.where(t.c[column] >= start, t.c[column] < end).order_by(*t.primary_key)
        yield from self.connection.execute(query.execution_options(yield_per=_FEW))

    def totals(self) -> dict[str, int]:
        """Number of rows of each table."""
        count = sa.select(sa.func.count())
        return {name: int(self._scalar(count.select_from(table))) for name, table in TABLES.tables.items()}

    # --- the tree (RFC 6962 section 2.1) -----------------------------------------------------------------------

    def load(self, spans: Iterable[Span]) -> None:
        """Read all nodes that these subtrees are made of, at once; raises CorruptStoreError if one is missing."""
        wanted = [node for node in dict.fromkeys(n for span in spans for n in cover(*span)) if node not in self._nodes]
        for row in self._matching(NODES, "hash", "level, idx", wanted):
            self._nodes[row.level, row.idx] = exact(row.hash, bytes)
        for level, index in wanted:
            if (level, index) not in self._nodes:
                raise CorruptStoreError(f"the log lacks node {index} of level {level} of its tree")

    def _hashes(self, spans: Sequence[Span]) -> tuple[bytes, ...]:
        self.load(spans)
        return tuple(self._hash(span) for span in spans)

    def _hash(self, span: Span) -> bytes:
        """Hash of a subtree whose nodes have been read: joined from the right, where they are smallest."""
        return reduce(lambda right, left: node_hash(left, right), [self._nodes[node] for node in cover(*span)][::-1])

    def root(self, size: int) -> bytes:
        """Root over the first ``size`` leaves, from the complete nodes of its right edge."""
        return self._hashes([(0, size)])[0] if size else sha256(b"")

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        """Inclusion proof of a leaf in the tree of that size, from its sibling upwards."""
        return self._hashes(inclusion_spans(index, size))

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Consistency proof from the first ``old`` leaves to the first ``new`` (RFC 6962 section 2.1.2)."""
        return self._hashes(consistency_spans(old, new))

    def nodes(self, level: int, start: int, end: int) -> list[bytes]:
        """Hashes of the complete subtrees of 2**level leaves, or of leaves, from ``start`` to ``end`` (exclusive)."""
        t = NODES.c
        query = sa.select(t.idx, t.hash).where(t.level == level, t.idx >= start, t.idx < end).order_by(t.idx)
        found = self.connection.execute(query).all()
        if [row.idx for row in found] != list(range(start, end)):
            raise CorruptStoreError(f"the log lacks nodes of level {level} of its tree between {start} and {end}")
        return [row.hash for row in found]

    # --- writing -----------------------------------------------------------------------------------------------

    def append(self, start: int, submissions: Sequence[Submission]) -> None:
        """Insert entries from index ``start`` on, their signed objects, and the nodes they complete."""
        self.load([(0, start)])
        nodes = []
        for index, submission in enumerate(submissions, start):
            node = submission.leaf
            for at, (level, number) in enumerate(new_nodes(index)):
                node = node_hash(self._nodes[level - 1, 2 * number], node) if at else node
                self._nodes[level, number] = node
                nodes.append({"level": level, "idx": number, "hash": node})
        rows = [
            {
                "idx": index,
                "kind": s.kind,
                "payload_hash": s.payload_hash,
                "signer": s.envelope.signer,
                "signature": s.envelope.signature,
                "leaf": s.leaf,
                "subject": s.subject,
            }
            for index, s in enumerate(submissions, start)
        ]
        objects = [{"idx": index, "envelope": s.data} for index, s in enumerate(submissions, start)]
        for table, new in ((ENTRIES, rows), (STATEMENTS, objects), (NODES, nodes)):
            self.connection.execute(table.insert(), new)

    def sign(self, size: int, note: bytes) -> None:
        """Keep the signed checkpoint of that size; there is never a second one."""
        self.connection.execute(CHECKPOINTS.insert(), {"size": size, "note": note})

    def keep(self, size: int, lines: Mapping[str, str]) -> None:
        """Keep witnesses' lines (by their vkeys) for the checkpoint of that size; the first one of each stays."""
        have = self.cosignatures(size)
        new = [{"size": size, "witness": key, "line": line} for key, line in lines.items() if key not in have]
        if new:
            self.connection.execute(COSIGNATURES.insert(), new)

    def create(self, meta: Mapping[str, str]) -> None:
        """Make the tables, and fill ``meta``."""
        TABLES.create_all(self.connection)
        self.connection.execute(META.insert(), [{"name": name, "value": value} for name, value in meta.items()])

    @property
    def complete(self) -> bool:
        """Whether every table is there."""
        return sa.inspect(self.connection).has_table(COSIGNATURES.name)

    def add_tables(self) -> None:
        """Make the tables that a log of an earlier version lacks."""
        TABLES.create_all(self.connection)


_SIZE = sa.select(sa.func.coalesce(sa.func.max(ENTRIES.c.idx) + 1, 0))
_COSIGNED = (  # built once, as the next: every receipt asks this
    sa.select(COSIGNATURES).where(COSIGNATURES.c.size == sa.bindparam("size")).order_by(COSIGNATURES.c.witness)
)
_LAST = (
    sa.select(_SIZE.scalar_subquery().label("entries"), CHECKPOINTS.c.size, CHECKPOINTS.c.note)
    .order_by(CHECKPOINTS.c.size.desc())
    .limit(1)
)
