"""A transcript: everything that was said in one dispute, in one canonical file (specs/dispute.md)."""

from typing import Annotated, Literal, Self

from pydantic import Field

from wmproto.wire.dsse import Envelope
from wmproto.wire.schema import B64, Wire

TRANSCRIPT_LIMIT = 256 << 20  # bytes


class Step(Wire):
    """One message, the signed objects it names, and the receipts if it was logged."""

    attached: Annotated[tuple[Envelope, ...], Field(max_length=4096)]
    message: Envelope
    receipts: Annotated[tuple[B64, ...], Field(max_length=4100)]


class Transcript(Wire):
    """All steps of one dispute in order; may end anywhere, for a dispute that was cut off goes on."""

    format: Literal["wmproto/transcript@v1"]
    steps: Annotated[tuple[Step, ...], Field(max_length=3 * 4096 + 5)]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse the canonical bytes of a transcript; raises FormatError."""
        return cls.from_bytes(data, what="transcript", limit=TRANSCRIPT_LIMIT)
