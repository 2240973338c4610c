"""The log on one machine: SQLite through SQLAlchemy, one transaction an append (specs/registry.md, "Operating").

Entries are durable before their checkpoint is signed, and the checkpoint before anybody sees a receipt. Only complete
nodes of the tree are stored: they never change. Never on the audit path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from wmproto.crypto.merkle import leaf_hash, node_hash
from wmproto.crypto.signing import Signer, verify_envelope
from wmproto.errors import ConfigError, ConflictError, CorruptStoreError, FormatError, NotFoundError, RegistryError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.copy import write_log_copy
from wmproto.registry.entry import entry_bytes
from wmproto.registry.note import LogKey, sign_note
from wmproto.registry.receipt import Receipt
from wmproto.wire.canonical import parse_canonical
from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope
from wmproto.wire.files import replace
from wmproto.wire.labels import ENTRY_TYPES, predicate_type
from wmproto.wire.profile import WMPROTO_1, Profile

__all__ = ["Log"]

_SCHEMA = "1"
_TABLES = sa.MetaData()
_META = sa.Table("meta", _TABLES, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))
_ENTRIES = sa.Table(
    "entries",
    _TABLES,
    sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload_hash", sa.LargeBinary, nullable=False),
    sa.Column("signer", sa.LargeBinary, nullable=False),
    sa.Column("subject", sa.LargeBinary, nullable=False, index=True),
    sa.Column("leaf", sa.LargeBinary, nullable=False, index=True),
    sa.Column("envelope", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("kind", "payload_hash", "signer"),
)
_NODES = sa.Table(
    "nodes",
    _TABLES,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("idx", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
_CHECKPOINTS = sa.Table(
    "checkpoints",
    _TABLES,
    sa.Column("size", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("note", sa.LargeBinary, nullable=False),
)


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"isolation_level": None, "timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except IntegrityError as err:
        raise ConflictError(f"the log {path} holds something else than was read") from err
    except OperationalError as err:
        raise RegistryError(
            f"the log {path} cannot be used: {err.orig}", hint="is it locked, read-only, or the disk full?"
        ) from err
    except DatabaseError as err:
        raise CorruptStoreError(f"{path} is not a log's database: {err.orig}", hint="check the path") from err


class Log:
    """A local log. Make one with ``create`` or ``open``."""

    def __init__(self, path: Path, engine: sa.Engine, key: LogKey, signer: Signer | None, profile: Profile) -> None:
        self.path, self.key, self.profile = path, key, profile
        self._engine, self._signer = engine, signer

    @classmethod
    def create(cls, path: Path, origin: str, signer: Signer, *, profile: Profile = WMPROTO_1) -> Log:
        """Start an empty log in a new file.

        Raises:
            ConflictError: The file exists.
            FormatError: The origin is no log name.
            RegistryError: The file cannot be written.
        """
        key = LogKey(origin, signer.public)
        if path.exists():
            raise ConflictError(f"{path} exists already", hint="a log is never started anew over another")
        with _translated(path):
            engine = _engine(path)
            log = cls(path, engine, key, signer, profile)
            with engine.begin() as db:
                _TABLES.create_all(db)
                db.execute(_META.insert(), [{"name": "schema", "value": _SCHEMA}, {"name": "vkey", "value": str(key)}])
                log._sign(db, Checkpoint(origin, 0, log._root(db, 0)))
        return log

    @classmethod
    def open(cls, path: Path, signer: Signer | None = None, *, profile: Profile = WMPROTO_1) -> Log:
        """Open an existing log, to read it, or with its key to append.

        Raises:
            NotFoundError: There is no such file: a typo must not start an empty log.
            CorruptStoreError: Not a log's database, or one that contradicts its own last checkpoint.
            ConfigError: The signer is not this log's.
        """
        if not path.is_file():
            raise NotFoundError(f"there is no log at {path}", hint="registry new starts one; check the path")
        with _translated(path):
            engine = _engine(path)
            with engine.connect() as db:
                meta = {row.name: row.value for row in db.execute(sa.select(_META))}
        if meta.get("schema") != _SCHEMA or "vkey" not in meta:
            raise CorruptStoreError(f"{path} is not a log of this version")
        log = cls(path, engine, LogKey.parse(meta["vkey"]), signer, profile)
        if signer is not None and signer.public != log.key.public:
            raise ConfigError("this key is not the log's", hint="each log has a key file of its own")
        log._check()
        return log

    @property
    def vkey(self) -> str:
        """The log's verifier key."""
        return str(self.key)

    def _check(self) -> None:
        with _translated(self.path), self._engine.connect() as db:
            size = self._size(db)
            note = self._note(db, size)
            checkpoint = verify_checkpoint(note, self.key) if note else None
            if checkpoint is None or checkpoint.size != size or checkpoint.root != self._root(db, size):
                raise CorruptStoreError(
                    f"the log {self.path} contradicts its last checkpoint", hint="restore it; it refuses to sign"
                )

    # --- reading -----------------------------------------------------------------------------------------------

    @staticmethod
    def _size(db: sa.Connection) -> int:
        return int(db.execute(sa.select(sa.func.coalesce(sa.func.max(_ENTRIES.c.idx) + 1, 0))).scalar_one())

    @staticmethod
    def _note(db: sa.Connection, size: int) -> bytes | None:
        note: bytes | None = db.execute(sa.select(_CHECKPOINTS.c.note).where(_CHECKPOINTS.c.size == size)).scalar()
        return note

    @staticmethod
    def _node(db: sa.Connection, level: int, index: int) -> bytes:
        node: bytes | None = db.execute(
            sa.select(_NODES.c.hash).where(_NODES.c.level == level, _NODES.c.idx == index)
        ).scalar()
        if node is None:
            raise CorruptStoreError(f"the log lacks node {index} of level {level}")
        return node

    def _range(self, db: sa.Connection, start: int, end: int) -> bytes:
        """Hash of the subtree over leaves start to end (exclusive), where start is a multiple of its width."""
        width = end - start
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self._node(db, level, start >> level)
        split = 1 << (width - 1).bit_length() - 1
        return node_hash(self._range(db, start, start + split), self._range(db, start + split, end))

    def _root(self, db: sa.Connection, size: int) -> bytes:
        from wmproto.wire.framing import sha256

        return self._range(db, 0, size) if size else sha256(b"")

    def _path(self, db: sa.Connection, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        split = start + (1 << (end - start - 1).bit_length() - 1)
        if index < split:
            return [*self._path(db, index, start, split), self._range(db, split, end)]
        return [*self._path(db, index, split, end), self._range(db, start, split)]

    def checkpoint(self) -> bytes:
        """The latest signed checkpoint; of size 0 for an empty log."""
        with _translated(self.path), self._engine.connect() as db:
            note = self._note(db, self._size(db))
        if note is None:
            raise CorruptStoreError(f"the log {self.path} lacks its last checkpoint")
        return note

    def find(self, leaf: bytes) -> int:
        """Index of the entry with that leaf hash; raises NotFoundError."""
        with _translated(self.path), self._engine.connect() as db:
            return self._find(db, leaf)

    @staticmethod
    def _find(db: sa.Connection, leaf: bytes) -> int:
        index: int | None = db.execute(sa.select(_ENTRIES.c.idx).where(_ENTRIES.c.leaf == leaf)).scalar()
        if index is None:
            raise NotFoundError("the log has no such entry", hint="registry submit appends it")
        return index

    def entries(self, kind: str | None = None, subject: bytes | None = None) -> list[tuple[int, str, Envelope]]:
        """(index, type, signed object) in the order of the log, of one type or about one subject digest."""
        query = sa.select(_ENTRIES.c.idx, _ENTRIES.c.kind, _ENTRIES.c.envelope).order_by(_ENTRIES.c.idx)
        if kind is not None:
            query = query.where(_ENTRIES.c.kind == kind)
        if subject is not None:
            query = query.where(_ENTRIES.c.subject == subject)
        with _translated(self.path), self._engine.connect() as db:
            return [(row.idx, row.kind, Envelope.parse(row.envelope)) for row in db.execute(query)]

    def receipts(self, leaves: Sequence[bytes], size: int | None = None) -> list[bytes]:
        """Receipts of several entries under one checkpoint: the latest, or the one of that size.

        Raises:
            NotFoundError: An entry or the checkpoint is not there.
        """
        with _translated(self.path), self._engine.connect() as db:
            size = self._size(db) if size is None else size
            note = self._note(db, size)
            indices = [self._find(db, leaf) for leaf in leaves]
            if note is None or any(i >= size for i in indices):
                raise NotFoundError(f"the log has no checkpoint of {size} entries with all of these")
            return [Receipt(i, tuple(self._path(db, i, 0, size)), note).to_bytes() for i in indices]

    def export(self, path: Path) -> None:
        """Write a copy of the whole log for auditors, in place of an older one."""
        entries = [(kind, envelope) for _, kind, envelope in self.entries()]
        with _translated(self.path), self._engine.connect() as db:
            note = self._note(db, len(entries))
        if note is None:
            raise CorruptStoreError(f"the log {self.path} lacks a checkpoint")
        replace(path, b"".join(write_log_copy(note, self.key, entries)))

    # --- appending ---------------------------------------------------------------------------------------------

    def submit(self, kind: str, envelope: Envelope) -> bytes:
        """Append a signed object as an entry; the same (type, payload, signer) again finds the first one.

        Args:
            kind: key, release, admit or decide.
            envelope: A signed in-toto Statement of that kind. What it means is for its readers to judge.

        Returns:
            The receipt.

        Raises:
            FormatError: Another kind, not a canonical Statement of that kind, or too large.
            SignatureError: The signature does not verify.
            ConfigError: The log was opened without its key.
            RegistryError: The store fails; nothing was appended.
        """
        subject = _subject(kind, envelope)
        entry = entry_bytes(self.profile, kind, envelope)
        with _translated(self.path), self._engine.begin() as db:
            same = (
                (_ENTRIES.c.kind == kind)
                & (_ENTRIES.c.payload_hash == envelope.payload_hash)
                & (_ENTRIES.c.signer == envelope.signer)
            )
            index = db.execute(sa.select(_ENTRIES.c.idx).where(same)).scalar()
            size = self._size(db)
            if index is None:
                index, size = size, size + 1
                row = {"idx": index, "kind": kind, "payload_hash": envelope.payload_hash, "signer": envelope.signer}
                leaf = leaf_hash(entry)
                row |= {"subject": subject, "leaf": leaf, "envelope": envelope.to_bytes()}
                db.execute(_ENTRIES.insert(), row)
                self._grow(db, index, leaf)
                self._sign(db, Checkpoint(self.key.name, size, self._root(db, size)))
            note = self._note(db, size) or b""
            receipt = Receipt(index, tuple(self._path(db, index, 0, size)), note)
        return receipt.to_bytes()

    def _grow(self, db: sa.Connection, index: int, node: bytes) -> None:
        level = 0
        while True:
            db.execute(_NODES.insert(), {"level": level, "idx": index, "hash": node})
            if not index & 1:
                return
            node = node_hash(self._node(db, level, index - 1), node)
            level, index = level + 1, index >> 1

    def _sign(self, db: sa.Connection, checkpoint: Checkpoint) -> None:
        if self._signer is None:
            raise ConfigError("the log was opened to be read", hint="give its key to append")
        note = sign_note(checkpoint.text, self.key.name, self._signer)
        db.execute(_CHECKPOINTS.insert(), {"size": checkpoint.size, "note": note})


def _subject(kind: str, envelope: Envelope) -> bytes:
    """Check what the log checks of a signed object, and return the digest of its first subject."""
    if kind not in ENTRY_TYPES:
        raise FormatError(f"entry type {kind!r}: not one of {', '.join(ENTRY_TYPES)}")
    payload = parse_canonical(verify_envelope(envelope), what=f"{kind} entry", limit=ENVELOPE_LIMIT)
    if not isinstance(payload, dict) or payload.get("predicateType") != predicate_type(kind):
        raise FormatError(f"{kind} entry: not a statement of type {predicate_type(kind)}")
    try:
        return bytes.fromhex(payload["subject"][0]["digest"]["sha256"])
    except (KeyError, IndexError, TypeError, ValueError) as err:
        raise FormatError(f"{kind} entry: the statement has no subject") from err
