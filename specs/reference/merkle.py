"""The Merkle tree of RFC 6962, section 2.1, by its own recursion."""

from encoding import need, sha256


def leaf_hash(data):
    return sha256(b"\x00" + data)


def node(left, right):
    return sha256(b"\x01" + left + right)


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    """Tree hash over leaf hashes."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def path(m, leaves):
    """Inclusion proof of leaf m, from its sibling upwards."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), root(leaves[k:])]
    return [*path(m - k, leaves[k:]), root(leaves[:k])]


def path_length(m, n):
    if n == 1:
        return 0
    k = split(n)
    return 1 + (path_length(m, k) if m < k else path_length(m - k, n - k))


def root_from(leaf, m, n, proof):
    """The root that a proof of the right length leads to."""
    if n == 1:
        return leaf
    k = split(n)
    if m < k:
        return node(root_from(leaf, m, k, proof[:-1]), proof[-1])
    return node(proof[-1], root_from(leaf, m - k, n - k, proof[:-1]))


def verify(leaf, m, n, proof, expected):
    ok = 0 <= m < n and len(proof) == path_length(m, n)
    need(ok, "InclusionError", "enc-tree-3", "the proof has the wrong length")
    need(root_from(leaf, m, n, proof) == expected, "InclusionError", "enc-tree-3", "the proof leads to another root")
