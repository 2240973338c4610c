"""A log entry: what was signed, by whom, as what (specs/registry.md, reg-entry-*)."""

from wmproto.crypto.merkle import leaf_hash
from wmproto.wire.dsse import Envelope
from wmproto.wire.framing import frame
from wmproto.wire.profile import Profile


def entry_bytes(profile: Profile, kind: str, envelope: Envelope) -> bytes:
    """frame(tag, type, SHA-256(payload), signer's public key, signature): less than 300 bytes."""
    return frame(profile.tag("entry"), kind, envelope.payload_hash, envelope.signer, envelope.signature)


def entry_leaf(profile: Profile, kind: str, envelope: Envelope) -> bytes:
    """The entry's RFC 6962 leaf hash, 32 bytes: names a signed object in messages of a dispute."""
    return leaf_hash(entry_bytes(profile, kind, envelope))
