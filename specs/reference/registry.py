"""The log: entries, C2SP signed notes, checkpoints and tlog-proof receipts (specs/registry.md).

Formats: https://c2sp.org/signed-note, tlog-checkpoint, tlog-proof.
"""

import ed25519
import merkle
from encoding import (
    Refused,
    b64,
    canonical,
    check_envelope,
    frame,
    need,
    obj,
    one_of,
    parse_canonical,
    parts,
    sha256,
    string,
    tag,
    unb64,
)

ENTRY_TYPES = ["key", "release", "admit", "decide"]
DASH = "\u2014"
PROOF = "c2sp.org/tlog-proof@v1"
COPY = "wmproto/log-copy@v1"
NOTE_LIMIT = 64 << 10
# Unicode's White_Space but for the control characters among it.
SPACES = " \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(chr(c) for c in range(0x2000, 0x200B))


def entry(kind, signed):
    """The bytes of a log entry: who signed what, as what."""
    payload, signer, signature = parts(signed)
    return frame(tag("entry"), kind, sha256(payload), signer, signature)


def entry_leaf(kind, signed):
    return merkle.leaf_hash(entry(kind, signed))


# --- keys and notes ------------------------------------------------------------------------------------------------


def key_id(name, public):
    return sha256(name.encode() + b"\n\x01" + public)[:4]


def vkey(name, public):
    return name + "+" + key_id(name, public).hex() + "+" + b64(b"\x01" + public)


def is_name(name):
    """1 to 256 bytes, no spaces, no plus, no control characters."""
    return 1 <= len(name.encode()) <= 256 and not any(c in SPACES or c == "+" or control(c) for c in name)


def control(c):
    return c < " " or "\x7f" <= c <= "\x9f"


def parse_vkey(line):
    """(name, public key) of a log."""
    pieces = line.split("+", 2)
    need(len(pieces) == 3 and is_name(pieces[0]), "FormatError", why="vkey")
    name, data = pieces[0], unb64(pieces[2])
    need(len(data) == 33 and data[0] == 1, "FormatError", why="vkey is not of an Ed25519 key")
    need(pieces[1] == key_id(name, data[1:]).hex(), "FormatError", why="vkey's key id")
    try:
        ed25519.check_public(data[1:])
    except Refused:
        raise Refused("FormatError", why="vkey's public key") from None
    return name, data[1:]


def sign_note(body, name, seed):
    """A note with one signature; the body ends in a newline."""
    public = ed25519.public(seed)
    signature = key_id(name, public) + ed25519.sign(seed, body.encode())
    return body + "\n" + DASH + " " + name + " " + b64(signature) + "\n"


def open_note(note, log):
    """The text of a note that the log signed; the last blank line separates text and signatures."""
    name, public = log
    clean = all(c == "\n" or c >= " " for c in note) and len(note.encode()) <= NOTE_LIMIT
    need(clean and "\n\n" in note and note.endswith("\n"), "FormatError", why="not a note")
    cut = note.rindex("\n\n")
    body, lines = note[: cut + 1], note[cut + 2 :].split("\n")[:-1]
    need(1 <= len(lines) <= 64 and cut > 0, "FormatError", why="no text, no signatures, or too many")
    found = False
    for line in lines:
        pieces = line.split(" ")
        need(len(pieces) == 3 and pieces[0] == DASH, "FormatError", why="signature line")
        named = pieces[1] and not any(c in SPACES or c == "+" for c in pieces[1])
        need(named, "FormatError", why="key name")
        data = unb64(pieces[2])
        need(len(data) > 4, "FormatError", why="signature line")
        if pieces[1] == name and data[:4] == key_id(name, public):
            ed25519.verify(public, body.encode(), data[4:])
            found = True
    need(found, "SignatureError", "reg-note-3", "the log did not sign")
    return body


# --- checkpoints and receipts --------------------------------------------------------------------------------------


def decimal(line):
    """A size or index as it must be written."""
    digits = line != "" and all(c in "0123456789" for c in line) and len(line) < 20
    need(digits and str(int(line)) == line and int(line) < 2**63, "FormatError", why="not a canonical decimal")
    return int(line)


def hash_line(line):
    data = unb64(line)
    need(len(data) == 32, "FormatError", why="not a hash")
    return data


def checkpoint(name, size, root, seed):
    return sign_note(f"{name}\n{size}\n{b64(root)}\n", name, seed)


def verify_checkpoint(note, log, extended=False):
    """(size, root); witnesses and judges of forks pass over extension lines."""
    lines = open_note(note, log).split("\n")
    need(len(lines) == 4 or (extended and len(lines) > 4), "FormatError", why="a checkpoint has three lines")
    need("" not in lines[:-1], "FormatError", why="an empty line")
    need(lines[0] == log[0], "FormatError", why="the origin is not the log's name")
    return decimal(lines[1]), hash_line(lines[2])


def receipt(index, path, note):
    """A tlog-proof."""
    return PROOF + "\n" + f"index {index}\n" + "".join(b64(h) + "\n" for h in path) + "\n" + note


def verify_receipt(data, leaf, log):
    """{index, size, root, note} of an entry with that leaf hash."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        need(False, "FormatError", why="not UTF-8")
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    need(gap and len(lines) >= 2 and lines[0] == PROOF, "FormatError", why="not a tlog-proof")
    need(not lines[1].startswith("extra "), "UnsupportedError", why="an extra line, which nothing authenticates")
    need(lines[1].startswith("index "), "FormatError", why="no index")
    index, path = decimal(lines[1][6:]), [hash_line(line) for line in lines[2:]]
    size, root = verify_checkpoint(note, log)
    merkle.verify(leaf, index, size, path, root)
    return {"index": index, "size": size, "root": root, "note": note}


def log_copy(note, line, entries):
    """A whole log as lines of JSON: its checkpoint and key, then an entry a line."""
    out = canonical({"checkpoint": note, "format": COPY, "vkey": line}) + b"\n"
    for kind, signed in entries:
        out += canonical({"envelope": signed, "type": kind}) + b"\n"
    return out


def read_log_copy(data, log):
    """The entries of a copy, which must be all that the log signed."""
    need(data.endswith(b"\n"), "FormatError", why="cut off")
    first, *rest = data.split(b"\n")[:-1]
    head = parse_canonical(first)
    obj(checkpoint=string(2**53), format=one_of(COPY), vkey=string(2**53))(head)
    size, root = verify_checkpoint(head["checkpoint"], log)
    need(head["vkey"] == vkey(*log), "InclusionError", "reg-copy-2", "of another log")
    entries = []
    for line in rest:
        value = parse_canonical(line)
        obj(envelope=check_envelope, type=one_of(*ENTRY_TYPES))(value)
        entries.append((value["type"], value["envelope"]))
    whole = len(entries) == size and merkle.root([entry_leaf(*e) for e in entries]) == root
    need(whole, "InclusionError", "reg-copy-3", "not what the log signed")
    return entries


class Log:
    """An append-only list of (type, signed object) that can prove what it holds."""

    def __init__(self, name, seed):
        self.name, self.seed, self.entries = name, seed, []
        self.vkey = vkey(name, ed25519.public(seed))
        self.key = name, ed25519.public(seed)

    def leaves(self):
        return [entry_leaf(kind, signed) for kind, signed in self.entries]

    def append(self, kind, signed):
        """Its index."""
        self.entries.append((kind, signed))
        return len(self.entries) - 1

    def clone(self):
        other = Log(self.name, self.seed)
        other.entries = list(self.entries)
        return other

    def index(self, leaf):
        return self.leaves().index(leaf)

    def copy(self):
        return log_copy(self.checkpoint(), self.vkey, self.entries)

    def checkpoint(self, size=None):
        leaves = self.leaves()[:size]
        return checkpoint(self.name, len(leaves), merkle.root(leaves), self.seed)

    def receipt(self, index, size=None):
        leaves = self.leaves()[:size]
        return receipt(index, merkle.path(index, leaves), self.checkpoint(size)).encode()
