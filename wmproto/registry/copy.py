"""An exported copy of a whole log, read without a database (specs/registry.md, reg-copy-*).

JSON lines: a header with the log's key and checkpoint, then one canonical line an entry. Promises that the entries are
all that the log signed, in its order; whether an entry's own signature holds, and what it means, its readers judge.
"""

from dataclasses import dataclass
from typing import Literal

from wmproto.crypto.merkle import tree_root
from wmproto.errors import FormatError, InclusionError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import NOTE_LIMIT, LogKey
from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope
from wmproto.wire.profile import Profile
from wmproto.wire.schema import Wire

COPY_LIMIT = 1 << 30  # bytes of a copy that tools read
_HEADER_LIMIT = 2 * NOTE_LIMIT  # bytes of the first line
_LINE_LIMIT = ENVELOPE_LIMIT + 1024  # bytes of any other line


class Header(Wire):
    """First line of a copy."""

    checkpoint: str
    format: Literal["wmproto/log-copy@v1"]
    vkey: str


class Line(Wire):
    """Any other line: one entry."""

    envelope: Envelope
    type: Literal["key", "release", "admit", "decide"]


@dataclass(frozen=True, slots=True)
class LogCopy:
    """A verified copy: the checkpoint, its note, and every entry below as (type, signed object) in the log's order."""

    checkpoint: Checkpoint
    note: bytes
    entries: tuple[tuple[str, Envelope], ...]


def read_log_copy(data: bytes, key: LogKey, *, profile: Profile) -> LogCopy:
    """Read a copy and check that it is whole: the entries hash to the root that the log signed.

    Args:
        data: The file.
        key: The log's key, from the reader's own trust, never from the file.
        profile: The profile.

    Raises:
        FormatError: Malformed.
        SignatureError: The checkpoint is not that log's.
        InclusionError: It is another log's, or an entry is missing, changed, added or out of order.
    """
    lines = data.split(b"\n")
    if len(lines) < 2 or lines[-1]:
        raise FormatError("log copy: not lines of JSON")
    header = Header.from_bytes(lines[0], what="log copy: line 1", limit=_HEADER_LIMIT)
    checkpoint = verify_checkpoint(header.checkpoint.encode(), key)
    if header.vkey != str(key):
        raise InclusionError("the copy names another log than the one that signed it", rule="reg-copy-2")
    entries = []
    for number, line in enumerate(lines[1:-1], 2):
        entry = Line.from_bytes(line, what=f"log copy: line {number}", limit=_LINE_LIMIT)
        entries.append((str(entry.type), entry.envelope))
    if len(entries) != checkpoint.size or tree_root([entry_leaf(profile, k, e) for k, e in entries]) != checkpoint.root:
        raise InclusionError(
            "the copy is not what the log signed: an entry is missing, changed or out of order", rule="reg-copy-3"
        )
    return LogCopy(checkpoint, header.checkpoint.encode(), tuple(entries))
