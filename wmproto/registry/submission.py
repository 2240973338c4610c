"""What may be appended: a signed object whose signature and form have been verified (reg-entry-2 to 4, reg-entry-6)."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ConfigDict

from wmproto.crypto.merkle import leaf_hash
from wmproto.crypto.signing import verify_envelope
from wmproto.errors import FormatError
from wmproto.registry.entry import entry_bytes
from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope, Statement
from wmproto.wire.profile import Profile
from wmproto.wire.schema import Wire

__all__ = ["ENTRY_TYPES", "Name", "Submission", "first_subject", "verify_submission"]

_ENTRY_LIMIT = 65_535  # bytes: a tlog-tiles bundle has room for no more

#: Types of log entries. Reserved for later: digest, answer-head, rotation, and key with public labels.
ENTRY_TYPES = ("key", "release", "admit", "decide")
#: Type, SHA-256 of the payload and signer: of one name a log holds one entry (reg-entry-5).
Name = tuple[str, bytes, bytes]


class _Predicate(Wire):
    """Any object: what a predicate means is for its readers to judge."""

    model_config = ConfigDict(extra="allow")


def first_subject(kind: str, payload: bytes) -> bytes:
    """Digest of the first subject of a canonical Statement of that kind; raises FormatError if it is none."""
    return Statement[_Predicate].parse(payload, kind).subject[0].digest.sha256


@dataclass(frozen=True, slots=True)
class Submission:
    """A verified object to append; only verify_submission makes one.

    Attributes:
        kind: Its type.
        envelope: The signed object.
        data: Its canonical bytes.
        payload_hash: SHA-256 of the payload, 32 bytes.
        leaf: Its entry's leaf hash, 32 bytes.
        subject: Digest of its first subject, 32 bytes.
    """

    kind: str
    envelope: Envelope
    data: bytes
    payload_hash: bytes
    leaf: bytes
    subject: bytes

    @property
    def name(self) -> Name:
        """What the log keeps one entry of."""
        return self.kind, self.payload_hash, self.envelope.signer


def verify_submission(profile: Profile, kind: str, envelope: Envelope) -> Submission:
    """Verify what is to be appended; reads no log.

    Args:
        profile: Under whose tags it is hashed.
        kind: key, release, admit or decide.
        envelope: A signed in-toto Statement of that kind. Only its form is checked.

    Raises:
        FormatError: Another kind, not a canonical Statement of that kind, or too large.
        SignatureError: The signature does not verify.
    """
    if kind not in ENTRY_TYPES:
        raise FormatError(f"entry type {kind!r} is none of {', '.join(ENTRY_TYPES)}")
    subject = first_subject(kind, verify_envelope(envelope))
    entry, data = entry_bytes(profile, kind, envelope), envelope.to_bytes()
    if len(entry) > _ENTRY_LIMIT or len(data) > ENVELOPE_LIMIT:
        raise FormatError(f"{kind} entry: too large")
    return Submission(kind, envelope, data, envelope.payload_hash, leaf_hash(entry), subject)
