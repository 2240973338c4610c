"""What a log's database holds of each entry, read a few at a time, and checked against the signed object itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from wmproto.crypto.merkle import leaf_hash
from wmproto.errors import FormatError
from wmproto.registry.entry import entry_bytes
from wmproto.registry.view import View, doubt
from wmproto.wire.dsse import Envelope

__all__ = ["Stored", "stored_entries"]


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as its signed object makes it.

    Attributes:
        index: In the log.
        kind: Its type.
        envelope: The signed object.
        entry: The bytes that are logged.
        columns: What the database holds beside it, unchecked: payload_hash, signer, signature, leaf, subject.
    """

    index: int
    kind: str
    envelope: Envelope
    entry: bytes
    columns: dict[str, Any]

    @property
    def leaf(self) -> bytes:
        """Its leaf hash, 32 bytes."""
        return leaf_hash(self.entry)


def stored_entries(view: View, start: int, end: int) -> Iterator[Stored]:
    """The entries from ``start`` to ``end`` (exclusive), in order, without a gap.

    Raises:
        CorruptStoreError: One is missing, or its object is missing or no signed object; names the index.
    """
    rows = zip_longest(view.rows.raw("entries", "idx", start, end), view.rows.raw("statements", "idx", start, end))
    for index in range(start, end):
        row, statement = next(rows, (None, None))
        if row is None or row.idx != index:
            raise doubt(view.where, f"entry {index} is missing")
        if statement is None or statement.idx != index:
            raise doubt(view.where, f"the signed object of entry {index} is missing")
        yield _stored(view, index, dict(row._mapping), statement.envelope)


def _stored(view: View, index: int, columns: dict[str, Any], data: object) -> Stored:
    kind = columns.pop("kind")
    if not isinstance(kind, str) or not isinstance(data, bytes):
        raise doubt(view.where, f"the type or the signed object of entry {index} is damaged")
    try:
        envelope = Envelope.parse(data)
        entry = entry_bytes(view.profile, kind, envelope)
    except (FormatError, UnicodeEncodeError) as err:
        raise doubt(view.where, f"the type or the signed object of entry {index} is damaged ({err})") from err
    del columns["idx"]
    return Stored(index, kind, envelope, entry, columns)
