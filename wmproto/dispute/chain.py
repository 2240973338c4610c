"""The hash chain of a dispute: nothing in a transcript lies outside it but the receipt of ``decide``."""

from collections.abc import Sequence

from wmproto.wire.dsse import Envelope
from wmproto.wire.framing import frame
from wmproto.wire.profile import Profile


def link(profile: Profile, previous: bytes | None, envelope: Envelope) -> bytes:
    """link_j = H("link", link_{j-1}, SHA-256(payload), signer key, signature); link_{-1} is empty."""
    return profile.hash("link", previous or b"", envelope.payload_hash, envelope.signer, envelope.signature)


def link_logged(profile: Profile, previous: bytes, receipts: Sequence[bytes]) -> bytes:
    """The chain takes up the admission receipt: H("logged", link, frame(receipts)).

    Args:
        profile: The profile.
        previous: The link of ``admit``.
        receipts: tlog-proofs under one checkpoint: of admit, of the key, of release and prior if there are such, and of
            each earlier entry that admit lists.
    """
    return profile.hash("logged", previous, frame(*receipts))
