"""Cases for specs/registry.md."""

import hashlib

import commitment
import ed25519
import encoding
import merkle
import registry
from cases_commitment import OWNER
from encoding import b64, canonical, sha256
from vectors import Group, accumulated, seed

NOTES = {
    "Form": ("PARSER DIFFERENTIAL", "a malformed object is read in one's own way"),
    "Decimal": ("MALLEABILITY", "one number has several texts"),
    "Base64": ("MALLEABILITY", "one byte string has several texts"),
    "Extension": ("PARSER DIFFERENTIAL", "witnesses disagree on what is signed where a checkpoint has a fourth line"),
    "WrongOrigin": ("FORK", "a checkpoint of another log passes for this one's"),
    "WrongKeyId": ("FORK", "a signature is looked for under another key than was configured"),
    "WrongName": ("FORK", "a signature under another name passes for the log's"),
    "UnknownSigner": ("FORK", "a note that the log has not signed"),
    "BadSignature": ("FORGERY", "a note was changed after it was signed"),
    "TimestampedSignature": ("TYPE CONFUSION", "a cosignature (type 04) passes for a log's signature (type 01)"),
    "OtherLines": ("INTEROPERABILITY", "lines of witnesses must be passed over, not refused"),
    "LastBlankLine": ("PARSER DIFFERENTIAL", "a text with blank lines is cut at the wrong one"),
    "BadKey": ("FORGERY", "a log key that verifies what nobody signed"),
    "WrongIndex": ("FORGERY", "an entry is proved where it does not stand"),
    "PathLength": ("FORGERY", "a part of a path passes for another tree"),
    "WrongEntry": ("FORGERY", "an entry is proved that is not in the log"),
    "Extra": ("SMUGGLING", "an extra line is authenticated by nothing"),
    "MissingEntry": ("FORK", "a copy hides an entry"),
    "Limit": ("DENIAL", "an object that no reader can hold"),
}

NAME, LOG = "log.example/1", seed("log")
PUBLIC = ed25519.public(LOG)
KEY = (NAME, PUBLIC)
VKEY = registry.vkey(NAME, PUBLIC)
ROOT = sha256(b"a root")


def signed(n):
    """Some signed object."""
    return commitment.sign(OWNER, canonical({"n": n}))


def entries():
    g = Group("entry", 'bytes and leaf hash of the log entry of a signed object: what is signed {"n":0}')
    one = signed(0)
    for kind in registry.ENTRY_TYPES:
        payload, signer, signature = encoding.parts(one)
        steps = {"entry": registry.entry(kind, one).hex(), "leaf": registry.entry_leaf(kind, one).hex()}
        g.add(f"a signed object as {kind}", lambda s=steps: s, type=kind, payload_sha256=sha256(payload).hex(),
              keyid=signer.hex(), sig=signature.hex())  # fmt: skip
    return g


def vkeys():
    g = Group("vkey", "a log's verifier key: name, key id, base64 of 01 and the public key")

    def run(line):
        name, public = registry.parse_vkey(line)
        return {"name": name, "public": public.hex(), "key_id": registry.key_id(name, public).hex()}

    def add(comment, line, *flags):
        g.add(comment, lambda: run(line), "FormatError" if flags else "ok", flags, vkey=line)

    def made(name, public=PUBLIC, kind=b"\x01"):
        ident = sha256(name.encode() + b"\n" + kind + public)[:4]
        return f"{name}+{ident.hex()}+{b64(kind + public)}"

    add("a good one", VKEY)
    for n in range(200):
        public = ed25519.public(seed(f"vkey {n}"))
        if "+" in b64(b"\x01" + public):
            add("a plus in the base64", made(NAME, public))
            break
    add("a name that is not ASCII", made("l\u00f6g.example/1"))
    add("a name of 256 bytes", made("\u00f6" * 128))
    add("a name of 257 bytes", made("\u00f6" * 128 + "a"), "Limit")
    add("no name", made(""), "Form")
    add("a space in the name", made("log example"), "Form")
    add("a no-break space in the name", made("log\u00a0example"), "Form")
    add("a zero-width space is no space to Unicode", made("log\u200bexample"))
    add("a newline in the name", made("log\nexample"), "Form")
    add("another key id", VKEY.replace("+" + registry.key_id(*KEY).hex() + "+", "+00000000+"), "WrongKeyId")
    ident = registry.key_id(*KEY).hex()
    add("key id in capitals", VKEY.replace(ident, ident.upper()), "WrongKeyId")
    add("the key id of another name", VKEY.replace(NAME, "log.example/2"), "WrongKeyId")
    add("a cosigner's key", made(NAME, kind=b"\x04"), "TimestampedSignature")
    add("31 bytes", made(NAME, PUBLIC[:31]), "Form")
    add("33 bytes", made(NAME, PUBLIC + b"\x00"), "Form")
    add("a small-order key", made(NAME, ed25519.encode(ed25519.NEUTRAL)), "BadKey")
    add("two parts", NAME + "+" + registry.key_id(*KEY).hex(), "Form")
    add("a newline at the end", VKEY + "\n", "Base64")
    add("nothing", "", "Form")
    return g


def notes():
    g = Group("note", "a signed note, and its text if the log signed it", vkey=VKEY)
    text = "ab\n"
    good = registry.sign_note(text, NAME, LOG)
    line = good.split("\n\n")[1]
    body, data = good.split("\n\n")[0] + "\n", encoding.unb64(line.split(" ")[2].strip())
    other = registry.sign_note(text, "witness.example", seed("witness")).split("\n\n")[1]
    cosigned = b64(sha256(b"witness.example\n\x04" + PUBLIC)[:4] + bytes(8) + bytes(64))

    def add(comment, note, *flags, expect="FormatError", rule="", ok=False):
        expect, rule = ("ok", "") if ok or not flags else (expect, rule)
        g.add(comment, lambda: {"text": registry.open_note(note, KEY)}, expect, flags, rule, note=note)

    bad = {"expect": "SignatureError", "rule": "enc-ed25519-2"}
    unknown = {"expect": "SignatureError", "rule": "reg-note-3"}
    add("a good one", good)
    add("text with blank lines", registry.sign_note("a\n\nb\n\n\n", NAME, LOG), "LastBlankLine", ok=True)
    add("text that looks like a signature", registry.sign_note("a\n\n" + line, NAME, LOG), "LastBlankLine", ok=True)
    add("text that is not ASCII", registry.sign_note("\u00e9\u2028\x7f\n", NAME, LOG))
    add("a witness's line behind", good + other, "OtherLines", ok=True)
    add("a witness's line in front", body + "\n" + other + line, "OtherLines", ok=True)
    add("a cosignature of the later type", good + f"\u2014 witness.example {cosigned}\n", "OtherLines", ok=True)
    add(
        "a line of our name and another id", good + f"\u2014 {NAME} {b64(bytes(4) + data[4:])}\n", "OtherLines", ok=True
    )
    add("a line of our id and another name", good + f"\u2014 x {b64(data)}\n", "OtherLines", ok=True)
    add("our line twice", good + line, "OtherLines", ok=True)
    add("64 lines", good + "\u2014 w AAAAAAA=\n" * 63, "OtherLines", ok=True)
    add("65 lines", good + "\u2014 w AAAAAAA=\n" * 64, "Limit")
    add("our line once good, once bad", good + f"\u2014 {NAME} {b64(data[:-1] + b'x')}\n", "BadSignature", **bad)
    add("no line of ours", body + "\n" + other, "UnknownSigner", **unknown)
    add("another key id", body + f"\n\u2014 {NAME} {b64(bytes(4) + data[4:])}\n", "WrongKeyId", **unknown)
    add("another name", body + f"\n\u2014 log.example/2 {b64(data)}\n", "WrongName", **unknown)
    add("our name in capitals", body + f"\n\u2014 {NAME.upper()} {b64(data)}\n", "WrongName", **unknown)
    add("another text", "abc\n\n" + line, "BadSignature", **bad)
    add("signed with the blank line", "ab\n\n" + _line("ab\n\n"), "BadSignature", **bad)
    add("signed without its last newline", "ab\n\n" + _line("ab"), "BadSignature", **bad)
    add("a signature of 63 bytes", body + f"\n\u2014 {NAME} {b64(data[:-1])}\n", "BadSignature", **bad)
    add("a signature of 65 bytes", body + f"\n\u2014 {NAME} {b64(data + b'x')}\n", "BadSignature", **bad)
    add("a key id and no signature", good + f"\u2014 x {b64(bytes(4))}\n", "Form")
    add("no blank line", body + line, "Form")
    add("no signature", body + "\n", "Form")
    add("no text", "\n" + line, "Form")
    add("only a blank line for a text", "\n\n" + line, "Form")
    add("no newline at the end", good[:-1], "Form")
    add("two newlines at the end", good + "\n", "Form")
    add("a hyphen for the dash", good.replace("\u2014", "-"), "Form")
    add("an en dash", good.replace("\u2014", "\u2013"), "Form")
    add("two spaces", good.replace("\u2014 ", "\u2014  "), "Form")
    add("a space at the end of a line", good[:-1] + " \n", "Form")
    add("a carriage return", good.replace("\n", "\r\n"), "Form")
    add("a tab in the text", registry.sign_note("a\tb\n", NAME, LOG), "Form")
    add("a plus in a name", good + other.replace("witness", "wit+ness"), "Form")
    add("base64 with bits behind its end", good + "\u2014 x AAAAAAB=\n", "Base64")
    add("base64 without padding", good + "\u2014 x AAAAAAA\n", "Base64")
    return g


def _line(text):
    """Our signature line over exactly that text."""
    return f"\u2014 {NAME} {b64(registry.key_id(*KEY) + ed25519.sign(LOG, text.encode()))}\n"


def checkpoints():
    g = Group("checkpoint", "size and root of a checkpoint that the log signed", vkey=VKEY)

    def run(note):
        size, root = registry.verify_checkpoint(note, KEY)
        return {"size": size if size < 2**53 else str(size), "root": root.hex()}

    def add(comment, text, *flags):
        note = registry.sign_note(text, NAME, LOG)
        g.add(comment, lambda: run(note), "FormatError" if flags else "ok", flags, note=note)

    def lines(name=NAME, size="7", root=None, rest=""):
        return f"{name}\n{size}\n{b64(ROOT) if root is None else root}\n{rest}"

    add("a good one", lines())
    add("an empty tree", lines(size="0", root=b64(merkle.root([]))))
    add("the largest size", lines(size=str(2**63 - 1)))
    add("another origin under our key", lines(name="log.example/2"), "WrongOrigin")
    for comment, size in [
        ("a leading zero", "07"),
        ("a plus", "+7"),
        ("a minus", "-7"),
        ("an underscore", "1_0"),
        ("a space", " 7"),
        ("no digit", ""),
        ("hexadecimal", "0x7"),
        ("another script's seven", "\u0667"),
        ("a superscript", "\u00b2"),
        ("2**63", str(2**63)),
        ("5,000 digits", "9" * 5000),
    ]:
        add(f"size: {comment}", lines(size=size), "Decimal")
    add("an extension line", lines(rest="more\n"), "Extension")
    add("a blank line behind", lines(rest="\n"), "Extension")
    add("two lines", f"{NAME}\n7\n", "Form")
    add("a root of 31 bytes", lines(root=b64(ROOT[:31])), "Form")
    add("a root in hexadecimal", lines(root=ROOT.hex()), "Form")
    add("a root with bits behind its end", lines(root=b64(ROOT)[:-2] + chr(ord(b64(ROOT)[-2]) + 1) + "="), "Base64")
    add("a root without padding", lines(root=b64(ROOT).rstrip("=")), "Base64")
    return g


def small_log(n=11):
    log = registry.Log(NAME, LOG)
    for i in range(n):
        log.append("key", signed(i))
    return log


def receipts():
    log = small_log()
    leaves = log.leaves()
    g = Group("receipt", "does the receipt prove the entry with that leaf hash", vkey=VKEY)

    def run(data, leaf):
        found = registry.verify_receipt(data.encode(), leaf, KEY)
        return {"index": found["index"], "size": found["size"], "root": found["root"].hex()}

    def add(comment, data, *flags, leaf=leaves[5], expect="InclusionError", rule="enc-tree-3"):
        expect, rule = (expect, rule) if flags else ("ok", "")
        g.add(comment, lambda: run(data, leaf), expect, flags, rule, receipt=data, leaf=leaf.hex())

    good = log.receipt(5).decode()
    head, note = good.split("\n\n", 1)
    path = merkle.path(5, leaves)
    form = {"expect": "FormatError", "rule": ""}

    def made(index=5, proof=path, text=note):
        return registry.receipt(index, proof, text)

    add("a good one", good)
    add("the only entry: no hash", log.receipt(0, 1).decode(), leaf=leaves[0])
    add("the last entry", log.receipt(10).decode(), leaf=leaves[10])
    add("an older checkpoint", log.receipt(5, 6).decode())
    add("with a witness's line", good + registry.sign_note("x\n", "w.example", seed("witness")).split("\n\n")[1])
    add("another index", made(index=4), "WrongIndex")
    add("index = size", made(index=11), "WrongIndex")
    add("a huge index", made(index=2**62), "WrongIndex")
    add("path cut at the root", made(proof=path[:-1]), "PathLength")
    add("path cut at the leaf", made(proof=path[1:]), "PathLength")
    add("path with one hash more", made(proof=[*path, path[0]]), "PathLength")
    add("path upside down", made(proof=path[::-1]), "PathLength", "WrongEntry")
    add("another entry", good, "WrongEntry", leaf=leaves[6])
    add("the same object as another type", good, "WrongEntry", leaf=registry.entry_leaf("release", signed(5)))
    add("a younger checkpoint with the old path", made(text=small_log(13).checkpoint()), "WrongEntry")
    stranger = registry.Log(NAME, seed("stranger"))
    stranger.entries = log.entries
    bad = {"expect": "SignatureError", "rule": "reg-note-3"}
    add("a log of our name and another key", stranger.receipt(5).decode(), "UnknownSigner", **bad)
    namesake = registry.Log("log.example/2", LOG)
    namesake.entries = log.entries
    add("our key under another name", namesake.receipt(5).decode(), "WrongName", **bad)
    add("the root of the checkpoint changed", good.replace(b64(merkle.root(leaves)), b64(ROOT)), "BadSignature",
        expect="SignatureError", rule="enc-ed25519-2")  # fmt: skip
    origin = registry.sign_note(f"log.example/2\n11\n{b64(merkle.root(leaves))}\n", NAME, LOG)
    add("another origin under our key", made(text=origin), "WrongOrigin", **form)
    extra = good.replace("\nindex", "\nextra AAAA\nindex")
    add("an extra line", extra, "Extra", expect="UnsupportedError", rule="")
    for comment, index in [("with a leading zero", "05"), ("with a plus", "+5"), ("missing", ""), ("of 2**63", 2**63)]:
        add(f"index {comment}", good.replace("index 5", f"index {index}"), "Decimal", **form)
    add("another version", good.replace("@v1", "@v2", 1), "Form", **form)
    add("no index line", good.replace("index 5\n", ""), "Form", **form)
    add("index in capitals", good.replace("index", "Index"), "Form", **form)
    add("two index lines", good.replace("index 5\n", "index 5\nindex 5\n"), "Form", **form)
    add("a hash of 31 bytes", made(proof=[path[0][:31], *path[1:]]), "Form", **form)
    add("a hash in hexadecimal", good.replace(b64(path[0]), path[0].hex()), "Form", **form)
    add("a hash without padding", good.replace(b64(path[0]), b64(path[0]).rstrip("=")), "Base64", **form)
    add("carriage returns", head.replace("\n", "\r\n") + "\n\n" + note, "Form", **form)
    add("no blank line", head + "\n" + note, "Form", **form)
    add("no checkpoint", head + "\n\n", "Form", **form)
    add("a blank line too many is part of the note", head + "\n\n\n" + note, "BadSignature",
        expect="SignatureError", rule="enc-ed25519-2")  # fmt: skip
    add("cut off", good[:-1], "Form", **form)
    add("nothing", "", "Form", **form)
    return g


def every_receipt():
    digest = hashlib.sha256()
    log = small_log(20)
    for size in range(1, 21):
        for index in range(size):
            digest.update(log.receipt(index, size))
    return accumulated(
        "receipt-accumulated",
        'the log of key entries over {"n":0}, {"n":1}, ... signed by `owner_seed`: its receipts for every size up to '
        "20 and every index, one after the other",
        digest,
        owner_seed=OWNER.hex(),
        log_seed=LOG.hex(),
        name=NAME,
    )


def copies():
    log = small_log(3)
    g = Group("log-copy", "a copy of a whole log, line by line", vkey=VKEY)

    def add(comment, data, *flags, expect="InclusionError", rule="reg-copy-3"):
        def run():
            found = registry.read_log_copy(data, KEY)
            return {"leaves": [registry.entry_leaf(kind, one).hex() for kind, one in found]}

        expect, rule = (expect, rule) if flags else ("ok", "")
        g.add(comment, run, expect, flags, rule, text=data.decode())

    def made(entries, note=None, line=VKEY):
        return registry.log_copy(log.checkpoint() if note is None else note, line, entries)

    e = log.entries
    add("a good one", log.copy())
    add("an empty log", registry.Log(NAME, LOG).copy())
    add("the last entry is missing", made(e[:2]), "MissingEntry")
    add("an entry in the middle is missing", made([e[0], e[2]]), "MissingEntry")
    add("an entry more", made([*e, e[0]]), "MissingEntry")
    add("two entries exchanged", made([e[1], e[0], e[2]]), "MissingEntry")
    add("an entry under another type", made([e[0], ("release", e[1][1]), e[2]]), "MissingEntry")
    stranger = registry.Log(NAME, seed("stranger"))
    stranger.entries = e
    add("signed by a stranger", made(e, stranger.checkpoint()), "UnknownSigner", expect="SignatureError",
        rule="reg-note-3")  # fmt: skip
    add("names another key than it is signed by", made(e, line=stranger.vkey), "WrongKeyId", rule="reg-copy-2")
    form = {"expect": "FormatError", "rule": ""}
    add("an unknown type", made([("key", e[0][1]), ("digest", e[1][1]), e[2]]), "Form", **form)
    add("cut off", log.copy()[:-1], "Form", **form)
    add("a blank line", log.copy() + b"\n", "Form", **form)
    add("nothing", b"", "Form", **form)
    add("white space in a line", log.copy().replace(b'"type":"key"', b'"type": "key"', 1), "Form", **form)
    return g


def groups():
    return [entries(), vkeys(), notes(), checkpoints(), receipts(), every_receipt(), copies()]
