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
    return f"{name}+{key_id(name, public).hex()}+{b64(b'\x01' + public)}"
