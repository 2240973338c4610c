"""specs/vectors/release.json through wmproto.release."""

import struct

import pytest
from vectorfile import cases, check, envelope, patched

from wmproto.commitment.statement import verify_key
from wmproto.crypto.merkle import leaf_hash
from wmproto.crypto.signer import Signer
from wmproto.release.architecture import architecture_bytes, parse_architecture
from wmproto.release.payload import release_payload
from wmproto.release.record import Release, check_release_of, verify_release
from wmproto.release.tensors import TensorDigest, model_digest, read_tensors, tensor_root
from wmproto.wire.canonical import canonical_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Statement
from wmproto.wire.framing import frame, sha256
from wmproto.wire.profile import WMPROTO_1

h = bytes.fromhex
P = WMPROTO_1


def safetensors(tensors):
    """A safetensors file of (name, dtype, shape, bytes), laid out by hand."""
    header, at = {}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"data_offsets": [at, at + len(data)], "dtype": dtype, "shape": shape}
        at += len(data)
    head = canonical_json(header)
    return struct.pack("<Q", len(head)) + head + b"".join(data for *_, data in tensors)


def on_tensor(_, case):
    name, dtype, shape, data = case["name"], case["dtype"], case["shape"], h(case["data"])
    leaf = leaf_hash(frame(P.tag("tensor"), name, dtype, frame(*shape), data))
    if name == "1.weight" and dtype == "F32" and shape == [2, 2]:  # the same out of a file
        layers = [
            {"op": "affine", "scale": [[1, 1]] * 2, "shift": [[0, 1]] * 2},
            {"bias": False, "features": 2, "op": "linear"},
        ]
        model = {"grammar": "layers/1", "input": {"dtype": "uint8", "shape": [2]}, "layers": layers}
        read = read_tensors(safetensors([(name, dtype, shape, data)]), parse_architecture(model))
        assert [t.digest for t in read] == [leaf]
    return {"leaf": leaf.hex()}


def on_model(_, case):
    architecture = parse_architecture(case["architecture"])
    tensors = [TensorDigest(t["name"], t["dtype"], tuple(t["shape"]), h(t["digest"])) for t in case["tensors"]]
    root = tensor_root(tensors)
    data = architecture_bytes(architecture)
    assert data == canonical_json(case["architecture"])
    return {
        "architecture_sha256": sha256(data).hex(),
        "model": model_digest(architecture, tensors).hex(),
        "root": root.hex(),
    }


def on_release(group, case):
    payload = canonical_json(patched(group["base"], case["set"]))
    verified = verify_release(compose_envelope(payload, h(case["signer"]), h(case["sig"])), profile=P)
    assert Statement[Release].parse(payload, "release").to_bytes() == payload
    check_release_of(verified, verify_key(envelope(group["key"]), profile=P))
    if list(verified.files) == sorted(verified.files):  # the writer sorts, the reader does not mind
        assert release_payload(verified.release, dict(verified.files)) == payload
    assert Signer(h(group["owner_seed"])).envelope(payload) == verified.envelope
    return {"model": verified.release.model.hex(), "payload_sha256": sha256(payload).hex()}


HANDLERS = {"tensor": on_tensor, "model": on_model, "release": on_release}


@pytest.mark.parametrize(("handler", "group", "case"), cases("release", HANDLERS))
def test_release(handler, group, case):
    check(handler, group, case)
