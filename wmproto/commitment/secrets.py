"""What the owner derives from her master secret: never seen by whoever audits (specs/commitment.md, com-leaf-*)."""

import hmac

from wmproto.wire.framing import frame
from wmproto.wire.hidden import Hidden
from wmproto.wire.labels import Word
from wmproto.wire.profile import Profile


def prf(profile: Profile, secret: bytes, word: Word, *fields: bytes | str | int) -> bytes:
    """PRF_s(word, fields...): HMAC-SHA-256 under a 32-byte secret over the frame of tag and fields, 32 bytes.

    Raises:
        ValueError: The secret has another length: HMAC takes k and k || 00 for the same key, and an empty one too.
    """
    if len(secret) != 32:
        raise ValueError("a PRF secret has 32 bytes")
    return hmac.digest(secret, frame(profile.tag(word), *fields), "sha256")


def leaf_key(profile: Profile, master: bytes, keyctx: bytes, index: int) -> bytes:
    """k_i = PRF_s("leafkey", keyctx, i): hiding salt and label key at once, 32 secret bytes."""
    return Hidden(prf(profile, master, "leafkey", keyctx, index))


def input_seed(profile: Profile, master: bytes, keyctx: bytes, index: int) -> bytes:
    """PRF_s("input", keyctx, i): the seed of a generated trigger, 32 secret bytes."""
    return Hidden(prf(profile, master, "input", keyctx, index))
