"""Ed25519 (RFC 8032, section 5.1) with the refusals that make it one rule for everybody.

Accepted is a signature (R, S) of a public key A over M only if
  - A is the canonical encoding of a point of the prime-order subgroup, not the identity;
  - S < L;
  - R is canonical and not of small order;
  - S*B = R + SHA-512(R, A, M)*A exactly, without multiplying by the cofactor.
"""

import functools
import hashlib

from encoding import need

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # a square root of -1

# A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z.
NEUTRAL = (0, 1, 1, 0)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    out = NEUTRAL
    while n:
        if n & 1:
            out = add(out, p)
        p = add(p, p)
        n >>= 1
    return out


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def encode(p):
    z = pow(p[2], -1, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data):
    """The point of its canonical encoding, else None."""
    n = int.from_bytes(data, "little")
    sign, y = n >> 255, n & 2**255 - 1
    if len(data) != 32 or y >= P:
        return None
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * ROOT % P
    if (x * x - xx) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def small_order(p):
    return same(times(8, p), NEUTRAL)


def digest(*data):
    return int.from_bytes(hashlib.sha512(b"".join(data)).digest(), "little")


def secret(seed):
    """(secret scalar, prefix)"""
    h = hashlib.sha512(seed).digest()
    a = int.from_bytes(h[:32], "little")
    return a & 2**254 - 8 | 2**254, h[32:]


@functools.cache
def public(seed):
    return encode(times(secret(seed)[0], BASE))


@functools.cache
def sign(seed, message):
    a, prefix = secret(seed)
    A = encode(times(a, BASE))
    r = digest(prefix, message) % L
    R = encode(times(r, BASE))
    s = (r + digest(R, A, message) * a) % L
    return R + s.to_bytes(32, "little")


@functools.cache
def check_public(key):
    point = decode(key)
    ok = point is not None and not small_order(point) and same(times(L, point), NEUTRAL)
    need(ok, "SignatureError", "enc-ed25519-1", "not an acceptable public key")
    return point


@functools.cache
def verify(key, message, signature):
    A = check_public(key)
    rule = "SignatureError", "enc-ed25519-2"
    need(len(signature) == 64, *rule, "not 64 bytes")
    R, s = decode(signature[:32]), int.from_bytes(signature[32:], "little")
    need(s < L, *rule, "S is not below L")
    need(R is not None and not small_order(R), *rule, "R is not canonical, or of small order")
    h = digest(signature[:32], key, message) % L
    need(same(times(s, BASE), add(R, times(h, A))), *rule, "the equation does not hold")
