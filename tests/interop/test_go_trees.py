"""Roots, inclusion and consistency proofs of a real log, against Go's sumdb/tlog: every size and pair up to 130."""

from base64 import b64decode, b64encode

import pytest
from debian import needs

from wmproto.crypto.consistency import verify_consistency
from wmproto.crypto.merkle import tree_root, verify_inclusion
from wmproto.errors import InclusionError
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.receipt import Receipt, verify_receipt

pytestmark = needs("golang-go", "golang-golang-x-mod-dev")
ODD = [(1, 0), (2, 1), (3, 2), (7, 4), (64, 0), (65, 64), (100, 63), (127, 126), (128, 77), (129, 128), (130, 5)]


def b64(hashes):
    return [b64encode(one).decode() for one in hashes]


def raw(texts):
    return [b64decode(text) for text in texts]


@pytest.fixture(scope="module")
def leaves(leaves):
    return leaves[:130]


@pytest.fixture(scope="module")
def gos(go, leaves):
    """Everything that Go proves about these leaves."""
    [answer] = go([{"op": "prove", "leaves": b64(leaves)}])
    assert answer["error"] == ""
    return answer


@pytest.fixture(scope="module")
def receipts(log, leaves):
    """Of every entry under every checkpoint: by size - 1, then index."""
    return [log.receipts(leaves[:size], size=size) for size in range(1, len(leaves) + 1)]


def inclusion(leaf, size, root, index, path):
    tree = {"size": size, "root": root}
    return {"op": "record", "leaf": b64encode(leaf).decode(), "index": index, **tree, "proof": b64(path)}


def consistency(old, old_root, new, new_root, proof):
    trees = {"old": old, "oldroot": old_root, "size": new, "root": new_root}
    return {"op": "consistency", **trees, "proof": b64(proof)}


def accepted(verify, *args, **kw):
    try:
        verify(*args, **kw)
    except InclusionError:
        return False
    return True


def test_the_roots_are_gos(log, leaves, gos, receipts):
    """But for the root of nothing: RFC 6962 and we say SHA-256 of nothing, this version of Go 32 zeros."""
    roots = raw(gos["roots"])
    assert roots[1:] == [tree_root(leaves[:size]) for size in range(1, len(leaves) + 1)]
    signed = [verify_checkpoint(Receipt.parse(of[0]).note, log.key) for of in receipts]
    assert [(one.size, one.root) for one in signed] == [(size, roots[size]) for size in range(1, len(roots))]


def test_receipts_hold_the_proofs_that_go_makes_and_go_checks_them(go, log, leaves, gos, receipts):
    ours = [[Receipt.parse(receipt).path for receipt in of] for of in receipts]
    assert [[b64(path) for path in of] for of in ours] == gos["inclusion"]
    questions = [
        inclusion(leaves[index], size, gos["roots"][size], index, path)
        for size, of in enumerate(ours, 1)
        for index, path in enumerate(of)
    ]
    assert len(questions) == 130 * 131 // 2
    assert {answer["error"] for answer in go(questions)} == {""}
    for size, index in ODD:
        assert verify_receipt(receipts[size - 1][index], leaves[index], log.key).checkpoint.size == size


def test_inclusion_proofs_of_go_verify(leaves, gos):
    roots = raw(gos["roots"])
    for size, of in enumerate(gos["inclusion"], 1):
        for index, path in enumerate(of):
            verify_inclusion(leaves[index], index=index, size=size, path=raw(path), root=roots[size])


def test_consistency_proofs_are_gos_and_go_checks_them(go, log, gos):
    with log.reading() as view:
        ours = [[view.rows.proof(old, new) for old in range(1, new + 1)] for new in range(1, 131)]
    assert [[b64(proof) for proof in of] for of in ours] == gos["consistency"]
    questions = [
        consistency(old, gos["roots"][old], new, gos["roots"][new], proof)
        for new, of in enumerate(ours, 1)
        for old, proof in enumerate(of, 1)
    ]
    assert {answer["error"] for answer in go(questions)} == {""}
    assert [log.consistency(1 + index, size) for size, index in ODD] == [ours[size - 1][index] for size, index in ODD]


def test_consistency_proofs_of_go_verify(gos):
    roots = raw(gos["roots"])
    for new, of in enumerate(gos["consistency"], 1):
        for old, proof in enumerate(of, 1):
            verify_consistency(old=old, new=new, proof=raw(proof), old_root=roots[old], new_root=roots[new])


def bent(proof):
    """A proof and what becomes of it when it is bent in one place."""
    yield proof
    yield [*proof, bytes(32)]
    yield [bytes(32), *proof]
    yield proof[::-1]
    for at, one in enumerate(proof):
        yield proof[:at] + proof[at + 1 :]
        yield [*proof[:at], one, *proof[at:]]
        yield [*proof[:at], bytes([one[0] ^ 1]) + one[1:], *proof[at + 1 :]]


def test_go_and_wmproto_refuse_the_same_inclusion_proofs(go, leaves, gos):
    """Bent proofs, and sizes and indices beside the right ones, with the root of the size that is told or the right one."""
    cases = [
        (size + grown, index + moved, path, root)
        for size, index in ODD
        for path in bent(raw(gos["inclusion"][size - 1][index]))
        for grown in (-1, 0, 1)
        for moved in (-1, 0, 1)
        if 0 <= size + grown < len(gos["roots"]) and 0 <= index + moved < len(leaves)
        for root in {gos["roots"][size + grown], gos["roots"][size]}
    ]
    ours = [
        accepted(verify_inclusion, leaves[index], index=index, size=size, path=path, root=b64decode(root))
        for size, index, path, root in cases
    ]
    answers = go([inclusion(leaves[index], size, root, index, path) for size, index, path, root in cases])
    assert ours == [answer["error"] == "" for answer in answers]
    assert len(ODD) <= sum(ours) < len(ours) / 10


def test_go_and_wmproto_refuse_the_same_consistency_proofs(go, gos):
    roots = gos["roots"]
    cases = [
        (old + back, roots[older], size + grown, roots[newer], proof)
        for size, index in ODD
        for old in {index + 1, max(index, 1), (size + 1) // 2}
        for proof in bent(raw(gos["consistency"][size - 1][old - 1]))
        for grown in (-1, 0, 1)
        for back in (-1, 0, 1)
        if 0 < old + back < len(roots) and 0 < size + grown < len(roots)
        for older in {old, old + back}
        for newer in {size, size + grown}
    ]
    ours = [
        accepted(
            verify_consistency, old=old, new=new, proof=proof, old_root=b64decode(older), new_root=b64decode(newer)
        )
        for old, older, new, newer, proof in cases
    ]
    answers = go([consistency(*case) for case in cases])
    assert ours == [answer["error"] == "" for answer in answers]
    assert len(ODD) <= sum(ours) < len(ours) / 3


def test_only_wmproto_has_a_proof_from_the_empty_tree(go, gos):
    """The witness protocol begins at size 0, with an empty proof; Go's tlog knows no such proof."""
    root = b64decode(gos["roots"][5])
    verify_consistency(old=0, new=5, proof=[], old_root=tree_root([]), new_root=root)
    [answer] = go([consistency(0, gos["roots"][0], 5, gos["roots"][5], [])])
    assert answer["error"] == "tlog: invalid inputs in CheckTree"
