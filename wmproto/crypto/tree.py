"""A Merkle tree in memory, for whoever makes inclusion proofs (RFC 6962 section 2.1.1)."""

from __future__ import annotations

from collections.abc import Sequence

from wmproto.crypto.merkle import node_hash
from wmproto.wire.framing import sha256


class MerkleTree:
    """A tree over leaf hashes that are all known.

    Joining neighbours and carrying a lonely last node upwards unchanged gives exactly the tree of RFC 6962, whose
    left subtree is the largest power of two.

    Args:
        leaves: Leaf hashes (32 bytes each).
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        level = list(leaves)
        self._levels = [level]
        while len(level) > 1:
            up = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            if len(level) % 2:
                up.append(level[-1])
            self._levels.append(up)
            level = up

    @property
    def root(self) -> bytes:
        """The tree hash, 32 bytes; SHA-256 of nothing for the empty tree."""
        return self._levels[-1][0] if self._levels[0] else sha256(b"")

    def path(self, index: int) -> tuple[bytes, ...]:
        """Inclusion proof of leaf ``index``, from its sibling upwards; raises IndexError outside the tree."""
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(f"leaf {index} of {len(self._levels[0])}")
        path = []
        for level in self._levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1])
            index >>= 1
        return tuple(path)
