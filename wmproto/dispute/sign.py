"""Signing a message of a dispute; verifying is messages.parse_message's."""

from __future__ import annotations

from wmproto.crypto.signer import Signer
from wmproto.dispute.messages import Message
from wmproto.wire.compose import compose_statement
from wmproto.wire.dsse import Envelope


def sign_message(message: Message, *, key_id: bytes, signer: Signer) -> Envelope:
    """Sign a message of the dispute over the key with that key_id."""
    kind = type(message).__name__.lower()
    return signer.envelope(compose_statement(kind, message, ("key", key_id)))
