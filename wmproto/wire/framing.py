"""Framing: one injective encoding of a list of fields, used under every hash of the protocol (specs/encoding.md)."""

from hashlib import sha256 as _sha256


def frame(*fields: bytes | str | int) -> bytes:
    """Encode fields one after the other, each as its u64 big-endian length and its bytes.

    Args:
        *fields: bytes as they are; str as UTF-8; int in [0, 2**64) as 8 bytes big-endian.

    Returns:
        The concatenation; two different lists of byte strings never give the same result.

    Raises:
        TypeError: A field has another type (bool included).
        ValueError: An integer is out of range.

    Source: specs/encoding.md, enc-frame-1 to 3.
    """
    parts: list[bytes] = []
    for field in fields:
        if isinstance(field, str):
            raw = field.encode()
        elif isinstance(field, bool):
            raise TypeError("a frame has no booleans")
        elif isinstance(field, int):
            if not 0 <= field < 1 << 64:
                raise ValueError("a frame's integer must be in [0, 2**64)")
            raw = field.to_bytes(8, "big")
        elif isinstance(field, bytes):
            raw = field
        else:
            raise TypeError(f"a frame has no {type(field).__name__}")
        parts += (len(raw).to_bytes(8, "big"), raw)
    return b"".join(parts)


def sha256(data: bytes) -> bytes:
    """Plain SHA-256, 32 bytes."""
    return _sha256(data).digest()
