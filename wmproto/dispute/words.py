"""What a verdict says in words: what it proves, what it does not, and what no audit can know (specs/security.md)."""

from wmproto.dispute.audit import Audit
from wmproto.dispute.outcome import Outcome
from wmproto.registry.exposure import liars
from wmproto.registry.policy import LogPolicy
from wmproto.verdict.tail import ghost_tail


def verdict(outcome: Outcome) -> str:
    """The verdict, and whether it may still change."""
    if any(found.rule == "dis-log-5" for found in outcome.findings):
        return f"{outcome.verdict} (by this transcript; the log holds a decide that it lacks)"
    return outcome.verdict + ("" if outcome.decided else " (so far: the arbitrator has not decided)")


def proves(o: Outcome) -> tuple[str, str]:
    """(what the verdict proves, what it does not), one sentence or two each."""
    if o.verdict == "DEPENDENT":
        return (
            "The answers that were signed for the bound weights depend on the registered labels. Against weights that "
            f"know nothing of them, a bet on each label at fair odds multiplies a stake by 2^{o.bits} with a chance of "
            f"at most 2^-{o.bits}; over all keys, weights and starts that a liar could try (S, B and Q above) "
            f"{power(o.bound_log2)}.",
            "It does not say theft: a licence, a leaked key, distillation from a service, or planted pairs of triggers "
            "and labels in public training data give the same answers.",
        )
    if o.verdict == "INADMISSIBLE":
        return ("Nothing about the weights: the claim may not be heard as it was filed.", "It clears nobody.")
    return (
        "Nothing: the evidence does not reach what the profile asks for.",
        "It does not say that the weights are independent: marks can be removed, and more leaves might show more.",
    )


def cannot_know(audit: Audit) -> tuple[str, ...]:
    """What this audit could not find out, and what would."""
    dispute = audit.dispute
    listed = "that admit listed every earlier dispute of the key: a copy of the log shows it (--log-copy)"
    until = "a copy of the log shows its decide (--log-copy)"
    if audit.log_size is not None:
        until = f"another may be signed and not logged, or logged after entry {audit.log_size - 1}, the copy's last"
    return (
        *([listed] if audit.log_size is None else []),
        _one_past(audit.policy),
        f"that this is the only end of this dispute: {until}",
        "that the deposited weights are the suspect's, or are what is deployed; they were bound by "
        f"{dispute.respondent.hex()} as {dispute.bind.holder}"
        if dispute.seq > 1
        else "whose weights these are: nobody bound any",
        "that the answers come from these weights: only dispute replay on the escrowed weights shows it",
        "that answers came before openings, if claimant and arbitrator collude",
        "what stands in other logs, and in this log after the head that was quoted",
        "whether pairs of triggers and labels were planted in public data (with Fiat-Shamir, labels are known before "
        "the key is even logged)",
    )


def _one_past(policy: LogPolicy | None) -> str:
    if policy is None or not (few := liars(policy)):
        why = "no witnesses were asked for (--policy)" if policy is None else "by this policy it alone can show two"
        return f"that the log showed everybody the same past: {why}"
    return f"that the log showed everybody the same past, if it and {len(few)} of the policy's witnesses lie together"


def leaves(audit: Audit) -> str:
    """What the last round was asked beyond the leaf at which the evidence sufficed counts for nothing."""
    asked, counts = audit.dispute.profile.round_leaves * audit.dispute.rounds, audit.outcome.evidence.asked
    return f"{asked} asked" if asked == counts else f"{counts} counted of {asked} asked"


def power(log2: int) -> str:
    """A bound on a chance, from the ceiling of its log2."""
    return "nothing (at most 1)" if log2 >= 0 else f"at most 2^{log2}"


def bound(audit: Audit) -> str:
    """The bound on a false DEPENDENT, and what it assumes."""
    o, a, tries = audit.outcome, audit.outcome.assumptions, "K*S*B" if audit.dispute.key.beacon else "Q*S*B"
    return (
        f"a false DEPENDENT: {power(o.bound_log2)} ({tries}/2^L and hash collisions; L = {o.bits}, "
        f"K = {a.K}, S = 2^{a.S.bit_length() - 1}, B = {a.B}, Q = 2^{a.Q.bit_length() - 1})"
    )


def who(audit: Audit) -> list[tuple[str, str]]:
    """(role or object, its name in full) for everybody and everything that the dispute is about."""
    dispute = audit.dispute
    return [
        ("key", dispute.key.key_id.hex()),
        *([("model", dispute.bind.model.hex())] if dispute.seq > 1 else []),
        *([("suspect", dispute.suspect_id.hex())] if dispute.seq > 2 else []),
        ("owner", dispute.key.z.owner.hex()),
        ("arbitrator", dispute.file.arbitrator.hex()),
        ("log", dispute.log.name),
        ("log policy", f"{audit.policy.digest.hex()}, quorum {audit.policy.quorum}" if audit.policy else "none"),
        *([(dispute.bind.holder, dispute.respondent.hex())] if dispute.seq > 1 else []),
        ("release", "signed and attached" if dispute.release else "none: the claim stands without one"),
    ]


def ghosts(audit: Audit) -> str:
    """The finding about opened ghosts (verdict-ghost-1): about the owner, it convicts and clears nobody."""
    e, m = audit.outcome.evidence, audit.outcome.evidence.wealth.m
    if (tail := ghost_tail(m, e.ghosts, e.ghost_hits).ceil_log2) > -10:
        return "as luck has it"
    cause = "did labels leak, or were ghosts embedded?" if e.ghost_hits * m > e.ghosts else "too few"
    return f"{power(tail)} by luck: {cause}"
