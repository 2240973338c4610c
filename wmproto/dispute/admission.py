"""May this dispute be held: key, release, receipts, and which leaves are taken (specs/dispute.md, dis-taken-*).

A function of signed objects and receipts alone; whoever judges, judges alike.
"""

from collections.abc import Iterable, Mapping, Sequence

from wmproto.commitment.statement import VerifiedKey
from wmproto.dispute.messages import Admit, Decide, File, parse_message
from wmproto.dispute.tally import Finding
from wmproto.errors import FormatError, InclusionError, VerificationError
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import VerifiedReceipt, verify_receipt
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import Profile


def verify_together(receipts: Sequence[bytes], log: LogKey, leaves: Sequence[bytes]) -> list[VerifiedReceipt]:
    """Check that entries stand in the log, all under the one checkpoint of the first receipt.

    Args:
        receipts: tlog-proofs, one for each entry.
        log: The one log the dispute is addressed to.
        leaves: Leaves of the entries.

    Raises:
        InclusionError: A receipt is missing, leads elsewhere, or stands under another checkpoint.
        FormatError: A receipt is malformed.
        SignatureError: The checkpoint is not the log's.
    """
    if len(receipts) != len(leaves):
        raise InclusionError(f"{len(receipts)} receipts for {len(leaves)} entries", rule="dis-admit-5")
    proofs = [verify_receipt(data, leaf, log) for data, leaf in zip(receipts, leaves, strict=True)]
    if len({p.note for p in proofs}) != 1:
        raise InclusionError("the receipts stand under different checkpoints", rule="dis-admit-5")
    return proofs


def disorder(admit: int, key: int, release: int | None, prior: int | None, earlier: Sequence[int]) -> list[Finding]:
    """What the order of the log (indices of the entries) says against the dispute; empty if nothing."""
    problems: list[Finding] = []
    if not key < admit:
        problems.append(Finding("dis-order-1", "claimant", "the key stands after admit in the log"))
    if release is not None and not key < release < admit:
        problems.append(Finding("dis-order-2", "claimant", "the release is not between key and admit in the log"))
    if prior is not None and prior < key:
        problems.append(Finding("dis-order-3", "nobody", "the suspect's weights are older in the log than the labels"))
    if list(earlier) != sorted(set(earlier)) or any(i >= admit for i in earlier):
        problems.append(Finding("dis-order-4", "arbitrator", "the earlier entries are not in the order of the log"))
    return problems


def counted_admit(envelope: Envelope, *, key: VerifiedKey, log: str) -> File | None:
    """The file behind an admit entry, if that entry counts for this key; None if it does not.

    It counts if its ``file`` is signed by the key's owner, is about this key, and names the admit's signer as
    arbitrator and this log: neither a stranger nor another arbitrator can burn leaves (hole R17).
    """
    try:
        key_id, admit = parse_message(envelope, Admit)
        file_key_id, file = parse_message(admit.file, File)
    except (FormatError, VerificationError):
        return None
    ours = key_id == file_key_id == key.key_id and admit.file.signer == key.z.owner
    return file if ours and file.arbitrator == envelope.signer and file.log == log else None


def counted(entries: Iterable[tuple[str, Envelope]], *, key: VerifiedKey, log: str) -> dict[bytes, File | Decide]:
    """What of a key's entries counts: nobody but its owner and the arbitrator whom she named can burn or free leaves.

    Args:
        entries: (type, envelope) of log entries in the order of the log; types other than admit and decide are passed
            over.
        key: The key.
        log: vkey of the log.

    Returns:
        In the order of the log, by the entry's leaf: the file of each admit as counted_admit says, but only the first
        of one file (an arbitrator cannot burn more leaves with a file that was used); and the first decide of each by
        the same arbitrator.
    """
    found: dict[bytes, File | Decide] = {}
    open_admits: dict[bytes, File] = {}
    files: set[File] = set()
    for kind, envelope in entries:
        leaf = entry_leaf(key.profile, kind, envelope)
        if kind == "admit":
            file = counted_admit(envelope, key=key, log=log)
            if file is not None and file not in files:
                files.add(file)
                found[leaf] = open_admits[leaf] = file
        elif kind == "decide":
            try:
                key_id, decide = parse_message(envelope, Decide)
            except (FormatError, VerificationError):
                continue
            admitted = open_admits.get(decide.admit)
            if admitted is not None and key_id == key.key_id and envelope.signer == admitted.arbitrator:
                found[leaf] = decide
                del open_admits[decide.admit]  # only the first decide counts
    return found


def first_free(found: Mapping[bytes, File | Decide], profile: Profile) -> int:
    """The first leaf that is not taken: the largest end of the admits, each shortened to the rounds of its decide."""
    starts, ends = {}, {}
    for leaf, said in found.items():
        if isinstance(said, File):
            starts[leaf], ends[leaf] = said.start, said.start + said.count
        else:
            asked = starts[said.admit] + profile.round_leaves * said.rounds
            ends[said.admit] = min(ends[said.admit], asked)
    return max(ends.values(), default=0)


def verify_decided(
    receipts: Sequence[bytes], log: LogKey, decide: bytes, admit: bytes, then: VerifiedReceipt | None
) -> VerifiedReceipt:
    """Check decide's receipt, and that the admit stands where it stood in a tree that has grown.

    Args:
        receipts: tlog-proofs of decide and of admit under one checkpoint.
        log: The log.
        decide: Leaf of decide's entry.
        admit: Leaf of admit's entry.
        then: What admit's receipt said; None if that receipt did not hold.

    Raises:
        InclusionError: Not so; a log that signed two different pasts is named as the one at fault.
        FormatError: A receipt is malformed.
        SignatureError: The checkpoint is not the log's.
    """
    if len(receipts) != 2:
        raise InclusionError("decide's receipt is the proofs of decide and of admit", rule="dis-decide-4")
    proof, again = (verify_receipt(data, leaf, log) for data, leaf in zip(receipts, (decide, admit), strict=True))
    if proof.note != again.note:
        raise InclusionError("decide and admit stand under different checkpoints", rule="dis-decide-5")
    if then is not None and (again.index != then.index or proof.index < then.checkpoint.size):
        text = "the log of decide's receipt is not the log of admit's, grown"
        raise InclusionError(text, rule="dis-decide-5", fault="registry")
    return proof
