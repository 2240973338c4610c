"""What every command shows of others: their words, and their keys in short."""

from wmproto.wire.plain import plain

__all__ = ["plain", "short"]


def short(key: bytes) -> str:
    """The first 8 bytes of a public key or digest: enough to recognise one among a few, not to trust it."""
    return key.hex()[:16]
