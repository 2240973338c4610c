"""The request by which a log asks a witness for a cosignature (c2sp.org/tlog-witness, add-checkpoint)."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.errors import FormatError
from wmproto.registry.checkpoint import Checkpoint, parse_decimal
from wmproto.registry.note import NOTE_LIMIT, Note
from wmproto.wire.schema import decode_b64, encode_b64

ADD_CHECKPOINT_LIMIT = NOTE_LIMIT + 8192  # bytes: 63 lines of proof need 2,900
SIZE_TYPE = "text/x.tlog.size"  # content type of the size in an answer 409
_PROOF_LINES = 63
_TEXT_LIMIT = NOTE_LIMIT - 1024  # bytes: the note must still be a note with the log's line and a witness's


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A parsed request, nothing verified.

    Attributes:
        old: Size from which the proof leads.
        proof: Consistency proof, up to 63 hashes of 32 bytes.
        note: The checkpoint's note; its text may have extension lines.
        checkpoint: Its first three lines.
    """

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    @classmethod
    def parse(cls, data: bytes) -> AddCheckpoint:
        """Parse a request of at most 72 KiB; raises FormatError."""
        if len(data) > ADD_CHECKPOINT_LIMIT:
            raise FormatError(f"more than {ADD_CHECKPOINT_LIMIT} bytes")
        head, blank, rest = data.partition(b"\n\n")
        try:
            first, *lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as err:
            raise FormatError("not ASCII before the checkpoint") from err
        if not blank or not first.startswith("old "):
            raise FormatError("no line with the old size, or no empty line after the proof")
        if len(lines) > _PROOF_LINES:
            raise FormatError(f"more than {_PROOF_LINES} lines of proof")
        old = parse_decimal(first.removeprefix("old "), "old size")
        proof = tuple(map(decode_b64, lines))
        if any(len(node) != 32 for node in proof):
            raise FormatError("a hash of the proof has not 32 bytes")
        note = Note.parse(rest)
        checkpoint = Checkpoint.parse(note.text, extended=True)
        if len(note.text.encode()) > _TEXT_LIMIT:
            raise FormatError("the text of the checkpoint leaves no room for a signature")
        return cls(old, proof, note, checkpoint)


def write_add_checkpoint(old: int, proof: tuple[bytes, ...], note: bytes) -> bytes:
    """The bytes of a request; the note as it was signed."""
    return "\n".join([f"old {old}", *map(encode_b64, proof), "", ""]).encode() + note
