"""specs/vectors/encoding.json through wmproto.wire and wmproto.crypto."""

import hashlib
import json
from typing import Any, get_args

import pytest
from vectorfile import cases, check

from wmproto.commitment.secrets import prf
from wmproto.crypto.merkle import leaf_hash, tree_root, verify_inclusion
from wmproto.crypto.signer import Signer
from wmproto.crypto.signing import check_public_key, verify_envelope, verify_signature
from wmproto.crypto.tree import MerkleTree
from wmproto.dispute.messages import Stop
from wmproto.wire.canonical import canonical_json
from wmproto.wire.dsse import Envelope, Statement, pae
from wmproto.wire.framing import frame
from wmproto.wire.labels import Word
from wmproto.wire.profile import WMPROTO_1, draw_from
from wmproto.wire.schema import Wire, decode_b64, encode_b64

h = bytes.fromhex
LEAVES = [leaf_hash(bytes([n])) for n in range(130)]


class Held(Wire):
    """A value of any kind, to go through the one place where canonical JSON is read."""

    value: Any


def unspell(text):
    return {"s": str, "i": int, "b": h}[text[0]](text[2:])


def digest(parts):
    out = hashlib.sha256()
    for part in parts:
        out.update(part)
    return {"digest": out.hexdigest()}


def on_frame(_, case):
    return {"out": frame(*map(unspell, case["fields"])).hex()}


def on_frames(_, case):
    def every():
        alphabet = [unspell(x) for x in case["alphabet"]]
        for a in alphabet:
            yield frame(a)
            for b in alphabet:
                yield frame(a, b)
                yield from (frame(a, b, c) for c in alphabet)

    return digest(every())


def on_hash(_, case):
    assert case["word"] in get_args(Word)
    fields = [unspell(x) for x in case["fields"]]
    if "secret" in case:
        return {"out": prf(WMPROTO_1, h(case["secret"]), case["word"], *fields).hex()}
    return {"out": WMPROTO_1.hash(case["word"], *fields).hex()}


def on_draw(_, case):
    value = draw_from(h(case["seed"]), int(case["m"]))
    limit = int(case["m"]) * (2**64 // int(case["m"]))
    stream = hashlib.shake_256(h(case["seed"])).digest(8 * case["steps"]["words"])
    words = [int.from_bytes(stream[i : i + 8], "big") for i in range(0, len(stream), 8)]
    assert [w < limit for w in words] == [False] * (len(words) - 1) + [True]
    return {"value": value if value < 2**53 else str(value), "words": len(words)}


def on_draws(_, case):
    seeds = [frame("wmproto/1/test", n) for n in range(8)]
    return digest(draw_from(seed, m).to_bytes(8, "big") for m in range(1, 257) for seed in seeds)


def on_json_write(_, case):
    data = canonical_json(case["value"])
    assert json.loads(data) == case["value"]
    return {"out": data.hex()}


def on_json_all(_, case):
    points = [chr(c) for c in range(0x10000) if not 0xD800 <= c <= 0xDFFF] + ["\U00010000", "\U0010ffff"]
    return digest([canonical_json(points)])


def on_json_read(_, case):
    data = h(case["hex"]) if "hex" in case else case["text"].encode() * case.get("repeat", 1)
    value = Held.from_bytes(b'{"value":%s}' % data, what="test", limit=(1 << 20) + 10).value
    assert canonical_json(value) == data
    return {"value": value}


def on_base64(_, case):
    data = decode_b64(case["text"])
    assert encode_b64(data) == case["text"]
    return {"out": data.hex()}


def on_pae(_, case):
    return {"out": pae(case["payload"].encode()).hex()}


def on_sign(_, case):
    signer, message = Signer(h(case["seed"])), h(case["message"])
    signature = signer.sign(message)
    verify_signature(signer.public, message, signature)
    return {"public": signer.public.hex(), "signature": signature.hex()}


def on_key(_, case):
    assert check_public_key(h(case["public"])) == h(case["public"])
    return {}


def on_verify(_, case):
    verify_signature(h(case["public"]), h(case["message"]), h(case["signature"]))
    return {}


def on_envelope(_, case):
    envelope = Envelope.parse(case["text"].encode())
    assert envelope.to_bytes() == case["text"].encode()
    payload = verify_envelope(envelope)
    return {"payload": payload.hex(), "sha256": envelope.payload_hash.hex(), "signer": envelope.signer.hex()}


def on_statement(_, case):
    statement = Statement[Stop].parse(case["text"].encode(), "stop")
    assert statement.to_bytes() == case["text"].encode()
    return {"subject": statement.only_subject("key").hex(), "predicate": statement.predicate.model_dump(mode="json")}


def on_tree(_, case):
    return {"root": tree_root(LEAVES[: case["size"]]).hex()}


def on_roots(_, case):
    return digest(tree_root(LEAVES[:n]) for n in range(1, 131))


def on_paths(_, case):
    def every():
        for n in range(1, 131):
            tree = MerkleTree(LEAVES[:n])
            yield from (b"".join(tree.path(i)) for i in range(n))

    return digest(every())


def on_inclusion(_, case):
    path = [h(x) for x in case["path"]]
    verify_inclusion(h(case["leaf"]), index=case["index"], size=case["size"], path=path, root=h(case["root"]))
    return {}


HANDLERS = {
    "frame": on_frame,
    "frame-accumulated": on_frames,
    "hash": on_hash,
    "draw": on_draw,
    "draw-accumulated": on_draws,
    "json-write": on_json_write,
    "json-accumulated": on_json_all,
    "json-read": on_json_read,
    "base64": on_base64,
    "pae": on_pae,
    "ed25519-sign": on_sign,
    "ed25519-key": on_key,
    "ed25519-verify": on_verify,
    "envelope": on_envelope,
    "statement": on_statement,
    "tree": on_tree,
    "root-accumulated": on_roots,
    "path-accumulated": on_paths,
    "inclusion": on_inclusion,
}


@pytest.mark.parametrize(("handler", "group", "case"), cases("encoding", HANDLERS))
def test_encoding(handler, group, case):
    check(handler, group, case)
