"""A Merkle tree that grows, by its right edge alone (RFC 6962 section 2.1): log2(size) hashes, whatever its size."""

from __future__ import annotations

from wmproto.crypto.merkle import node_hash
from wmproto.wire.framing import sha256

__all__ = ["Frontier"]


class Frontier:
    """The complete subtrees that a tree consists of, the largest one first.

    Attributes:
        size: Number of leaves.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def copy(self) -> Frontier:
        """The same tree, to grow by itself."""
        twin = Frontier()
        twin.size, twin._peaks = self.size, self._peaks.copy()
        return twin

    def push(self, leaf: bytes) -> list[bytes]:
        """Add a leaf hash (32 bytes).

        Returns:
            The hashes of the complete subtrees that end in it: of 2**level leaves at position ``level``, and of number
            ``(size - 1) >> level`` of its level.
        """
        nodes, index = [leaf], self.size
        while index & 1:
            nodes.append(node_hash(self._peaks.pop(), nodes[-1]))
            index >>= 1
        self._peaks.append(nodes[-1])
        self.size += 1
        return nodes

    def root(self) -> bytes:
        """Root of the tree, 32 bytes; SHA-256 of nothing for the empty one."""
        if not self._peaks:
            return sha256(b"")
        root = self._peaks[-1]
        for peak in self._peaks[-2::-1]:
            root = node_hash(peak, root)
        return root
