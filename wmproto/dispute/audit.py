"""The audit: a pure function of the transcript and of whom the auditor trusts (specs/dispute.md, dis-audit-*).

It recomputes every hash, link, label, order and count, what is taken, and the verdict, in integers. It needs no
network, no database, no torch and nobody's word.
"""

from dataclasses import dataclass

from wmproto.crypto.merkle import tree_root
from wmproto.dispute.admission import counted
from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import Decide
from wmproto.dispute.outcome import Outcome, decide
from wmproto.dispute.tally import Finding
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust, check_policy, check_trust, trust_assumed
from wmproto.errors import FormatError, Party, StateError, VerificationError
from wmproto.registry.copy import LogCopy, read_log_copy
from wmproto.registry.entry import entry_leaf
from wmproto.registry.policy import LogPolicy
from wmproto.wire.profile import WMPROTO_1, Profile


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        dispute: The state after the last step.
        outcome: The verdict.
        assumed: Everybody whose honesty was assumed because no trust file was given; empty under a trust file.
        log_size: Entries of the copy of the log that the transcript was compared with; None if it was not.
        policy: Under which every checkpoint counts; None if the log's own signature had to do.
    """

    dispute: Dispute
    outcome: Outcome
    assumed: tuple[str, ...]
    log_size: int | None
    policy: LogPolicy | None


def replay_steps(transcript: Transcript, dispute: Dispute) -> None:
    """Feed every step of a transcript to a fresh dispute.

    Raises:
        VerificationError: The transcript is false evidence; a message out of order is that, too.
        FormatError: A message is malformed or not supported.
    """
    for number, step in enumerate(transcript.steps):
        try:
            dispute.receive(step.message, step.attached)
            if step.receipts:
                dispute.logged(step.receipts)
        except StateError as err:
            raise VerificationError(f"step {number}: {err}", rule="dis-chain-1") from err
        except (VerificationError, FormatError) as err:
            err.args = (f"step {number}: {err}",)
            raise


def audit(
    transcript: bytes,
    *,
    trust: Trust | None = None,
    policy: LogPolicy | None = None,
    log_copy: bytes | None = None,
    profile: Profile = WMPROTO_1,
) -> Audit:
    """Recheck a transcript alone.

    Args:
        transcript: The file's bytes.
        trust: Whom the auditor trusts; without it the result names everybody who was taken on trust.
        policy: Which logs and witnesses the auditor trusts; without it nobody vouches that the log showed everybody
            the same past.
        log_copy: A copy of the log that holds admit: shows whether admit listed every earlier dispute.
        profile: ``wmproto/1``; tests of the theorem pass a reduced one.

    Raises:
        FormatError: Malformed, or not supported by this version.
        VerificationError: False evidence: which rule failed and whose fault it is (TrustError: the trust file does not
            name somebody the evidence rests on, or a checkpoint does not count under the policy).
    """
    parsed = Transcript.parse(transcript)
    dispute = Dispute(profile=profile, auditor_bits=trust.bits if trust else 0)
    replay_steps(parsed, dispute)
    if dispute.seq == 0:
        raise FormatError("transcript: it holds no message")
    if trust is not None:
        check_trust(dispute, trust)
    if policy is not None:
        check_policy(dispute, policy)
    size = None
    if log_copy is not None:
        copy = read_log_copy(log_copy, dispute.log, profile=profile)
        if policy is not None:
            policy.verify(copy.note)  # else a past that nobody cosigned could stand in for the one that all know
        size = _check_log(dispute, copy)
    return Audit(
        dispute=dispute,
        outcome=decide(dispute),
        assumed=() if trust is not None else trust_assumed(dispute, policy),
        log_size=size,
        policy=policy,
    )


def _check_log(dispute: Dispute, copy: LogCopy) -> int | None:
    """Compare what the transcript says of the log with the log; returns its entries, or None if admit is not there.

    Raises:
        VerificationError: The copy is too old, or shows another past.
    """
    then = dispute.admission
    if then is None:
        return None
    leaves = [entry_leaf(dispute.profile, kind, envelope) for kind, envelope in copy.entries]
    if then.checkpoint.size > len(leaves):
        raise VerificationError("the copy of the log is older than the dispute", rule="dis-log-1")
    for past in dict.fromkeys(dispute.checkpoints):
        if past.size <= len(leaves) and tree_root(leaves[: past.size]) != past.root:
            text = "the log signed two pasts: the copy's and the dispute's"
            raise VerificationError(text, rule="dis-log-3", fault="registry")
    before = counted(copy.entries[: then.index], key=dispute.key, log=dispute.file.log)
    if tuple(before) != dispute.admit.earlier:
        head = dispute.head.size if dispute.head else 0
        seen = counted(copy.entries[:head], key=dispute.key, log=dispute.file.log)
        # What came between head and admit she could not know, and must not go on from (dis-admit-6).
        hers: Party = "arbitrator" if dispute.answered or tuple(seen) != dispute.admit.earlier else "nobody"
        dispute.problems.append(Finding("dis-log-4", hers, "admit does not list an earlier entry of the key"))
    others = [entry for leaf, entry in zip(leaves, copy.entries, strict=True) if leaf != dispute.decide_entry]
    for said in counted(others, key=dispute.key, log=dispute.file.log).values():
        if isinstance(said, Decide) and said.admit == dispute.admit_entry:
            # Only two things that she signed blame her: whoever holds the file can cut it.
            twice = dispute.decision is not None or said.previous in dispute.early or said.rounds < dispute.answered
            text = f"the log holds a decide that this transcript lacks: {said.verdict}, rounds asked: {said.rounds}"
            dispute.findings.append(Finding("dis-log-5", "arbitrator" if twice else "unknown", text))
    return len(leaves)
