"""RFC 6962 section 2.1: Merkle tree hash and inclusion proofs. Hashes in, hashes out; storage is elsewhere."""

from collections.abc import Sequence

from wmproto.errors import InclusionError
from wmproto.wire.framing import sha256


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 || data)."""
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right)


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The tree hash over leaf hashes, 32 bytes; SHA-256 of nothing for the empty tree.

    Joining neighbours and carrying a lonely last node upwards unchanged gives exactly the tree of RFC 6962, whose left
    subtree is the largest power of two.
    """
    level = list(leaves)
    while len(level) > 1:
        up = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = [*up, level[-1]] if len(level) % 2 else up
    return level[0] if level else sha256(b"")


def path_length(index: int, size: int) -> int:
    """Number of hashes in the inclusion proof of leaf ``index`` in a tree of ``size`` leaves (0 <= index < size)."""
    length, last = 0, size - 1
    while last:
        length += index & 1 or index < last
        index, last = index >> 1, last >> 1
    return length


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash stands at an index of the tree with that size and root.

    Args:
        leaf: Leaf hash, 32 bytes.
        index: From 0.
        size: Number of leaves of the tree.
        path: Sibling hashes from the leaf upwards.
        root: Tree hash, 32 bytes, from a verified source.

    Raises:
        InclusionError: Index outside, path of the wrong length, or another root.

    Source: RFC 9162 section 2.1.3.2 (the hashes are those of RFC 6962).
    """
    if not 0 <= index < size or len(path) != path_length(index, size):  # else the walk below need not end, either
        raise InclusionError("inclusion proof has the wrong length", rule="enc-tree-3")
    at, last, value = index, size - 1, leaf
    for sibling in path:
        while not at & 1 and at == last:  # a lonely last node is carried upwards
            at, last = at >> 1, last >> 1
        value = node_hash(sibling, value) if at & 1 else node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    if value != root:
        raise InclusionError("inclusion proof leads to another root", rule="enc-tree-3")
