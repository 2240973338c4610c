"""Cosignatures of witnesses (specs/registry.md; c2sp.org/tlog-cosignature, the Ed25519 kind)."""

import ed25519
import registry
from encoding import Refused, b64, need, sha256, unb64


def key_id(name, public):
    return sha256(name.encode() + b"\n\x04" + public)[:4]


def vkey(name, public):
    return name + "+" + key_id(name, public).hex() + "+" + b64(b"\x04" + public)


def parse_vkey(line):
    """(name, public key) of a witness."""
    pieces = line.split("+", 2)
    need(len(pieces) == 3 and registry.is_name(pieces[0]), "FormatError", why="vkey")
    name, data = pieces[0], unb64(pieces[2])
    need(data[:1] != b"\x06", "UnsupportedError", why="ML-DSA-44")
    need(len(data) == 33 and data[0] == 4, "FormatError", why="vkey is not of a witness")
    need(pieces[1] == key_id(name, data[1:]).hex(), "FormatError", why="vkey's key id")
    try:
        ed25519.check_public(data[1:])
    except Refused:
        raise Refused("FormatError", why="vkey's public key") from None
    return name, data[1:]


def message(time, body):
    """What is signed: two lines and the whole text of the checkpoint."""
    return f"cosignature/v1\ntime {time}\n{body}".encode()


def line(name, ident, data):
    return f"\u2014 {name} {b64(ident + data)}\n"


def cosign(name, seed, time, body):
    """The signature line of a witness."""
    signature = ed25519.sign(seed, message(time, body))
    return line(name, key_id(name, ed25519.public(seed)), time.to_bytes(8, "big") + signature)


def parse_note(note):
    """(text, [(name, what its base64 holds)]) of a note of the right form, whoever signed it."""
    # A log that nobody has: the form is judged before anybody looks for its line.
    nobody = ("nobody's log", bytes(32))
    try:
        registry.open_note(note, nobody)
    except Refused as refused:
        if refused.error != "SignatureError":
            raise
    cut = note.rindex("\n\n")
    pairs = [one.split(" ")[1:] for one in note[cut + 2 :].split("\n")[:-1]]
    return note[: cut + 1], [(name, unb64(data)) for name, data in pairs]


def cosigned(note, witness):
    """The times of all lines of one witness, which must all be good ones."""
    name, public = witness
    body, lines = parse_note(note)
    times = []
    for named, data in lines:
        if named == name and data[:4] == key_id(name, public):
            time = int.from_bytes(data[4:12], "big")
            fits = len(data) == 76 and 1 <= time < 2**63
            need(fits, "FormatError", why="not a cosignature of 72 bytes, or a time out of range")
            ed25519.verify(public, message(time, body), data[12:])
            times.append(time)
    return times
