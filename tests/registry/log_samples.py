"""Signed objects to log, and the naive tree to compare with."""

from hashlib import sha256

from nacl import bindings

from wmproto.crypto.signer import Signer
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import pae
from wmproto.wire.labels import STATEMENT_TYPE, predicate_type

NAME = "log.test/1"


def signer(name):
    return Signer(sha256(name.encode()).digest())


LOG, OWNER, STRANGER = signer("log"), signer("owner"), signer("stranger")


def payload(n, kind="key", subject=None):
    """Statement number n of a kind, about one subject."""
    digest = sha256(b"subject %d" % n).hexdigest() if subject is None else subject.hex()
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "predicate": {"n": n, "list": [1, {"deep": None}]},
            "predicateType": predicate_type(kind),
            "subject": [{"digest": {"sha256": digest}, "name": "thing"}],
        }
    )


def signed(n, kind="key", by=OWNER, subject=None):
    return by.envelope(payload(n, kind, subject))


def signed_again(envelope, by, nonce):
    """Another valid signature by the same key over the same payload: Ed25519 with a nonce of one's own."""
    message, wide = pae(envelope.payload), sha256(nonce).digest() * 2
    secret = bytearray(bindings.crypto_hash_sha512(by._secret[:32])[:32])
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    a = bindings.crypto_core_ed25519_scalar_reduce(bytes(secret) + bytes(32))
    r = bindings.crypto_core_ed25519_scalar_reduce(wide)
    point = bindings.crypto_scalarmult_ed25519_base_noclamp(r)
    k = bindings.crypto_core_ed25519_scalar_reduce(bindings.crypto_hash_sha512(point + by.public + message))
    s = bindings.crypto_core_ed25519_scalar_add(bindings.crypto_core_ed25519_scalar_mul(k, a), r)
    return compose_envelope(envelope.payload, by.public, point + s)


def naive_root(leaves):
    """RFC 6962 section 2.1, word for word, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m, leaves):
    """RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]
