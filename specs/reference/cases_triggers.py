"""Cases for specs/triggers.md: keyed noise."""

import hashlib

import triggers
from vectors import Group, accumulated, seed

NOTES = {}


def noise():
    master, keyctx = seed("master"), seed("keyctx")
    g = Group(
        "noise",
        "the noise picture of leaf i: its seed PRF_s('input', keyctx, i), then height x width x channels bytes",
        master=master.hex(),
        keyctx=keyctx.hex(),
    )
    for i, shape in [
        (0, (1, 1, 1)),
        (1, (1, 1, 1)),
        (0, (2, 3, 1)),
        (0, (3, 2, 1)),
        (0, (1, 2, 3)),
        (65535, (8, 8, 3)),
    ]:
        one = triggers.seed(master, keyctx, i)
        steps = {"seed": one.hex(), "out": triggers.noise(one, *shape).hex()}
        g.add(f"leaf {i}, {shape}: the shape enters the hash", lambda s=steps: s, index=i, shape=list(shape))
    large = triggers.noise(triggers.seed(master, keyctx, 7), 224, 224, 3)
    g.add(
        "a large picture, by its SHA-256",
        lambda: {"seed": triggers.seed(master, keyctx, 7).hex(), "sha256": hashlib.sha256(large).hexdigest()},
        index=7,
        shape=[224, 224, 3],
    )
    digest = hashlib.sha256()
    for h in range(1, 6):
        for w in range(1, 6):
            for c in range(1, 5):
                digest.update(triggers.noise(bytes(32), h, w, c))
    every = accumulated(
        "noise-accumulated",
        "the pictures of the seed of 32 zero bytes, for heights 1 .. 5, widths 1 .. 5, channels 1 .. 4",
        digest,
    )
    return [g, every]


def groups():
    return noise()
