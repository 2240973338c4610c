"""Signing a message of a dispute; verifying is messages.parse_message's."""

from __future__ import annotations

from wmproto.crypto.signer import Signer
from wmproto.dispute.messages import Message, kind_of
from wmproto.wire.dsse import Envelope, Statement


def sign_message(message: Message, *, key_id: bytes, signer: Signer) -> Envelope:
    """Sign a message of the dispute over the key with that key_id."""
    statement = Statement[type(message)].make(kind_of(message), message, ("key", key_id))  # type: ignore[misc]
    return signer.envelope(statement.to_bytes())
