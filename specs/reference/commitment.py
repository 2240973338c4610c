"""The key statement Z, its leaves and openings, and the labels that follow from them (specs/commitment.md)."""

import ed25519
import merkle
from encoding import (
    PROFILE,
    H,
    array,
    b64,
    b64text,
    canonical,
    draw,
    envelope,
    frame,
    hex32,
    need,
    obj,
    one_of,
    pae,
    parse_statement,
    parts,
    prf,
    sha256,
    statement,
    tag,
    text,
    uint,
    unb64,
)

Z_LIMIT = 32 << 10
INPUT_LIMIT = 256 << 10
SUITE = "sha256-tree"


def leaf_key(master, keyctx, i):
    return prf(master, "leafkey", keyctx, i)


def inputs_bytes(inputs):
    return frame(*inputs)


def leaf(keyctx, i, k, hashed_inputs, aux=b""):
    return merkle.leaf_hash(frame(tag("leaf"), keyctx, i, k, hashed_inputs, aux))


def sign(seed, payload):
    """The signed object over a payload."""
    return envelope(payload, ed25519.public(seed), ed25519.sign(seed, pae(payload)))


# --- Z -------------------------------------------------------------------------------------------------------------

KEY = obj(
    N=uint(),
    R=hex32,
    classes=array(text, 2, 4096),
    input=obj(dtype=text, kind=text, shape=array(uint(1, 2**24), 1, 4)),
    keyctx=hex32,
    label_source=text,
    labels=one_of("secret", "public"),
    m=uint(),
    mode=one_of("U", "S", "P"),
    owner=hex32,
    profile=text,
    q=uint(),
    suite=text,
)


def size(z):
    n = 1
    for d in z["input"]["shape"]:
        n *= d
    return n


def make_z(owner, keyctx, inputs, classes, shape, keys):
    """Z over raw inputs with the leaf keys ``keys``."""
    leaves = [leaf(keyctx, i, keys[i], sha256(inputs_bytes([x]))) for i, x in enumerate(inputs)]
    return {
        "N": len(leaves),
        "R": merkle.root(leaves).hex(),
        "classes": classes,
        "input": {"dtype": "uint8", "kind": "image", "shape": shape},
        "keyctx": keyctx.hex(),
        "label_source": "fiat-shamir",
        "labels": "secret",
        "m": len(classes),
        "mode": "U",
        "owner": owner.hex(),
        "profile": PROFILE,
        "q": 1,
        "suite": SUITE,
    }


def z_payload(z):
    """Zbytes, whatever Z says: the checks are verify_key's."""
    return canonical(statement("key", z, ("root", H("root", z["suite"], bytes.fromhex(z["R"])))))


def leaf_count(n):
    """16 to 65,536, a multiple of 16, above 2,048 a multiple of 2,048."""
    return 16 <= n <= 65536 and n % 16 == 0 and (n <= 2048 or n % 2048 == 0)


def start_grid(n):
    return max(16, n // 128)


def verify_signed(signed):
    payload, signer, signature = parts(signed)
    ed25519.verify(signer, pae(payload), signature)
    return payload, signer


def verify_key(signed):
    """{z, key_id, beta} of a signed key statement."""
    payload, signer = verify_signed(signed)
    value = parse_statement(payload, "key", KEY, Z_LIMIT)
    z = value["predicate"]
    need(z["owner"] == signer.hex(), "SignatureError", "com-z-2", "signed by another than the owner", "owner")
    need(z["mode"] == "U", "UnsupportedError", why="label mode")
    need(z["labels"] == "secret", "UnsupportedError", why="public labels")
    need(z["suite"] == SUITE, "UnsupportedError", why="suite")
    need(z["q"] == 1, "UnsupportedError", why="families")
    need(z["input"]["dtype"] == "uint8", "UnsupportedError", why="dtype")
    need(z["input"]["kind"] == "image", "UnsupportedError", why="kind")
    need(z["label_source"] == "fiat-shamir", "UnsupportedError", why="label source")
    need(z["profile"] == PROFILE, "FormatError", why="profile")
    need(leaf_count(z["N"]), "FormatError", why="N is off the grid")
    need(len(set(z["classes"])) == len(z["classes"]), "FormatError", why="two classes have one name")
    need(z["m"] == len(z["classes"]), "FormatError", why="m is not the number of classes")
    need(size(z) <= INPUT_LIMIT, "FormatError", why="inputs too large")
    subject = [{"digest": {"sha256": H("root", z["suite"], bytes.fromhex(z["R"])).hex()}, "name": "root"}]
    need(value["subject"] == subject, "FormatError", why="subject")
    return {"z": z, "key_id": H("key", payload), "beta": H("fs", payload), "signed": signed}


# --- labels --------------------------------------------------------------------------------------------------------


def label(key_id, beta, i, k, m):
    return draw(m, "label", key_id, beta, i, k)


def ghost(key_id, beta, i, k):
    return draw(4, "ghost", key_id, beta, i, k) == 0


# --- openings ------------------------------------------------------------------------------------------------------

OPENING = obj(aux=b64text, index=uint(), inputs=array(b64text, 0, 64), k=hex32, path=array(hex32, 0, 16))


def opening(i, x, k, leaves):
    return {"aux": "", "index": i, "inputs": [b64(x)], "k": k.hex(), "path": [h.hex() for h in merkle.path(i, leaves)]}


def verify_opening(o, key, asked):
    """``asked``: SHA-256(inputs_i) as it stood in the ask."""
    z, i = key["z"], o["index"]
    inputs = [unb64(x) for x in o["inputs"]]
    sizes_ok = len(inputs) == z["q"] and all(len(x) == size(z) for x in inputs)
    need(sizes_ok, "OpeningError", "com-open-1", "number or size of inputs")
    need(o["aux"] == "", "OpeningError", "com-open-2", "aux in label mode U")
    hashed = sha256(inputs_bytes(inputs))
    need(hashed == asked, "OpeningError", "com-open-3", "other inputs than asked")
    found = leaf(bytes.fromhex(z["keyctx"]), i, bytes.fromhex(o["k"]), hashed)
    proof, fits = [bytes.fromhex(h) for h in o["path"]], 0 <= i < z["N"]
    fits = fits and len(proof) == merkle.path_length(i, z["N"])
    fits = fits and merkle.root_from(found, i, z["N"], proof).hex() == z["R"]
    need(fits, "OpeningError", "com-open-4", "not in the key's tree at that index")
    return found
