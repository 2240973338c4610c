"""What a verdict says in words: what it proves, what it does not, and what no audit can know (specs/security.md)."""

from wmproto.dispute.audit import Audit
from wmproto.dispute.outcome import Outcome
from wmproto.dispute.tally import Finding
from wmproto.verdict.tail import ghost_tail

_NOT_PROVED = (
    "It does not say theft: a licence, a leaked key, distillation from a service, or planted pairs of triggers and "
    "labels in public training data give the same answers."
)


def proves(outcome: Outcome) -> tuple[str, str]:
    """(what the verdict proves, what it does not), one sentence or two each."""
    if outcome.verdict == "DEPENDENT":
        return (
            "The bound weights depend on the registered labels. Against weights that know nothing of them, a bet on "
            f"each label at fair odds multiplies a stake by 2^{outcome.bits} with a chance of at most "
            f"2^-{outcome.bits}; over all keys, weights and starts that a liar could try (S, B and Q above) "
            f"{_power(outcome.bound_log2)}.",
            _NOT_PROVED,
        )
    if outcome.verdict == "INADMISSIBLE":
        return ("Nothing about the weights: the claim may not be heard as it was filed.", "It clears nobody.")
    return (
        "Nothing: the evidence does not reach what the profile asks for.",
        "It does not say that the weights are independent: marks can be removed, and more leaves might show more.",
    )


def cannot_know(audit: Audit) -> tuple[str, ...]:
    """What this audit could not find out, and what would."""
    unknown = [
        "that the deposited weights are the suspect's, or are what is deployed; they were bound by "
        f"{audit.dispute.respondent.hex()} as {audit.dispute.bind.holder}"
        if audit.dispute.seq > 1
        else "whose weights these are: nobody bound any",
        "that the answers come from these weights: only dispute replay on the escrowed weights shows it",
        "that answers came before openings, if claimant and arbitrator collude",
        "what stands in other logs, and in this log after the head that was quoted",
        "whether pairs of triggers and labels were planted in public data (with Fiat-Shamir, labels are known before "
        "the key is even logged)",
    ]
    if not audit.log_checked:
        unknown[:0] = [
            "that admit listed every earlier dispute of the key: a copy of the log shows it (--log-copy)",
            "that this is the only end of this dispute: a copy of the log shows its first decide (--log-copy)",
        ]
    return tuple(unknown)


def _power(log2: int) -> str:
    return "nothing (at most 1)" if log2 >= 0 else f"at most 2^{log2}"


def _who(audit: Audit) -> list[tuple[str, str]]:
    dispute = audit.dispute
    rows = [
        ("key", dispute.key.key_id.hex()),
        ("owner", dispute.key.z.owner.hex()),
        ("arbitrator", dispute.file.arbitrator.hex()),
        ("log", dispute.log.name),
    ]
    if dispute.seq > 1:
        rows[1:1] = [("model", dispute.bind.model.hex())]
        rows.append((dispute.bind.holder, dispute.respondent.hex()))
    if dispute.seq > 2:
        rows[2:2] = [("suspect", dispute.suspect_id.hex())]
    rows.append(("release", "signed and attached" if dispute.release else "none: the claim stands without one"))
    return rows


def _ghosts(audit: Audit) -> str:
    """The finding about opened ghosts (verdict-ghost-1): about the owner, it convicts and clears nobody."""
    e, m = audit.outcome.evidence, audit.outcome.evidence.wealth.m
    tail = ghost_tail(m, e.ghosts, e.ghost_hits).ceil_log2
    if tail > -10:
        return "as luck has it"
    many = e.ghost_hits * m > e.ghosts
    return f"{_power(tail)} by luck: {'did labels leak, or were ghosts embedded?' if many else 'too few'}"


def audit_lines(audit: Audit) -> list[str]:
    """The audit for people."""
    o, a, e = audit.outcome, audit.outcome.assumptions, audit.outcome.evidence
    tries = "K*S*B" if audit.dispute.key.beacon else "Q*S*B"
    lines = [
        f"{o.verdict}" + ("" if o.decided else " (so far: the arbitrator has not decided)"),
        f"  evidence   {o.evidence_log2} bits of the {o.bits} asked for",
        f"  leaves     {e.asked} asked: {e.wealth.n} marked, {e.wealth.hits} of them hits (luck: 1 in {e.wealth.m}); "
        f"{e.ghosts} ghosts, {e.ghost_hits} hits ({_ghosts(audit)}); {e.unopened} not opened",
        f"  bound      a false DEPENDENT: {_power(o.bound_log2)} ({tries}/2^L and hash collisions; L = {o.bits}, "
        f"K = {a.K}, S = 2^{a.S.bit_length() - 1}, B = {a.B}, Q = 2^{a.Q.bit_length() - 1})",
    ]
    if o.verdict == "NOT SHOWN":
        lines.append(f"  supported  this much evidence alone bounds a false claim by: {_power(o.supported_log2)}")
    lines += [f"  {name:<10} {value}" for name, value in _who(audit)]
    for name, broken in (("problem", o.problems), ("finding", o.findings)):
        lines += [f"  {name}    {f.text} (rule {f.rule}; at fault: {f.fault})" for f in broken]
    yes, no = proves(o)
    lines += ["proves", f"  {yes}", "does not prove", f"  {no}", "an audit cannot know"]
    lines += [f"  - {text}" for text in cannot_know(audit)]
    if audit.assumed:
        lines.append("consistent; trust assumed: " + ", ".join(audit.assumed))
    return lines


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
        "ghosts": {"finding": _ghosts(audit), "hits": e.ghost_hits, "opened": e.ghosts},
        "hits": e.wealth.hits,
        "labels": e.wealth.m,
        "leaves": e.asked,
        "log_checked": audit.log_checked,
        "marked": e.wealth.n,
        "parties": dict(_who(audit)),
        "problems": broken_rules(o.problems),
        "proves": yes,
        "supported_log2": o.supported_log2,
        "trust_assumed": list(audit.assumed),
        "unopened": e.unopened,
        "verdict": o.verdict,
    }
