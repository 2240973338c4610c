"""The dispute machine with a memory: what each message said, in a line, once the machine has taken it.

It judges nothing itself: the machine does, and a message that it refuses leaves no line. An audit does not load this.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from wmproto.dispute import messages as m
from wmproto.dispute.machine import Dispute
from wmproto.dispute.tally import Finding
from wmproto.errors import FormatError, VerificationError, WmprotoError
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import WMPROTO_1, Profile

_ROLES = {
    "file": "claimant",
    "admit": "arbitrator",
    "ask": "claimant",
    "answer": "arbitrator",
    "open": "claimant",
    "stop": "claimant",
    "decide": "arbitrator",
}


@dataclass(slots=True)
class Said:
    """One message that holds.

    Attributes:
        n: Its place in the dispute, from 0.
        kind: file, bind, admit, ask, answer, open, stop or decide.
        role: In what role its signer spoke.
        signer: Public key, 32 bytes.
        text: What it says, in a line; quotes the parties' words as they are.
        entry: Index of its log entry, as its receipts prove it; None where it has none, or none that holds.
        notes: Rules that were broken with it: problems and findings.
    """

    n: int
    kind: str
    role: str
    signer: bytes
    text: str
    entry: int | None = None
    notes: list[str] = field(default_factory=list)


class Recorder(Dispute):
    """A dispute that remembers what was said; arguments and use as for Dispute.

    Attributes:
        said: Every message that was taken, and whose receipts hold if it has any, in order.
    """

    def __init__(self, *, profile: Profile = WMPROTO_1, auditor_bits: int = 0) -> None:
        super().__init__(profile=profile, auditor_bits=auditor_bits)
        self.said: list[Said] = []
        self._problems: list[tuple[list[str], int]] = []  # the notes, and the place in them, of each problem
        self._noted = [0, 0]  # findings that stand in earlier lines: of the dispute, of the tally
        self._shown = 0  # opened leaves that stand in earlier lines

    def receive(self, envelope: Envelope, attached: Sequence[Envelope] = ()) -> m.Message:
        """Take the next message; see Dispute.receive."""
        message = super().receive(envelope, attached)
        kind = type(message).__name__.lower()
        role = self.bind.holder if kind == "bind" else _ROLES[kind]
        self.said.append(Said(self.seq - 1, kind, role, envelope.signer, self._text(message)))
        self._note()
        return message

    def logged(self, receipts: Sequence[bytes]) -> None:
        """Take receipts; see Dispute.logged. A message with false ones is not remembered."""
        decided = self.phase == "decided"
        try:
            super().logged(receipts)
        except WmprotoError:
            self.said.pop()
            raise
        if decided:
            self.said[-1].entry = Receipt.parse(receipts[0]).index  # the machine has verified it
        elif self.admission is not None:
            self.said[-1].entry = self.admission.index
        self._note()

    def _note(self) -> None:
        """Add what has been broken since the last message to the last line."""
        notes = self.said[-1].notes
        for at, problem in enumerate(self.problems):  # a handful; a later message may show whose fault one was
            if at == len(self._problems):
                self._problems.append((notes, len(notes)))
                notes.append("")
            of, place = self._problems[at]
            of[place] = _broken("problem", problem)
        # Both only ever grow, also where the machine puts a fork in the tally's place: a round may add 16, so only
        # what is new is looked at.
        for which, findings in enumerate((self.findings, self.tally.findings if self.seq > 2 else [])):
            notes += [_broken("finding", finding) for finding in findings[self._noted[which] :]]
            self._noted[which] = len(findings)

    def _text(self, message: m.Message) -> str:
        match message:
            case m.File():
                return self._filed(message)
            case m.Bind():
                older = "; names an older release of them" if message.prior is not None else ""
                return f"binds the weights {_short(message.model)}{older}"
            case m.Admit():
                listed = f"earlier entries of the key: {len(message.earlier) or 'none'}"
                return f"admits, for {self.bits} bits; {listed}"
            case m.Ask():
                return f"asks leaves {message.leaves[0].index} to {message.leaves[-1].index}"
            case m.Answer():
                given = sum(answer is not None for answer in message.answers)
                return f"answers {given} of {len(message.answers)}"
            case m.Open():
                return self._opened(message)
            case m.Decide():
                return f"decides {message.verdict} after {message.rounds} round{'s' * (message.rounds != 1)}"
        return "stops"

    def _filed(self, file: m.File) -> str:
        proofs = [("key", file.key_receipt, file.key_entry)]
        if file.release_entry is not None:
            proofs.append(("release", file.release_receipt or b"", file.release_entry))
        told = []
        for what, receipt, leaf in proofs:
            with suppress(VerificationError, FormatError):  # then it is a problem of the claim, and noted
                told.append(f"{what}: entry {verify_receipt(receipt, leaf, self.log).index}")
        claim = f'claims that "{file.suspect}" depends on the key, leaves {file.start} to {self.end - 1}'
        release = [] if file.release_entry is not None else ["no release"]
        return f"{claim}; {', '.join([f'arbitrator: {_short(file.arbitrator)}', *told, *release])}"

    def _opened(self, message: m.Open) -> str:
        new = self.tally.opened[self._shown :]
        self._shown += len(new)
        marked = [leaf for leaf in new if not leaf.ghost]
        hits = sum(leaf.answer == leaf.label for leaf in marked)
        bits = self.tally.evidence(self.bits).wealth.floor_log2()
        return (
            f"opens {len(message.openings)}: {len(marked)} marked with {hits} hit{'s' * (hits != 1)}, "
            f"{len(new) - len(marked)} ghosts; evidence so far: {bits} bits"
        )


def _broken(what: str, found: Finding) -> str:
    return f"{what}: {found.text} (rule {found.rule}; at fault: {found.fault})"


def _short(digest: bytes) -> str:
    return digest.hex()[:16]
