"""Holding a dispute: the parties take turns, and every step is saved before the next one is taken.

A dispute that was cut off goes on from its last saved step with the same chain. ``save`` is called with the whole
transcript after each step; it must make it durable before it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from wmproto.dispute.audit import replay_steps
from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import Settings
from wmproto.dispute.outcome import Outcome, decide
from wmproto.dispute.roles import Arbitrator, Claimant, LogReader
from wmproto.dispute.transcript import Step, Transcript
from wmproto.errors import StateError
from wmproto.suspects.oracle import Suspect
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import WMPROTO_1, Profile

TRANSCRIPT: Final = "wmproto/transcript@v1"


class DisputeLog(LogReader, Protocol):
    """What a dispute needs of a log."""

    def submit(self, kind: str, envelope: Envelope) -> bytes:
        """Append an entry, or find it again; returns its receipt."""
        ...

    def receipts(self, leaves: Sequence[bytes], size: int | None = None) -> list[bytes]:
        """Receipts of several entries under one checkpoint."""
        ...


class Session:
    """A dispute in progress with its transcript.

    Args:
        save: Makes the transcript durable.
        profile: The profile.
        resume: The transcript of a dispute that was cut off.
    """

    def __init__(
        self, save: Callable[[Transcript], None], *, profile: Profile = WMPROTO_1, resume: Transcript | None = None
    ) -> None:
        self._save = save
        self.dispute = Dispute(profile=profile)
        self._steps: list[Step] = []
        if resume is not None:
            replay_steps(resume, self.dispute)
            self._steps = list(resume.steps)

    @property
    def transcript(self) -> Transcript:
        """Everything said so far."""
        return Transcript(format=TRANSCRIPT, steps=tuple(self._steps))

    def say(self, envelope: Envelope, attached: Sequence[Envelope] = ()) -> None:
        """Take a message into dispute and transcript; nothing is kept if it is refused."""
        self.dispute.receive(envelope, attached)
        self._steps.append(Step(attached=tuple(attached), message=envelope, receipts=()))
        self._save(self.transcript)

    def _log(self, log: DisputeLog, kind: str, leaves: Sequence[bytes]) -> None:
        """Log the last message, then take up the receipts of ``leaves`` under one checkpoint."""
        last = self._steps[-1]
        log.submit(kind, last.message)
        receipts = tuple(log.receipts(leaves))
        self.dispute.logged(receipts)
        self._steps[-1] = Step(attached=last.attached, message=last.message, receipts=receipts)
        self._save(self.transcript)

    def admit(self, arbitrator: Arbitrator, log: DisputeLog, settings: Settings) -> None:
        """Admit, log, and read the log again; does what is left of that if the dispute was cut off in between.

        Raises:
            VerificationError: Inadmissible.
            StateError: The range is taken, or another dispute of the key came in between.
        """
        dispute = self.dispute
        if dispute.phase == "bound":
            self.say(*arbitrator.admit(dispute, log, settings))
        if dispute.phase == "admitted":
            self._log(log, "admit", dispute.admission_leaves)
        arbitrator.check_nothing_between(dispute, log)

    def rounds(
        self,
        claimant: Claimant,
        arbitrator: Arbitrator,
        suspect: Suspect,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Ask, answer and open round after round until the verdict is final or the range is used up.

        Args:
            claimant: The claimant.
            arbitrator: The arbitrator, who asks the suspect.
            suspect: The suspect.
            progress: Called with (leaves asked, leaves offered) after each round.

        Raises:
            StateError: Not admitted, or inadmissible.
        """
        dispute = self.dispute
        if dispute.phase not in ("ready", "asked", "answered") or dispute.problems:
            reason = dispute.problems[0].text if dispute.problems else f"the dispute is {dispute.phase}"
            raise StateError(f"no leaf is asked: {reason}")
        while True:
            if dispute.phase == "ready":
                if dispute.fired or dispute.next_leaf >= dispute.end:
                    return
                self.say(claimant.ask(dispute))
            ask = dispute.pending
            if ask is None:
                raise StateError("no leaf was asked")
            if dispute.phase == "asked":
                self.say(arbitrator.answer(dispute, ask, claimant.inputs(ask), suspect))
            self.say(claimant.open(dispute, ask))
            if progress is not None:
                progress(dispute.next_leaf - dispute.file.start, dispute.file.count)

    def decide(self, arbitrator: Arbitrator, log: DisputeLog) -> Outcome:
        """Decide and log; does what is left of that if the dispute was cut off in between."""
        dispute = self.dispute
        if dispute.phase not in ("decided", "closed"):
            self.say(arbitrator.decide(dispute))
        if dispute.phase == "decided":
            self._log(log, "decide", [dispute.decide_entry, dispute.admit_entry])
        return decide(dispute)
