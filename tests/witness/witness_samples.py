"""A log to be witnessed, made of a naive tree, and a witness of it; consistency proofs word for word from RFC 6962."""

import base64
import sqlite3
from contextlib import closing
from hashlib import sha256

from log_samples import naive_root, signer

from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.heads import Heads
from wmproto.registry.note import LogKey, parse_line
from wmproto.registry.witness import Witness
from wmproto.registry.writing import sign_note

ORIGIN, NAME = "log.test/1", "witness.test/1"
LOG, OTHER_LOG, WITNESS = signer("log"), signer("other log"), signer("witness")
LOG_KEY, WITNESS_KEY = LogKey(ORIGIN, LOG.public), WitnessKey(NAME, WITNESS.public)
NOW = 1_800_000_000
LEAVES = [sha256(b"\x00entry %d" % i).digest() for i in range(40)]
FORKED = [*LEAVES[:5], *(sha256(b"\x00other %d" % i).digest() for i in range(35))]


def b64(data):
    return base64.b64encode(data).decode()


def naive_consistency(m, leaves):
    """RFC 6962 section 2.1.2, PROOF(m, D[n])."""
    return subproof(m, leaves, whole=True) if 0 < m < len(leaves) else []


def subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def note(size, leaves=LEAVES, *, origin=ORIGIN, by=LOG, more="", root=None):
    root = naive_root(leaves[:size]) if root is None else root
    return sign_note(f"{origin}\n{size}\n{b64(root)}\n{more}", origin, by)


def request(old, size, leaves=LEAVES, *, proof=None, **kw):
    """The bytes of add-checkpoint, written by hand."""
    proof = naive_consistency(old, leaves[:size]) if proof is None else proof
    return "\n".join([f"old {old}", *map(b64, proof), "", ""]).encode() + note(size, leaves, **kw)


class Clock:
    """A clock that a test sets."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def witness_at(path, logs=(LOG_KEY,), clock=None):
    """A witness with a new state in a file."""
    return Witness(Heads.create(path, WITNESS_KEY), WITNESS, logs, clock or Clock())


def rows(path):
    """Everything in the state's tables."""
    with closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {table: db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}


def size_of(path, origin=ORIGIN):
    """The size that a state says was cosigned last, 0 if none."""
    kept = {row[0]: row[2] for row in rows(path)["logs"]}[origin]
    return int(kept.split(b"\n")[1]) if kept else 0


def time_of(line):
    _, raw = parse_line(line.removesuffix("\n"))
    return int.from_bytes(raw[4:12], "big")


def verify_line(line, text, key=WITNESS_KEY):
    """Check a cosignature line as anybody would who has the vkey."""
    name, raw = parse_line(line.removesuffix("\n"))
    assert line.endswith("\n")
    assert (name, raw[:4]) == (key.name, key.key_id)
    key.verify(text, raw[4:])


def text_of(note_bytes):
    return note_bytes.decode().rpartition("\n\n")[0] + "\n"
