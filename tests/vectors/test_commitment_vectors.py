"""specs/vectors/commitment.json through wmproto.commitment."""

import hashlib
from dataclasses import replace

import pytest
from vectorfile import cases, check, envelope, patched

from wmproto.commitment.builder import key_payload
from wmproto.commitment.labels import Labels
from wmproto.commitment.leaf import inputs_hash, leaf_value
from wmproto.commitment.opening import Opening, verify_opening
from wmproto.commitment.secrets import leaf_key
from wmproto.commitment.statement import KeyStatement, verify_key
from wmproto.crypto.signer import Signer
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Statement
from wmproto.wire.framing import frame, sha256
from wmproto.wire.profile import WMPROTO_1

h = bytes.fromhex
P = WMPROTO_1


def on_leaf(group, case):
    keyctx, i = h(group["keyctx"]), case["index"]
    k, inputs = leaf_key(P, h(group["master"]), keyctx, i), [h(x) for x in case["inputs"]]
    return {
        "k": k.hex(),
        "inputs_bytes": frame(*inputs).hex(),
        "inputs_hash": inputs_hash(inputs).hex(),
        "leaf": leaf_value(P, keyctx, i, k, inputs_hash(inputs), h(case["aux"])).hex(),
    }


def on_key(group, case):
    changes = case["set"]
    if "many" in case:
        n, width = case["many"]
        changes = changes | {"predicate.classes": [f"{i:0{width}}" for i in range(n)]}
    payload = canonical_json(patched(group["base"], changes))
    key = verify_key(compose_envelope(payload, h(case["signer"]), h(case["sig"])), profile=P)
    # The writer writes what the reader read, and the owner's signature is the very one.
    assert key_payload(key.z, P) == payload
    assert Statement[KeyStatement].parse(payload, "key").to_bytes() == payload
    assert Signer(h(group["owner_seed"])).envelope(payload) == key.envelope
    return {
        "beta": key.beta.hex(),
        "key_id": key.key_id.hex(),
        "payload_sha256": sha256(payload).hex(),
        "subject": P.hash("root", key.z.suite, key.z.R).hex(),
    }


def on_counts(_, case):
    digest = hashlib.sha256()
    for n in filter(P.is_leaf_count, range(70_000)):
        digest.update(f"{n} {P.start_grid(n)}\n".encode())
    return {"digest": digest.hexdigest()}


def labels_of(key_id, beta, m):
    """Labels of a made-up key: only m, key_id and beta enter."""
    key = KEYS[0]
    return Labels(replace(key, key_id=key_id, beta=beta, z=key.z.model_copy(update={"m": m})))


def on_label(group, case):
    labels = labels_of(h(group["key_id"]), h(group["beta"]), case["m"])
    k = h(case["k"])
    return {"label": labels.label(case["index"], k), "ghost": labels.is_ghost(case["index"], k)}


def on_labels(_, case):
    digest = hashlib.sha256()
    for m in (2, 3, 10, 1000):
        labels = labels_of(bytes(32), bytes(32), m)
        for i in range(256):
            k = bytes([i]) * 32
            digest.update(f"{m} {i} {labels.label(i, k)} {int(labels.is_ghost(i, k))}\n".encode())
    return {"digest": digest.hexdigest()}


def on_opening(group, case):
    key = verify_key(envelope(group["key"]), profile=P)
    data = canonical_json(patched(group["base"], case["set"]))
    opening = Opening.from_bytes(data, what="opening", limit=1 << 20)
    assert opening.to_bytes() == data
    verify_opening(opening, key=key, asked=h(case.get("asked", group["asked"])))
    return {"leaf": leaf_value(P, key.z.keyctx, opening.index, opening.k, inputs_hash(opening.inputs), b"").hex()}


HANDLERS = {
    "leaf": on_leaf,
    "key": on_key,
    "leaf-counts-accumulated": on_counts,
    "label": on_label,
    "label-accumulated": on_labels,
    "opening": on_opening,
}
CASES = cases("commitment", HANDLERS)
KEYS = [verify_key(envelope(case.values[1]["key"]), profile=P) for case in CASES if case.values[0] is on_opening][:1]


@pytest.mark.parametrize(("handler", "group", "case"), CASES)
def test_commitment(handler, group, case):
    check(handler, group, case)
