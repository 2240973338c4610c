"""Keys, notes and verdicts for the comparison with Go's note package."""

from base64 import b64encode
from hashlib import sha256

from log_samples import NAME, signer

from wmproto.errors import FormatError, SignatureError
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.note import LogKey, Note
from wmproto.registry.writing import sign_cosignature, sign_note, signature_line

CHECKPOINT = f"{NAME}\n7\n{b64encode(sha256(b'root').digest()).decode()}\n"
LOG = LogKey(NAME, signer("log").public)
W1, W2, W3 = (WitnessKey(f"witness{n}.example", signer(f"witness{n}").public) for n in (1, 2, 3))
TIMES = {W1: 1, W2: 1_679_315_147, W3: (1 << 63) - 1}
BODY = CHECKPOINT.encode() + b"\n"
STRANGER = signature_line("stranger.example", bytes(68)).encode()


def seed(name):
    return b64encode(sha256(name.encode()).digest()).decode()


def asks(note, *keys):
    return {"op": "open", "note": b64encode(note).decode(), "vkeys": [str(key) for key in keys]}


def signs(text, *signers):
    """A question: (name, key's name in log_samples, time) each; with a time it is a witness."""
    keys = [{"name": n, "seed": seed(of), "time": time, "type": 4 if time else 1} for n, of, time in signers]
    return {"op": "sign", "text": text, "signers": keys}


def lines(text, *keys):
    """Signature lines of these keys, as wmproto writes them."""
    log = sign_note(text, NAME, signer("log"))[len(text.encode()) + 1 :]
    of = {key: sign_cosignature(text, key, signer(f"witness{n}"), TIMES[key]) for n, key in enumerate((W1, W2, W3), 1)}
    return b"".join(log if key == LOG else of[key].encode() for key in keys)


def note(text, *keys):
    return text.encode() + b"\n" + lines(text, *keys)


def verdict(data, *keys):
    """The text and the keys that signed it, as Go's note.Open decides it; None: refused."""
    try:
        parsed = Note.parse(data)
        signed = [key.name for key in keys if parsed.signed_by(key)]
    except (FormatError, SignatureError):
        return None
    return (parsed.text, sorted(signed)) if signed else None


def said(answer):
    return None if answer["error"] else (answer["text"], sorted(answer["verified"]))


def bad(line, at=-8):
    """A line with another signature: a letter of its base64 is changed."""
    return line[:at] + (b"A" if line[at : at + 1] != b"A" else b"B") + line[at + 1 :]
