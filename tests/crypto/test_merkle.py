"""The tree of RFC 6962 against the definition in its section 2.1, taken literally (enc-tree-1 to 3)."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wmproto.crypto.merkle import leaf_hash, node_hash, path_length, tree_root, verify_inclusion
from wmproto.crypto.tree import MerkleTree
from wmproto.errors import InclusionError

SIZES = range(1, 71)
DATA = [b"", *(bytes([i]) * (1 + i % 5) for i in range(1, 70))]
LEAVES = [leaf_hash(data) for data in DATA]


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def naive_root(data):
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return sha256(b"\x01" + naive_root(data[:k]) + naive_root(data[k:])).digest()


def naive_path(m, data):
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*naive_path(m, data[:k]), naive_root(data[k:])]
    return [*naive_path(m - k, data[k:]), naive_root(data[:k])]


def test_the_empty_tree():
    # RFC 6962 section 2.1: the hash of an empty list is the hash of an empty string
    assert tree_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(IndexError):
        MerkleTree([]).path(0)
    with pytest.raises(InclusionError):
        verify_inclusion(LEAVES[0], index=0, size=0, path=(), root=tree_root([]))


def test_a_leaf_is_no_node():
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"  # SHA-256(00)
    assert tree_root(LEAVES[:1]) == LEAVES[0]
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


@pytest.mark.parametrize("size", SIZES)
def test_every_root_and_path(size):
    tree = MerkleTree(LEAVES[:size])
    root = naive_root(DATA[:size])
    assert tree.root == tree_root(LEAVES[:size]) == root
    for index in range(size):
        path = tree.path(index)
        assert list(path) == naive_path(index, DATA[:size])
        assert len(path) == path_length(index, size)
        verify_inclusion(LEAVES[index], index=index, size=size, path=path, root=root)


@pytest.mark.parametrize("size", SIZES)
def test_every_mutation_is_refused(size):
    tree = MerkleTree(LEAVES[:size])
    for index in range(size):
        path = tree.path(index)
        good = {"index": index, "size": size, "path": path, "root": tree.root}
        bad = [
            {"root": LEAVES[(index + 1) % 70] if size == 1 else LEAVES[index]},
            {"path": (*path, LEAVES[0])},
            {"path": (*path, tree.root)},
            {"index": -1},
            {"index": size},
            {"size": 0},
            {"index": index + size, "size": 2 * size},
        ]
        bad += [{"index": other} for other in range(size) if other != index]
        if path:
            bad += [{"path": path[:-1]}, {"path": path[1:]}, {"path": (path[0], *path)}]
            bad += [
                {"path": (*path[:at], bytes([path[at][0] ^ 1]) + path[at][1:], *path[at + 1 :])}
                for at in range(len(path))
            ]
        if len(set(path)) > 1:
            bad.append({"path": path[::-1]})
        for change in bad:
            with pytest.raises(InclusionError) as err:
                verify_inclusion(LEAVES[index], **(good | change))
            assert err.value.rule == "enc-tree-3"
        for other in range(min(size + 1, 70)):
            if other != index:
                with pytest.raises(InclusionError):
                    verify_inclusion(LEAVES[other], **good)


def test_a_node_does_not_pass_for_a_leaf_of_a_smaller_tree():
    tree = MerkleTree(LEAVES[:4])
    inner, path = node_hash(LEAVES[0], LEAVES[1]), tree.path(0)[1:]
    verify_inclusion(inner, index=0, size=2, path=path, root=tree.root)  # why the size must come from a signed source
    with pytest.raises(InclusionError):
        verify_inclusion(inner, index=0, size=4, path=path, root=tree.root)


@given(st.integers(1, 2**64), st.data())
def test_the_length_of_a_path_in_huge_trees(size, data):
    index = data.draw(st.integers(0, size - 1))
    expected, lo, hi = 0, 0, size
    while hi - lo > 1:
        k = split_fast(hi - lo)
        lo, hi = (lo, lo + k) if index < lo + k else (lo + k, hi)
        expected += 1
    assert path_length(index, size) == expected


def split_fast(n):
    return 1 << ((n - 1).bit_length() - 1)


def test_split_fast_is_split():
    assert all(split_fast(n) == split(n) for n in range(2, 300))


def test_the_tree_keeps_no_reference_to_the_callers_list():
    leaves = LEAVES[:5]
    tree = MerkleTree(leaves)
    root = tree.root
    leaves[0] = LEAVES[9]
    assert tree.root == root
    verify_inclusion(LEAVES[0], index=0, size=5, path=tree.path(0), root=root)
    with pytest.raises(IndexError):
        tree.path(5)
    with pytest.raises(IndexError):
        tree.path(-1)
