"""A checkpoint: the log's signed word on its size and root (c2sp.org/tlog-checkpoint); no extension lines."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.errors import FormatError
from wmproto.registry.note import LogKey, open_note
from wmproto.wire.schema import decode_b64, encode_b64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin, number of entries (below 2**63) and root (32 bytes) of a log at one moment."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{encode_b64(self.root)}\n"

    @classmethod
    def parse(cls, text: str, *, extended: bool = False) -> Checkpoint:
        """Parse the text of a note, which should be verified before; ``parse(t).text == t``.

        Args:
            text: The text.
            extended: Pass over extension lines, as witnesses do and whoever judges a fork: they bind the log no less.

        Raises:
            FormatError: Not exactly origin, size and root.
        """
        *lines, end = text.split("\n")
        if len(lines) < 3 or (len(lines) > 3 and not extended) or end or "" in lines:
            raise FormatError("checkpoint: not three lines")
        root = decode_b64(lines[2])
        if len(root) != 32:
            raise FormatError("checkpoint: the root has not 32 bytes")
        return cls(lines[0], parse_decimal(lines[1], "checkpoint size"), root)


def parse_decimal(text: str, what: str) -> int:
    """Read a canonical ASCII decimal below 2**63; raises FormatError ("+7", "07", " 7" and other digits too)."""
    if not (text.isascii() and text.isdigit() and len(text) < 20) or str(int(text)) != text or int(text) >= 1 << 63:
        raise FormatError(f"{what}: not a canonical decimal")
    return int(text)


def verify_checkpoint(note: bytes, key: LogKey, *, extended: bool = False) -> Checkpoint:
    """Verify a checkpoint's signature, then read its size and root; ``extended`` as for Checkpoint.parse.

    Raises:
        FormatError: Malformed, an extension line, or another origin than the key's name.
        SignatureError: Not signed by the log.
    """
    checkpoint = Checkpoint.parse(open_note(note, key), extended=extended)
    if checkpoint.origin != key.name:
        raise FormatError("checkpoint: the origin is not the log's name")
    return checkpoint
