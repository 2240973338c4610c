"""An activated key: its statement stands in a log, so its labels exist (specs/commitment.md, com-activate-*)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wmproto.commitment.builder import Commitment
from wmproto.commitment.labels import Labels
from wmproto.commitment.statement import VerifiedKey
from wmproto.errors import ConfigError
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import VerifiedReceipt, verify_receipt
from wmproto.release.modelfile import ModelFile
from wmproto.release.payload import release_payload
from wmproto.release.record import Release


@dataclass(frozen=True, slots=True)
class ActivatedKey:
    """A key whose receipt was verified, with the leaves behind it. Only ``activate`` makes one.

    Attributes:
        key: The verified key.
        commitment: Its leaves; holds the master secret.
        receipt_bytes: The receipt of the key's log entry.
        receipt: What that receipt proves.
    """

    key: VerifiedKey
    commitment: Commitment
    receipt_bytes: bytes
    receipt: VerifiedReceipt

    def marked(self) -> Iterator[tuple[int, bytes, int]]:
        """(index, raw input, label) of each leaf that is to be embedded: every leaf that is not a ghost."""
        labels = Labels(self.key)
        for i in range(self.key.z.N):
            k = self.commitment.leaf_key(i)
            if not labels.is_ghost(i, k):
                yield i, self.commitment.input(i), labels.label(i, k)

    def release(self, model: ModelFile, *, name: str, recipient: str) -> bytes:
        """The release statement of a model: sign it and log it before the weights leave the house.

        Args:
            model: The model.
            name: Name of the released file.
            recipient: ``public``, or the licensee's name.

        Returns:
            The payload to sign.

        Raises:
            FormatError: It has more than 1 MiB.
        """
        release = Release(
            architecture=model.architecture.model_dump(mode="json", by_alias=True),
            beta=self.key.beta,
            key_id=self.key.key_id,
            key_receipt=self.receipt_bytes,
            model=model.digest,
            owner=self.key.z.owner,
            profile=self.key.profile.name,
            recipient=recipient,
            salt=None,
            tensors=model.tensor_entries,
        )
        return release_payload(release, {name: model.file_sha256})


def check_model(key: VerifiedKey, model: ModelFile) -> None:
    """Check that a model can be asked a key's leaves.

    Raises:
        ConfigError: Another input size or number of classes.
    """
    z, architecture = key.z, model.architecture
    if architecture.classes != len(z.classes):
        raise ConfigError(
            f"the model has {architecture.classes} classes, the key {len(z.classes)}",
            hint="a class map must come from the respondent; this version supports none",
        )
    if tuple(architecture.input.shape) != z.input.shape:
        got, want = ("x".join(map(str, s)) for s in (architecture.input.shape, z.input.shape))
        raise ConfigError(f"the model takes pictures of {got}, the key's are {want}", hint="is it another key's model?")


def activate(
    key: VerifiedKey, receipt: bytes, log: LogKey, *, commitment: Callable[[], Commitment] | Commitment
) -> ActivatedKey:
    """Verify the key's receipt; from then on its labels may be used.

    Args:
        key: The verified key.
        receipt: tlog-proof of its log entry.
        log: The log the owner trusts.
        commitment: The leaves, or how to make them.

    Raises:
        InclusionError: The key does not stand in that log.
        SignatureError: The checkpoint is not the log's.
        FormatError: The receipt is malformed.
        ConfigError: The leaves have another root than the key.
    """
    verified = verify_receipt(receipt, entry_leaf(key.profile, "key", key.envelope), log)
    leaves = commitment if isinstance(commitment, Commitment) else commitment()
    if leaves.root != key.z.R or leaves.count != key.z.N:
        raise ConfigError(
            "the leaves do not belong to the key", hint="another owner key, or pictures that have changed"
        )
    return ActivatedKey(key=key, commitment=leaves, receipt_bytes=receipt, receipt=verified)
