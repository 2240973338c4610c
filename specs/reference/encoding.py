"""Framing, tagged hashes, draws, canonical JSON, base64 and signed statements, as plainly as they can be written.

Python's standard library only, and nothing of the package wmproto: read it beside specs/encoding.md.
"""

import base64
import hashlib
import hmac
import json

PROFILE = "wmproto/1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
ENVELOPE_LIMIT = 8 << 20


class Refused(Exception):  # noqa: N818
    """Something is not accepted: the name of the error class of wmproto/errors.py, and the rule if it has one."""

    def __init__(self, error, rule="", why="", fault="unknown"):
        super().__init__(f"{error} {rule} {why}")
        self.error, self.rule, self.why, self.fault = error, rule, why, fault


def need(condition, error, rule="", why="", fault="unknown"):
    if not condition:
        raise Refused(error, rule, why, fault)


# --- frames, hashes, draws -----------------------------------------------------------------------------------------


def field(x):
    """An integer is 8 bytes, a string its UTF-8, bytes are themselves."""
    if isinstance(x, bool) or not isinstance(x, int | str | bytes):
        raise TypeError("a field is an integer, a string or bytes")
    if isinstance(x, int):
        return x.to_bytes(8, "big")
    if isinstance(x, str):
        return x.encode("utf-8")
    return x


def frame(*fields):
    out = b""
    for x in fields:
        out += len(field(x)).to_bytes(8, "big") + field(x)
    return out


def sha256(data):
    return hashlib.sha256(data).digest()


def tag(word):
    return PROFILE + "/" + word


def H(word, *fields):
    return sha256(frame(tag(word), *fields))


def prf(secret, word, *fields):
    return hmac.new(secret, frame(tag(word), *fields), hashlib.sha256).digest()


def draw_words(seed, m):
    """Uniform on range(m) out of SHAKE-256(seed): (value, how many 64-bit words it took)."""
    limit = m * (2**64 // m)
    j = 0
    while True:
        w = int.from_bytes(hashlib.shake_256(seed).digest(8 * j + 8)[8 * j :], "big")
        if w < limit:
            return w % m, j + 1
        j += 1


def draw(m, word, *fields):
    return draw_words(frame(tag(word), *fields), m)[0]


# --- base64 and canonical JSON -------------------------------------------------------------------------------------


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    """Only what b64 writes."""
    try:
        data = base64.b64decode(text)
    except ValueError:
        raise Refused("FormatError", why="not base64") from None
    need(b64(data) == text, "FormatError", why="base64 in another form")
    return data


ESCAPES = {chr(c): f"\\u{c:04x}" for c in range(32)}
ESCAPES |= {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
ESCAPED = str.maketrans(ESCAPES)


def json_string(text):
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("FormatError", why="a lone surrogate") from None
    return '"' + text.translate(ESCAPED) + '"'


def json_text(value):
    """RFC 8785 for our subset: no number but integers that a double holds exactly."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        need(abs(value) < 2**53, "FormatError", why="an integer beyond 2**53 - 1")
        return str(value)
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(json_text(v) for v in value) + "]"
    if isinstance(value, dict):
        for name in value:
            need(isinstance(name, str), "FormatError", why="a field name is not a string")
            json_string(name)
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(json_string(n) + ":" + json_text(value[n]) for n in names) + "}"
    raise Refused("FormatError", why=f"no {type(value).__name__} in our JSON")


def canonical(value):
    return json_text(value).encode("utf-8")


def parse_canonical(data, limit=ENVELOPE_LIMIT):
    """A duplicate field, a float, white space, another order or escape: all fail the comparison at the end."""
    need(len(data) <= limit, "FormatError", why="too large")
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("FormatError", why="not JSON") from None
    need(canonical(value) == data, "FormatError", why="not canonical")
    return value


# --- shapes of JSON objects ----------------------------------------------------------------------------------------
# A shape is a function that raises unless a value is as it should be.


def shape(check, why):
    def run(value):
        need(check(value), "FormatError", why=why)

    return run


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def uint(least=0, most=2**53 - 1):
    return shape(lambda v: is_int(v) and least <= v <= most, f"an integer from {least} to {most}")


def one_of(*values):
    return shape(lambda v: any(type(v) is type(x) and v == x for x in values), f"one of {values}")


def _is_hex32(v):
    return isinstance(v, str) and len(v) == 64 and all(c in "0123456789abcdef" for c in v)


def _is_text(v):
    ok = isinstance(v, str) and 1 <= len(v.encode("utf-8", "surrogatepass")) <= 128
    return ok and not any(ord(c) < 32 or 127 <= ord(c) <= 159 for c in v)


hex32 = shape(_is_hex32, "64 lower-case hexadecimal digits")
text = shape(_is_text, "1 to 128 bytes of UTF-8 without control characters")


def string(most):
    return shape(lambda v: isinstance(v, str) and len(v) <= most, f"a string of at most {most} characters")


def b64text(value):
    need(isinstance(value, str), "FormatError", why="base64 text")
    unb64(value)


def maybe(inner):
    return lambda value: None if value is None else inner(value)


def array(inner, least=0, most=2**53):
    def run(value):
        need(isinstance(value, list) and least <= len(value) <= most, "FormatError", why="an array of another length")
        for v in value:
            inner(v)

    return run


def obj(**fields):
    """Exactly these fields."""

    def run(value):
        need(isinstance(value, dict) and set(value) == set(fields), "FormatError", why=f"fields must be {set(fields)}")
        for name, inner in fields.items():
            inner(value[name])

    return run


# --- signed statements ---------------------------------------------------------------------------------------------


def predicate_type(kind):
    return f"tag:wmproto,2025:{kind}/1"


def statement(kind, predicate, *subjects):
    """The in-toto Statement about subjects (name, SHA-256 digest)."""
    return {
        "_type": STATEMENT_TYPE,
        "predicate": predicate,
        "predicateType": predicate_type(kind),
        "subject": [{"digest": {"sha256": digest.hex()}, "name": name} for name, digest in subjects],
    }


def parse_statement(payload, kind, predicate, limit=ENVELOPE_LIMIT):
    """The statement of an exact payload whose predicate has that shape."""
    value = parse_canonical(payload, limit)
    fields = {
        "_type": one_of(STATEMENT_TYPE),
        "predicate": predicate,
        "predicateType": one_of(predicate_type(kind)),
        "subject": array(obj(digest=obj(sha256=hex32), name=text), 1, 64),
    }
    obj(**fields)(value)
    return value


def pae(payload, payload_type=PAYLOAD_TYPE):
    """DSSE pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(payload)).encode() + b" " + payload


def envelope(payload, signer, signature):
    """A DSSE envelope: payload bytes, public key and signature of the one signer."""
    return {
        "payload": b64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": signer.hex(), "sig": b64(signature)}],
    }


def check_envelope(value):
    sig = shape(lambda v: isinstance(v, str) and len(unb64(v)) == 64, "64 bytes")
    signatures = array(obj(keyid=hex32, sig=sig), 1, 1)
    obj(payload=b64text, payloadType=one_of(PAYLOAD_TYPE), signatures=signatures)(value)


def parse_envelope(data):
    value = parse_canonical(data)
    check_envelope(value)
    return value


def parts(value):
    """(payload, signer, signature) of an envelope."""
    one = value["signatures"][0]
    return unb64(value["payload"]), bytes.fromhex(one["keyid"]), unb64(one["sig"])
