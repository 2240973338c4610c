"""Cases for specs/encoding.md."""

import hashlib
import json

import ed25519
import encoding
import merkle
from encoding import b64, canonical, frame
from vectors import Group, accumulated, seed

NOTES = {
    "DuplicateField": ("PARSER DIFFERENTIAL", "two readers of one signed object see two different values"),
    "NotCanonical": ("MALLEABILITY", "one object gets several encodings, hence several digests and log entries"),
    "Float": ("PARSER DIFFERENTIAL", "numbers are rounded, and differently on different machines"),
    "TrailingBytes": ("MALLEABILITY", "bytes that nobody reads change a digest"),
    "Base64": ("MALLEABILITY", "one byte string has several texts"),
    "Nesting": ("DENIAL", "a reader that calls itself for each level crashes, instead of refusing"),
    "Limit": ("PARSER DIFFERENTIAL", "an integer that a double cannot hold is another integer elsewhere"),
    "Unicode": ("PARSER DIFFERENTIAL", "text that is not UTF-8, or is sorted by another rule, differs between readers"),
    "UnknownField": ("SMUGGLING", "a signed object carries what a verifier does not look at"),
    "Alias": ("MALLEABILITY", "a field is accepted under a second name"),
    "PayloadType": ("TYPE CONFUSION", "a signature made for another purpose is taken for ours"),
    "Signatures": ("AMBIGUITY", "it is not clear who signed"),
    "NoPae": ("TYPE CONFUSION", "the signature is over the payload alone and says nothing of its type"),
    "WrongKind": ("TYPE CONFUSION", "a message of one kind is read as another"),
    "Subject": ("TYPE CONFUSION", "it is not clear what a statement is about"),
    "SmallOrderKey": ("FORGERY", "the key verifies signatures that nobody made"),
    "MixedOrder": ("VERIFIER DIFFERENTIAL", "verifiers with and without the cofactor disagree"),
    "NonCanonicalPoint": ("MALLEABILITY", "one key or R has two encodings"),
    "OffCurve": ("BASIC", "not a point"),
    "SPlusL": ("MALLEABILITY", "anybody makes a second signature out of one"),
    "SmallOrderR": ("VERIFIER DIFFERENTIAL", "libsodium refuses a small-order R, others accept it"),
    "BadSignature": ("BASIC", "a wrong signature is accepted"),
    "Length": ("BASIC", "a string of another length is accepted"),
    "WrongIndex": ("FORGERY", "an entry is proved where it does not stand"),
    "PathLength": ("FORGERY", "an inner node or a part of a path passes for another tree"),
    "WrongRoot": ("FORGERY", "an entry is proved that is not in the tree"),
    "SizeNotBound": ("CALLER", "a root does not fix the size: take it from a verified checkpoint or statement"),
    "LeafIsNode": ("FORGERY", "an inner node passes for a leaf, so a tree has two readings"),
}


def spell(x):
    """A field as known-answers.json spells it."""
    if isinstance(x, bytes):
        return "b:" + x.hex()
    return ("s:" if isinstance(x, str) else "i:") + str(x)


def frames():
    g = Group("frame", "frame(fields): s: text, i: integer, b: hexadecimal bytes")
    for comment, fields in [
        ("no field at all", []),
        ("one empty field", [b""]),
        ("text, integers, bytes", ["wmproto/1/test", 0, 258, b"", b"\x00\xff"]),
        ("text is UTF-8", ["\u00e9\u20ac\U0001f600"]),
        ("the largest integer", [2**64 - 1]),
        ("an integer is the same field as its eight bytes: types are not in a frame", [bytes(8)]),
        ("two fields are not their concatenation (1)", [b"ab", b"c"]),
        ("two fields are not their concatenation (2)", [b"a", b"bc"]),
        ("a frame in a frame", [frame(1, 2), 3]),
    ]:
        g.add(comment, lambda f=fields: {"out": frame(*f).hex()}, fields=[spell(x) for x in fields])
    alphabet = [0, 1, 255, 2**32, 2**64 - 1, "", "a", "\u00e9", b"", b"\x00", b"a", bytes(9)]
    digest = hashlib.sha256()
    for a in alphabet:
        digest.update(frame(a))
        for b in alphabet:
            digest.update(frame(a, b))
            for c in alphabet:
                digest.update(frame(a, b, c))
    every = accumulated(
        "frame-accumulated",
        "SHA-256 over frame(a), and for each b frame(a, b), and for each c frame(a, b, c)",
        digest,
        alphabet=[spell(x) for x in alphabet],
    )
    return g, every


WORDS = [
    "entry", "fs", "ghost", "input", "key", "label", "leaf", "leafkey", "link", "logged", "model", "noise", "policy",
    "root", "suspect", "tensor",
]  # fmt: skip


def hashes():
    g = Group("hash", "H(word, fields...), and PRF under a secret where there is one")
    for word in WORDS:
        g.add(f"tag {word}", lambda w=word: {"out": encoding.H(w, b"\x01", 2).hex()}, word=word, fields=["b:01", "i:2"])
    g.add("no field but the tag", lambda: {"out": encoding.H("key").hex()}, word="key", fields=[])
    s = seed("prf")
    for word in ("leafkey", "input"):
        for i in (0, 1, 2**64 - 1):
            g.add(
                f"PRF {word} {i}",
                lambda w=word, i=i: {"out": encoding.prf(s, w, bytes(32), i).hex()},
                word=word,
                secret=s.hex(),
                fields=["b:" + bytes(32).hex(), f"i:{i}"],
            )
    return g


def draws():
    g = Group("draw", "uniform draw from range(m) out of SHAKE-256(seed); words: how many 64-bit words it takes")
    for m in (1, 2, 3, 10, 1000, 4096, 2**32, 2**63 + 1, 2**64 - 1):
        for n in (0, 1):
            one = frame("wmproto/1/test", n)
            value, words = encoding.draw_words(one, m)
            m_text = m if m < 2**53 else str(m)
            steps = {"value": value if value < 2**53 else str(value), "words": words}
            g.add(f"m = {m}", lambda s=steps: s, m=m_text, seed=one.hex())
    for wanted in (4, 5, 7):  # the first seeds that are rejected so often
        one = next(
            seed
            for seed in (frame("wmproto/1/test", n) for n in range(500))
            if encoding.draw_words(seed, 2**63 + 1)[1] == wanted
        )
        value = str(encoding.draw_words(one, 2**63 + 1)[0])
        steps = {"value": value, "words": wanted}
        g.add("m = 2**63 + 1 rejects half of all words", lambda s=steps: s, m=str(2**63 + 1), seed=one.hex())
    digest = hashlib.sha256()
    for m in range(1, 257):
        for n in range(8):
            digest.update(encoding.draw_words(frame("wmproto/1/test", n), m)[0].to_bytes(8, "big"))
    every = accumulated(
        "draw-accumulated",
        "the draws on m = 1 .. 256, for each with the seeds frame('wmproto/1/test', n), n = 0 .. 7, as u64 big-endian",
        digest,
    )
    return g, every


def canonical_json():
    g = Group("json-write", "the canonical text of a value")
    for comment, value in [
        ("literals", [None, True, False, 0, -1, 7]),
        ("the largest integers", [2**53 - 1, -(2**53) + 1]),
        ("empty things", [{}, [], ""]),
        ("fields are sorted", {"b": 1, "a": {"d": [], "c": {}}, "": 0, "A": 2, "a0": 3}),
        ("by UTF-16: U+1F600 is before U+FB33", {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "\r": 4, "1": 5}),
        ("escapes that must be", '"\\\b\t\n\f\r\x00\x1f'),
        ("escapes that must not be", "/\x7f\x80\u2028\u00e9\U0001f600"),
    ]:
        g.add(comment, lambda v=value: {"out": canonical(v).hex()}, value=value)
    points = [chr(c) for c in range(0x10000) if not 0xD800 <= c <= 0xDFFF] + ["\U00010000", "\U0010ffff"]
    every = accumulated(
        "json-accumulated",
        "SHA-256 of the text of an array of strings: one for each code point U+0000 to U+FFFF that is no surrogate, "
        "then U+10000 and U+10FFFF",
        hashlib.sha256(canonical(points)),
    )
    g.add("an integer beyond 2**53 - 1", lambda: canonical(2**53), "FormatError", ["Limit"], value=2**53)
    g.add("and below", lambda: canonical(-(2**53)), "FormatError", ["Limit"], value=-(2**53))
    g.add("a float", lambda: canonical(0.5), "FormatError", ["Float"], value=0.5)
    g.add("a float that is whole", lambda: canonical(1.0), "FormatError", ["Float"], value=1.0)
    return g, every


def read_json(data):
    return {"value": encoding.parse_canonical(data)}


def parse_json():
    g = Group(
        "json-read",
        "bytes that must be canonical JSON: as text, `repeat` times if that is there, or as hexadecimal where they are "
        "not UTF-8",
    )

    def add(comment, data, flags=(), expect="FormatError", repeat=1):
        where = {"hex": data.hex()} if isinstance(data, bytes) else {"text": data}
        if repeat > 1:
            where, data = {"text": data, "repeat": repeat}, data * repeat
        raw = data if isinstance(data, bytes) else data.encode()
        g.add(comment, lambda: read_json(raw), expect if flags else "ok", flags, **where)

    add("an object", '{"a":1,"b":[true,null,"\u00e9"]}')
    add("a string", '"\u20ac"')
    add("the largest integer", "9007199254740991")
    add("a field twice", '{"a":1,"a":1}', ["DuplicateField"])
    add("a field twice, deeper", '{"x":[{"a":1,"a":2}]}', ["DuplicateField"])
    add("a field twice, once escaped", '{"a":1,"\\u0061":2}', ["DuplicateField", "NotCanonical"])
    add("fields in another order", '{"b":1,"a":2}', ["NotCanonical"])
    add("fields sorted by code point, not by UTF-16", '{"\ufb33":1,"\U0001f600":2}', ["NotCanonical", "Unicode"])
    add("a space", '{"a": 1}', ["NotCanonical"])
    add("a newline at the end", '{"a":1}\n', ["NotCanonical", "TrailingBytes"])
    add("a NUL at the end", b'{"a":1}\x00', ["TrailingBytes"])
    add("a second value", '{"a":1}{}', ["TrailingBytes"])
    add("nothing", "", ["NotCanonical"])
    add("cut off", '{"a":1', ["NotCanonical"])
    add("a comma too many", '{"a":1,}', ["NotCanonical"])
    add("a comment", '{"a":1/**/}', ["NotCanonical"])
    add("a float", '{"a":1.5}', ["Float"])
    add("a whole float", '{"a":1.0}', ["Float"])
    add("an exponent", '{"a":1e2}', ["Float"])
    add("NaN", '{"a":NaN}', ["Float"])
    add("Infinity", '{"a":-Infinity}', ["Float"])
    add("minus zero", '{"a":-0}', ["NotCanonical"])
    add("a leading zero", '{"a":01}', ["NotCanonical"])
    add("a plus", '{"a":+1}', ["NotCanonical"])
    add("2**53", "9007199254740992", ["Limit"])
    add("an integer of 5,000 digits", "1", ["Limit"], repeat=5000)
    add("an escape that need not be", '"\\u00e9"', ["NotCanonical"])
    add("an escaped solidus", '"\\/"', ["NotCanonical"])
    add("an upper-case escape", '"\\u001F"', ["NotCanonical"])
    add("a long escape", '"\\u0009"', ["NotCanonical"])
    add("a raw control character", b'"\x01"', ["NotCanonical"])
    add("a lone surrogate", '"\\ud800"', ["Unicode"])
    add("a lone surrogate as a name", '{"\\udc00":1}', ["Unicode"])
    add("a surrogate in UTF-8", b'"\xed\xa0\x80"', ["Unicode"])
    add("not UTF-8", b'"\xff"', ["Unicode"])
    add("an overlong form", b'"\xc0\xaf"', ["Unicode"])
    add("UTF-16", '{"a":1}'.encode("utf-16-le"), ["Unicode"])
    add("a byte order mark", b"\xef\xbb\xbf{}", ["Unicode"])
    add("single quotes", "{'a':1}", ["NotCanonical"])
    add("nested more deeply than a reader can follow", "[", ["Nesting"], repeat=100_000)
    add("objects, too", '{"a":', ["Nesting"], repeat=100_000)
    return g


def base64s():
    g = Group("base64", "standard base64 with padding, in the one form")

    def read(text):
        return {"out": encoding.unb64(text).hex()}

    for n in range(6):
        text = b64(bytes(range(250, 250 + n)))
        g.add(f"{n} bytes", lambda t=text: read(t), text=text)
    for comment, text in [
        ("no padding", "+g"),
        ("half the padding", "+g="),
        ("padding too much", "+vs=="),
        ("padding for nothing", "+vv8===="),
        ("bits behind the end", "+h=="),
        ("bits behind the end of two bytes", "+vt="),
        ("URL alphabet", "-vs="),
        ("a space", "+v s="),
        ("a newline", "+vs=\n"),
        ("padding in the middle", "+g==+g=="),
        ("one letter", "A"),
        ("not ASCII", "+vs\u00bd"),
    ]:
        g.add(comment, lambda t=text: read(t), "FormatError", ["Base64"], text=text)
    return g


def paes():
    g = Group("pae", "what is signed: the pre-authentication encoding of a payload")
    for payload in ("", "{}", "\u00e9"):
        data = payload.encode()
        g.add(f"{len(data)} bytes", lambda d=data: {"out": encoding.pae(d).hex()}, payload=payload)
    return g


def ed25519_sign():
    g = Group("ed25519-sign", "RFC 8032; the first three are section 7.1, TEST 1 to 3, with the values printed there")
    printed = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "72",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "af82",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ]

    def run(one, message):
        public, signature = ed25519.public(one), ed25519.sign(one, message)
        ed25519.verify(public, message, signature)
        return {"public": public.hex(), "signature": signature.hex()}

    for n, (one, message, public, signature) in enumerate(printed, 1):
        steps = run(bytes.fromhex(one), bytes.fromhex(message))
        if steps != {"public": public, "signature": signature}:
            raise AssertionError("not as printed in RFC 8032")
        g.add(f"RFC 8032, TEST {n}", lambda s=steps: s, seed=one, message=message)
    one, message = seed("ed25519"), b"wmproto"
    g.add("a seed of ours", lambda: run(one, message), seed=one.hex(), message=message.hex())
    return g


def torsion():
    """A point of order 8."""
    y = 0
    while True:
        y += 1
        point = ed25519.decode(y.to_bytes(32, "little"))
        if point is None:
            continue
        t = ed25519.times(ed25519.L, point)
        if not ed25519.same(ed25519.times(4, t), ed25519.NEUTRAL):
            return t


def ed25519_keys():
    g = Group("ed25519-key", "which public keys are acceptable")

    def add(comment, key, *flags):
        expect = ("SignatureError", flags, "enc-ed25519-1") if flags else ("ok", (), "")
        g.add(comment, lambda: ed25519.check_public(key) and {}, *expect, public=key.hex())

    good = ed25519.public(seed("ed25519"))
    t = torsion()
    add("a good key", good)
    add("the base point", ed25519.encode(ed25519.BASE))
    for n in range(8):
        add(f"a point of small order, {n} * T", ed25519.encode(ed25519.times(n, t)), "SmallOrderKey")
    add("the neutral element with a sign", (1 | 1 << 255).to_bytes(32, "little"), "SmallOrderKey", "NonCanonicalPoint")
    for n in range(1, 8):
        key = ed25519.encode(ed25519.add(ed25519.decode(good), ed25519.times(n, t)))
        add(f"a good key plus {n} * T", key, "MixedOrder")
    add("y = p, which is 0", ed25519.P.to_bytes(32, "little"), "SmallOrderKey", "NonCanonicalPoint")
    add("y = p + 1, which is 1", (ed25519.P + 1).to_bytes(32, "little"), "SmallOrderKey", "NonCanonicalPoint")
    for n in range(2, 19):
        if ed25519.decode(n.to_bytes(32, "little")):
            add(f"y = p + {n}, a point like y = {n}", (ed25519.P + n).to_bytes(32, "little"), "NonCanonicalPoint")
    add("y = 2 is on no point", (2).to_bytes(32, "little"), "OffCurve")
    add("31 bytes", good[:31], "Length")
    add("33 bytes", good + b"\x00", "Length")
    add("nothing", b"", "Length")
    return g


def ed25519_verify():
    g = Group("ed25519-verify", "which signatures are acceptable")
    one, message = seed("ed25519"), b"wmproto"
    key, good = ed25519.public(one), ed25519.sign(one, message)
    a, t = ed25519.secret(one)[0], torsion()

    def add(comment, signature, flags=(), public=key, m=message, rule="enc-ed25519-2"):
        expect = ("SignatureError", flags, rule) if flags else ("ok", (), "")
        check = lambda: ed25519.verify(public, m, signature)  # noqa: E731
        g.add(comment, check, *expect, public=public.hex(), message=m.hex(), signature=signature.hex())

    def made(r_point, r):
        """A signature with that R by somebody who knows the secret, S such that S*B = r*B + h*A."""
        R = ed25519.encode(r_point)
        s = (r + ed25519.digest(R, key, message) * a) % ed25519.L
        return R + s.to_bytes(32, "little")

    s = int.from_bytes(good[32:], "little")
    add("a good signature", good)
    add("another R of the same key: signatures are not unique", made(ed25519.times(5, ed25519.BASE), 5))
    add("S + L", good[:32] + (s + ed25519.L).to_bytes(32, "little"), ["SPlusL"])
    add("S + 8L, above 2**255", good[:32] + (s + 8 * ed25519.L).to_bytes(32, "little"), ["SPlusL"])
    add("S = L, and R made for S = 0", made(ed25519.times(5, ed25519.BASE), 5)[:32] + ed25519.L.to_bytes(32, "little"),
        ["SPlusL", "BadSignature"])  # fmt: skip
    for n in range(8):
        add(f"R = {n} * T, S made for r = 0", made(ed25519.times(n, t), 0), ["SmallOrderR"])
    for n in range(1, 8):
        R = ed25519.add(ed25519.times(5, ed25519.BASE), ed25519.times(n, t))
        add(f"R = 5 * B + {n} * T, S made for r = 5: only the cofactor would make it right", made(R, 5), ["MixedOrder"])
    add("R with y = p + 1, which is the neutral element", (ed25519.P + 1).to_bytes(32, "little") + good[32:],
        ["NonCanonicalPoint", "SmallOrderR"])  # fmt: skip
    add("R with y = 2, on no point", (2).to_bytes(32, "little") + good[32:], ["OffCurve"])
    add("one bit of R", bytes([good[0] ^ 1]) + good[1:], ["BadSignature"])
    add("one bit of S", good[:32] + bytes([good[32] ^ 1]) + good[33:], ["BadSignature"])
    add("-R", good[:31] + bytes([good[31] ^ 128]) + good[32:], ["BadSignature"])
    add("another message", good, ["BadSignature"], m=b"wmprotp")
    add("no message", good, ["BadSignature"], m=b"")
    add("another key", good, ["BadSignature"], public=ed25519.public(seed("another")))
    add("R and S exchanged", good[32:] + good[:32], ["BadSignature"])
    add("all zero", bytes(64), ["BadSignature", "SmallOrderR"])
    add("63 bytes", good[:63], ["Length"])
    add("65 bytes", good + b"\x00", ["Length"])
    add("nothing", b"", ["Length"])
    neutral = ed25519.encode(ed25519.NEUTRAL)
    forged = ed25519.encode(ed25519.times(5, ed25519.BASE)) + (5).to_bytes(32, "little")
    add("the neutral key: R = 5 * B, S = 5 verifies for every message", forged, ["SmallOrderKey"], public=neutral,
        rule="enc-ed25519-1")  # fmt: skip
    return g


def envelopes():
    g = Group("envelope", "a signed object: the bytes of a DSSE envelope as text; its signature is verified, too")
    one, payload = seed("owner"), canonical({"a": 1})
    public = ed25519.public(one)
    good = encoding.envelope(payload, public, ed25519.sign(one, encoding.pae(payload)))

    def run(data):
        value = encoding.parse_envelope(data)
        body, signer, signature = encoding.parts(value)
        ed25519.verify(signer, encoding.pae(body), signature)
        return {"payload": body.hex(), "sha256": encoding.sha256(body).hex(), "signer": signer.hex()}

    def add(comment, data, flags=(), expect="FormatError"):
        data = data if isinstance(data, bytes) else canonical(data)
        g.add(comment, lambda: run(data), expect if flags else "ok", flags, text=data.decode())

    def signature(**change):
        return good | {"signatures": [good["signatures"][0] | change]}

    add("a good one", good)
    add("not JSON", b"{", ["NotCanonical"])
    add("white space", json.dumps(good, sort_keys=True).encode(), ["NotCanonical"])
    add("a field twice", canonical(good)[:-1] + b',"payloadType":"application/vnd.in-toto+json"}', ["DuplicateField"])
    add("a newline at the end", canonical(good) + b"\n", ["TrailingBytes"])
    add("an unknown field", good | {"x": 1}, ["UnknownField"])
    add("a field is missing", {k: v for k, v in good.items() if k != "payloadType"}, ["PayloadType"])
    add("another payload type", good | {"payloadType": "application/json"}, ["PayloadType"])
    other = ed25519.sign(one, encoding.pae(payload, "application/json"))
    add("signed as another payload type", encoding.envelope(payload, public, other), ["PayloadType"], "SignatureError")
    add("signed without PAE", encoding.envelope(payload, public, ed25519.sign(one, payload)), ["NoPae"],
        "SignatureError")  # fmt: skip
    add("no signature", good | {"signatures": []}, ["Signatures"])
    add("two signatures", good | {"signatures": good["signatures"] * 2}, ["Signatures"])
    add("an unknown field beside the signature", signature(x=1), ["UnknownField"])
    add("keyid in capitals", signature(keyid=public.hex().upper()), ["NotCanonical"])
    add("keyid of 31 bytes", signature(keyid=public.hex()[2:]), ["Length"])
    add("keyid null", signature(keyid=None), ["Signatures"])
    add("another's keyid", signature(keyid=ed25519.public(seed("another")).hex()), ["BadSignature"], "SignatureError")
    add("a signature of 63 bytes", signature(sig=b64(bytes(63))), ["Length"])
    add("payload in base64 without padding", good | {"payload": good["payload"].rstrip("=")}, ["Base64"])
    text = good["payload"]
    if text[-2:] != "==" and text[-1:] != "=":
        raise AssertionError("this payload's length leaves no bits to change")
    loose = text[:-2] + chr(ord(text[-2]) + 1) + "=" if text[-2] != "=" else text[:-3] + chr(ord(text[-3]) + 1) + "=="
    add("payload in base64 with bits behind its end", good | {"payload": loose}, ["Base64"])
    add("signature in URL base64", signature(sig=good["signatures"][0]["sig"].replace("+", "-").replace("/", "_")),
        ["Base64"])  # fmt: skip
    add("payload is an array of bytes", good | {"payload": list(payload)}, ["Base64"])
    add("another payload", good | {"payload": b64(b'{"a":2}')}, ["BadSignature"], "SignatureError")
    add("an array", [good], ["UnknownField"])
    return g


def statements():
    g = Group(
        "statement",
        "the payload of a signed object, as text, read as an in-toto Statement of the dispute message stop about 'key'",
    )
    predicate = {"previous": "00" * 32, "seq": 3}
    good = encoding.statement("stop", predicate, ("key", bytes(range(32))))
    place = encoding.obj(previous=encoding.maybe(encoding.hex32), seq=encoding.uint())

    def run(data):
        value = encoding.parse_statement(data, "stop", place)
        one = value["subject"]
        encoding.need(len(one) == 1 and one[0]["name"] == "key", "FormatError")
        return {"subject": one[0]["digest"]["sha256"], "predicate": value["predicate"]}

    def add(comment, value, *flags):
        data = value if isinstance(value, bytes) else canonical(value)
        g.add(comment, lambda: run(data), "FormatError" if flags else "ok", flags, text=data.decode())

    def about(*subject):
        return good | {"subject": list(subject)}

    subject = good["subject"][0]
    add("a good one", good)
    add("the first of a chain", good | {"predicate": predicate | {"previous": None}})
    add("an unknown field", good | {"x": 1}, "UnknownField")
    add("an unknown field in the predicate", good | {"predicate": predicate | {"x": 1}}, "UnknownField")
    add("a field is missing", good | {"predicate": {"seq": 3}}, "UnknownField")
    renamed = {("type_" if k == "_type" else k): v for k, v in good.items()}
    add("type_ for _type", renamed, "Alias")
    add("both type_ and _type", good | {"type_": good["_type"]}, "Alias")
    add("another version of in-toto", good | {"_type": "https://in-toto.io/Statement/v0.1"}, "WrongKind")
    add("another predicate type", good | {"predicateType": "tag:wmproto,2025:stop/2"}, "WrongKind")
    add("another message", encoding.statement("ask", predicate, ("key", bytes(32))), "WrongKind")
    add("no subject", about(), "Subject")
    add("two subjects", about(subject, subject), "Subject")
    add("about something else", about(subject | {"name": "root"}), "Subject")
    add("a second digest", about(subject | {"digest": subject["digest"] | {"sha512": "00" * 64}}), "Subject")
    add("another digest", about(subject | {"digest": {"sha512": "00" * 64}}), "Subject")
    add("a digest in capitals", about(subject | {"digest": {"sha256": "AB" * 32}}), "NotCanonical")
    add("a string for an integer", good | {"predicate": predicate | {"seq": "3"}}, "NotCanonical")
    add("true for an integer", good | {"predicate": predicate | {"seq": True}}, "NotCanonical")
    add("a negative integer", good | {"predicate": predicate | {"seq": -1}}, "Limit")
    add("fields in another order", json.dumps(dict(reversed(good.items())), separators=(",", ":")).encode(),
        "NotCanonical")  # fmt: skip
    add("a float", canonical(good).replace(b'"seq":3', b'"seq":3.0'), "Float")
    add("a field twice", canonical(good).replace(b'"seq":3', b'"seq":3,"seq":3'), "DuplicateField")
    add("white space in front", b" " + canonical(good), "NotCanonical")
    add("an array", [good], "UnknownField")
    return g


LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(130)]


def trees():
    g = Group("tree", "leaf hashes SHA-256(0x00 || n) over single bytes n = 0, 1, ...; the root over the first `size`")
    for size in (0, 1, 2, 3, 5, 8, 11, 16):
        g.add(f"{size} leaves", lambda n=size: {"root": merkle.root(LEAVES[:n]).hex()}, size=size)
    roots, paths = hashlib.sha256(), hashlib.sha256()
    for size in range(1, 131):
        roots.update(merkle.root(LEAVES[:size]))
    for size in range(1, 131):
        for index in range(size):
            paths.update(b"".join(merkle.path(index, LEAVES[:size])))
    return (
        g,
        accumulated("root-accumulated", "the roots of sizes 1 .. 130 over these leaves, one after the other", roots),
        accumulated("path-accumulated", "every inclusion proof of sizes 1 .. 130, one after the other", paths),
    )


def inclusion():
    g = Group("inclusion", "does this leaf hash stand at the index of the tree with that size and root")

    def add(comment, index, size, *flags, leaf=None, path=None, root=None, really=None, ok=False):
        """``really`` is the tree that the proof is made of."""
        n, m = really or (size, index)
        leaf = LEAVES[m] if leaf is None else leaf
        path = merkle.path(m, LEAVES[:n]) if path is None else path
        root = merkle.root(LEAVES[:n]) if root is None else root
        expect = ("InclusionError", flags, "enc-tree-3") if flags and not ok else ("ok", flags, "")
        g.add(
            comment,
            lambda: merkle.verify(leaf, index, size, path, root),
            *expect,
            leaf=leaf.hex(),
            index=index,
            size=size,
            path=[p.hex() for p in path],
            root=root.hex(),
        )

    for index, size in [(0, 1), (0, 2), (1, 2), (2, 3), (4, 5), (5, 8), (10, 11), (15, 16)]:
        add(f"leaf {index} of {size}", index, size)
    path = merkle.path(5, LEAVES[:11])
    add("another index", 4, 11, "WrongIndex", really=(11, 5))
    add("an index with the same path length", 7, 11, "WrongIndex", really=(11, 5))
    add("index = size", 11, 11, "WrongIndex", really=(11, 5))
    add("index beyond", 2**40, 11, "WrongIndex", really=(11, 5))
    add("an empty tree", 0, 0, "WrongIndex", really=(1, 0))
    add("path cut at the root", 5, 11, "PathLength", path=path[:-1])
    add("path cut at the leaf", 5, 11, "PathLength", path=path[1:])
    add("no path", 5, 11, "PathLength", path=[])
    add("path with one hash more", 5, 11, "PathLength", path=[*path, LEAVES[0]])
    add("path with the root", 5, 11, "PathLength", path=[*path, merkle.root(LEAVES[:11])])
    add("path from the root downwards", 5, 11, "WrongRoot", path=path[::-1])
    add("one bit of the path", 5, 11, "WrongRoot", path=[bytes([path[0][0] ^ 1]) + path[0][1:], *path[1:]])
    add("another leaf", 5, 11, "WrongRoot", leaf=LEAVES[6])
    add("another root", 5, 11, "WrongRoot", root=merkle.root(LEAVES[:12]))
    add("the leaf as root of a larger tree", 0, 2, "PathLength", path=[], root=LEAVES[0])
    add("a smaller size with a shorter path", 10, 12, "PathLength", really=(11, 10))
    add("another size with the same shape of path: the root does not say", 0, 7, "SizeNotBound", really=(8, 0), ok=True)
    inner = merkle.leaf_hash(LEAVES[0] + LEAVES[1])
    add("an inner node's content as a leaf", 0, 2, "LeafIsNode", leaf=inner,
        path=[merkle.node(LEAVES[2], LEAVES[3])], root=merkle.root(LEAVES[:4]))  # fmt: skip
    return g


def groups():
    return [
        *frames(), hashes(), *draws(), *canonical_json(), parse_json(), base64s(), paes(), ed25519_sign(),
        ed25519_keys(), ed25519_verify(), envelopes(), statements(), *trees(), inclusion(),
    ]  # fmt: skip
