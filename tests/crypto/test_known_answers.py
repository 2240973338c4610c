"""The answers of an independent implementation, computed from the protocol's text alone (tests/data)."""

import json
from pathlib import Path

import pytest

from wmproto.commitment.leaf import inputs_hash, leaf_value
from wmproto.commitment.secrets import input_seed, leaf_key, prf
from wmproto.crypto.beacon import FiatShamir
from wmproto.crypto.merkle import leaf_hash, tree_root, verify_inclusion
from wmproto.crypto.signer import Signer
from wmproto.crypto.signing import verify_signature
from wmproto.crypto.tree import MerkleTree
from wmproto.wire.dsse import pae
from wmproto.wire.framing import frame, sha256
from wmproto.wire.labels import PAYLOAD_TYPE
from wmproto.wire.profile import WMPROTO_1, draw_from

KNOWN = json.loads((Path(__file__).parent.parent / "data/known-answers.json").read_text(encoding="utf-8"))
KNOWN_PARTS = {
    "note", "frame", "prf", "leaf", "tree", "root_subject", "draw", "key", "labels", "all16", "ed25519", "log_entry",
    "d13", "floor_log2_E", "d14",
}  # fmt: skip
P = WMPROTO_1
h = bytes.fromhex


def test_there_is_no_part_that_nobody_tests():
    assert set(KNOWN) == KNOWN_PARTS  # log_entry also in tests/registry, d13, floor_log2_E and d14 in tests/verdict


@pytest.mark.parametrize("case", KNOWN["frame"], ids=lambda c: c["out"][:32])
def test_frame(case):
    read = {"s": str, "i": int, "b": h}
    fields = [read[field[0]](field[2:]) for field in case["fields"]]
    assert frame(*fields) == h(case["out"])


def test_prf():
    known = KNOWN["prf"]
    s, keyctx = h(known["s"]), h(known["keyctx"])
    for derive, word in ((leaf_key, "leafkey"), (input_seed, "input")):
        assert known[word]
        for index, expected in known[word].items():
            assert derive(P, s, keyctx, int(index)) == prf(P, s, word, keyctx, int(index)) == h(expected)


@pytest.mark.parametrize("case", KNOWN["leaf"], ids=lambda c: str(c["i"]))
def test_leaf(case):
    inputs = [h(x) for x in case["inputs"]]
    if "inputs_bytes" in case:
        assert frame(*inputs) == h(case["inputs_bytes"])
    hashed = inputs_hash(inputs)
    assert leaf_value(P, h(case["keyctx"]), case["i"], h(case["k"]), hashed, h(case["aux"])) == h(case["out"])


def test_tree():
    known = KNOWN["tree"]
    leaves = [h(x) for x in known["leaves"]]
    tree = MerkleTree(leaves)
    assert tree.root == h(known["root16"])
    for size, root in known["root_of_first"].items():
        assert tree_root(leaves[: int(size)]) == h(root)
    for size, paths in ((16, known["path16"]), (11, known["path_in_11"])):
        small = MerkleTree(leaves[:size])
        for index, path in paths.items():
            assert small.path(int(index)) == tuple(map(h, path))
            verify_inclusion(leaves[int(index)], index=int(index), size=size, path=tuple(map(h, path)), root=small.root)


def test_the_leaves_of_the_tree_are_those_of_generated_inputs():
    s, keyctx = h(KNOWN["prf"]["s"]), h(KNOWN["prf"]["keyctx"])
    for i, expected in enumerate(KNOWN["tree"]["leaves"]):
        hashed = inputs_hash([input_seed(P, s, keyctx, i)])
        assert leaf_value(P, keyctx, i, leaf_key(P, s, keyctx, i), hashed, b"") == h(expected)


def test_root_subject():
    assert P.hash("root", "sha256-tree", h(KNOWN["tree"]["root16"])) == h(KNOWN["root_subject"])


@pytest.mark.parametrize("case", KNOWN["draw"], ids=lambda c: f"{c['m']}-{c['seed'][-1]}")
def test_draw(case):
    assert draw_from(h(case["seed"]), case["m"]) == case["value"]


def test_draws_that_were_rejected_are_among_them():
    assert max(case["words"] for case in KNOWN["draw"]) > 1


def test_key():
    payload = KNOWN["key"]["Zbytes"].encode()
    assert P.hash("key", payload) == h(KNOWN["key"]["key_id"])
    assert FiatShamir().beta(P, payload) == h(KNOWN["key"]["beta_fs"])


@pytest.mark.parametrize("case", KNOWN["labels"], ids=lambda c: f"{c['i']}-{c['m']}")
def test_labels(case):
    key = (h(case["key_id"]), h(case["beta"]), case["i"])
    k = h(case["k"])
    assert P.draw(case["m"], "label", *key, k) == case["label"]
    assert (P.draw(P.ghost_one_in, "ghost", *key, k) == 0) == case["ghost_of_4"]
    assert P.draw(case["m"], "label", *key) == case["label_public"]
    assert (P.draw(P.ghost_one_in, "ghost", *key) == 0) == case["ghost_public"]


def test_all_sixteen():
    s, keyctx = h(KNOWN["prf"]["s"]), h(KNOWN["prf"]["keyctx"])
    key = (h(KNOWN["key"]["key_id"]), h(KNOWN["key"]["beta_fs"]))
    keys = [leaf_key(P, s, keyctx, i) for i in range(16)]
    assert [P.draw(10, "label", *key, i, k) for i, k in enumerate(keys)] == KNOWN["all16"]["labels_m10"]
    assert [int(P.draw(4, "ghost", *key, i, k) == 0) for i, k in enumerate(keys)] == KNOWN["all16"]["ghosts"]


def test_ed25519():
    known, payload = KNOWN["ed25519"], KNOWN["key"]["Zbytes"].encode()
    signer = Signer(h(known["seed"]))
    assert signer.public == h(known["public"])
    assert known["payload_type"] == PAYLOAD_TYPE
    assert signer.sign(pae(payload)) == h(known["sig_of_PAE_Zbytes"])
    verify_signature(signer.public, pae(payload), h(known["sig_of_PAE_Zbytes"]))
    assert signer.envelope(payload).signature == h(known["sig_of_PAE_Zbytes"])


def test_log_entry():
    known, payload = KNOWN["log_entry"], KNOWN["key"]["Zbytes"].encode()
    signer = (h(KNOWN["ed25519"]["public"]), h(KNOWN["ed25519"]["sig_of_PAE_Zbytes"]))
    entry = frame(P.tag("entry"), known["type"], sha256(payload), *signer)
    assert entry == h(known["entry"])
    assert leaf_hash(entry) == h(known["rfc6962_leaf"])
