"""Ed25519 by schoolbook arithmetic in affine coordinates: builds the signatures and keys that must be refused."""

from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
IDENTITY = (0, 1)


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def multiply(n, point):
    out = IDENTITY
    while n:
        if n & 1:
            out = add(out, point)
        point, n = add(point, point), n >> 1
    return out


def x_of(y, sign):
    """The x with that sign (lowest bit) for a y, or None where no point has this y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        return None
    return x if x & 1 == sign else -x % P


def encode(point, *, y_plus=0, flip_sign=False):
    """32 bytes; ``y_plus`` and ``flip_sign`` make encodings that are not the point's own."""
    x, y = point
    return ((y + y_plus) | ((x & 1) ^ flip_sign) << 255).to_bytes(32, "little")


def scalar(*parts):
    return int.from_bytes(sha512(b"".join(parts)).digest(), "little") % L


def signature(R, s):
    return R + s.to_bytes(32, "little")


def _torsion():
    y = 2
    while True:
        x = x_of(y, 0)
        if x is not None:
            point = multiply(L, (x, y))
            if multiply(4, point) != IDENTITY:
                return [multiply(i, point) for i in range(8)]
        y += 1


BASE = (x_of(4 * pow(5, -1, P) % P, 0), 4 * pow(5, -1, P) % P)
#: The 8 points of small order; the i-th is i times a generator, the 0th is the identity.
TORSION = _torsion()


def cofactored(public, message, sig):
    """Whether 8*S*B = 8*R + 8*h*A, as newer releases of libsodium check; R and A decoded without further questions."""
    R, s = sig[:32], int.from_bytes(sig[32:], "little")
    points = []
    for raw in (R, public):
        y = int.from_bytes(raw, "little")
        y, sign = y & (1 << 255) - 1, y >> 255
        x = x_of(y % P, sign)
        if x is None:
            return False
        points.append((x, y % P))
    right = add(points[0], multiply(scalar(R, public, message), points[1]))
    return multiply(8, multiply(s, BASE)) == multiply(8, right)
