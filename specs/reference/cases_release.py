"""Cases for specs/release.md."""

import commitment
import ed25519
import encoding
import release
from cases_commitment import OWNER, small_key
from encoding import canonical, sha256
from vectors import Group, patched, seed

NOTES = {
    "TensorOrder": ("MALLEABILITY", "one model has several digests"),
    "WrongDigest": ("MISUSE", "a release names weights that it does not list"),
    "FileTwice": ("AMBIGUITY", "it is not clear which file was released"),
    "OtherOwner": ("MISUSE", "somebody signs another's release"),
    "OtherKey": ("REPLAY", "a release of one key is used for another"),
    "WrongBeta": ("BACKDATING", "a release does not show that it follows the labels"),
    "Unsupported": ("DOWNGRADE", "a rule that this version does not enforce is silently left out"),
    "Profile": ("DOWNGRADE", "constants of another profile are used"),
    "UnknownField": ("SMUGGLING", "a field that a verifier does not look at"),
    "Form": ("PARSER DIFFERENTIAL", "a malformed statement is read in one's own way"),
    "BadSignature": ("FORGERY", "changed after signing"),
}

ARCHITECTURE = {
    "grammar": "layers/1",
    "input": {"dtype": "uint8", "shape": [2]},
    "layers": [
        {"op": "affine", "scale": [[1, 255], [1, 255]], "shift": [[0, 1], [0, 1]]},
        {"bias": True, "features": 2, "op": "linear"},
    ],
}
WEIGHT, BIAS = bytes(range(16)), b"\x00\x00\x80\x3f" * 2
TENSORS = [release.tensor_entry("1.bias", [2], BIAS), release.tensor_entry("1.weight", [2, 2], WEIGHT)]


def tensors():
    g = Group("tensor", "leaf of a tensor in the tensor tree")
    for comment, name, dtype, dims, data in [
        ("a bias", "1.bias", "F32", [2], BIAS),
        ("a weight", "1.weight", "F32", [2, 2], WEIGHT),
        ("the shape is in the hash", "1.weight", "F32", [4, 1], WEIGHT),
        ("so is the dtype", "1.weight", "I32", [2, 2], WEIGHT),
        ("so is the name", "2.weight", "F32", [2, 2], WEIGHT),
        ("no dimension", "t", "F32", [], BIAS[:4]),
    ]:
        steps = {"leaf": release.tensor_leaf(name, dtype, dims, data).hex()}
        g.add(comment, lambda s=steps: s, name=name, dtype=dtype, shape=dims, data=data.hex())
    return g


def models():
    g = Group("model", "h_f: root over the tensors' leaves, and H('model', root, architecture)")

    def add(comment, architecture, entries, *flags):
        def run():
            return {
                "architecture_sha256": sha256(canonical(architecture)).hex(),
                "model": release.model_digest(architecture, entries).hex(),
                "root": release.tensor_root(entries).hex(),
            }

        g.add(comment, run, "FormatError" if flags else "ok", flags, architecture=architecture, tensors=entries)

    add("a linear model", ARCHITECTURE, TENSORS)
    other = patched(ARCHITECTURE, {"layers.0.shift": [[1, 2], [1, 2]]})
    add("other preprocessing is another model", other, TENSORS)
    changed = [release.tensor_entry("1.bias", [2], bytes(8)), TENSORS[1]]
    add("another bias is another model", ARCHITECTURE, changed)
    add("tensors in another order", ARCHITECTURE, TENSORS[::-1], "TensorOrder")
    add("a tensor twice", ARCHITECTURE, [TENSORS[0], TENSORS[0], TENSORS[1]], "TensorOrder")
    return g


def releases():
    key_signed = small_key()[4]
    key = commitment.verify_key(key_signed)
    owner = ed25519.public(OWNER)
    good = release.make_release(owner, key["key_id"], key["beta"], b"a receipt", ARCHITECTURE, TENSORS)
    files = [("model.safetensors", sha256(b"a file"))]
    base = encoding.parse_canonical(release.release_payload(good, files))
    payload, signer, signature = encoding.parts(key_signed)
    g = Group(
        "release",
        "releases: `base` with `set` applied, canonical, signed by `signer` with `sig`; verified by itself, "
        "then as a release under the key",
        base=base,
        key={"keyid": signer.hex(), "payload": encoding.parse_canonical(payload), "sig": signature.hex()},
        owner_seed=OWNER.hex(),
    )

    def add(comment, changes, *flags, expect="FormatError", rule="", by=OWNER, sign_base=False):
        payload = canonical(patched(base, changes))
        signed = commitment.sign(by, payload)
        if sign_base:
            wrong = encoding.parts(commitment.sign(by, canonical(base)))[2]
            signed = encoding.envelope(payload, ed25519.public(by), wrong)

        def run():
            one = release.verify_release(signed)
            release.check_release_of(one, key)
            return {"model": one["model"], "payload_sha256": sha256(payload).hex()}

        _, signer, signature = encoding.parts(signed)
        expect, rule = (expect, rule) if flags else ("ok", "")
        g.add(comment, run, expect, flags, rule, set=changes, signer=signer.hex(), sig=signature.hex())

    def with_(**changes):
        return {"predicate." + name: value for name, value in changes.items()}

    def model(architecture, entries):
        return with_(
            architecture=architecture, tensors=entries, model=release.model_digest(architecture, entries).hex()
        )

    def listed(tensors):
        """Tensors in a wrong order, under the digest that this order would have."""
        root = release.merkle.root([bytes.fromhex(t["digest"]) for t in tensors])
        return with_(tensors=tensors, model=encoding.H("model", root, canonical(ARCHITECTURE)).hex())

    add("a good one", {})
    add("to a licensee", with_(recipient="Example GmbH"))
    more = [*base["subject"], {"digest": {"sha256": sha256(b"onnx").hex()}, "name": "model.onnx"}]
    add("two files", {"subject": more})
    other = patched(ARCHITECTURE, {"layers.0.shift": [[1, 2], [1, 2]]})
    add("another architecture", model(other, TENSORS))
    add("h_f of another architecture", with_(architecture=other), "WrongDigest")
    add("h_f of other tensors", with_(tensors=[TENSORS[1]]), "WrongDigest")
    add("another h_f", with_(model=bytes(32).hex()), "WrongDigest")
    add("the digest of a tensor", {"predicate.tensors.0.digest": bytes(32).hex()}, "WrongDigest")
    add("tensors in another order", listed(TENSORS[::-1]), "TensorOrder")
    add("a tensor twice", listed([TENSORS[0], TENSORS[0]]), "TensorOrder")
    stranger = seed("stranger")
    false = {"expect": "VerificationError", "rule": "rel-2"}
    add("signed by another than the owner it names", {}, "OtherOwner", by=stranger, **false)
    theirs = with_(owner=ed25519.public(stranger).hex())
    add("names another owner than its signer", theirs, "OtherOwner", **false)
    add("another's own release of our key", theirs, "OtherOwner", expect="VerificationError", rule="rel-3", by=stranger)
    add("another key", with_(key_id=bytes(32).hex()), "OtherKey", expect="VerificationError", rule="rel-4")
    add("another beta", with_(beta=bytes(32).hex()), "WrongBeta", expect="VerificationError", rule="rel-4")
    add("changed after signing", with_(recipient="x"), "BadSignature", expect="SignatureError", rule="enc-ed25519-2",
        sign_base=True)  # fmt: skip
    add("a salt", with_(salt="pepper"), "Unsupported", expect="UnsupportedError")
    add("another profile", with_(profile="wmproto/2"), "Profile")
    add("an unknown field", with_(note="x"), "UnknownField")
    add("no tensor", with_(tensors=[]), "Form")
    add("no file", {"subject": []}, "Form")
    add("an architecture that is text", with_(architecture="resnet18"), "Form")
    add("another kind of statement", {"predicateType": encoding.predicate_type("key")}, "Form")
    twice = [*base["subject"], {"digest": {"sha256": sha256(b"another").hex()}, "name": "model.safetensors"}]
    add("one file name with two digests", {"subject": twice}, "FileTwice")
    return g


def groups():
    return [tensors(), models(), releases()]
