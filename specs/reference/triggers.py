"""Generated trigger inputs. Anything may be an input: this one is noise that follows from the master secret."""

import hashlib

from encoding import frame, prf, tag


def seed(master, keyctx, i):
    return prf(master, "input", keyctx, i)


def noise(one_seed, height, width, channels):
    """height*width*channels bytes, row after row, the channels of a pixel beside each other."""
    stream = hashlib.shake_256(frame(tag("noise"), one_seed, height, width, channels))
    return stream.digest(height * width * channels)
