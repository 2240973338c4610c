"""A receipt: proof that an entry stands in the log (c2sp.org/tlog-proof@v1), checked offline against the log's key."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.crypto.merkle import verify_inclusion
from wmproto.errors import FormatError, UnsupportedError
from wmproto.registry.checkpoint import Checkpoint, parse_decimal, verify_checkpoint
from wmproto.registry.note import NOTE_LIMIT, LogKey
from wmproto.wire.schema import decode_b64, encode_b64

_HEAD = "c2sp.org/tlog-proof@v1"
RECEIPT_LIMIT = NOTE_LIMIT + 8192  # bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed receipt, nothing verified: index, path (32 bytes a hash, leaf upwards) and the checkpoint's note."""

    index: int
    path: tuple[bytes, ...]
    note: bytes

    def to_bytes(self) -> bytes:
        """The receipt's text."""
        lines = [_HEAD, f"index {self.index}", *(encode_b64(h) for h in self.path), "", ""]
        return "\n".join(lines).encode() + self.note

    @classmethod
    def parse(cls, data: bytes) -> Receipt:
        """Parse a receipt.

        Raises:
            FormatError: Malformed (UnsupportedError: it has an ``extra`` line, which nothing authenticates).
        """
        if len(data) > RECEIPT_LIMIT:
            raise FormatError(f"receipt: more than {RECEIPT_LIMIT} bytes")
        proof, blank, note = data.partition(b"\n\n")
        try:
            lines = proof.decode("ascii").split("\n")
        except UnicodeDecodeError as err:
            raise FormatError("receipt: not ASCII before the checkpoint") from err
        if not blank or lines[0] != _HEAD or len(lines) < 2:
            raise FormatError("receipt: not a tlog-proof@v1")
        if lines[1].startswith("extra "):
            raise UnsupportedError("receipt: an extra line is not supported by this version")
        word, _, number = lines[1].partition(" ")
        path = tuple(decode_b64(line) for line in lines[2:])
        if word != "index" or any(len(h) != 32 for h in path):
            raise FormatError("receipt: not an index and hashes of 32 bytes")
        return cls(parse_decimal(number, "receipt index"), path, note)


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves: the entry's index in the tree of that checkpoint; and the checkpoint's note."""

    index: int
    checkpoint: Checkpoint
    note: bytes


def verify_receipt(data: bytes, leaf: bytes, key: LogKey) -> VerifiedReceipt:
    """Verify that an entry stands in the log; size and root come from the verified checkpoint alone.

    Args:
        data: The receipt.
        leaf: The entry's leaf hash, 32 bytes.
        key: The log's key.

    Raises:
        FormatError: Malformed.
        SignatureError: The checkpoint is not the log's.
        InclusionError: The entry does not stand there.
    """
    receipt = Receipt.parse(data)
    checkpoint = verify_checkpoint(receipt.note, key)
    verify_inclusion(leaf, index=receipt.index, size=checkpoint.size, path=receipt.path, root=checkpoint.root)
    return VerifiedReceipt(receipt.index, checkpoint, receipt.note)
