"""Appending to a log within one transaction: what stands already is found again, the rest is inserted and signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wmproto.crypto.signer import Signer
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.submission import Name, Submission
from wmproto.registry.view import Head, View
from wmproto.registry.writing import sign_note
from wmproto.wire.dsse import Envelope

__all__ = ["Appended", "append_verified"]


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a signed object stands in the log.

    Attributes:
        index: Of its entry.
        envelope: The signed object of that entry. If it was submitted before with another valid signature, the first
            one stands, and the receipt is for that.
        receipt: Proves the entry under the latest checkpoint.
        new: Whether this call appended it.
    """

    index: int
    envelope: Envelope
    receipt: bytes
    new: bool


def append_verified(view: View, signer: Signer, submissions: Sequence[Submission]) -> list[Appended]:
    """Append under one new checkpoint, none if nothing is new; not durable before the transaction ends.

    Args:
        view: A writer's transaction. Its head is checked before anything is signed (reg-log-4).
        signer: The log's key.
        submissions: In the order of the new entries; of one name the first stands.

    Returns:
        In the order of ``submissions``, where each stands.

    Raises:
        CorruptStoreError: The store contradicts what the log has signed.
    """
    head = view.head()
    found = view.rows.same({submission.name for submission in submissions})
    standing = view.filed(found) if found else {}
    new: dict[Name, Submission] = {}
    for submission in submissions:
        if submission.name not in standing:
            new.setdefault(submission.name, submission)
    for index, (name, submission) in enumerate(new.items(), head.checkpoint.size):
        standing[name] = index, submission.envelope, submission.leaf
    if new:
        head = _grown(view, signer, head, list(new.values()))
    proofs = view.receipts(head, [(index, leaf) for index, _, leaf in standing.values()])
    receipts, appended = dict(zip(standing, proofs, strict=True)), []
    for name in (submission.name for submission in submissions):
        index, envelope, _ = standing[name]
        appended.append(Appended(index, envelope, receipts[name], new.pop(name, None) is not None))
    return appended


def _grown(view: View, signer: Signer, head: Head, new: Sequence[Submission]) -> Head:
    """Insert entries behind a head that was checked, and sign the tree with them."""
    size = head.checkpoint.size + len(new)
    view.rows.append(head.checkpoint.size, new)
    checkpoint = Checkpoint(view.key.name, size, view.rows.root(size))
    note = sign_note(checkpoint.text, view.key.name, signer)
    view.rows.sign(size, note)
    return Head(checkpoint, note)
