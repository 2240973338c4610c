"""An Ed25519 identity that can sign; verifying is crypto.signing's."""

from __future__ import annotations

from nacl import bindings

from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Envelope, pae
from wmproto.wire.hidden import Hidden


class Signer:
    """An Ed25519 identity. Neither repr nor str show the seed.

    Args:
        seed: 32 secret bytes.
    """

    __slots__ = ("_secret", "public")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise ValueError("an Ed25519 seed has 32 bytes")
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)
        self._secret = Hidden(self._secret)

    def __repr__(self) -> str:
        return f"Signer({self.public.hex()})"

    def sign(self, message: bytes) -> bytes:
        """Sign a message; 64 bytes, deterministic (RFC 8032)."""
        return bindings.crypto_sign(message, self._secret)[:64]

    def envelope(self, payload: bytes) -> Envelope:
        """Sign a payload as a DSSE envelope."""
        return compose_envelope(payload, self.public, self.sign(pae(payload)))
