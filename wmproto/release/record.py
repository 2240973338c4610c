"""Rel: the owner's signed word, logged before a release, on which weights she releases (specs/release.md).

It quotes beta and the key's receipt, which shows that the weights were named after the labels were born.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from wmproto.commitment.statement import VerifiedKey
from wmproto.crypto.merkle import tree_root
from wmproto.crypto.signing import verify_envelope
from wmproto.errors import FormatError, UnsupportedError, VerificationError
from wmproto.wire.canonical import canonical_json
from wmproto.wire.dsse import Envelope, Statement
from wmproto.wire.profile import Profile
from wmproto.wire.schema import B64, Hex32, Text, Uint, Wire

RELEASE_LIMIT = 1 << 20  # bytes of a release's payload


class TensorEntry(Wire):
    """One tensor of the released model; ``digest`` is its leaf in the tensor tree."""

    digest: Hex32
    dtype: Text
    name: Text
    shape: Annotated[tuple[Uint, ...], Field(max_length=8)]


class Release(Wire):
    """The predicate of a release statement; the statement's subjects are the released files with their SHA-256.

    Attributes:
        architecture: The architecture in the closed grammar, as JSON.
        beta: Label randomness of the key.
        key_id: Which key's mark is in the weights.
        key_receipt: Receipt of the key's log entry.
        model: h_f = H("model", tensor root, architecture).
        owner: Ed25519 public key of the key's owner.
        profile: Name of the profile.
        recipient: ``public``, or the licensee's name.
        salt: None; salted releases come later.
        tensors: Every tensor, names in byte order.
    """

    architecture: dict[str, Any]
    beta: Hex32
    key_id: Hex32
    key_receipt: B64
    model: Hex32
    owner: Hex32
    profile: Text
    recipient: Text
    salt: Text | None
    tensors: Annotated[tuple[TensorEntry, ...], Field(min_length=1, max_length=4096)]


@dataclass(frozen=True, slots=True)
class VerifiedRelease:
    """A release whose signature and digests hold; what it says about a key is checked by check_release_of."""

    release: Release
    files: tuple[tuple[str, bytes], ...]
    envelope: Envelope


def verify_release(envelope: Envelope, *, profile: Profile) -> VerifiedRelease:
    """Verify a release statement by itself: signature, form, and that h_f follows from tensors and architecture.

    Raises:
        SignatureError: The signature does not verify.
        VerificationError: Signed by another than the owner it names.
        FormatError: Malformed, tensors out of order, or h_f does not follow.
    """
    payload = verify_envelope(envelope)
    statement = Statement[Release].parse(payload, "release", limit=RELEASE_LIMIT)
    release = statement.predicate
    if release.profile != profile.name:
        raise FormatError(f"release statement: profile {release.profile!r} is not {profile.name!r}")
    if release.salt is not None:
        raise UnsupportedError("a salted release is not supported by this version")
    if release.owner != envelope.signer:
        raise VerificationError("the release is not signed by the owner it names", rule="rel-2", fault="owner")
    if len({s.name for s in statement.subject}) != len(statement.subject):
        raise FormatError("release statement: two files have the same name")
    names = [t.name.encode() for t in release.tensors]
    if names != sorted(set(names)):
        raise FormatError("release statement: tensor names are not in byte order, or repeat")
    root = tree_root([t.digest for t in release.tensors])
    if release.model != profile.hash("model", root, canonical_json(release.architecture)):
        raise FormatError("release statement: the model digest does not follow from tensors and architecture")
    files = tuple((s.name, s.digest.sha256) for s in statement.subject)
    return VerifiedRelease(release=release, files=files, envelope=envelope)


def check_release_of(verified: VerifiedRelease, key: VerifiedKey) -> None:
    """Check that a verified release is the key owner's and speaks of this key and its labels.

    Raises:
        VerificationError: Another owner, key or beta.
    """
    release = verified.release
    if release.owner != key.z.owner:
        raise VerificationError("the release is not the key owner's", rule="rel-3", fault="claimant")
    if release.key_id != key.key_id or release.beta != key.beta:
        raise VerificationError("the release speaks of another key or other labels", rule="rel-4", fault="claimant")
