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


# --- consistency proofs: RFC 6962, section 2.1.2, by its own recursion ------------------------------------------------


def consistency(m, leaves):
    """From the first m leaves to all of them."""
    return subproof(m, leaves, True) if m else []


def subproof(m, leaves, whole):
    """``whole``: the first m leaves are the old tree itself, whose root the verifier knows."""
    n = len(leaves)
    if m == n:
        return [] if whole else [root(leaves)]
    k = split(n)
    if m <= k:
        return [*subproof(m, leaves[:k], whole), root(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), root(leaves[:k])]


def consistency_length(m, n, whole=True):
    if m == n:
        return 0 if whole else 1
    k = split(n)
    return 1 + (consistency_length(m, k, whole) if m <= k else consistency_length(m - k, n - k, False))


def roots_from(m, n, old, proof, whole=True):
    """(root of the first m, root of all n) that a proof of the right length leads to."""
    if m == n:
        return (old, old) if whole else (proof[0], proof[0])
    k = split(n)
    if m <= k:
        first, every = roots_from(m, k, old, proof[:-1], whole)
        return first, node(every, proof[-1])
    first, every = roots_from(m - k, n - k, old, proof[:-1], False)
    return node(proof[-1], first), node(proof[-1], every)


def verify_consistency(m, n, old, new, proof):
    def hold(condition, why):
        need(condition, "InclusionError", "enc-tree-5", why)

    hold(0 <= m <= n, "the old tree is the larger one")
    hold(m > 0 or old == root([]), "the root of no leaf is another one")
    if m == 0:
        hold(not proof and (n > 0 or new == old), "no proof is needed from an empty tree")
        return
    hold(len(proof) == consistency_length(m, n), "the proof has the wrong length")
    hold(roots_from(m, n, old, proof) == (old, new), "the proof leads to other roots")
