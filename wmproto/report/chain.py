"""Who did what, in order: the messages of a dispute for people, one line each, one line a round."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import message_kind
from wmproto.registry.receipt import Receipt
from wmproto.report.reported import ReportedDispute
from wmproto.report.wealth import CountedLeaf, counted_leaves


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the table.

    Attributes:
        place: Number in the chain, or first to last; empty for what was logged before it.
        message: What kind of message, or kinds.
        signers: (role, public key) of each who signed.
        says: What it says, in words of ours.
        quote: Words of a party's own, to be shown as a quotation; else empty.
        entry: Index of its log entry where the audit verified it; else None.
    """

    place: str
    message: str
    signers: tuple[tuple[str, str], ...]
    says: str
    quote: str = ""
    entry: int | None = None


def acts(reported: ReportedDispute) -> list[Act]:
    """What was logged before the dispute, then its messages; what the audit did not verify has no log entry."""
    dispute, steps = reported.audit.dispute, reported.transcript.steps
    rows = _before(dispute)
    leaves = counted_leaves(reported.audit)
    rounds = 0
    for number, step in enumerate(steps):
        kind = message_kind(step.message.payload)
        signer = (_role(dispute, kind), step.message.signer.hex())
        if kind in ("answer", "open"):  # a round is one line
            first = rows.pop()
            signers = tuple(dict.fromkeys((*first.signers, signer)))
            place = f"{first.place.split(' ')[0]} to {number}"
            rows.append(replace(first, place=place, message=f"{first.message}, {kind}", signers=signers))
            continue
        act = Act(str(number), kind, (signer,), "")
        if kind == "ask":
            rows.append(replace(act, says=_round(dispute, rounds, leaves)))
            rounds += 1
        else:
            rows.append(_said(dispute, act, step.receipts))
    return rows


def _role(dispute: Dispute, kind: str) -> str:
    if kind == "bind":
        return "escrow holder" if dispute.bind.holder == "escrow" else "respondent"
    return "arbitrator" if kind in ("admit", "answer", "decide") else "claimant"


def _before(dispute: Dispute) -> list[Act]:
    broken = {problem.rule for problem in dispute.problems}
    key, receipt = dispute.key, dispute.file.key_receipt
    entry = None if "dis-file-5" in broken else Receipt.parse(receipt).index
    says = f"commits to {key.z.N} inputs before any label exists (key {_short(key.key_id)})"
    rows = [Act("", "key", (("owner", key.z.owner.hex()),), says, entry=entry)]
    if dispute.release is not None and dispute.file.release_receipt is not None:
        model = dispute.release.release.model
        signer = (("owner", dispute.release.release.owner.hex()),)
        entry = None if "dis-file-6" in broken else Receipt.parse(dispute.file.release_receipt).index
        rows.append(Act("", "release", signer, f"lets out the weights {_short(model)}", entry=entry))
    return rows


def _said(dispute: Dispute, act: Act, receipts: tuple[bytes, ...]) -> Act:
    file = dispute.file
    if act.message == "file":
        leaves = f"leaves {file.start} to {dispute.end - 1}" if file.count else "no leaves"
        return replace(
            act, says=f"claims against a suspect and offers {leaves}; the suspect in her words:", quote=file.suspect
        )
    if act.message == "bind":
        return replace(act, says=f"binds the weights {_short(dispute.bind.model)}, before any leaf is asked")
    if act.message == "admit":
        entry = dispute.admission.index if dispute.admission is not None else None
        return replace(
            act, says=f"admits the claim; earlier entries of the key: {len(dispute.admit.earlier)}", entry=entry
        )
    if act.message == "decide" and dispute.decision is not None:
        entry = Receipt.parse(receipts[0]).index if dispute.phase == "closed" else None
        return replace(
            act, says=f"decides {dispute.decision.verdict}; rounds asked: {dispute.decision.rounds}", entry=entry
        )
    return replace(act, says="ends the dispute early")


def _round(dispute: Dispute, number: int, leaves: tuple[CountedLeaf, ...]) -> str:
    size = dispute.profile.round_leaves
    first = dispute.file.start + size * number
    counted = leaves[size * number : size * (number + 1)]
    kinds = Counter(leaf.counted for leaf in counted)
    marked = kinds["hit"] + kinds["miss"]
    says = f"leaves {first} to {first + size - 1}: marked {marked}, hits {kinds['hit']}, ghosts {kinds['ghost']}"
    if kinds["not opened"]:
        says += f", not opened {kinds['not opened']}"
    if not counted:
        return f"leaves {first} to {first + size - 1}: count for nothing, the evidence was reached before"
    if len(counted) < size:
        says += f"; the evidence is reached at leaf {counted[-1].index}, the rest counts for nothing"
    return says


def _short(digest: bytes) -> str:
    return digest.hex()[:8]
