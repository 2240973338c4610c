"""Putting signed objects together; dsse.py reads them. Only who signs needs this: an audit never loads it."""

from wmproto.wire.dsse import Digest, Envelope, Signature, Statement, Subject
from wmproto.wire.labels import PAYLOAD_TYPE, STATEMENT_TYPE, predicate_type
from wmproto.wire.schema import Wire, check_text


def compose_envelope(payload: bytes, signer: bytes, signature: bytes) -> Envelope:
    """Put together payload, public key (32 bytes) and signature (64 bytes)."""
    return Envelope(payload=payload, payloadType=PAYLOAD_TYPE, signatures=(Signature(keyid=signer, sig=signature),))


def compose_statement(kind: str, predicate: Wire, *subjects: tuple[str, bytes]) -> bytes:
    """The payload of a statement of the kind (``key``, ``file``, ...) about subjects (name, SHA-256 digest)."""
    typed: type[Statement[Wire]] = Statement[type(predicate)]  # type: ignore[misc,assignment]
    return typed(
        type_=STATEMENT_TYPE,
        predicate=predicate,
        predicateType=predicate_type(kind),
        subject=tuple(Subject(name=name, digest=Digest(sha256=digest)) for name, digest in subjects),
    ).to_bytes()


def is_text(value: str) -> bool:
    """Whether a text may stand in a signed object as a Text."""
    try:
        return bool(check_text(value))
    except ValueError:
        return False
