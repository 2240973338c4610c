"""Cases for the cosignatures of specs/registry.md (reg-cosign-1 to 3), and the examples of c2sp.org/signed-note."""

import cosignature
import ed25519
import registry
from cases_registry import KEY, LOG, NAME, ROOT, VKEY
from encoding import b64, sha256, unb64
from vectors import Group, seed

NOTES = {
    "Form": ("PARSER DIFFERENTIAL", "a malformed line is read in one's own way"),
    "KeyType": ("TYPE CONFUSION", "a key for one kind of signature passes for one for another kind"),
    "KeyId": ("FORGERY", "a key is looked for under an id that is not its own"),
    "BadKey": ("FORGERY", "a key that verifies what nobody signed"),
    "Length": ("PARSER DIFFERENTIAL", "bytes that nobody looks at, or a signature without its time"),
    "Time": ("PARSER DIFFERENTIAL", "a time that some readers hold for negative, or for no statement at all"),
    "OtherText": ("FORGERY", "a cosignature of another checkpoint passes"),
    "OtherKey": ("FORGERY", "a stranger's cosignature passes for a witness's"),
    "SignedMessage": ("TYPE CONFUSION", "a signature over something else passes for a cosignature"),
    "SecondLine": ("FORGERY", "a false line of a known witness is passed over beside a good one"),
    "PassedOver": ("INTEROPERABILITY", "a line that merely looks like a witness's must be passed over, not refused"),
    "Edge": ("MALLEABILITY", "libraries disagree on signatures that no honest program makes"),
}

WITNESS_NAME, WITNESS = "w1.example/witness", seed("witness 1")
PUBLIC = ed25519.public(WITNESS)
WITNESS_KEY = (WITNESS_NAME, PUBLIC)
IDENT = cosignature.key_id(*WITNESS_KEY)
TIME = 1_764_000_000
TEXT = f"{NAME}\n7\n{b64(ROOT)}\n"


def made(name, public, kind=b"\x04", ident=None):
    ident = sha256(name.encode() + b"\n" + kind + public)[:4] if ident is None else ident
    return f"{name}+{ident.hex()}+{b64(kind + public)}"


def vkeys():
    g = Group("witness-vkey", "a witness's verifier key: name, key id, base64 of 04 and the public key")

    def run(line):
        name, public = cosignature.parse_vkey(line)
        return {"name": name, "public": public.hex(), "key_id": cosignature.key_id(name, public).hex()}

    def add(comment, line, *flags, error="FormatError"):
        g.add(comment, lambda: run(line), error if flags else "ok", flags, vkey=line)

    good = cosignature.vkey(*WITNESS_KEY)
    add("a good one", good)
    add("a log may have the same name", made(NAME, PUBLIC))
    add("a name that is not ASCII", made("w\u00efde.example", PUBLIC))
    add("a name of 256 bytes", made("w" * 256, PUBLIC))
    add("a name of 257 bytes", made("w" * 257, PUBLIC), "Form")
    add("no name", made("", PUBLIC), "Form")
    add("a space in the name", made("w example", PUBLIC), "Form")
    add("a no-break space in the name", made("w\u00a0example", PUBLIC), "Form")
    add("a control character in the name", made("w\x85example", PUBLIC), "Form")
    add("a log's key", made(WITNESS_NAME, PUBLIC, b"\x01"), "KeyType")
    add("type 05", made(WITNESS_NAME, PUBLIC, b"\x05"), "KeyType")
    add("type ff", made(WITNESS_NAME, PUBLIC, b"\xff"), "KeyType")
    add("type 00", made(WITNESS_NAME, PUBLIC, b"\x00"), "KeyType")
    ml_dsa = (PUBLIC * 41)[:1312]
    add("ML-DSA-44", made(WITNESS_NAME, ml_dsa, b"\x06"), "KeyType", error="UnsupportedError")
    add(
        "the id of the log's key of that name", made(WITNESS_NAME, PUBLIC, ident=registry.key_id(*WITNESS_KEY)), "KeyId"
    )
    add("another id", made(WITNESS_NAME, PUBLIC, ident=bytes(4)), "KeyId")
    add("the id in capitals", good.replace(IDENT.hex(), IDENT.hex().upper()), "KeyId")
    add("31 bytes", made(WITNESS_NAME, PUBLIC[:31]), "Length")
    add("33 bytes", made(WITNESS_NAME, PUBLIC + b"\x00"), "Length")
    add("a key of small order", made(WITNESS_NAME, ed25519.encode(ed25519.NEUTRAL)), "BadKey")
    mixed = ed25519.add(ed25519.decode(PUBLIC), ed25519.decode(bytes(32)))
    add("a key of mixed order", made(WITNESS_NAME, ed25519.encode(mixed)), "BadKey")
    add("no point", made(WITNESS_NAME, b"\x02" + bytes(31)), "BadKey")
    add("two parts", good.rsplit("+", 1)[0], "Form")
    add("a newline at the end", good + "\n", "Form")
    add("padding where none is needed", good + "=", "Form")
    return g


def big(n):
    return n if n < 2**53 else str(n)


def cosignatures():
    comment = "a note that the log signed: times and signed bytes of the witness's lines, in their order"
    g = Group("cosignature", comment, log=VKEY, witness=cosignature.vkey(*WITNESS_KEY))
    note = registry.sign_note(TEXT, NAME, LOG)

    def run(whole):
        registry.verify_checkpoint(whole, KEY)
        body, times = cosignature.parse_note(whole)[0], cosignature.cosigned(whole, WITNESS_KEY)
        lines = [{"signed": cosignature.message(t, body).decode(), "time": big(t)} for t in times]
        return {"lines": lines}

    def add(comment, lines, *flags, error="SignatureError", ok=False):
        expect = "ok" if ok or not flags else error
        rule = "enc-ed25519-2" if expect == "SignatureError" else ""
        whole = note + lines
        g.add(comment, lambda: run(whole), expect, flags, rule, note=whole)

    def data(time=TIME, secret=WITNESS, text=TEXT):
        return time.to_bytes(8, "big") + ed25519.sign(secret, cosignature.message(time, text))

    def line(payload, name=WITNESS_NAME, ident=IDENT):
        return cosignature.line(name, ident, payload)

    def signing(message, time=TIME):
        return line(time.to_bytes(8, "big") + ed25519.sign(WITNESS, message))

    good = line(data())
    add("a good one", good)
    add("time 1", line(data(1)))
    add("time 2^63 - 1", line(data(2**63 - 1)))
    add("none: the witness did not sign", "")
    add("another witness in front", line(data(secret=LOG), "w2.example", bytes(4)) + good)
    add("two good lines, of two times", good + line(data(TIME + 1)))
    add("the same line twice", good + good)
    add("time 0", line(data(0)), "Time", error="FormatError")
    add("time 2^63", line(data(2**63)), "Time", error="FormatError")
    add("time 2^64 - 1", line(data(2**64 - 1)), "Time", error="FormatError")
    add("71 bytes", line(data()[:-1]), "Length", error="FormatError")
    add("73 bytes", line(data() + b"\x00"), "Length", error="FormatError")
    add("no time: 64 bytes", line(data()[8:]), "Length", error="FormatError")
    add("one byte", line(b"\x00"), "Length", error="FormatError")
    add("another time than was signed", line((TIME + 1).to_bytes(8, "big") + data()[8:]), "Time")
    add("the time little-endian", line(TIME.to_bytes(8, "little") + data()[8:]), "Time")
    other = f"{NAME}\n8\n{b64(ROOT)}\n"
    add("another checkpoint", line(data(text=other)), "OtherText")
    add("without the last newline of the text", line(data(text=TEXT[:-1])), "OtherText")
    add("only its first two lines", line(data(text=TEXT[: TEXT.index("\n7") + 3])), "OtherText")
    add("with the blank line", line(data(text=TEXT + "\n")), "OtherText")
    add("the whole note", line(data(text=note)), "OtherText")
    add("another key", line(data(secret=LOG)), "OtherKey")
    add("a note's signature with a time in front", signing(TEXT.encode()), "SignedMessage")
    add("no header line", signing(f"time {TIME}\n{TEXT}".encode()), "SignedMessage")
    add("another version", signing(f"cosignature/v2\ntime {TIME}\n{TEXT}".encode()), "SignedMessage")
    add("no time line", signing(f"cosignature/v1\n{TEXT}".encode()), "SignedMessage")
    add("a time line with a leading zero", signing(f"cosignature/v1\ntime 0{TIME}\n{TEXT}".encode()), "SignedMessage")
    add("one good line, one false", good + line(data(secret=LOG)), "SecondLine")
    add("one false line, one good", line(data(secret=LOG)) + good, "SecondLine")
    add("one good line, one of 71 bytes", good + line(data()[:-1]), "SecondLine", "Length", error="FormatError")
    log_id = registry.key_id(*WITNESS_KEY)
    add("under the id of a log's key", line(data(), ident=log_id), "PassedOver", "KeyType", ok=True)
    add("under another id", line(data(), ident=bytes(4)), "PassedOver", "KeyId", ok=True)
    add("under another name", line(data(), "w2.example"), "PassedOver", ok=True)
    add("under the log's name", line(data(), NAME), "PassedOver", ok=True)
    add("under the name in capitals", line(data(), WITNESS_NAME.upper()), "PassedOver", ok=True)
    as_log = b64(log_id + ed25519.sign(WITNESS, TEXT.encode()))
    add("the witness's key as a log's", f"\u2014 {WITNESS_NAME} {as_log}\n", "PassedOver", "KeyType", ok=True)
    ml_dsa = sha256(WITNESS_NAME.encode() + b"\n\x06" + PUBLIC)[:4]
    add("a line as long as ML-DSA-44's", line(bytes(2428), ident=ml_dsa), "PassedOver", ok=True)
    signature = data()[8:]
    s = int.from_bytes(signature[32:], "little") + ed25519.L
    add("S + L", line(data()[:40] + s.to_bytes(32, "little")), "Edge")
    neutral = ed25519.encode(ed25519.NEUTRAL)
    h = ed25519.digest(neutral, PUBLIC, cosignature.message(TIME, TEXT))
    s = h * ed25519.secret(WITNESS)[0] % ed25519.L
    add("R is the identity", line(data()[:8] + neutral + s.to_bytes(32, "little")), "Edge")
    add("all zero", line(data()[:8] + bytes(64)), "Edge")
    add("a space for the dash", note_space(good), "Form", error="FormatError")
    add("a name, a space and no base64", f"\u2014 {WITNESS_NAME} \n", "Form", error="FormatError")
    add("base64 with bits behind its end", with_bits(good), "Form", error="FormatError")
    return g


def note_space(line):
    return line.replace("\u2014", " ")


def with_bits(line):
    """76 bytes are 101 characters and a third: the last one before the padding has bits to spare."""
    at = line.index("=") - 1
    return line[:at] + chr(ord(line[at]) + 1) + line[at + 1 :]


def log_lines():
    """A witness's key has the log's name: two kinds of lines, told apart by their ids."""
    g = Group(
        "shared-name",
        "log and witness of one name, with keys of their own: as cosignature",
        log=VKEY,
        witness=cosignature.vkey(NAME, PUBLIC),
    )
    witness = (NAME, PUBLIC)

    def run(whole):
        registry.verify_checkpoint(whole, KEY)
        return {"times": cosignature.cosigned(whole, witness)}

    note = registry.sign_note(TEXT, NAME, LOG)
    ident = cosignature.key_id(*witness)
    good = cosignature.cosign(NAME, WITNESS, TIME, TEXT)
    log_line = note.split("\n\n")[1]
    bare = cosignature.line(NAME, ident, unb64(log_line.split(" ")[2].strip())[4:])
    g.add("both", lambda: run(note + good), note=note + good)
    g.add("the witness's line first", lambda: run(TEXT + "\n" + good + log_line), note=TEXT + "\n" + good + log_line)
    g.add("the log's alone", lambda: run(note), note=note)
    g.add("the witness's alone", lambda: run(TEXT + "\n" + good), "SignatureError", ["KeyType"], "reg-note-3",
          note=TEXT + "\n" + good)  # fmt: skip
    g.add("the log's signature under the witness's id", lambda: run(note + bare), "FormatError", ["Length"],
          note=note + bare)  # fmt: skip
    return g


def published():
    """The example of c2sp.org/signed-note: its verifier key verifies its note."""
    g = Group("published-note", "the examples of c2sp.org/signed-note (a log's key, any text): its text")
    vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    text = "This is an example message.\n"
    line = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    key = registry.parse_vkey(vkey)

    def add(comment, note, *flags, **expected):
        g.add(comment, lambda: {"text": registry.open_note(note, key)}, flags=flags, vkey=vkey, note=note, **expected)

    note = f"{text}\n\u2014 example.com/foo {line}\n"
    add("example.com/foo", note)
    add("a letter of the text changed", note.replace("example message", "Example message"), "OtherText",
        expect="SignatureError", rule="enc-ed25519-2")  # fmt: skip
    add("another name", note.replace("\u2014 example.com/foo", "\u2014 example.com/bar"), "OtherKey",
        expect="SignatureError", rule="reg-note-3")  # fmt: skip
    return g


def groups():
    return [vkeys(), cosignatures(), log_lines(), published()]
