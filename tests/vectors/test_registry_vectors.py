"""specs/vectors/registry.json through wmproto.registry: parse, verify, write again, and a real log."""

import hashlib
import json

import pytest
from vectorfile import cases, check

from wmproto.crypto.merkle import leaf_hash
from wmproto.crypto.signer import Signer
from wmproto.crypto.tree import MerkleTree
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.copy import read_log_copy
from wmproto.registry.entry import entry_bytes, entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey, open_note
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.registry.writing import sign_note, write_log_copy
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.profile import WMPROTO_1

h = bytes.fromhex
P = WMPROTO_1


def on_entry(_, case):
    payload = canonical_json({"n": 0})
    assert hashlib.sha256(payload).hexdigest() == case["payload_sha256"]
    envelope = compose_envelope(payload, h(case["keyid"]), h(case["sig"]))
    entry = entry_bytes(P, case["type"], envelope)
    assert leaf_hash(entry) == entry_leaf(P, case["type"], envelope)
    return {"entry": entry.hex(), "leaf": leaf_hash(entry).hex()}


def on_vkey(_, case):
    key = LogKey.parse(case["vkey"])
    assert str(key) == case["vkey"]
    return {"name": key.name, "public": key.public.hex(), "key_id": key.key_id.hex()}


def on_note(group, case):
    return {"text": open_note(case["note"].encode(), LogKey.parse(group["vkey"]))}


def on_checkpoint(group, case):
    checkpoint = verify_checkpoint(case["note"].encode(), LogKey.parse(group["vkey"]))
    assert checkpoint.text == case["note"].split("\n\n")[0] + "\n"
    size = checkpoint.size
    return {"size": size if size < 2**53 else str(size), "root": checkpoint.root.hex()}


def on_receipt(group, case):
    data = case["receipt"].encode()
    found = verify_receipt(data, h(case["leaf"]), LogKey.parse(group["vkey"]))
    assert Receipt.parse(data).to_bytes() == data
    return {"index": found.index, "size": found.checkpoint.size, "root": found.checkpoint.root.hex()}


def small_log(group_or_case, n):
    """Entries of the log of receipt-accumulated."""
    owner = Signer(h(group_or_case["owner_seed"]))
    return [owner.envelope(canonical_json({"n": i})) for i in range(n)]


def on_receipts(_, case):
    signer, digest = Signer(h(case["log_seed"])), hashlib.sha256()
    leaves = [entry_leaf(P, "key", e) for e in small_log(case, 20)]
    for size in range(1, 21):
        tree = MerkleTree(leaves[:size])
        note = sign_note(Checkpoint(case["name"], size, tree.root).text, case["name"], signer)
        for index in range(size):
            digest.update(Receipt(index, tree.path(index), note).to_bytes())
    return {"digest": digest.hexdigest()}


def on_copy(group, case):
    key, data = LogKey.parse(group["vkey"]), case["text"].encode()
    copy = read_log_copy(data, key, profile=P)
    head = json.loads(data.split(b"\n")[0])
    assert b"".join(write_log_copy(head["checkpoint"].encode(), key, copy.entries)) == data
    return {"leaves": [entry_leaf(P, kind, e).hex() for kind, e in copy.entries]}


HANDLERS = {
    "entry": on_entry,
    "vkey": on_vkey,
    "note": on_note,
    "checkpoint": on_checkpoint,
    "receipt": on_receipt,
    "receipt-accumulated": on_receipts,
    "log-copy": on_copy,
}
CASES = cases("registry", HANDLERS)


@pytest.mark.parametrize(("handler", "group", "case"), CASES)
def test_registry(handler, group, case):
    check(handler, group, case)


def test_a_log_in_a_database_has_the_same_tree(tmp_path):
    """A log takes statements only, so not the entries of receipt-accumulated; but the same index, the same path."""
    case = next(case.values[2] for case in CASES if case.values[0] is on_receipts)
    log = Log.create(tmp_path / "log.db", case["name"], Signer(h(case["log_seed"])))
    owner, leaves = Signer(h(case["owner_seed"])), []
    for n in range(20):
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "predicate": {"n": n},
            "predicateType": "tag:wmproto,2025:key/1",
            "subject": [{"digest": {"sha256": bytes([n] * 32).hex()}, "name": "root"}],
        }
        envelope = owner.envelope(canonical_json(statement))
        leaves.append(entry_leaf(P, "key", envelope))
        log.submit("key", envelope)
        tree = MerkleTree(leaves)
        note = sign_note(Checkpoint(case["name"], n + 1, tree.root).text, case["name"], Signer(h(case["log_seed"])))
        assert log.receipts(leaves) == [Receipt(i, tree.path(i), note).to_bytes() for i in range(n + 1)]
