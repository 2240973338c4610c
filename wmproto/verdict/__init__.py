"""Exact statistics of the verdict: integers only, standard library only, no torch and no numpy (`specs/verdict.md`)."""

from wmproto.verdict.bound import Assumptions, false_claim_bound_log2, supported_bound_log2
from wmproto.verdict.plan import Plan, Sequential, fixed_size, plan, sequential_size
from wmproto.verdict.tail import GhostTail, ghost_tail, least_threshold, tail_at_least
from wmproto.verdict.wealth import FRACTIONS, Wealth, fires, floor_log2_evidence, least_hits

__all__ = [
    "FRACTIONS",
    "Assumptions",
    "GhostTail",
    "Plan",
    "Sequential",
    "Wealth",
    "false_claim_bound_log2",
    "fires",
    "fixed_size",
    "floor_log2_evidence",
    "ghost_tail",
    "least_hits",
    "least_threshold",
    "plan",
    "sequential_size",
    "supported_bound_log2",
    "tail_at_least",
]
