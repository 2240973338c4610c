"""The log: entries, C2SP signed notes, checkpoints and tlog-proof receipts (specs/registry.md).

Formats: https://c2sp.org/signed-note, tlog-checkpoint, tlog-proof.
"""

import ed25519
import merkle
from encoding import b64, frame, need, parts, sha256, tag, unb64

ENTRY_TYPES = ["key", "release", "admit", "decide"]
DASH = "\u2014"
PROOF = "c2sp.org/tlog-proof@v1"


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
    return name != "" and not any(c.isspace() or c == "+" for c in name)


def parse_vkey(line):
    """(name, public key) of a log."""
    pieces = line.split("+", 2)
    need(len(pieces) == 3 and is_name(pieces[0]), "FormatError", why="vkey")
    name, data = pieces[0], unb64(pieces[2])
    need(len(data) == 33 and data[0] == 1, "FormatError", why="vkey is not of an Ed25519 key")
    need(pieces[1] == key_id(name, data[1:]).hex(), "FormatError", why="vkey's key id")
    ed25519.check_public(data[1:])
    return name, data[1:]


def sign_note(body, name, seed):
    """A note with one signature; the body ends in a newline."""
    public = ed25519.public(seed)
    signature = key_id(name, public) + ed25519.sign(seed, body.encode())
    return body + "\n" + DASH + " " + name + " " + b64(signature) + "\n"


def open_note(note, log):
    """The text of a note that the log signed."""
    name, public = log
    clean = all(c == "\n" or c >= " " for c in note)
    need(clean and "\n\n" in note and note.endswith("\n"), "FormatError", why="not a note")
    cut = note.rindex("\n\n")
    body, lines = note[: cut + 1], note[cut + 2 :].split("\n")[:-1]
    need(1 <= len(lines), "FormatError", why="a note without signatures")
    found = False
    for line in lines:
        pieces = line.split(" ")
        need(len(pieces) == 3 and pieces[0] == DASH and is_name(pieces[1]), "FormatError", why="signature line")
        data = unb64(pieces[2])
        need(len(data) > 4, "FormatError", why="signature line")
        if pieces[1] == name and data[:4] == key_id(name, public):
            ed25519.verify(public, body.encode(), data[4:])
            found = True
    need(found, "SignatureError", "reg-note-4", "the log did not sign")
    return body


# --- checkpoints and receipts --------------------------------------------------------------------------------------


def decimal(line):
    """A size or index as it must be written."""
    need(line.isascii() and line.isdigit() and str(int(line)) == line and int(line) < 2**63, "FormatError", why=line)
    return int(line)


def hash_line(line):
    data = unb64(line)
    need(len(data) == 32, "FormatError", why="not a hash")
    return data


def checkpoint(name, size, root, seed):
    return sign_note(f"{name}\n{size}\n{b64(root)}\n", name, seed)


def verify_checkpoint(note, log):
    """(size, root)"""
    lines = open_note(note, log).split("\n")
    need(len(lines) == 4, "FormatError", why="a checkpoint has three lines")
    need(lines[0] == log[0], "InclusionError", "reg-checkpoint-1", "of another log")
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
    ok = gap and len(lines) >= 2 and lines[0] == PROOF and lines[1].startswith("index ")
    need(ok, "FormatError", why="not a tlog-proof")
    index, path = decimal(lines[1][6:]), [hash_line(line) for line in lines[2:]]
    size, root = verify_checkpoint(note, log)
    merkle.verify(leaf, index, size, path, root)
    return {"index": index, "size": size, "root": root, "note": note}


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

    def checkpoint(self, size=None):
        leaves = self.leaves()[:size]
        return checkpoint(self.name, len(leaves), merkle.root(leaves), self.seed)

    def receipt(self, index, size=None):
        leaves = self.leaves()[:size]
        return receipt(index, merkle.path(index, leaves), self.checkpoint(size)).encode()
