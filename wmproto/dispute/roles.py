"""What each party says: the claimant, whoever holds the weights, and the arbitrator.

Each method reads the state of the dispute and returns the next signed message; nothing is sent, stored or timed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from wmproto.commitment.builder import Commitment
from wmproto.commitment.leaf import inputs_hash
from wmproto.commitment.statement import VerifiedKey
from wmproto.crypto.signer import Signer
from wmproto.dispute.admission import counted, first_free
from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import (
    Admit,
    Answer,
    Ask,
    AskedLeaf,
    Bind,
    Decide,
    File,
    Message,
    Open,
    Policy,
    Settings,
    Stop,
)
from wmproto.dispute.outcome import decide
from wmproto.dispute.sign import sign_message
from wmproto.errors import ConfigError, RaceError, StateError, VerificationError
from wmproto.registry.entry import entry_leaf
from wmproto.suspects.oracle import Suspect
from wmproto.wire.dsse import Envelope


class LogReader(Protocol):
    """What an arbitrator needs to read of a log."""

    @property
    def vkey(self) -> str:
        """The log's public key and name."""
        ...

    def checkpoint(self) -> bytes:
        """The latest signed checkpoint."""
        ...

    def entries(self, kind: str | None = None, subject: bytes | None = None) -> list[tuple[int, str, Envelope]]:
        """(index, type, signed object) of entries in the order of the log, of one type or about one subject."""
        ...


class Claimant:
    """The owner of a key in a dispute.

    Args:
        key: Her verified key.
        commitment: Its leaves.
        signer: Her identity.
    """

    def __init__(self, key: VerifiedKey, commitment: Commitment, signer: Signer) -> None:
        if signer.public != key.z.owner or commitment.root != key.z.R:
            raise ConfigError("this identity or these leaves do not belong to the key")
        self.key, self._commitment, self._signer = key, commitment, signer

    def _sign(self, message: Message) -> Envelope:
        return sign_message(message, key_id=self.key.key_id, signer=self._signer)

    def file(
        self,
        *,
        suspect: str,
        arbitrator: bytes,
        log: str,
        policy: Policy,
        start: int,
        count: int,
        key_receipt: bytes,
        release: tuple[Envelope, bytes] | None,
    ) -> tuple[Envelope, tuple[Envelope, ...]]:
        """File a claim over leaves start to start + count.

        Args:
            suspect: The suspect in words, at most 128 bytes.
            arbitrator: Public key of the one arbitrator.
            log: vkey of the one log.
            policy: The arbitrator's policy.
            start: First leaf.
            count: Number of leaves.
            key_receipt: Receipt of the key's entry.
            release: The release and its receipt, if there is one.

        Returns:
            The message and what is attached to it.
        """
        profile = self.key.profile
        message = File(
            access="W",
            arbitrator=arbitrator,
            count=count,
            key_entry=entry_leaf(profile, "key", self.key.envelope),
            key_receipt=key_receipt,
            log=log,
            policy=policy.digest(profile),
            previous=None,
            profile=profile.name,
            release_entry=entry_leaf(profile, "release", release[0]) if release else None,
            release_receipt=release[1] if release else None,
            seq=0,
            start=start,
            suspect=suspect,
            time_evidence=(),
        )
        return self._sign(message), (self.key.envelope, *([release[0]] if release else []))

    def ask(self, dispute: Dispute) -> Envelope:
        """Ask the next round; its inputs travel beside the message, see inputs()."""
        at = range(dispute.next_leaf, dispute.next_leaf + dispute.profile.round_leaves)
        leaves = tuple(AskedLeaf(index=i, inputs=inputs_hash([self._commitment.input(i)])) for i in at)
        return self._sign(Ask(leaves=leaves, previous=dispute.link, seq=dispute.seq))

    def inputs(self, ask: Ask) -> list[bytes]:
        """The inputs of a round that was asked, raw bytes each."""
        return [self._commitment.input(leaf.index) for leaf in ask.leaves]

    def open(self, dispute: Dispute, ask: Ask) -> Envelope:
        """Open the round that was asked; an opening cannot be taken back.

        Raises:
            StateError: The answers are not signed yet, or that is not the round that was asked.
        """
        if dispute.phase != "answered" or ask != dispute.pending:
            raise StateError("nothing is opened before the answers to that very round are signed")
        openings = tuple(self._commitment.open(leaf.index) for leaf in ask.leaves)
        return self._sign(Open(openings=openings, previous=dispute.link, seq=dispute.seq))

    def stop(self, dispute: Dispute) -> Envelope:
        """End the dispute early."""
        return self._sign(Stop(previous=dispute.link, seq=dispute.seq))


class Respondent:
    """Whoever holds the suspect's weights.

    Args:
        signer: Identity.
        holder: ``respondent``, or ``escrow`` for somebody who holds the weights for others.
    """

    def __init__(self, signer: Signer, holder: Literal["respondent", "escrow"]) -> None:
        self._signer, self._holder = signer, holder

    def bind(
        self, dispute: Dispute, model: bytes, prior: Envelope | None = None
    ) -> tuple[Envelope, tuple[Envelope, ...]]:
        """Bind the weights with digest ``model`` (h_f), with an older release of them as a defence if there is one."""
        message = Bind(
            adapter=None,
            holder=self._holder,
            map=None,
            model=model,
            previous=dispute.link,
            prior=entry_leaf(dispute.profile, "release", prior) if prior else None,
            seq=dispute.seq,
        )
        envelope = sign_message(message, key_id=dispute.key.key_id, signer=self._signer)
        return envelope, (prior,) if prior else ()


class Arbitrator:
    """Whoever holds the dispute: admits, asks the suspect, decides.

    Args:
        signer: Identity.
        policy: What she asks for beyond the profile.
    """

    def __init__(self, signer: Signer, policy: Policy) -> None:
        self.public, self._signer, self.policy = signer.public, signer, policy

    def _sign(self, dispute: Dispute, message: Message) -> Envelope:
        return sign_message(message, key_id=dispute.key.key_id, signer=self._signer)

    @staticmethod
    def _counted(dispute: Dispute, log: LogReader, below: int | None = None) -> tuple[int, dict[bytes, Envelope]]:
        """First free leaf, and leaf -> entry of what counts in the log (below an index), in the order of the log."""
        listed = log.entries(subject=dispute.key.key_id)
        entries = [(kind, e) for i, kind, e in listed if below is None or i < below]
        found = counted(entries, key=dispute.key, log=log.vkey)
        by_leaf = {entry_leaf(dispute.profile, kind, e): e for kind, e in entries}
        return first_free(found, dispute.profile), {leaf: by_leaf[leaf] for leaf in found}

    def admit(self, dispute: Dispute, log: LogReader, settings: Settings) -> tuple[Envelope, tuple[Envelope, ...]]:
        """Admit the dispute, listing every earlier entry of the key that counts.

        Raises:
            VerificationError: Inadmissible; no leaf is taken.
            StateError: The range that was filed is taken, or the log is not the one addressed.
        """
        if dispute.problems:
            raise VerificationError(f"inadmissible: {dispute.problems[0].text}", rule="dis-admit-1", fault="claimant")
        if dispute.file.log != log.vkey:
            raise StateError("the dispute is addressed to another log")
        free, earlier = self._counted(dispute, log)
        if dispute.file.start < free:
            grid = dispute.profile.start_grid(dispute.key.z.N)
            raise StateError(
                f"leaves below {free} are taken", hint=f"file again with a start of {-(-free // grid) * grid} or more"
            )
        message = Admit(
            earlier=tuple(earlier),
            file=dispute.file_envelope,
            head=log.checkpoint().decode(),
            known_answers=(),
            policy=self.policy,
            previous=dispute.link,
            seq=dispute.seq,
            settings=settings,
        )
        return self._sign(dispute, message), tuple(earlier.values())

    def check_nothing_between(self, dispute: Dispute, log: LogReader) -> None:
        """Read the log again after logging admit and before asking (dis-admit-6).

        Raises:
            RaceError: Another dispute of the key was logged in between; file again.
        """
        at = dispute.admission.index if dispute.admission else 0
        if tuple(self._counted(dispute, log, below=at)[1]) != dispute.admit.earlier:
            raise RaceError("another dispute of this key was logged in between", hint="file again: no leaf was asked")

    def answer(self, dispute: Dispute, ask: Ask, inputs: Sequence[bytes], suspect: Suspect) -> Envelope:
        """Ask the suspect each leaf of the round once, in order.

        Raises:
            VerificationError: The inputs are not those whose hashes were signed.
        """
        for leaf, x in zip(ask.leaves, inputs, strict=True):
            if inputs_hash([x]) != leaf.inputs or len(x) != dispute.key.z.input.size_bytes:
                raise VerificationError(
                    f"leaf {leaf.index}: other inputs than signed", rule="dis-ask-3", fault="claimant"
                )
        classes = len(dispute.key.z.classes)
        answers = tuple(a if a is not None and a < classes else None for a in map(suspect.answer, inputs))
        return self._sign(dispute, Answer(answers=answers, previous=dispute.link, seq=dispute.seq))

    def decide(self, dispute: Dispute) -> Envelope:
        """Decide by the rule."""
        return self._sign(
            dispute,
            Decide(
                admit=dispute.admit_entry,
                previous=dispute.link,
                rounds=dispute.rounds,
                seq=dispute.seq,
                verdict=decide(dispute).verdict,
            ),
        )
