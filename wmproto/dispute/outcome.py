"""The verdict in numbers (specs/dispute.md, dis-verdict-*): a function of the chain up to the last open."""

from dataclasses import dataclass

from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import VerdictName
from wmproto.dispute.tally import Evidence, Finding
from wmproto.verdict.bound import Assumptions, false_claim_bound_log2, supported_bound_log2
from wmproto.verdict.wealth import Wealth

EXIT_CODES: dict[VerdictName, int] = {"DEPENDENT": 0, "NOT SHOWN": 10, "INADMISSIBLE": 13}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and everything it rests on.

    Attributes:
        verdict: What the rule gives.
        bits: L, the evidence that DEPENDENT asks for.
        evidence: What counts: up to the first leaf that reached 2**bits, else everything asked.
        evidence_log2: floor(log2 E).
        assumptions: K, S, B, Q.
        bound_log2: Ceiling of log2 of the false-claim bound of a DEPENDENT at L.
        supported_log2: Ceiling of log2 of the bound that this much evidence supports.
        problems: Why the claim is inadmissible.
        findings: Broken rules that leave the verdict as it is, and who broke them.
        decided: Whether the arbitrator decided.
    """

    verdict: VerdictName
    bits: int
    evidence: Evidence
    evidence_log2: int
    assumptions: Assumptions
    bound_log2: int
    supported_log2: int
    problems: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    decided: bool


def decide(dispute: Dispute) -> Outcome:
    """Work out the verdict of a dispute, wherever it stands; leaves of an unfinished round count as misses."""
    bits, evidence, policy_s = dispute.key.bits, Evidence(Wealth.start(dispute.key.z.m)), 24
    findings = list(dispute.findings)
    if dispute.seq > 2:  # admitted
        bits, policy_s = dispute.judged_bits, dispute.admit.policy.suspects_log2
        tally = dispute.counted()
        evidence = tally.evidence(bits)
        findings += tally.findings
    size = dispute.admission.checkpoint.size if dispute.admission else 0
    assumptions = Assumptions(K=max(1 << 17, size), S=1 << policy_s, B=dispute.profile.starts)
    if dispute.phase == "decided":
        findings.append(Finding("dis-decide-4", "unknown", "decide carries no receipt of the log"))
    evidence_log2 = evidence.wealth.floor_log2()
    return Outcome(
        verdict=dispute.verdict(bits),
        bits=bits,
        evidence=evidence,
        evidence_log2=evidence_log2,
        assumptions=assumptions,
        bound_log2=false_claim_bound_log2(bits, assumptions, beacon=dispute.key.beacon),
        supported_log2=supported_bound_log2(evidence_log2, assumptions, beacon=dispute.key.beacon),
        problems=tuple(dispute.problems),
        findings=tuple(findings),
        decided=dispute.decision is not None,
    )
