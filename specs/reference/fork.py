"""Evidence that a log signed two pasts (specs/registry.md, Forks)."""

import merkle
import registry
from encoding import array, b64, canonical, need, obj, one_of, parse_canonical, string, unb64

MARKER = "wmproto/fork@v1"
LIMIT = 272 << 10


def fork(vkey, older, newer, root, proof):
    value = {"format": MARKER, "newer": newer, "older": older, "proof": [b64(h) for h in proof], "root": b64(root)}
    return canonical(value | {"vkey": vkey})


def hash_text(value):
    need(isinstance(value, str) and len(unb64(value)) == 32, "FormatError", why="not a hash")


def verify(data, log):
    """(size of the older, size of the newer) of two checkpoints that no log can both sign."""
    value = parse_canonical(data, LIMIT)
    text = string(LIMIT)
    obj(format=one_of(MARKER), newer=text, older=text, proof=array(hash_text), root=hash_text, vkey=text)(value)
    need(value["vkey"] == registry.vkey(*log), "InclusionError", "reg-fork-1", "of another log")
    size, root = registry.verify_checkpoint(value["older"], log, extended=True)
    later, head = registry.verify_checkpoint(value["newer"], log, extended=True)
    need(size <= later, "InclusionError", "reg-fork-1", "the older one is the larger one")
    past = unb64(value["root"])
    need(past != root, "InclusionError", "reg-fork-2", "the newer one extends the older one")
    merkle.verify_consistency(size, later, past, head, [unb64(h) for h in value["proof"]])
    return size, later
