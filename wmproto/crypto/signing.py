"""Ed25519 by libsodium's rule (specs/encoding.md): one rule, so that two arbitrators cannot disagree.

Refused: small-order, non-canonical or mixed-order public keys and R, non-canonical S.
"""

from functools import lru_cache

from nacl import bindings
from nacl.exceptions import BadSignatureError

from wmproto.errors import SignatureError
from wmproto.wire.dsse import Envelope, pae


@lru_cache(maxsize=1024)
def check_public_key(public: bytes) -> bytes:
    """Return the key if it is a canonical point of the prime-order subgroup.

    Raises:
        SignatureError: It is not 32 bytes, not canonical, of small or mixed order.
    """
    if len(public) != 32 or not bindings.crypto_core_ed25519_is_valid_point(public):
        raise SignatureError("not an acceptable Ed25519 public key", rule="enc-ed25519-1")
    return public


def verify_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Check an Ed25519 signature.

    Raises:
        SignatureError: The key is not acceptable, or the signature is not the key's over this message.
    """
    check_public_key(public)
    if len(signature) != 64:
        raise SignatureError("a signature has 64 bytes", rule="enc-ed25519-2")
    # Newer releases of libsodium verify with the cofactor, older ones without: they differ where R is of mixed order.
    if not bindings.crypto_core_ed25519_is_valid_point(signature[:32]):
        raise SignatureError("the signature's R is not an acceptable point", rule="enc-ed25519-2")
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError as err:
        raise SignatureError("the signature does not verify", rule="enc-ed25519-2") from err


def verify_envelope(envelope: Envelope) -> bytes:
    """Check the signature of a signed object and return its payload bytes; parse only these.

    Raises:
        SignatureError: See verify_signature.
    """
    verify_signature(envelope.signer, pae(envelope.payload), envelope.signature)
    return envelope.payload
