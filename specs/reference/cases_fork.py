"""Cases for the evidence of specs/registry.md that a log signed two pasts (reg-fork-1, reg-fork-2)."""

import cosignature
import ed25519
import fork
import merkle
import registry
from cases_registry import KEY, LOG, NAME, PUBLIC, VKEY
from encoding import Refused, b64, canonical, parse_canonical, sha256
from vectors import Group, seed

NOTES = {
    "Form": ("PARSER DIFFERENTIAL", "evidence is read in one's own way"),
    "Limit": ("DENIAL", "evidence that no reader can hold"),
    "Decimal": ("MALLEABILITY", "one size has several texts"),
    "OtherLog": ("FALSE CHARGE", "two logs that differ pass for one that forked"),
    "NotSigned": ("FALSE CHARGE", "a checkpoint that the log never signed convicts it"),
    "Order": ("FALSE CHARGE", "the older checkpoint is the larger one"),
    "NoFork": ("FALSE CHARGE", "an honest log is convicted"),
    "Proof": ("FALSE CHARGE", "a past that the newer checkpoint does not have convicts the log"),
    "EmptyTree": ("FORK", "a log that signed a root of no entry is not convicted, or an honest one is"),
}

LEAVES = [merkle.leaf_hash(b"entry %d" % n) for n in range(12)]
OTHER = LEAVES[:4] + [merkle.leaf_hash(b"forked %d" % n) for n in range(4, 12)]
VKEY_2 = registry.vkey("log.example/2", PUBLIC)


def note(size, leaves, name=NAME, secret=LOG, root=None):
    return registry.checkpoint(name, size, merkle.root(leaves[:size]) if root is None else root, secret)


def evidence(m, n, older=OTHER, newer=LEAVES, **fields):
    """Of a log that signed m leaves of ``older`` and n of ``newer``; ``fields``: what is put in place of its own."""
    data = fork.fork(VKEY, note(m, older), note(n, newer), merkle.root(newer[:m]), merkle.consistency(m, newer[:n]))
    return canonical(parse_canonical(data) | fields)


def changed(**fields):
    return canonical(parse_canonical(evidence(5, 9)) | fields)


def shown(data, base):
    """Only what is not as in ``base``, if it is evidence at all."""
    try:
        value = parse_canonical(data)
    except Refused:
        return {"evidence_hex": data.hex()} if max(data, default=0) > 127 else {"evidence": data.decode()}
    if isinstance(value, dict) and set(value) == set(base):
        return {"set": {name: new for name, new in value.items() if new != base[name]}}
    return {"evidence": data.decode()}


def forks():
    base = parse_canonical(evidence(5, 9))
    comment = (
        "does `evidence`, or `base` with the fields of `set`, convict the log of this key; the sizes of older and newer"
    )
    g = Group("fork", comment, base=base, vkey=VKEY)

    def add(comment, data, *flags, ok=False, expect="InclusionError", rule=""):
        if expect == "InclusionError" and not rule:
            rule = "reg-fork-2" if "NoFork" in flags else "enc-tree-5"
        expect, rule = ("ok", "") if ok or not flags else (expect, rule)
        check = lambda: dict(zip(("older", "newer"), fork.verify(data, KEY), strict=True))  # noqa: E731
        g.add(comment, check, expect, flags, rule, **shown(data, base))

    _convicting(add)
    _false_charges(add)
    _malformed(add)
    return g


def _convicting(add):
    for m, n in ((5, 9), (5, 5), (8, 9), (7, 12), (8, 12)):
        add(f"{m} and {n}", evidence(m, n))
    text = note(9, LEAVES).split("\n\n")[0] + "\n"
    witnessed = note(9, LEAVES) + cosignature.cosign("w.example", seed("witness 1"), 1_764_000_000, text)
    add("with a witness's line", changed(newer=witnessed))
    for text in ("more", "more\nand more"):
        more = registry.sign_note(note(5, OTHER).split("\n\n")[0] + f"\n{text}\n", NAME, LOG)
        add("with extension lines, which bind the log no less", changed(older=more))
    empty = merkle.root([])
    nothing = note(0, [], root=LEAVES[0])
    tree = fork.fork(VKEY, nothing, note(9, LEAVES), empty, [])
    add("a root of no entry, and an honest tree", tree, "EmptyTree", ok=True)
    add("a root of no entry, and the right one", fork.fork(VKEY, note(0, [], root=LEAVES[0]), note(0, []), empty, []),
        "EmptyTree", ok=True)  # fmt: skip
    add("a root of which nobody has the tree", changed(older=note(5, [], root=sha256(b"x"))))


def _false_charges(add):
    one = {"rule": "reg-fork-1"}
    unknown = {"expect": "SignatureError", "rule": "reg-note-3"}
    bad = {"expect": "SignatureError", "rule": "enc-ed25519-2"}
    add("an honest log", evidence(5, 9, older=LEAVES), "NoFork")
    add("an honest log, one checkpoint twice", evidence(9, 9, older=LEAVES), "NoFork")
    add("an honest log, from no entry", evidence(0, 9, older=LEAVES), "NoFork", "EmptyTree")
    add("an honest log before it forked", evidence(4, 9), "NoFork")
    add("an honest log and a root that it never had", evidence(5, 9, older=LEAVES, root=b64(sha256(b"x"))), "Proof")
    add("an honest log and the root of another size", evidence(5, 9, older=LEAVES, root=b64(merkle.root(LEAVES[:6]))),
        "Proof")  # fmt: skip
    value = parse_canonical(evidence(5, 9))
    proof = value["proof"]
    add("no proof", evidence(5, 9, proof=[]), "Proof")
    add("without its last hash", evidence(5, 9, proof=proof[:-1]), "Proof")
    add("a hash more", evidence(5, 9, proof=[*proof, proof[0]]), "Proof")
    add("upside down", evidence(5, 9, proof=proof[::-1]), "Proof")
    add("one size, and a proof", evidence(5, 5, proof=proof), "Proof")
    add("one size, and a third root", evidence(5, 5, root=b64(sha256(b"x"))), "Proof")
    add("no entry, and a root of something", evidence(0, 9, older=[], root=b64(LEAVES[0])), "EmptyTree")
    swapped = fork.fork(
        VKEY, note(9, LEAVES), note(5, OTHER), merkle.root(LEAVES[:5]), merkle.consistency(5, LEAVES[:9])
    )
    add("older and newer exchanged", swapped, "Order", **one)
    add("the key of another log", evidence(5, 9, vkey=VKEY_2), "OtherLog", **one)
    stranger = seed("stranger")
    add("the log's key as a witness's in vkey", changed(vkey=cosignature.vkey(NAME, PUBLIC)), "OtherLog", **one)
    add(
        "the older one of a stranger in its name",
        changed(older=note(5, OTHER, secret=stranger)),
        "NotSigned",
        **unknown,
    )
    add(
        "the newer one of a stranger in its name",
        changed(newer=note(9, LEAVES, secret=stranger)),
        "NotSigned",
        **unknown,
    )
    his = registry.vkey(NAME, ed25519.public(stranger))
    both = changed(vkey=his, older=note(5, OTHER, secret=stranger), newer=note(9, LEAVES, secret=stranger))
    add("a stranger convicts himself", both, "OtherLog", **one)
    add("the older one of another log", changed(older=note(5, OTHER, name="log.example/2")), "OtherLog", **unknown)
    tampered = value["older"].replace(b64(merkle.root(OTHER[:5])), b64(sha256(b"x")))
    add("the older one changed after it was signed", changed(older=tampered), "NotSigned", **bad)
    text = note(5, OTHER).split("\n\n")[0] + "\n"
    witnessed = changed(older=text + "\n" + cosignature.cosign(NAME, LOG, 1, text))
    add("the log's key as a witness's", witnessed, "NotSigned", **unknown)


def _malformed(add):
    form = {"expect": "FormatError", "rule": ""}
    good = evidence(5, 9)
    value = parse_canonical(good)

    def bad(comment, data, flag="Form"):
        add(comment, data, flag, **form)

    bad("nothing", b"")
    bad("a newline at the end", good + b"\n")
    bad("white space", good.replace(b":", b": ", 1))
    bad("an array", b"[" + good + b"]")
    bad("another version", changed(format="wmproto/fork@v2"))
    bad("a field more", changed(time=1))
    bad("no UTF-8", good[:-1] + b"\xff}")
    for name in value:
        bad(f"without {name}", canonical({n: v for n, v in value.items() if n != name}))
        bad(f"{name} is a number", changed(**{name: 1}))
    bad("a root of 31 bytes", changed(root=b64(bytes(31))))
    bad("a root in hexadecimal", changed(root=bytes(32).hex()))
    bad("a hash of 33 bytes", changed(proof=[b64(bytes(33))]))
    bad("a hash that is null", changed(proof=[None]))
    bad("a hash without padding", changed(proof=[b64(bytes(32)).rstrip("=")]))
    bad("a field twice", good.replace(b'{"format"', b'{"format":"wmproto/fork@v1","format"', 1))
    seven = registry.sign_note(f"{NAME}\n05\n{b64(merkle.root(OTHER[:5]))}\n", NAME, LOG)
    bad("a size with a leading zero", changed(older=seven), "Decimal")
    bad("a note that is none", changed(older=note(5, OTHER)[:-1]))
    more = registry.sign_note(note(5, OTHER).split("\n\n")[0] + "\n\nmore\n", NAME, LOG)
    bad("an empty line before an extension line", changed(older=more))


def sizes():
    g = Group("fork-size", "evidence with `letters` letters a in place of <fill>", vkey=VKEY)
    empty = canonical(parse_canonical(evidence(5, 9)) | {"vkey": ""})

    def add(comment, size, expect, rule, *flags):
        letters = size - len(empty)
        data = canonical(parse_canonical(empty) | {"vkey": "a" * letters})
        shown = canonical(parse_canonical(empty) | {"vkey": "<fill>"}).decode()
        g.add(comment, lambda: fork.verify(data, KEY), expect, flags, rule, evidence=shown, letters=letters)

    add("272 KiB and a byte", (272 << 10) + 1, "FormatError", "", "Limit")
    return g


def groups():
    return [forks(), sizes()]
