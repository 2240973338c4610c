"""Signed objects: a DSSE envelope over an in-toto Statement. Bytes and shapes only; signatures are crypto's business.

The rule over all: verify the received payload bytes, then parse exactly these (specs/encoding.md, enc-sign-1).
"""

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field

from wmproto.errors import FormatError
from wmproto.wire.canonical import canonical_json
from wmproto.wire.framing import sha256
from wmproto.wire.labels import PAYLOAD_TYPE, predicate_type
from wmproto.wire.schema import B64, Hex32, Text, Wire

#: Largest signed object in bytes: a round of 16 openings of 256 KiB each fits.
ENVELOPE_LIMIT = 8 << 20


def pae(payload: bytes) -> bytes:
    """DSSE pre-authentication encoding of a payload of our type: the bytes that are signed (DSSE v1.0.2)."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


class Signature(Wire):
    """An Ed25519 signature of 64 bytes and its public key."""

    keyid: Hex32
    sig: Annotated[B64, Field(min_length=64, max_length=64)]


class Envelope(Wire):
    """Payload bytes with one Ed25519 signature over their PAE; ``keyid`` is the signer's public key itself."""

    payload: B64
    payloadType: Literal["application/vnd.in-toto+json"]
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=1)]

    @classmethod
    def parse(cls, data: bytes, *, what: str = "signed object") -> Self:
        """Parse an envelope's canonical JSON; raises FormatError. The signature is not yet verified."""
        return cls.from_bytes(data, what=what, limit=ENVELOPE_LIMIT)

    @property
    def signer(self) -> bytes:
        """Public key that claims to have signed, 32 bytes."""
        return self.signatures[0].keyid

    @property
    def signature(self) -> bytes:
        """The signature, 64 bytes."""
        return self.signatures[0].sig

    @property
    def payload_hash(self) -> bytes:
        """SHA-256 of the payload bytes."""
        return sha256(self.payload)


def claims_kind(payload: bytes, kind: str) -> bool:
    """Whether a canonical payload says that it is a statement of that kind; Statement.parse checks everything."""
    return b'"predicateType":' + canonical_json(predicate_type(kind)) in payload


class Digest(Wire):
    """A digest set with SHA-256 alone."""

    sha256: Hex32


class Subject(Wire):
    """What a statement is about."""

    digest: Digest
    name: Text


P = TypeVar("P", bound=Wire)


class Statement(Wire, Generic[P]):
    """An in-toto Statement v1 whose predicate is of one known type."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    predicate: P
    predicateType: str
    subject: Annotated[tuple[Subject, ...], Field(min_length=1, max_length=64)]

    @classmethod
    def parse(cls, payload: bytes, kind: str, *, limit: int = ENVELOPE_LIMIT) -> Self:
        """Parse the payload of a statement of that kind.

        Raises:
            FormatError: Not canonical, unknown fields, another kind.
        """
        statement = cls.from_bytes(payload, what=f"{kind} statement", limit=limit)
        if statement.predicateType != predicate_type(kind):
            raise FormatError(f"{kind} statement: the predicate type is {statement.predicateType[:80]!r}")
        return statement

    def only_subject(self, name: str) -> bytes:
        """The digest of the one subject, which must have that name; raises FormatError."""
        if len(self.subject) != 1 or self.subject[0].name != name:
            raise FormatError(f"the statement's one subject must be {name!r}")
        return self.subject[0].digest.sha256
