"""Z, the key statement: everything that fixes a key before its labels exist (specs/commitment.md).

Nothing that can be chosen or re-obtained later enters key_id: no log entry, signature or receipt.
"""

from dataclasses import dataclass
from math import prod
from typing import Annotated, Literal

from pydantic import Field

from wmproto.crypto.beacon import beacon_named
from wmproto.crypto.signing import verify_envelope
from wmproto.errors import FormatError, SignatureError, UnsupportedError
from wmproto.wire.dsse import Envelope, Statement
from wmproto.wire.profile import Profile
from wmproto.wire.schema import Hex32, Text, Uint, Wire

STATEMENT_LIMIT = 32 << 10  # bytes of a key statement's payload
INPUT_LIMIT = 256 << 10  # bytes of one input, so that a round of openings fits a signed object
SUITE = "sha256-tree"

_Dimension = Annotated[int, Field(ge=1, le=1 << 24)]


class InputSpec(Wire):
    """Kind, shape and dtype of every input of a key."""

    dtype: Text
    kind: Text
    shape: Annotated[tuple[_Dimension, ...], Field(min_length=1, max_length=4)]

    @property
    def size_bytes(self) -> int:
        """Bytes of one input (dtype uint8)."""
        return prod(self.shape)


class KeyStatement(Wire):
    """Z. Field names are the wire's.

    Attributes:
        N: Number of leaves.
        R: Root over exactly N leaves.
        classes: Class names in order; answers and labels are indices into it.
        input: What an input is.
        keyctx: 32 fresh random bytes.
        label_source: ``fiat-shamir``, later the one beacon round that gives beta.
        labels: ``secret`` or ``public``.
        m: Equally likely labels: p0 = 1/m.
        mode: Label mode U, S or P.
        owner: Ed25519 public key that the key belongs to.
        profile: Name of the profile.
        q: Inputs a leaf.
        suite: Commitment suite.
    """

    N: Uint
    R: Hex32
    classes: Annotated[tuple[Text, ...], Field(min_length=2, max_length=4096)]
    input: InputSpec
    keyctx: Hex32
    label_source: Text
    labels: Literal["secret", "public"]
    m: Uint
    mode: Literal["U", "S", "P"]
    owner: Hex32
    profile: Text
    q: Uint
    suite: Text


def check_rules(z: KeyStatement, profile: Profile) -> None:
    """Check what Z says about itself; what this version does not do yet is refused by name (com-z-9).

    Raises:
        FormatError: Z breaks a rule (UnsupportedError: not supported by this version).
    """
    supported = (
        ("label mode", z.mode, "U"),
        ("labels", z.labels, "secret"),
        ("suite", z.suite, SUITE),
        ("q", z.q, 1),
        ("input dtype", z.input.dtype, "uint8"),
        ("input kind", z.input.kind, "image"),
    )
    for name, value, only in supported:
        if value != only:
            raise UnsupportedError(f"{name} {value!r} is not supported by this version", hint=f"supported: {only}")
    beacon_named(z.label_source)
    if z.profile != profile.name:
        raise FormatError(f"key statement: profile {z.profile!r} is not {profile.name!r}")
    if not profile.is_leaf_count(z.N):
        hint = "N is a multiple of 16 from 16 to 2,048, or a multiple of 2,048 up to 65,536"
        raise FormatError(f"key statement: N = {z.N} leaves", hint=hint)
    if len(set(z.classes)) != len(z.classes):
        raise FormatError("key statement: two classes have the same name")
    if z.m != len(z.classes):
        raise FormatError(f"key statement: m = {z.m} for {len(z.classes)} classes; label mode U draws from all")
    if z.input.size_bytes > INPUT_LIMIT:
        raise FormatError(f"key statement: an input of {z.input.size_bytes} bytes, at most {INPUT_LIMIT}")


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """A key statement whose signature and rules hold; nothing is said about the log.

    Attributes:
        z: The statement.
        key_id: H("key", Zbytes), 32 bytes.
        beta: Label randomness, 32 bytes.
        envelope: The signed object.
        profile: The profile it was verified under.
    """

    z: KeyStatement
    key_id: bytes
    beta: bytes
    envelope: Envelope
    profile: Profile

    @property
    def beacon(self) -> bool:
        """Whether beta comes from a beacon (then fewer bits are due)."""
        return not beacon_named(self.z.label_source).costs_grinding

    @property
    def bits(self) -> int:
        """L of the profile for this key."""
        return self.profile.bits(beacon=self.beacon)


def verify_key(envelope: Envelope, *, profile: Profile) -> VerifiedKey:
    """Verify a key statement: signature first, then exactly these bytes are parsed.

    Raises:
        SignatureError: Not signed by the owner that Z names.
        FormatError: Z is malformed or breaks a rule (UnsupportedError: not supported by this version).
    """
    payload = verify_envelope(envelope)
    statement = Statement[KeyStatement].parse(payload, "key", limit=STATEMENT_LIMIT)
    z = statement.predicate
    if z.owner != envelope.signer:
        raise SignatureError("the key statement is not signed by the owner it names", rule="com-z-2", fault="owner")
    check_rules(z, profile)
    if statement.only_subject("root") != profile.hash("root", z.suite, z.R):
        raise FormatError("key statement: the subject is not H(root, suite, R)")
    return VerifiedKey(
        z=z,
        key_id=profile.hash("key", payload),
        beta=beacon_named(z.label_source).beta(profile, payload),
        envelope=envelope,
        profile=profile,
    )
