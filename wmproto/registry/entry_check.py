"""What a reader checks of an entry before it counts: its form, and the signature over its statement (reg-entry-7)."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.crypto.signing import verify_signature
from wmproto.errors import FormatError
from wmproto.registry.submission import ENTRY_TYPES, first_subject
from wmproto.wire.dsse import pae
from wmproto.wire.framing import frame, sha256
from wmproto.wire.profile import Profile

__all__ = ["Entry", "parse_entry", "verify_entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry's fields, nothing verified.

    Attributes:
        kind: key, release, admit or decide.
        payload_hash: SHA-256 of the statement, 32 bytes.
        signer: Ed25519 public key, 32 bytes.
        signature: 64 bytes, over the PAE of the statement.
    """

    kind: str
    payload_hash: bytes
    signer: bytes
    signature: bytes


def parse_entry(profile: Profile, data: bytes) -> Entry:
    """Read the bytes of an entry; raises FormatError (reg-entry-1, reg-entry-2)."""
    fields: list[bytes] = []
    at = 0
    while at < len(data) and len(fields) < 5:
        start = at + 8
        at = start + int.from_bytes(data[at:start], "big")
        fields.append(data[start:at])
    if len(fields) != 5 or frame(*fields) != data or fields[0] != profile.tag("entry").encode():
        raise FormatError(f"entry: not an entry of the profile {profile.name}")
    kind = next((name for name in ENTRY_TYPES if name.encode() == fields[1]), None)
    if kind is None or [len(field) for field in fields[2:]] != [32, 32, 64]:
        raise FormatError(f"entry: not of the types {', '.join(ENTRY_TYPES)}, or fields of other lengths")
    return Entry(kind, *fields[2:])


def verify_entry(entry: Entry, payload: bytes) -> Entry:
    """Check that the signer signed this statement, as this type; returns the entry.

    Raises:
        SignatureError: He did not, or his key is not acceptable.
        FormatError: The payload is another one, or no statement of that type.
    """
    if sha256(payload) != entry.payload_hash:
        raise FormatError("entry: the statement has another hash")
    verify_signature(entry.signer, pae(payload), entry.signature)
    first_subject(entry.kind, payload)
    return entry
