"""Evidence that a log signed two pasts (specs/registry.md, reg-fork-*): convicts the holder of its key, years later.

Two checkpoints and a consistency proof. A tree has one root for each of its beginnings; the proof shows the one that
the newer tree has for the older one's size, and the log signed another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from wmproto.crypto.consistency import verify_consistency
from wmproto.crypto.merkle import tree_root
from wmproto.errors import InclusionError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.nodes import consistency_spans
from wmproto.registry.note import LogKey
from wmproto.wire.schema import B64, Wire

__all__ = ["FORK_LIMIT", "Fork", "make_fork", "verify_fork"]

FORK_LIMIT = 272 << 10  # bytes: two notes of 64 KiB, every character escaped, and a proof
_Hash = Annotated[B64, Field(min_length=32, max_length=32)]


class _Evidence(Wire):
    format: Literal["wmproto/fork@v1"]
    newer: str
    older: str
    proof: Annotated[tuple[_Hash, ...], Field(max_length=64)]
    root: _Hash
    vkey: str


@dataclass(frozen=True, slots=True)
class Fork:
    """A proven fork.

    Attributes:
        older: A checkpoint that the log signed.
        newer: Another one, of no smaller size, whose tree does not begin with the older one's.
        root: What the newer tree has for the older one's size, 32 bytes; not ``older.root``.
    """

    older: Checkpoint
    newer: Checkpoint
    root: bytes


def make_fork(key: LogKey, first: bytes, second: bytes, leaves: Sequence[bytes] | None) -> bytes:
    """Write the evidence.

    Args:
        key: The log's key.
        first: A checkpoint's note that the log signed.
        second: Another one, in any order; lines of strangers should have been left out.
        leaves: Every leaf hash (32 bytes) of the tree of the larger one; of one size, of either, or None.

    Raises:
        InclusionError: They are no evidence of a fork.
        FormatError, SignatureError: A note is not a checkpoint of this log.
    """
    heads = [(verify_checkpoint(note, key, extended=True), note) for note in (first, second)]
    (old, older), (new, newer) = sorted(heads, key=lambda head: head[0].size)
    root = new.root if leaves is None else tree_root(leaves[: old.size])
    if old.size == new.size and root == old.root:
        older, newer = newer, older  # of one size either may stand first; the leaves are the second one's
    evidence = _Evidence(
        format="wmproto/fork@v1",
        newer=newer.decode(),
        older=older.decode(),
        proof=tuple(tree_root((leaves or ())[start:end]) for start, end in consistency_spans(old.size, new.size)),
        root=root,
        vkey=str(key),
    ).to_bytes()
    verify_fork(evidence, key)
    return evidence


def verify_fork(data: bytes, key: LogKey) -> Fork:
    """Check evidence of a fork against the log's key alone.

    Args:
        data: The file.
        key: The log's key, from the reader's own trust, never from the file.

    Raises:
        FormatError: Malformed.
        SignatureError: A checkpoint is not that log's.
        InclusionError: It is of another log, or proves nothing.
    """
    evidence = _Evidence.from_bytes(data, what="fork evidence", limit=FORK_LIMIT)
    if evidence.vkey != str(key):
        raise InclusionError("the evidence is about another log", rule="reg-fork-1")
    older = verify_checkpoint(evidence.older.encode(), key, extended=True)
    newer = verify_checkpoint(evidence.newer.encode(), key, extended=True)
    if older.size > newer.size:
        raise InclusionError("the older checkpoint is the larger one", rule="reg-fork-1")
    if evidence.root == older.root:
        raise InclusionError("the checkpoints do not contradict each other", rule="reg-fork-2")
    verify_consistency(
        old=older.size, new=newer.size, proof=evidence.proof, old_root=evidence.root, new_root=newer.root
    )
    return Fork(older, newer, evidence.root)
