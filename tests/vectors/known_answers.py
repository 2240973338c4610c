"""Check specs/reference against known-answers.json: ``known_answers.py REFERENCE FILE``; prints parts and checks done.

A program of its own, so that the reference's module names (encoding, release, ...) stay out of the test process.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import commitment
import ed25519
import encoding
import merkle
import registry
import verdict

h = bytes.fromhex
known = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
checks = 0


def same(got, expected):
    global checks
    got = got.hex() if isinstance(got, bytes) else got
    if got != expected:
        sys.exit(f"{got!r} is not {expected!r}")
    checks += 1


def frame():
    for case in known["frame"]:
        fields = [{"s": str, "i": int, "b": h}[f[0]](f[2:]) for f in case["fields"]]
        same(encoding.frame(*fields), case["out"])


def prf():
    case = known["prf"]
    for word in ("leafkey", "input"):
        for i, out in case[word].items():
            same(encoding.prf(h(case["s"]), word, h(case["keyctx"]), int(i)), out)
    same(commitment.leaf_key(h(case["s"]), h(case["keyctx"]), 5), case["leafkey"]["5"])


def leaf():
    for case in known["leaf"]:
        raw = commitment.inputs_bytes([h(x) for x in case["inputs"]])
        same(raw, case.get("inputs_bytes", raw.hex()))
        found = commitment.leaf(h(case["keyctx"]), case["i"], h(case["k"]), encoding.sha256(raw), h(case["aux"]))
        same(found, case["out"])


def tree():
    case = known["tree"]
    leaves = [h(x) for x in case["leaves"]]
    same(merkle.root(leaves), case["root16"])
    for n, root in case["root_of_first"].items():
        same(merkle.root(leaves[: int(n)]), root)
    for name, size in (("path16", 16), ("path_in_11", 11)):
        for i, path in case[name].items():
            same([p.hex() for p in merkle.path(int(i), leaves[:size])], path)
            merkle.verify(leaves[int(i)], int(i), size, [h(p) for p in path], merkle.root(leaves[:size]))


def root_subject():
    same(encoding.H("root", "sha256-tree", h(known["tree"]["root16"])), known["root_subject"])


def draw():
    for case in known["draw"]:
        same(list(encoding.draw_words(h(case["seed"]), case["m"])), [case["value"], case["words"]])


def key():
    data = known["key"]["Zbytes"].encode()
    same(encoding.canonical(encoding.parse_canonical(data)), data.hex())
    same(encoding.H("key", data), known["key"]["key_id"])
    same(encoding.H("fs", data), known["key"]["beta_fs"])


def labels():
    for case in known["labels"]:
        key_id, beta, i, k = h(case["key_id"]), h(case["beta"]), case["i"], h(case["k"])
        same(commitment.label(key_id, beta, i, k, case["m"]), case["label"])
        same(commitment.ghost(key_id, beta, i, k), case["ghost_of_4"])
        same(encoding.draw(case["m"], "label", key_id, beta, i), case["label_public"])
        same(encoding.draw(4, "ghost", key_id, beta, i) == 0, case["ghost_public"])


def all16():
    s, keyctx = h(known["prf"]["s"]), h(known["prf"]["keyctx"])
    key_id, beta = h(known["key"]["key_id"]), h(known["key"]["beta_fs"])
    for i in range(16):
        k = commitment.leaf_key(s, keyctx, i)
        same(commitment.label(key_id, beta, i, k, 10), known["all16"]["labels_m10"][i])
        same(int(commitment.ghost(key_id, beta, i, k)), known["all16"]["ghosts"][i])


def signature():
    case, data = known["ed25519"], known["key"]["Zbytes"].encode()
    seed = h(case["seed"])
    same(ed25519.public(seed), case["public"])
    same(ed25519.sign(seed, encoding.pae(data, case["payload_type"])), case["sig_of_PAE_Zbytes"])
    ed25519.verify(h(case["public"]), encoding.pae(data), h(case["sig_of_PAE_Zbytes"]))
    # Its Z is one that our form accepts, too.
    verified = commitment.verify_key(commitment.sign(seed, data))
    same(verified["key_id"], known["key"]["key_id"])


def log_entry():
    signed = commitment.sign(h(known["ed25519"]["seed"]), known["key"]["Zbytes"].encode())
    same(registry.entry(known["log_entry"]["type"], signed), known["log_entry"]["entry"])
    same(registry.entry_leaf("key", signed), known["log_entry"]["rfc6962_leaf"])


def d13():
    for m, bits, n, hits in known["d13"]["rows"]:
        if hits is None:
            same(verdict.fires(m, n, n, bits), False)
        else:
            same([verdict.fires(m, n, hits, bits), verdict.fires(m, n, hits - 1, bits)], [True, False])


def floor_log2():
    for m, n, hits, out in known["floor_log2_E"]:
        same(verdict.floor_log2(verdict.evidence(m, n, hits)), out)


def d14():
    for m, n, hits, absent in known["d14"]["rows"]:
        same(verdict.mark_absent(m, n, hits), absent)


PARTS = {
    "frame": frame,
    "prf": prf,
    "leaf": leaf,
    "tree": tree,
    "root_subject": root_subject,
    "draw": draw,
    "key": key,
    "labels": labels,
    "all16": all16,
    "ed25519": signature,
    "log_entry": log_entry,
    "d13": d13,
    "floor_log2_E": floor_log2,
    "d14": d14,
}
for part in PARTS.values():
    part()
if set(known) != set(PARTS) | {"note"}:
    sys.exit(f"nobody checks {set(known) ^ set(PARTS)}")
print(len(PARTS), checks)
