"""What a release names: tensors, the digest h_f of a model, and the owner's statement (specs/release.md)."""

import itertools

import merkle
from commitment import verify_signed
from encoding import (
    PROFILE,
    H,
    array,
    b64,
    b64text,
    canonical,
    frame,
    hex32,
    maybe,
    need,
    obj,
    parse_statement,
    shape,
    statement,
    tag,
    text,
    uint,
)

RELEASE_LIMIT = 1 << 20

RELEASE = obj(
    architecture=shape(lambda v: isinstance(v, dict), "an object"),
    beta=hex32,
    key_id=hex32,
    key_receipt=b64text,
    model=hex32,
    owner=hex32,
    profile=text,
    recipient=text,
    salt=maybe(text),
    tensors=array(obj(digest=hex32, dtype=text, name=text, shape=array(uint(), 0, 8)), 1, 4096),
)


def tensor_leaf(name, dtype, dims, data):
    return merkle.leaf_hash(frame(tag("tensor"), name, dtype, frame(*dims), data))


def tensor_entry(name, dims, data, dtype="F32"):
    """A tensor as a release lists it."""
    return {"digest": tensor_leaf(name, dtype, dims, data).hex(), "dtype": dtype, "name": name, "shape": dims}


def tensor_root(entries):
    """Root over the tensors' leaves, names in byte order."""
    names = [t["name"].encode() for t in entries]
    need(all(a < b for a, b in itertools.pairwise(names)), "FormatError", why="names out of order")
    return merkle.root([bytes.fromhex(t["digest"]) for t in entries])


def model_digest(architecture, entries):
    """h_f"""
    return H("model", tensor_root(entries), canonical(architecture))


def make_release(owner, key_id, beta, key_receipt, architecture, entries, recipient="public"):
    return {
        "architecture": architecture,
        "beta": beta.hex(),
        "key_id": key_id.hex(),
        "key_receipt": b64(key_receipt),
        "model": model_digest(architecture, entries).hex(),
        "owner": owner.hex(),
        "profile": PROFILE,
        "recipient": recipient,
        "salt": None,
        "tensors": entries,
    }


def release_payload(release, files):
    """The statement about the released files, [(name, SHA-256)]."""
    return canonical(statement("release", release, *files))


def verify_release(signed):
    """The release by itself: signature, form, and that h_f follows."""
    payload, signer = verify_signed(signed)
    value = parse_statement(payload, "release", RELEASE, RELEASE_LIMIT)
    release, names = value["predicate"], [one["name"] for one in value["subject"]]
    need(len(set(names)) == len(names), "FormatError", why="two files of one name")
    need(release["profile"] == PROFILE, "FormatError", why="profile")
    need(release["salt"] is None, "UnsupportedError", why="salt")
    need(release["owner"] == signer.hex(), "VerificationError", "rel-2", "signed by another than its owner", "owner")
    h_f = model_digest(release["architecture"], release["tensors"])
    need(release["model"] == h_f.hex(), "FormatError", why="h_f does not follow")
    return release


def check_release_of(release, key):
    """It is the key owner's, and speaks of this key and its labels."""
    need(release["owner"] == key["z"]["owner"], "VerificationError", "rel-3", "another owner", "claimant")
    ok = release["key_id"] == key["key_id"].hex() and release["beta"] == key["beta"].hex()
    need(ok, "VerificationError", "rel-4", "another key or beta", "claimant")
