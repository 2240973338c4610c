"""An audit as lines for people, and as a record for machines."""

from wmproto.dispute.audit import Audit
from wmproto.dispute.tally import Finding
from wmproto.dispute.words import bound, cannot_know, ghosts, leaves, power, proves, verdict, who
from wmproto.wire.plain import plain


def audit_lines(audit: Audit) -> list[str]:
    """The audit for people."""
    o, e = audit.outcome, audit.outcome.evidence
    lines = [
        verdict(o),
        f"  evidence   {o.evidence_log2} bits of the {o.bits} asked for",
        f"  leaves     {leaves(audit)}: {e.wealth.n} marked, {e.wealth.hits} of them hits (luck: 1 in {e.wealth.m}); "
        f"{e.ghosts} ghosts, {e.ghost_hits} hits ({ghosts(audit)}); {e.unopened} not opened",
        f"  bound      {bound(audit)}",
    ]
    if o.verdict == "NOT SHOWN":
        lines.append(f"  supported  this much evidence alone bounds a false claim by: {power(o.supported_log2)}")
    lines += [f"  {name:<10} {value}" for name, value in who(audit)]
    for name, broken in (("problem", o.problems), ("finding", o.findings)):
        lines += [f"  {name}    {f.text} (rule {f.rule}; at fault: {f.fault})" for f in broken]
    yes, no = proves(o)
    lines += ["proves", f"  {yes}", "does not prove", f"  {no}", "an audit cannot know"]
    lines += [f"  - {text}" for text in cannot_know(audit)]
    if audit.assumed:
        lines.append("consistent; trust assumed: " + ", ".join(audit.assumed))
    return [plain(line) for line in lines]  # names in it are other people's


def broken_rules(found: tuple[Finding, ...]) -> list[dict[str, str]]:
    """Problems or findings for machines."""
    return [{"fault": f.fault, "rule": f.rule, "text": f.text} for f in found]


def audit_record(audit: Audit) -> dict[str, object]:
    """The audit for machines: integers, strings and lists."""
    o, a, e = audit.outcome, audit.outcome.assumptions, audit.outcome.evidence
    yes, no = proves(o)
    return {
        "assumptions": {"B": a.B, "K": a.K, "Q_log2": a.Q.bit_length() - 1, "S_log2": a.S.bit_length() - 1},
        "bits": o.bits,
        "bound_log2": o.bound_log2,
        "cannot_know": list(cannot_know(audit)),
        "decided": o.decided,
        "does_not_prove": no,
        "evidence_log2": o.evidence_log2,
        "findings": broken_rules(o.findings),
        "ghosts": {"finding": ghosts(audit), "hits": e.ghost_hits, "opened": e.ghosts},
        "hits": e.wealth.hits,
        "labels": e.wealth.m,
        "leaves": e.asked,
        "log_size": audit.log_size,
        "marked": e.wealth.n,
        "parties": dict(who(audit)),
        "policy": audit.policy.digest.hex() if audit.policy else None,
        "problems": broken_rules(o.problems),
        "proves": yes,
        "supported_log2": o.supported_log2,
        "trust_assumed": list(audit.assumed),
        "unopened": e.unopened,
        "verdict": o.verdict,
    }
