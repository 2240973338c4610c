"""The verdict in numbers and words (specs/dispute.md, dis-verdict-*): a function of the chain up to the last open."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import VerdictName
from wmproto.dispute.tally import Finding
from wmproto.verdict.bound import Assumptions, false_claim_bound_log2, supported_bound_log2
from wmproto.verdict.tail import ghost_tail

__all__ = ["EXIT_CODES", "Outcome", "decide"]

EXIT_CODES: dict[VerdictName, int] = {"DEPENDENT": 0, "NOT SHOWN": 10, "INADMISSIBLE": 13}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and everything it rests on.

    Attributes:
        verdict: What the rule gives.
        bits: L, the evidence that DEPENDENT asks for.
        leaves: Leaves asked up to where the evidence counts.
        marked: n, the marked leaves among them (and every leaf not opened well).
        hits: M, the marked leaves answered with their label.
        labels: m, equally likely labels.
        evidence_log2: floor(log2 E).
        ghosts: Ghosts opened.
        ghost_hits: Ghosts answered with their label.
        ghost_log2: Ceiling of log2 of the two-sided tail of that many: a finding about the owner, never a conviction.
        assumptions: K, S, B, Q.
        beacon: Whether beta came from a beacon.
        bound_log2: Ceiling of log2 of the false-claim bound of a DEPENDENT at L.
        supported_log2: Ceiling of log2 of the bound that this much evidence supports.
        problems: Why the claim is inadmissible.
        findings: Broken rules that leave the verdict as it is, and who broke them.
        decided: Whether the arbitrator decided.
    """

    verdict: VerdictName
    bits: int
    leaves: int
    marked: int
    hits: int
    labels: int
    evidence_log2: int
    ghosts: int
    ghost_hits: int
    ghost_log2: int
    assumptions: Assumptions
    beacon: bool
    bound_log2: int
    supported_log2: int
    problems: tuple[str, ...]
    findings: tuple[Finding, ...]
    decided: bool


def decide(dispute: Dispute) -> Outcome:
    """Work out the verdict of a dispute, wherever it stands; leaves of an unfinished round count as misses."""
    if dispute.seq < 3:  # not admitted: nothing was asked
        bits, wealth, asked, ghosts, ghost_hits, policy_s = dispute.key.bits, None, 0, 0, 0, 24
    else:
        dispute.close()
        evidence = dispute.evidence
        bits, wealth, asked = dispute.judged_bits, evidence.wealth, evidence.asked
        ghosts, ghost_hits, policy_s = evidence.ghosts, evidence.ghost_hits, dispute.admit.policy.suspects_log2
    fired = wealth is not None and dispute.tally.fired(bits)
    verdict: VerdictName = "INADMISSIBLE" if dispute.problems else "DEPENDENT" if fired else "NOT SHOWN"
    assumptions = Assumptions(
        K=max(1 << 17, dispute.admission.size if dispute.admission else 0), S=1 << policy_s, B=dispute.profile.starts
    )
    findings = list(dispute.findings)
    if dispute.decision is not None and dispute.decision.verdict != verdict:
        said = dispute.decision.verdict
        findings.append(
            Finding("dis-decide-3", "arbitrator", f"the arbitrator decided {said}; the rule gives {verdict}")
        )
    if dispute.phase == "decided":
        findings.append(Finding("dis-decide-4", "arbitrator", "decide carries no receipt of the log"))
    evidence_log2 = wealth.floor_log2() if wealth is not None else 0
    beacon = dispute.key.beacon
    return Outcome(
        verdict=verdict,
        bits=bits,
        leaves=asked,
        marked=wealth.n if wealth is not None else 0,
        hits=wealth.hits if wealth is not None else 0,
        labels=dispute.key.z.m,
        evidence_log2=evidence_log2,
        ghosts=ghosts,
        ghost_hits=ghost_hits,
        ghost_log2=ghost_tail(dispute.key.z.m, ghosts, ghost_hits).ceil_log2,
        assumptions=assumptions,
        beacon=beacon,
        bound_log2=false_claim_bound_log2(bits, assumptions, beacon=beacon),
        supported_log2=supported_bound_log2(evidence_log2, assumptions, beacon=beacon),
        problems=tuple(dispute.problems),
        findings=tuple(findings),
        decided=dispute.decision is not None,
    )
