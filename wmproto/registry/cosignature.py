"""A witness's cosignature: by its clock, the largest consistent tree it has seen (c2sp.org/tlog-cosignature, v1)."""

from wmproto.crypto.signing import verify_signature
from wmproto.errors import FormatError
from wmproto.registry.note import NoteKey


def cosigned_message(text: str, time: int) -> bytes:
    """What a witness signs: header, POSIX time in seconds, and the text of the checkpoint."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


class WitnessKey(NoteKey):
    """A witness's key: Ed25519, type 0x04."""

    __slots__ = ()
    KIND, TYPE = "witness", b"\x04"

    def verify(self, text: str, signature: bytes) -> None:
        """Check a cosignature: 8 bytes of time, then 64 of signature.

        Raises:
            FormatError: Not 72 bytes, or a time outside 1 to 2**63 - 1.
            SignatureError: It does not verify.
        """
        time = int.from_bytes(signature[:8], "big")
        if len(signature) != 72 or not 0 < time < 1 << 63:
            raise FormatError("cosignature: not a time and a signature")
        verify_signature(self.public, cosigned_message(text, time), signature[8:])
