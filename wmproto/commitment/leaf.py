"""A leaf: one commitment that hides and binds its inputs and its label key (specs/commitment.md)."""

from collections.abc import Sequence

from wmproto.crypto.merkle import leaf_hash
from wmproto.wire.framing import frame, sha256
from wmproto.wire.profile import Profile


def inputs_hash(inputs: Sequence[bytes]) -> bytes:
    """SHA-256 of the untagged frame of a leaf's inputs."""
    return sha256(frame(*inputs))


def leaf_value(profile: Profile, keyctx: bytes, index: int, k: bytes, hashed_inputs: bytes, aux: bytes) -> bytes:
    """leaf_i, which is the RFC 6962 leaf hash: SHA-256(0x00 || frame(tag, keyctx, i, k_i, H(inputs_i), aux_i))."""
    return leaf_hash(frame(profile.tag("leaf"), keyctx, index, k, hashed_inputs, aux))
