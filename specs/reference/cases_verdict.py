"""Cases for specs/verdict.md."""

import hashlib

import verdict
from vectors import Group, accumulated

NOTES = {}


def evidence():
    g = Group(
        "evidence",
        "E after n marked leaves with `hits` hits, m equally likely labels: floor(log2 E), and whether E >= 2^L",
    )
    for m, n, hits in [
        (10, 0, 0),
        (10, 1, 0),
        (10, 1, 1),
        (10, 49, 49),
        (10, 50, 50),
        (10, 100, 73),
        (10, 100, 74),
        (10, 95, 6),
        (10, 400, 0),
        (2, 162, 162),
        (2, 163, 163),
        (2, 300, 271),
        (2, 300, 272),
        (3, 102, 102),
        (3, 103, 103),
        (100, 25, 25),
        (1000, 16, 16),
        (1000, 17, 17),
        (1000, 40, 20),
        (1000, 40, 21),
        (4096, 14, 14),
    ]:
        e = verdict.evidence(m, n, hits)
        steps = {
            "floor_log2": verdict.floor_log2(e),
            "fires_112": verdict.fires(m, n, hits, 112),
            "fires_160": verdict.fires(m, n, hits, 160),
            "numerator": str(e.numerator),
            "denominator": str(e.denominator),
        }
        if n > 60:
            del steps["numerator"], steps["denominator"]
        g.add(f"{hits} of {n} at m = {m}", lambda s=steps: s, m=m, n=n, hits=hits)
    return g


def least():
    g = Group("least-hits", "the least number of hits among n marked leaves that makes E >= 2^bits, or null")
    for m, bits, sizes in [
        (2, 160, (162, 163, 200)),
        (10, 112, (34, 35, 60)),
        (10, 160, (49, 50, 100)),
        (1000, 112, (11, 12, 40)),
        (1000, 160, (16, 17, 40)),
        (10, 0, (0, 1, 10)),
    ]:
        for n in sizes:
            found = verdict.least_hits(m, n, bits)
            g.add(f"m = {m}, n = {n}, L = {bits}", lambda f=found: {"hits": f}, m=m, n=n, bits=bits)
    return g


def all_evidence():
    digest = hashlib.sha256()
    for m in (2, 3, 10, 1000):
        for n in range(33):
            for hits in range(n + 1):
                e = verdict.evidence(m, n, hits)
                digest.update(f"{m} {n} {hits} {verdict.floor_log2(e)} {int(e >= 2**7)}\n".encode())
    return accumulated(
        "evidence-accumulated",
        "lines 'm n hits floor(log2 E) fires(7 bits as 0 or 1)' for m = 2, 3, 10, 1000, n = 0 .. 32, hits = 0 .. n",
        digest,
    )


def bounds():
    g = Group("bound", "ceiling of log2 of the false-claim bound at `bits`, and of what evidence alone supports")
    usual = {"K": 2**17, "S": 2**24, "B": 2**7, "Q": 2**65}
    for beacon in (False, True):
        for bits in (0, 48, 96, 97, 112, 160, 161, 192, 400):
            for change in ({}, {"K": 3 * 2**20}, {"S": 2**40}):
                if change and bits not in (112, 160):
                    continue
                a = usual | change
                steps = {
                    "bound_log2": verdict.bound_log2(bits, beacon=beacon, **a),
                    "supported_log2": verdict.supported_log2(bits, beacon=beacon, **a),
                }
                words = {k: f"{v:#x}" for k, v in a.items()}
                source = "beacon" if beacon else "Fiat-Shamir"
                g.add(
                    f"{source}, {bits} bits {change or ''}".rstrip(),
                    lambda s=steps: s,
                    bits=bits,
                    beacon=beacon,
                    **words,
                )
    return g


def tails():
    g = Group(
        "ghost-tail", "two-sided tail of `hits` hits among n opened ghosts, and the whole numbers around its log2"
    )
    for m, n, hits in [
        (10, 0, 0),
        (10, 1, 0),
        (10, 1, 1),
        (10, 20, 2),
        (10, 20, 20),
        (1000, 8, 0),
        (1000, 8, 3),
        (2, 9, 0),
    ]:
        t = verdict.ghost_tail(m, n, hits)
        steps = {
            "floor_log2": verdict.floor_log2(t),
            "ceil_log2": verdict.ceil_log2(t),
            "numerator": str(t.numerator),
            "denominator": str(t.denominator),
        }
        g.add(f"{hits} of {n} at m = {m}", lambda s=steps: s, m=m, n=n, hits=hits)
    digest = hashlib.sha256()
    for m in (2, 3, 10, 1000):
        for n in range(17):
            for hits in range(n + 1):
                digest.update(f"{m} {n} {hits} {verdict.ceil_log2(verdict.ghost_tail(m, n, hits))}\n".encode())
    every = accumulated(
        "ghost-accumulated",
        "lines 'm n hits ceiling(log2 tail)' for m = 2, 3, 10, 1000, n = 0 .. 16, hits = 0 .. n",
        digest,
    )
    return [g, every]


def groups():
    return [evidence(), least(), all_evidence(), bounds(), *tails()]
