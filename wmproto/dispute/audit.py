"""The audit: a pure function of the transcript and of whom the auditor trusts (specs/dispute.md, dis-audit-*).

It recomputes every hash, link, label, order and count, what is taken, and the verdict, in integers. It needs no
network, no database, no torch and nobody's word.
"""

from dataclasses import dataclass

from wmproto.crypto.merkle import tree_root
from wmproto.dispute.admission import counted, first_free
from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import Decide
from wmproto.dispute.outcome import Outcome, decide
from wmproto.dispute.tally import Finding
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust, check_trust, trust_assumed
from wmproto.errors import FormatError, Party, StateError, VerificationError
from wmproto.registry.copy import LogCopy, read_log_copy
from wmproto.registry.entry import entry_leaf
from wmproto.wire.profile import WMPROTO_1, Profile


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes:
        dispute: The state after the last step.
        outcome: The verdict.
        assumed: Everybody whose honesty was assumed because no trust file was given; empty under a trust file.
        log_checked: Whether a copy of the log showed that admit hid nothing.
    """

    dispute: Dispute
    outcome: Outcome
    assumed: tuple[str, ...]
    log_checked: bool


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
    transcript: bytes, *, trust: Trust | None = None, log_copy: bytes | None = None, profile: Profile = WMPROTO_1
) -> Audit:
    """Recheck a transcript alone.

    Args:
        transcript: The file's bytes.
        trust: Whom the auditor trusts; without it the result names everybody who was taken on trust.
        log_copy: A copy of the log that holds admit: shows whether admit listed every earlier dispute.
        profile: ``wmproto/1``; tests of the theorem pass a reduced one.

    Raises:
        FormatError: Malformed, or not supported by this version.
        VerificationError: False evidence: which rule failed and whose fault it is (TrustError: the trust file does not
            name somebody the evidence rests on).
    """
    parsed = Transcript.parse(transcript)
    dispute = Dispute(profile=profile, auditor_bits=trust.bits if trust else 0)
    replay_steps(parsed, dispute)
    if dispute.seq == 0:
        raise FormatError("transcript: it holds no message")
    if trust is not None:
        check_trust(dispute, trust)
    checked = False
    if log_copy is not None:
        checked = _check_log(dispute, read_log_copy(log_copy, dispute.log, profile=profile))
    return Audit(
        dispute=dispute,
        outcome=decide(dispute),
        assumed=() if trust is not None else trust_assumed(dispute),
        log_checked=checked,
    )


def _check_log(dispute: Dispute, copy: LogCopy) -> bool:
    """Compare what the transcript says of the log with the log; returns False if the dispute was not admitted under it.

    Raises:
        VerificationError: The copy is too old, or shows another past.
    """
    then = dispute.admission
    if then is None:
        return False
    leaves = [entry_leaf(dispute.profile, kind, envelope) for kind, envelope in copy.entries]
    if then.checkpoint.size > len(leaves):
        raise VerificationError("the copy of the log is older than the dispute", rule="dis-log-1")
    for past in dict.fromkeys(dispute.checkpoints):
        if past.size <= len(leaves) and tree_root(leaves[: past.size]) != past.root:
            text = "the log signed two pasts: the copy's and the dispute's"
            raise VerificationError(text, rule="dis-log-3", fault="registry")
    if leaves[then.index] != dispute.admit_entry:
        raise VerificationError("the copy of the log holds another entry in admit's place", rule="dis-log-2")
    before = counted(copy.entries[: then.index], key=dispute.key, log=dispute.file.log)
    free = first_free(before, dispute.profile)
    if tuple(before) != dispute.admit.earlier:
        dispute.problems.append(Finding("dis-log-4", "arbitrator", "admit hides an earlier entry of the key"))
    elif dispute.file.start < free:
        dispute.problems.append(Finding("dis-log-4", "arbitrator", f"leaves below {free} are taken"))
    for leaf, said in counted(copy.entries, key=dispute.key, log=dispute.file.log).items():
        if isinstance(said, Decide) and said.admit == dispute.admit_entry and leaf != dispute.decide_entry:
            # Both signatures are hers: whoever holds the file cannot stage it by cutting.
            fault: Party = "arbitrator" if said.rounds < dispute.answered else "unknown"
            text = f"the log holds another end of this dispute: {said.verdict}, rounds asked: {said.rounds}"
            dispute.findings.append(Finding("dis-log-5", fault, text))
    return True
