"""Cases for specs/commitment.md."""

import hashlib

import commitment
import ed25519
import encoding
import merkle
import triggers
from encoding import b64, canonical, frame, sha256, statement
from vectors import Group, accumulated, patched, seed

NOTES = {
    "WrongSubject": ("MISUSE", "a statement is filed under another root than the one it fixes"),
    "OffGrid": ("BOUND", "another number of leaves gives more starts than the bound counts"),
    "DuplicateClasses": ("FALSE CLAIM", "one answer is two labels, so a chance hit is likelier than 1/m"),
    "WrongM": ("FALSE CLAIM", "the bet pays more than fair odds"),
    "OtherSigner": ("MISUSE", "somebody registers another's key"),
    "Unsupported": ("DOWNGRADE", "a rule that this version does not enforce is silently left out"),
    "Profile": ("DOWNGRADE", "constants of another profile are used"),
    "Limit": ("DENIAL", "an object that no reader can hold"),
    "Form": ("PARSER DIFFERENTIAL", "a malformed statement is read in one's own way"),
    "UnknownField": ("SMUGGLING", "a field that a verifier does not look at"),
    "BadSignature": ("FORGERY", "Z was changed after it was signed"),
    "SwappedLeaves": ("FORGERY", "an opening proves a leaf at an index it was not committed to: labels can be chosen"),
    "OtherInputs": ("FALSE CLAIM", "the model is asked one thing and another is opened"),
    "OtherKey": ("FALSE CLAIM", "the label key is chosen after the answer"),
    "OtherContext": ("REPLAY", "a leaf of one key is opened under another"),
    "PathLength": ("FORGERY", "a shortened or lengthened path passes for another tree"),
    "WrongPath": ("FORGERY", "a leaf that is not in the tree"),
    "Aux": ("SMUGGLING", "a second, unchecked part of a leaf"),
    "InputSize": ("SMUGGLING", "an input of another size or number than Z says"),
}

MASTER, KEYCTX, OWNER = seed("master"), seed("keyctx"), seed("owner")
CLASSES = [f"c{n}" for n in range(10)]
SHAPE = [2, 1, 1]


def small_key(n=16, classes=None, shape=None, name=""):
    """(Z, inputs, leaf keys, leaf hashes, signed statement) of a key that follows from the seeds."""
    keyctx, shape = seed("keyctx" + name), shape or SHAPE
    inputs = [triggers.noise(triggers.seed(MASTER, keyctx, i), *shape) for i in range(n)]
    keys = [commitment.leaf_key(MASTER, keyctx, i) for i in range(n)]
    z = commitment.make_z(ed25519.public(OWNER), keyctx, inputs, classes or CLASSES, shape, keys)
    leaves = [
        commitment.leaf(keyctx, i, k, sha256(commitment.inputs_bytes([x])))
        for i, (x, k) in enumerate(zip(inputs, keys, strict=True))
    ]
    return z, inputs, keys, leaves, commitment.sign(OWNER, commitment.z_payload(z))


def leaves():
    g = Group(
        "leaf",
        "leaf key, inputs and leaf hash of leaf i, whose inputs are given",
        master=MASTER.hex(),
        keyctx=KEYCTX.hex(),
    )
    for i, inputs, aux in [
        (0, [b"\x00"], b""),
        (1, [b"\x00"], b""),
        (65535, [bytes(range(12))], b""),
        (2, [b""], b""),
        (3, [b"\x00", b"\x01", b"\x02"], b""),
        (3, [b"\x00\x01\x02"], b""),
        (4, [b"\x00"], frame(1, 2)),
    ]:
        k = commitment.leaf_key(MASTER, KEYCTX, i)
        raw = commitment.inputs_bytes(inputs)
        steps = {
            "k": k.hex(),
            "inputs_bytes": raw.hex(),
            "inputs_hash": sha256(raw).hex(),
            "leaf": commitment.leaf(KEYCTX, i, k, sha256(raw), aux).hex(),
        }
        g.add(
            f"leaf {i}, {len(inputs)} inputs" + (", aux" if aux else ""),
            lambda s=steps: s,
            index=i,
            inputs=[x.hex() for x in inputs],
            aux=aux.hex(),
        )
    return g


def verified(signed):
    """Intermediate values of an accepted statement."""
    key = commitment.verify_key(signed)
    payload = encoding.parts(signed)[0]
    return {
        "beta": key["beta"].hex(),
        "key_id": key["key_id"].hex(),
        "payload_sha256": sha256(payload).hex(),
        "subject": encoding.H("root", key["z"]["suite"], bytes.fromhex(key["z"]["R"])).hex(),
    }


def keys():
    z = small_key()[0]
    base = statement("key", z, ("root", encoding.H("root", z["suite"], bytes.fromhex(z["R"]))))
    g = Group(
        "key",
        "key statements: `base` with `set` (dotted paths) applied, canonical, signed by `signer` with `sig`; "
        "`many` = [n, w] stands for the n class names 0, 1, ... of w digits each",
        base=base,
        owner_seed=OWNER.hex(),
    )

    def add(comment, changes, *flags, expect="FormatError", rule="", by=OWNER, fix=True, sign_base=False, many=None):
        """``fix``: let the subject follow from suite and root, as it should."""
        names = z_with(classes=[f"{n:0{many[1]}}" for n in range(many[0])]) if many else {}
        value = patched(base, changes | names)
        if fix and {"predicate.R", "predicate.suite"} & set(changes):
            root = encoding.H("root", value["predicate"]["suite"], bytes.fromhex(value["predicate"]["R"])).hex()
            changes = changes | {"subject.0.digest.sha256": root}
            value = patched(base, changes)
        payload = canonical(value)
        signed = commitment.sign(by, payload)
        if sign_base:
            signature = encoding.parts(commitment.sign(by, canonical(base)))[2]
            signed = encoding.envelope(payload, ed25519.public(by), signature)
        _, signer, signature = encoding.parts(signed)
        expect, rule = (expect, rule) if flags else ("ok", "")
        shown = {"set": changes, "signer": signer.hex(), "sig": signature.hex()} | ({"many": many} if many else {})
        g.add(comment, lambda: verified(signed), expect, flags, rule, **shown)

    def z_with(**changes):
        return {"predicate." + name: value for name, value in changes.items()}

    def classes(*names):
        return z_with(classes=list(names), m=len(names))

    add("a good one", {})
    add("two classes", classes("no", "yes"))
    add("class names are text: spaces, accents, emoji", classes(" ", "\u00e9", "\U0001f600", "a b"))
    add("names that look alike are different", classes("\u00e9", "e\u0301"))
    add("a name of 128 bytes", classes("\u00e9" * 64, "b"))
    for n in (32, 2048, 4096, 65536):
        add(f"{n} leaves", z_with(N=n))
    add("the largest input", z_with(**{"input.shape": [512, 512, 1]}))
    add("another root", z_with(R=sha256(b"another").hex()))

    for n in (0, 15, 17, 24, 2064, 3072, 65535, 65552, 67584):
        add(f"{n} leaves", z_with(N=n), "OffGrid")
    add("the subject is another root's", {"subject.0.digest.sha256": bytes(32).hex()}, "WrongSubject")
    add("the root without its subject", z_with(R=sha256(b"another").hex()), "WrongSubject", fix=False)
    add("the subject has another name", {"subject.0.name": "key"}, "WrongSubject")
    add("two subjects", {"subject": base["subject"] * 2}, "WrongSubject")
    add("two classes of one name", classes("a", "b", "a"), "DuplicateClasses")
    add("one class", classes("a"), "Form")
    add("an empty name", classes("", "b"), "Form")
    add("a name of 129 bytes", classes("a" + "\u00e9" * 64, "b"), "Limit")
    for c in ("\x00", "\x1f", "\x7f", "\x9f", "\n"):
        add(f"a control character U+{ord(c):04X} in a name", classes("a" + c, "b"), "Form")
    add("m is one less than the classes", z_with(m=9), "WrongM")
    add("m is one more", z_with(m=11), "WrongM")
    add("m is 0", z_with(m=0), "WrongM")
    stranger = seed("stranger")
    add("signed by another than the owner", {}, "OtherSigner", expect="SignatureError", rule="com-z-2", by=stranger)
    add("the owner is another than the signer", z_with(owner=ed25519.public(stranger).hex()), "OtherSigner",
        expect="SignatureError", rule="com-z-2")  # fmt: skip
    add("changed after signing", z_with(R=sha256(b"another").hex()), "BadSignature", expect="SignatureError",
        rule="enc-ed25519-2", sign_base=True)  # fmt: skip
    for comment, changes in [
        ("label mode S", z_with(mode="S", m=9)),
        ("label mode P", z_with(mode="P", m=2)),
        ("public labels", z_with(labels="public")),
        ("a family of two inputs", z_with(q=2)),
        ("no input", z_with(q=0)),
        ("a drand round", z_with(label_source="drand-quicknet:12345678")),
        ("another word for Fiat-Shamir", z_with(label_source="Fiat-Shamir")),
        ("a suite for zero-knowledge proofs", z_with(suite="poseidon2-tree")),
        ("float inputs", {"predicate.input.dtype": "float32"}),
        ("text inputs", {"predicate.input.kind": "text"}),
    ]:
        add(comment, changes, "Unsupported", expect="UnsupportedError")
    add("a mode that does not exist", z_with(mode="X"), "Form")
    add("another profile", z_with(profile="wmproto/2"), "Profile")
    add("a test profile", z_with(profile="wmproto/test"), "Profile")
    add("an input of more than 256 KiB", z_with(**{"input.shape": [512, 513, 1]}), "Limit")
    add("an input without bytes", z_with(**{"input.shape": [2, 0, 1]}), "Form")
    add("no shape", z_with(**{"input.shape": []}), "Form")
    add("five dimensions", z_with(**{"input.shape": [1, 1, 1, 1, 1]}), "Form")
    add("exactly 32 KiB", z_with(m=1607), many=[1607, 17])
    add("32 KiB and one byte", z_with(m=3571, N=2048), "Limit", many=[3571, 6])
    add("4,096 classes", z_with(m=4096), many=[4096, 4])
    add("4,097 classes", z_with(m=4097), "Limit", many=[4097, 4])
    add("an unknown field", z_with(lambda_bits=1), "UnknownField")
    add("an unknown field in input", {"predicate.input.mean": 0}, "UnknownField")
    add("N is text", z_with(N="16"), "Form")
    add("R in capitals", z_with(R=z["R"].upper()), "Form", fix=False)
    add("keyctx of 31 bytes", z_with(keyctx=z["keyctx"][2:]), "Form")
    return g


def grids():
    digest = hashlib.sha256()
    for n in range(70_000):
        if commitment.leaf_count(n):
            digest.update(f"{n} {commitment.start_grid(n)}\n".encode())
    return accumulated(
        "leaf-counts-accumulated",
        "lines 'N grid' for every N below 70,000 that a key may have, and the grid on which its disputes start",
        digest,
    )


def labels():
    signed = small_key()[4]
    key = commitment.verify_key(signed)
    g = Group("label", "label (m values) and ghost bit of leaf i", key_id=key["key_id"].hex(), beta=key["beta"].hex())
    for i in (0, 1, 15, 65535):
        for m in (2, 10, 1000):
            k = commitment.leaf_key(MASTER, KEYCTX, i)
            steps = {
                "label": commitment.label(key["key_id"], key["beta"], i, k, m),
                "ghost": commitment.ghost(key["key_id"], key["beta"], i, k),
            }
            g.add(f"leaf {i}, m = {m}", lambda s=steps: s, index=i, k=k.hex(), m=m)
    digest = hashlib.sha256()
    for m in (2, 3, 10, 1000):
        for i in range(256):
            k = bytes([i]) * 32
            bit = int(commitment.ghost(bytes(32), bytes(32), i, k))
            digest.update(f"{m} {i} {commitment.label(bytes(32), bytes(32), i, k, m)} {bit}\n".encode())
    every = accumulated(
        "label-accumulated",
        "lines 'm i label ghost' for m = 2, 3, 10, 1000 and i = 0 .. 255, with 32 zero bytes for key_id and for beta, "
        "and 32 bytes i as leaf key",
        digest,
    )
    return [g, every]


def openings():
    z, inputs, keys_, leaves_, signed = small_key()
    key = commitment.verify_key(signed)
    i = 5
    base = commitment.opening(i, inputs[i], keys_[i], leaves_)
    asked = sha256(commitment.inputs_bytes([inputs[i]]))
    payload, signer, signature = encoding.parts(signed)
    g = Group(
        "opening",
        "openings: `base` with `set` applied, against the key and SHA-256(inputs_i) as it was asked",
        asked=asked.hex(),
        base=base,
        key={"keyid": signer.hex(), "payload": encoding.parse_canonical(payload), "sig": signature.hex()},
    )

    def add(comment, changes, *flags, rule="com-open-4", ask=asked, expect="OpeningError"):
        opening = patched(base, changes)

        def run():
            commitment.OPENING(encoding.parse_canonical(canonical(opening)))
            return {"leaf": commitment.verify_opening(opening, key, ask).hex()}

        where = {} if ask == asked else {"asked": ask.hex()}
        expect, rule = (expect, rule) if flags else ("ok", "")
        g.add(comment, run, expect, flags, rule, set=changes, **where)

    def whole(n):
        return commitment.opening(n, inputs[n], keys_[n], leaves_)

    def asked_of(*raw):
        return sha256(commitment.inputs_bytes(raw))

    add("a good one", {})
    for n in (0, 1, 15):
        add(f"leaf {n}", whole(n), ask=asked_of(inputs[n]))
    add("another index", {"index": 4}, "SwappedLeaves")
    add("a neighbour's path", {"path": whole(4)["path"]}, "SwappedLeaves")
    add("a neighbour's leaf key", {"k": whole(4)["k"]}, "SwappedLeaves", "OtherKey")
    add("a neighbour's input and leaf key at this index", whole(4) | {"index": 5}, "SwappedLeaves",
        ask=asked_of(inputs[4]))  # fmt: skip
    add("a whole neighbour where this leaf was asked", whole(4), "OtherInputs", rule="com-open-3")
    add("index = N", {"index": 16}, "SwappedLeaves")
    add("a huge index", {"index": 2**53 - 1}, "SwappedLeaves")
    add("other inputs than asked", {}, "OtherInputs", rule="com-open-3", ask=asked_of(inputs[4]))
    add("other inputs than committed, but as asked", {"inputs": [b64(b"\x00\x00")]}, "OtherInputs",
        ask=asked_of(b"\x00\x00"))  # fmt: skip
    add("one bit of the leaf key", {"k": f"{int(base['k'], 16) ^ 1:064x}"}, "OtherKey")
    add("the leaf key of another context", {"k": commitment.leaf_key(MASTER, seed("other"), i).hex()}, "OtherContext")
    other = small_key(name=" other")
    add("a leaf of another key of the same owner", commitment.opening(i, other[1][i], other[2][i], other[3]),
        "OtherContext", ask=asked_of(other[1][i]))  # fmt: skip
    path = base["path"]
    add("path cut at the root", {"path": path[:-1]}, "PathLength")
    add("path cut at the leaf", {"path": path[1:]}, "PathLength")
    add("no path", {"path": []}, "PathLength")
    add("path with one hash more", {"path": [*path, path[0]]}, "PathLength")
    add("path upside down", {"path": path[::-1]}, "WrongPath")
    add("one bit of the path", {"path": [f"{int(path[0], 16) ^ 1:064x}", *path[1:]]}, "WrongPath")
    add("aux where label mode U has none", {"aux": b64(b"\x00")}, "Aux", rule="com-open-2")
    one = "com-open-1"
    add("no input", {"inputs": []}, "InputSize", rule=one, ask=asked_of())
    add("two inputs", {"inputs": base["inputs"] * 2}, "InputSize", rule=one, ask=asked_of(inputs[i], inputs[i]))
    add("an input cut short", {"inputs": [b64(inputs[i][:1])]}, "InputSize", rule=one, ask=asked_of(inputs[i][:1]))
    long = inputs[i] + b"\x00"
    add("an input one byte longer", {"inputs": [b64(long)]}, "InputSize", rule=one, ask=asked_of(long))
    add("an empty input", {"inputs": [""]}, "InputSize", rule=one, ask=asked_of(b""))
    form = {"expect": "FormatError", "rule": ""}
    add("17 hashes", {"path": [path[0]] * 17}, "Form", **form)
    add("a hash of 31 bytes", {"path": [path[0][2:], *path[1:]]}, "Form", **form)
    add("the index is text", {"index": "5"}, "Form", **form)
    add("a negative index", {"index": -1}, "Form", **form)
    add("an unknown field", {"salt": ""}, "UnknownField", **form)
    if merkle.root(leaves_).hex() != z["R"]:
        raise AssertionError("the key's root")
    return g


def groups():
    return [leaves(), keys(), grids(), *labels(), openings()]
