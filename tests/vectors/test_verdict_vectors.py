"""specs/vectors/verdict.json through wmproto.verdict."""

import hashlib
from fractions import Fraction

import pytest
from vectorfile import cases, check

from wmproto.verdict.bound import Assumptions, false_claim_bound_log2, supported_bound_log2
from wmproto.verdict.closed_form import fires, floor_log2_evidence, least_hits
from wmproto.verdict.tail import ghost_tail
from wmproto.verdict.wealth import FRACTIONS, Wealth


def lines(every):
    digest = hashlib.sha256()
    for line in every:
        digest.update((" ".join(map(str, line)) + "\n").encode())
    return {"digest": digest.hexdigest()}


def wealth(m, n, hits):
    """Wealth step by step: first the misses, then the hits."""
    out = Wealth.start(m)
    for _ in range(n - hits):
        out = out.miss()
    for _ in range(hits):
        out = out.hit()
    return out


def on_evidence(_, case):
    m, n, hits = case["m"], case["n"], case["hits"]
    stepped = wealth(m, n, hits)
    out = {"floor_log2": floor_log2_evidence(m, n, hits)}
    assert stepped.floor_log2() == out["floor_log2"]
    for bits in (112, 160):
        out[f"fires_{bits}"] = fires(m, n, hits, bits)
        assert stepped.fires(bits) == out[f"fires_{bits}"]
    if "numerator" in case["steps"]:
        e = Fraction(sum(stepped.terms), len(FRACTIONS) * 32**n)
        out |= {"numerator": str(e.numerator), "denominator": str(e.denominator)}
    return out


def on_least(_, case):
    return {"hits": least_hits(case["m"], case["n"], case["bits"])}


def on_all_evidence(_, case):
    domain = [(m, n, hits) for m in (2, 3, 10, 1000) for n in range(33) for hits in range(n + 1)]
    return lines((*at, floor_log2_evidence(*at), int(fires(*at, 7))) for at in domain)


def on_bound(_, case):
    a = Assumptions(**{name: int(case[name], 16) for name in "KSBQ"})
    return {
        "bound_log2": false_claim_bound_log2(case["bits"], a, beacon=case["beacon"]),
        "supported_log2": supported_bound_log2(case["bits"], a, beacon=case["beacon"]),
    }


def on_ghost(_, case):
    tail = ghost_tail(case["m"], case["n"], case["hits"])
    exact = Fraction(tail.num, tail.den)
    return {
        "floor_log2": tail.floor_log2,
        "ceil_log2": tail.ceil_log2,
        "numerator": str(exact.numerator),
        "denominator": str(exact.denominator),
    }


def on_all_ghosts(_, case):
    domain = [(m, n, hits) for m in (2, 3, 10, 1000) for n in range(17) for hits in range(n + 1)]
    return lines((*at, ghost_tail(*at).ceil_log2) for at in domain)


HANDLERS = {
    "evidence": on_evidence,
    "least-hits": on_least,
    "evidence-accumulated": on_all_evidence,
    "bound": on_bound,
    "ghost-tail": on_ghost,
    "ghost-accumulated": on_all_ghosts,
}


@pytest.mark.parametrize(("handler", "group", "case"), cases("verdict", HANDLERS))
def test_verdict(handler, group, case):
    check(handler, group, case)
