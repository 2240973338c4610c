"""Cases for the tree of specs/encoding.md: consistency proofs (enc-tree-5), and the test tree that others publish.

The tree of eight leaves, its roots and the kinds of mutation are those of github.com/transparency-dev/merkle
(testonly/constants.go and testdata/, commit 417fb0c): built again from their description, nothing is copied.
"""

import hashlib

import merkle
from encoding import sha256
from vectors import Group, accumulated

NOTES = {
    "WrongIndex": ("FORGERY", "an entry is proved where it does not stand"),
    "WrongSize": ("FORGERY", "a proof for one size passes for another"),
    "WrongHash": ("FORGERY", "a proof that leads elsewhere is believed"),
    "WrongRoot": ("FORK", "a proof from or to another tree is believed"),
    "ProofLength": ("FORGERY", "hashes that nobody looks at, or a part of a proof, pass"),
    "EmptyTree": ("FORK", "what a log of no entries signed passes unseen"),
    "Order": ("FORK", "a tree that shrank passes for one that grew"),
    "SameSize": ("FORK", "two trees of one size pass for one"),
}

LEAVES = [bytes.fromhex(x) for x in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes(range(0x60, 0x70)))
#: Root of the first n leaves, as published.
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
TREE = [merkle.leaf_hash(leaf) for leaf in LEAVES]


class Hashes:
    """Hashes by name: ``A-B`` is the root of leaves A to B - 1 of the tree."""

    def __init__(self):
        self.named = {}
        for n in range(9):
            self.add(f"0-{n}", merkle.root(TREE[:n]))
        for first in range(8):
            for last in range(first + 1, 9):
                self.add(f"{first}-{last}", merkle.root(TREE[first:last]))
        for word in ("garbage", "another leaf", "another root"):
            self.add(word, sha256(word.encode()))

    def add(self, name, value):
        if value not in self.named.values():
            self.named[name] = value

    def name(self, value):
        for name, known in self.named.items():
            if known == value:
                return name
        raise AssertionError("a hash without a name")

    def flipped(self, value, bit):
        """The same hash but for one bit."""
        out = bytearray(value)
        out[0] ^= 1 << bit
        name = f"{self.name(value)} bit {bit}"
        self.named[name] = bytes(out)
        return bytes(out)

    def used(self, group):
        words = {w for t in group.tests for v in t.values() for w in (v if isinstance(v, list) else [str(v)])}
        return {name: value.hex() for name, value in self.named.items() if name in words}


def roots():
    g = Group("published-root", "the root of the first n leaves of the tree", leaves=[leaf.hex() for leaf in LEAVES])
    for n, known in enumerate(ROOTS):
        if merkle.root(TREE[:n]).hex() != known:
            raise AssertionError("not the published root")
        g.add(f"{n} leaves", lambda n=n: {"root": merkle.root(TREE[:n]).hex()}, n=n)
    return g


def inclusion():
    g, hashes = Group("inclusion", "hashes and proof stand by their names under `hashes`"), Hashes()

    def add(comment, index, size, leaf, root, proof, *flags):
        expect, rule = ("InclusionError", "enc-tree-3") if flags else ("ok", "")
        names = {"leaf": hashes.name(leaf), "root": hashes.name(root), "proof": [hashes.name(p) for p in proof]}
        check = lambda: merkle.verify(leaf, index, size, proof, root)  # noqa: E731
        # A JSON reader need not hold more than 53 bits.
        g.add(comment, check, expect, flags, rule, index=str(index), size=str(size), **names)

    for i, n in ((0, 1), (0, 8), (5, 8), (2, 3), (1, 5)):
        leaf, root, proof = TREE[i], merkle.root(TREE[:n]), merkle.path(i, TREE[:n])
        what = f"{i} of {n}: "
        add(what + "good", i, n, leaf, root, proof)
        for comment, index in (("index + 1", i + 1), ("index - 1", (i - 1) % 2**64), ("index xor 2", i ^ 2)):
            add(what + comment, index, n, leaf, root, proof, "WrongIndex")
        for comment, size in (("twice the size", 2 * n), ("half the size", n // 2)):
            # A proof for the first of two leaves fits a tree of twice the size only if it is one hash longer.
            add(what + comment, i, size, leaf, root, proof, "WrongSize")
        add(what + "another leaf", i, n, hashes.named["another leaf"], root, proof, "WrongHash")
        add(what + "the root of no leaf", i, n, leaf, merkle.root([]), proof, "WrongRoot")
        add(what + "another root", i, n, leaf, hashes.named["another root"], proof, "WrongRoot")
        for comment, extra in (("garbage", hashes.named["garbage"]), ("the root", root)):
            add(what + comment + " in front", i, n, leaf, root, [extra, *proof], "ProofLength")
            add(what + comment + " behind", i, n, leaf, root, [*proof, extra], "ProofLength")
        if proof:
            add(what + "a hash twice", i, n, leaf, root, [proof[0], *proof], "ProofLength")
            add(what + "without its last hash", i, n, leaf, root, proof[:-1], "ProofLength")
            add(what + "without its first hash", i, n, leaf, root, proof[1:], "ProofLength")
        if len(proof) > 1:
            add(what + "upside down", i, n, leaf, root, proof[::-1], "WrongHash")
        for at in range(len(proof)):
            changed = [hashes.flipped(p, 3) if j == at else p for j, p in enumerate(proof)]
            add(what + f"a bit of hash {at}", i, n, leaf, root, changed, "WrongHash")
    add("3 of 4: proof and root of 7 of 8", 3, 4, TREE[7], merkle.root(TREE), merkle.path(7, TREE), "ProofLength")
    add(
        "7 of 8: proof and root of 3 of 4",
        7,
        8,
        TREE[3],
        merkle.root(TREE[:4]),
        merkle.path(3, TREE[:4]),
        "ProofLength",
    )
    for i, n in ((0, 0), (1, 0), (2, 1)):
        for comment, root in (("the root of no leaf", merkle.root([])), ("the leaf as the root", TREE[0])):
            add(f"{i} of {n}: {comment}", i, n, TREE[0], root, [], "WrongIndex")
    add("0 of 1: the root of no leaf, no hash", 0, 1, TREE[0], merkle.root([]), [], "WrongRoot")
    add("the first of 2^63 - 1 with no hash", 0, 2**63 - 1, TREE[0], TREE[0], [], "ProofLength")
    g.common["hashes"] = hashes.used(g)
    return g


def consistency():
    g, hashes = (
        Group("consistency", "from the first m leaves to n; hashes stand by their names under `hashes`"),
        Hashes(),
    )

    def add(comment, m, n, old, new, proof, *flags, ok=False):
        expect, rule = ("ok", "") if ok or not flags else ("InclusionError", "enc-tree-5")
        names = {"old": hashes.name(old), "new": hashes.name(new), "proof": [hashes.name(p) for p in proof]}
        check = lambda: merkle.verify_consistency(m, n, old, new, proof)  # noqa: E731
        g.add(comment, check, expect, flags, rule, m=str(m), n=str(n), **names)

    wrong, garbage = hashes.named["another root"], hashes.named["garbage"]
    for m, n in ((1, 1), (1, 8), (6, 8), (2, 5), (6, 7), (4, 8), (3, 7)):
        old, new, proof = merkle.root(TREE[:m]), merkle.root(TREE[:n]), merkle.consistency(m, TREE[:n])
        what = f"{m} to {n}: "
        add(what + "good", m, n, old, new, proof)
        add(what + "another old root", m, n, wrong, new, proof, "WrongRoot")
        add(what + "another new root", m, n, old, wrong, proof, "WrongRoot")
        for comment, extra in (("garbage", garbage), ("the old root", old), ("the new root", new)):
            add(what + comment + " in front", m, n, old, new, [extra, *proof], "ProofLength")
            add(what + comment + " behind", m, n, old, new, [*proof, extra], "ProofLength")
        if m == n:
            continue
        add(what + "roots exchanged", m, n, new, old, proof, "WrongRoot")
        add(what + "sizes exchanged", n, m, old, new, proof, "Order")
        for comment, size in (("m + 1", m + 1), ("m - 1", m - 1), ("m xor 2", m ^ 2)):
            add(what + comment, size, n, old, new, proof, "WrongSize")
        for comment, size in (("twice n", 2 * n), ("half n", n // 2)):
            add(what + comment, m, size, old, new, proof, "WrongSize")
        add(what + "no hash", m, n, old, new, [], "ProofLength")
        add(what + "a hash twice", m, n, old, new, [proof[0], *proof], "ProofLength")
        add(what + "without its last hash", m, n, old, new, proof[:-1], "ProofLength")
        add(what + "without its first hash", m, n, old, new, proof[1:], "ProofLength")
        if len(proof) > 1:
            add(what + "upside down", m, n, old, new, proof[::-1], "WrongHash")
        for at in range(len(proof)):
            changed = [hashes.flipped(p, 4) if j == at else p for j, p in enumerate(proof)]
            add(what + f"a bit of hash {at}", m, n, old, new, changed, "WrongHash")
    half, whole, rest = (hashes.named[name] for name in ("0-4", "0-8", "4-8"))
    add("4 to 8: the old root leads, as inside RFC 9162's algorithm", 4, 8, half, whole, [half, rest], "ProofLength")
    seven = merkle.consistency(7, TREE)
    add("3 to 4: proof and roots of 7 to 8", 3, 4, hashes.named["0-7"], whole, seven, "ProofLength")
    four = merkle.consistency(3, TREE[:4])
    add("7 to 8: proof and roots of 3 to 4", 7, 8, hashes.named["0-3"], half, four, "ProofLength")
    add("3 to 2: from a leaf to its parent", 3, 2, TREE[0], hashes.named["0-2"], TREE[:2], "Order")
    none, one, two = merkle.root([]), merkle.root(TREE[:1]), merkle.root(TREE[:2])
    add("0 to 0: good", 0, 0, none, none, [], "EmptyTree", ok=True)
    add("0 to 8: good", 0, 8, none, hashes.named["0-8"], [], "EmptyTree", ok=True)
    add("0 to 1: any root is reached from nothing", 0, 1, none, wrong, [], "EmptyTree", ok=True)
    add("0 to 8: a proof, where none is needed", 0, 8, none, hashes.named["0-8"], [hashes.named["0-8"]], "ProofLength")
    add("0 to 8: an old root that is not of no leaf", 0, 8, wrong, hashes.named["0-8"], [], "EmptyTree")
    add("0 to 0: another new root", 0, 0, none, wrong, [], "EmptyTree")
    add("0 to 0: one root, and not that of no leaf", 0, 0, wrong, wrong, [], "EmptyTree")
    add("0 to 0: a proof", 0, 0, none, none, [none], "ProofLength")
    add("1 to 1: another root", 1, 1, one, two, [], "SameSize")
    add("1 to 1: any root is the same as itself", 1, 1, wrong, wrong, [], "SameSize", ok=True)
    add("2^63 - 1 to itself", 2**63 - 1, 2**63 - 1, one, one, [], "SameSize", ok=True)
    add("1 to 2: no hash and one root", 1, 2, one, one, [], "ProofLength")
    add("2 to 1: no hash and one root", 2, 1, one, one, [], "Order")
    add("1 to 0: no hash and one root", 1, 0, one, one, [], "Order")
    add("1 to 2^63 - 1: no hash", 1, 2**63 - 1, one, two, [], "ProofLength")
    g.common["hashes"] = hashes.used(g)
    return g


def every_proof():
    digest, leaves = hashlib.sha256(), [merkle.leaf_hash(n.to_bytes(2, "big")) for n in range(40)]
    for n in range(41):
        for m in range(n + 1):
            proof = merkle.consistency(m, leaves[:n])
            merkle.verify_consistency(m, n, merkle.root(leaves[:m]), merkle.root(leaves[:n]), proof)
            digest.update(bytes([m, n, len(proof)]) + b"".join(proof))
    return accumulated(
        "consistency-accumulated",
        "leaf i is i in two bytes, big-endian: for every n up to 40 and every m up to n the bytes m, n, length of the "
        "proof in hashes, and the proof",
        digest,
    )


def groups():
    return [roots(), inclusion(), consistency(), every_proof()]
