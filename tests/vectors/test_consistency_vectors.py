"""specs/vectors/consistency.json through wmproto.crypto, and what wmproto itself proves."""

import hashlib
import json

import pytest
from vectorfile import cases, check

from wmproto.crypto.consistency import verify_consistency
from wmproto.crypto.merkle import leaf_hash, tree_root, verify_inclusion
from wmproto.crypto.signer import Signer
from wmproto.crypto.tree import MerkleTree
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.fork import make_fork
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.writing import sign_note
from wmproto.wire.canonical import canonical_json
from wmproto.wire.schema import decode_b64

h = bytes.fromhex
LOG = Signer(bytes(32))
KEY = LogKey("log.example/1", LOG.public)


def on_root(group, case):
    leaves = [leaf_hash(h(leaf)) for leaf in group["leaves"]][: case["n"]]
    assert MerkleTree(leaves).root == tree_root(leaves)
    return {"root": tree_root(leaves).hex()}


def on_inclusion(group, case):
    leaf, root, *path = (h(group["hashes"][name]) for name in (case["leaf"], case["root"], *case["proof"]))
    verify_inclusion(leaf, index=int(case["index"]), size=int(case["size"]), path=path, root=root)
    return {}


def on_consistency(group, case):
    old, new, *proof = (h(group["hashes"][name]) for name in (case["old"], case["new"], *case["proof"]))
    verify_consistency(old=int(case["m"]), new=int(case["n"]), proof=proof, old_root=old, new_root=new)
    return {}


def note(size, root):
    return sign_note(Checkpoint(KEY.name, size, root).text, KEY.name, LOG)


def proved(m, leaves):
    """The proof from m leaves to all that evidence of a fork holds: the log signed another root for m."""
    n = len(leaves)
    evidence = json.loads(make_fork(KEY, note(m, bytes(32)), note(n, tree_root(leaves)), leaves))
    return [decode_b64(one) for one in evidence["proof"]]


def on_every_proof(_, case):
    digest, leaves = hashlib.sha256(), [leaf_hash(n.to_bytes(2, "big")) for n in range(40)]
    for n in range(41):
        for m in range(n + 1):
            proof = proved(m, leaves[:n])
            digest.update(bytes([m, n, len(proof)]) + b"".join(proof))
    return {"digest": digest.hexdigest()}


HANDLERS = {
    "published-root": on_root,
    "inclusion": on_inclusion,
    "consistency": on_consistency,
    "consistency-accumulated": on_every_proof,
}


@pytest.mark.parametrize(("handler", "group", "case"), cases("consistency", HANDLERS))
def test_consistency(handler, group, case):
    check(handler, group, case)


def test_a_log_in_a_database_proves_the_same(tmp_path):
    log, owner = Log.create(tmp_path / "log.db", KEY.name, LOG), Signer(bytes([1] * 32))
    for n in range(13):
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "predicate": {"n": n},
            "predicateType": "tag:wmproto,2025:key/1",
            "subject": [{"digest": {"sha256": bytes([n] * 32).hex()}, "name": "root"}],
        }
        log.submit("key", owner.envelope(canonical_json(statement)))
    with log.reading() as view:
        leaves = view.rows.nodes(0, 0, 13)
    for n in range(14):
        for m in range(n + 1):
            assert list(log.consistency(m, n)) == proved(m, leaves[:n])
