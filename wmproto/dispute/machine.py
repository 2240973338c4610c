"""The dispute as a state machine: bytes in, state out; no I/O, clock or randomness (specs/dispute.md).

The arbitrator runs it while the dispute is held, an auditor runs the same code over the transcript. Order of messages:

    file  bind  admit  (ask  answer  open)*  [stop]  decide

What is false (signature, link, order, index, round size) raises and makes the transcript false evidence. What the
claimant may not ask for is collected in ``problems``: the verdict is then INADMISSIBLE. What a party did wrong without
changing the verdict is collected in ``findings``.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from wmproto.commitment.statement import VerifiedKey, verify_key
from wmproto.dispute import admission
from wmproto.dispute import messages as m
from wmproto.dispute.chain import link, link_logged
from wmproto.dispute.tally import Finding, Tally
from wmproto.errors import FormatError, Party, SignatureError, StateError, UnsupportedError, VerificationError
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import VerifiedReceipt, verify_receipt
from wmproto.release.record import VerifiedRelease, check_release_of, verify_release
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import WMPROTO_1, Profile

_M = TypeVar("_M", bound=m.Message)

#: phase -> what may follow
_NEXT: dict[str, tuple[str, ...]] = {
    "new": ("file",),
    "filed": ("bind",),
    "bound": ("admit",),
    "admitted": ("ask", "stop", "decide"),  # admit is said and not yet logged: an ask now makes it inadmissible
    "ready": ("ask", "stop", "decide"),
    "asked": ("answer", "stop", "decide"),
    "answered": ("open", "stop", "decide"),
    "stopped": ("decide",),
    "decided": (),
    "closed": (),
}


class Dispute:
    """One dispute. Feed it each signed message with what is attached to it, and the receipts that logging gave.

    Args:
        profile: The profile; an audit takes ``wmproto/1`` alone.
        auditor_bits: The least L of whoever judges; the largest of profile's, policy's and this counts.
    """

    key: VerifiedKey
    file: m.File
    bind: m.Bind
    admit: m.Admit
    log: LogKey
    respondent: bytes
    file_envelope: Envelope
    admit_entry: bytes
    tally: Tally

    def __init__(self, *, profile: Profile = WMPROTO_1, auditor_bits: int = 0) -> None:
        self.profile = profile
        self._auditor_bits = auditor_bits
        self.phase = "new"
        self.seq = 0
        self.link: bytes | None = None
        self.rounds = 0  # asked
        self.answered = 0  # of these, rounds that the arbitrator answered
        self.problems: list[Finding] = []  # why the claim is inadmissible
        self.release: VerifiedRelease | None = None
        self.admission: VerifiedReceipt | None = None
        self.head: Checkpoint | None = None  # that admit quotes
        self.checkpoints: list[Checkpoint] = []  # every one that was shown, in order of the messages
        self.notes: list[bytes] = []  # the same as they were signed, but for that of the receipt a release quotes
        self.early: set[bytes] = set()  # links at which the arbitrator may not decide
        self.decision: m.Decide | None = None
        self.decide_entry = b""
        self.findings: list[Finding] = []  # of acts outside the rounds; the tally has those within
        self._earlier: list[tuple[str, Envelope]] = []
        self.pending: m.Ask | None = None
        self._answers: tuple[int | None, ...] = ()

    # --- what a caller feeds -----------------------------------------------------------------------------------

    def receive(self, envelope: Envelope, attached: Sequence[Envelope] = ()) -> m.Message:
        """Take the next message.

        Args:
            envelope: The signed message.
            attached: Signed objects that it names by their log entries: with ``file`` the key statement and the release
                if there is one, with ``bind`` the older release if there is one, with ``admit`` the earlier entries.

        Returns:
            The verified message.

        Raises:
            StateError: Not now; nothing has changed.
            VerificationError: False: the transcript that holds it is false evidence.
            FormatError: Malformed, or (UnsupportedError) not supported by this version.
        """
        kind = m.message_kind(envelope.payload)
        if kind not in _NEXT[self.phase]:
            hint = f"expected: {' or '.join(_NEXT[self.phase]) or 'nothing more'}"
            raise StateError(f"{kind} does not follow: the dispute is {self.phase}", hint=hint)
        message: m.Message = getattr(self, f"_{kind}")(envelope, attached)
        self.seq += 1
        self._advance(link(self.profile, self.link, envelope))
        return message

    def logged(self, receipts: Sequence[bytes]) -> None:
        """Take the receipts of the message that was just logged (``admit`` or ``decide``).

        Raises:
            StateError: Nothing was to be logged.
            VerificationError: decide's receipt does not hold.
            FormatError: decide's receipt is malformed.
        """
        if self.phase == "admitted" and self.link is not None:
            self._judge("dis-admit-5", "unknown", lambda: self._verify_admission(tuple(receipts)))
            self.phase = "ready"
            self._advance(link_logged(self.profile, self.link, receipts))
        elif self.phase == "decided":
            grown = admission.verify_decided(receipts, self.log, self.decide_entry, self.admit_entry, self.admission)
            self.checkpoints.append(grown.checkpoint)
            self.notes.append(grown.note)
            self.phase = "closed"
        else:
            raise StateError(f"nothing was to be logged: the dispute is {self.phase}")

    def _advance(self, link: bytes) -> None:
        self.link = link
        if self.seq > 2 and not self.over:
            self.early.add(link)

    def counted(self, fault: Party = "unknown") -> Tally:
        """The tally with the leaves of an unfinished round as marked misses (dis-open-3); nothing here changes.

        Args:
            fault: Who is to blame: the claimant if she stopped; nobody knows if the transcript just ends.
        """
        if self.pending is None:
            return self.tally
        tally = self.tally.fork()
        answers = self._answers or (None,) * len(self.pending.leaves)
        tally.round(self.pending.leaves, answers, {}, fault)
        return tally

    # --- what a caller reads -----------------------------------------------------------------------------------

    @property
    def bits(self) -> int:
        """L that the parties play for: the larger of the profile's and the policy's."""
        return max(self.key.bits, self.admit.policy.bits)

    @property
    def judged_bits(self) -> int:
        """L that whoever judges asks for."""
        return max(self.bits, self._auditor_bits)

    @property
    def fired(self) -> bool:
        """Whether E has reached 2**bits: DEPENDENT is final, and the arbitrator decides."""
        return self.tally.fired(self.bits)

    @property
    def over(self) -> bool:
        """Whether the arbitrator may decide."""
        ended = self.phase == "stopped" or self.fired or self.problems or self.next_leaf >= self.end
        return bool(ended) and self.pending is None

    def verdict(self, bits: int) -> m.VerdictName:
        """What the rule gives now to whoever asks for ``bits``."""
        if self.problems:
            return "INADMISSIBLE"
        return "DEPENDENT" if self.seq > 2 and self.tally.fired(bits) else "NOT SHOWN"

    @property
    def suspect_id(self) -> bytes:
        """H("suspect", h_f, adapter, map, settings): the one thing that this dispute is about."""
        return self.profile.hash("suspect", self.bind.model, b"", b"", self.admit.settings.to_bytes())

    @property
    def admission_leaves(self) -> list[bytes]:
        """Log entries that the admission receipt covers, in order: admit, key, release and prior if any, earlier."""
        named = [self.file.key_entry, self.file.release_entry, self.bind.prior]
        return [self.admit_entry, *(leaf for leaf in named if leaf is not None), *self.admit.earlier]

    @property
    def next_leaf(self) -> int:
        """First leaf that has not been asked."""
        return self.file.start + self.profile.round_leaves * self.rounds

    @property
    def end(self) -> int:
        """One past the last leaf of the range."""
        return self.file.start + self.file.count

    # --- before the first leaf ---------------------------------------------------------------------------------

    def _file(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.File:
        key_id, file = m.parse_message(envelope, m.File)
        self._chained(file)
        if file.profile != self.profile.name:
            raise FormatError(f"file: profile {file.profile!r} is not {self.profile.name!r}")
        if file.access != "W":
            raise UnsupportedError(f"access {file.access!r} is not supported by this version", hint="supported: W")
        if file.time_evidence:
            raise UnsupportedError("time evidence is not supported by this version")
        if (file.release_entry is None) != (file.release_receipt is None):
            raise FormatError("file: a release comes with its receipt, and a receipt with its release")
        log = LogKey.parse(file.log)
        named = [file.key_entry, *([file.release_entry] if file.release_entry is not None else [])]
        self._attached(attached, ("key", "release")[: len(named)], named, "dis-file-2")
        key = verify_key(attached[0], profile=self.profile)
        if key_id != key.key_id:
            raise VerificationError("file names another key than it attaches", rule="dis-file-3", fault="claimant")
        if envelope.signer != key.z.owner:
            raise SignatureError("file is not signed by the key's owner", rule="dis-file-4")
        self.file, self.key, self.log, self.file_envelope = file, key, log, envelope
        self._range()
        self._judge("dis-file-5", "claimant", self._take_receipt)
        if file.release_entry is not None:
            self._judge("dis-file-6", "claimant", lambda: self._take_release(attached[1]))
        self.phase = "filed"
        return file

    def _range(self) -> None:
        file, grid = self.file, self.profile.start_grid(self.key.z.N)
        if file.start % grid:
            self._problem("dis-range-1", "claimant", f"the range starts at leaf {file.start}, no multiple of {grid}")
        if file.count % self.profile.round_leaves or not file.count or self.end > self.key.z.N:
            self._problem("dis-range-2", "claimant", f"{file.count} leaves from {file.start} on: no whole rounds")

    def _receipt(self, data: bytes | None, leaf: bytes | None, what: str) -> bytes:
        try:
            place = verify_receipt(data or b"", leaf or b"", self.log)
        except (VerificationError, FormatError) as err:
            raise VerificationError(f"the receipt of the {what}: {err}") from err
        self.checkpoints.append(place.checkpoint)
        return place.note

    def _take_receipt(self) -> None:
        self.notes.append(self._receipt(self.file.key_receipt, self.file.key_entry, "key"))

    def _take_release(self, envelope: Envelope) -> None:
        release = verify_release(envelope, profile=self.profile)
        check_release_of(release, self.key)
        self._receipt(release.release.key_receipt, self.file.key_entry, "key, as the release quotes it")
        self.notes.append(self._receipt(self.file.release_receipt, self.file.release_entry, "release"))
        self.release = release

    def _bind(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.Bind:
        bind = self._message(envelope, m.Bind, None, "respondent")
        if bind.adapter is not None or bind.map is not None:
            raise UnsupportedError("adapters and class maps are not supported by this version")
        named = [bind.prior] if bind.prior is not None else []
        self._attached(attached, ("release",) * len(named), named, "dis-bind-2")
        if named and verify_release(attached[0], profile=self.profile).release.model != bind.model:
            raise VerificationError("the older release is of other weights", rule="dis-bind-3", fault="respondent")
        self.bind, self.respondent = bind, envelope.signer
        self.phase = "bound"
        return bind

    def _admit(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.Admit:
        admit = self._message(envelope, m.Admit, self.file.arbitrator, "arbitrator")
        if admit.file != self.file_envelope:
            raise VerificationError("admit holds another file", rule="dis-admit-2", fault="arbitrator")
        if admit.policy.digest(self.profile) != self.file.policy:
            raise VerificationError("admit holds another policy", rule="dis-admit-3", fault="arbitrator")
        if admit.known_answers:
            raise UnsupportedError("known answers are not supported by this version")
        kinds = [m.message_kind(e.payload) for e in attached]
        self._attached(attached, kinds, admit.earlier, "dis-admit-4")
        self._earlier = list(zip(kinds, attached, strict=True))
        self.admit, self.admit_entry = admit, entry_leaf(self.profile, "admit", envelope)
        self.tally = Tally(self.key, {self.bits, self.judged_bits})
        self.phase = "admitted"
        return admit

    def _verify_admission(self, receipts: tuple[bytes, ...]) -> None:
        earlier = admission.counted(self._earlier, key=self.key, log=self.file.log)
        free = admission.first_free(earlier, self.profile)
        if tuple(earlier) != self.admit.earlier:
            self._problem("dis-admit-8", "arbitrator", "admit lists an earlier entry that does not count")
        if self.file in earlier.values():
            self._problem("dis-admit-9", "arbitrator", "this very file was admitted before")
        if self.file.start < free:
            self._problem("dis-taken-2", "arbitrator", f"start {self.file.start}: leaves below {free} are taken")
        proofs = admission.verify_together(receipts, self.log, self.admission_leaves)
        self.admission = proofs[0]
        self.checkpoints.append(self.admission.checkpoint)
        self.notes.append(self.admission.note)
        at = iter([proof.index for proof in proofs])
        admit, key = next(at), next(at)
        release = next(at) if self.file.release_entry is not None else None
        prior = next(at) if self.bind.prior is not None else None
        self.problems += admission.disorder(admit, key, release, prior, list(at))
        self._judge("dis-order-5", "arbitrator", lambda: self._verify_head(admit))

    def _verify_head(self, admit: int) -> None:
        self.head = verify_checkpoint(self.admit.head.encode(), self.log)
        self.checkpoints.append(self.head)
        self.notes.append(self.admit.head.encode())
        if self.head.size > admit:
            raise VerificationError("the log head that admit quotes is younger than admit")

    # --- rounds ------------------------------------------------------------------------------------------------

    def _ask(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.Ask:
        ask = self._message(envelope, m.Ask, self.key.z.owner, "claimant", attached)
        if self.fired:
            raise StateError("ask does not follow: the verdict is DEPENDENT and final")
        due = list(range(self.next_leaf, self.next_leaf + self.profile.round_leaves))
        if self.next_leaf >= self.end:
            raise VerificationError("ask goes beyond the range", rule="dis-ask-2", fault="claimant")
        if [leaf.index for leaf in ask.leaves] != due:
            raise VerificationError(f"ask is not for leaves {due[0]} to {due[-1]}", rule="dis-ask-1", fault="claimant")
        if self.phase == "admitted":
            self._problem("dis-admit-7", "claimant", "admit was not logged before the first leaf was asked")
        self.pending, self._answers, self.rounds = ask, (), self.rounds + 1
        self.phase = "asked"
        return ask

    def _answer(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.Answer:
        answer = self._message(envelope, m.Answer, self.file.arbitrator, "arbitrator", attached)
        classes = len(self.key.z.classes)
        in_range = all(a is None or a < classes for a in answer.answers)
        if len(answer.answers) != self.profile.round_leaves or not in_range:
            raise VerificationError("answer is not 16 times a class or none", rule="dis-answer-1", fault="arbitrator")
        self._answers, self.answered = answer.answers, self.rounds
        self.phase = "answered"
        return answer

    def _open(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.Open:
        message = self._message(envelope, m.Open, self.key.z.owner, "claimant", attached)
        leaves = self.pending.leaves if self.pending is not None else ()
        at = [opening.index for opening in message.openings]
        if at != sorted(set(at)) or not set(at) <= {leaf.index for leaf in leaves}:
            raise VerificationError("open is not of leaves asked, in order", rule="dis-open-1", fault="claimant")
        self.tally.round(leaves, self._answers, {o.index: o for o in message.openings}, "claimant")
        self.pending = None
        self.phase = "ready"
        return message

    # --- the end -----------------------------------------------------------------------------------------------

    def _stop(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.Stop:
        stop = self._message(envelope, m.Stop, self.key.z.owner, "claimant", attached)
        # Before the answer she had nothing to open: the arbitrator may have fallen silent.
        self.tally, self.pending = self.counted("claimant" if self.phase == "answered" else "unknown"), None
        self.phase = "stopped"
        return stop

    def _decide(self, envelope: Envelope, attached: Sequence[Envelope]) -> m.Decide:
        decide = self._message(envelope, m.Decide, self.file.arbitrator, "arbitrator", attached)
        if decide.admit != self.admit_entry or decide.rounds != self.rounds:
            raise VerificationError("decide names another admit or rounds", rule="dis-decide-1", fault="arbitrator")
        if not self.over:
            self.findings.append(Finding("dis-decide-2", "arbitrator", "decided before the dispute was over"))
        self.tally, self.pending = self.counted(), None
        if decide.verdict != self.verdict(self.bits):
            text = f"the arbitrator decided {decide.verdict}; the rule gives {self.verdict(self.bits)}"
            self.findings.append(Finding("dis-decide-3", "arbitrator", text))
        self.decision, self.decide_entry = decide, entry_leaf(self.profile, "decide", envelope)
        self.phase = "decided"
        return decide

    # --- checks that messages share ----------------------------------------------------------------------------

    def _message(
        self,
        envelope: Envelope,
        kind: type[_M],
        signer: bytes | None,
        party: Party,
        attached: Sequence[Envelope] | None = None,
    ) -> _M:
        key_id, message = m.parse_message(envelope, kind)
        name = kind.__name__.lower()
        if signer is not None and envelope.signer != signer:
            raise SignatureError(f"{name} is not signed by the {party}", rule="dis-chain-3")
        if key_id != self.key.key_id:
            raise VerificationError(f"{name} is about another key", rule="dis-chain-5")
        if attached:
            raise VerificationError(f"{name} has nothing to attach", rule="dis-chain-4")
        self._chained(message)
        if party == "arbitrator":  # she goes on: what is attached to her admit, unsigned till now, is hers
            self.problems = [replace(p, fault=party) if p.fault == "unknown" else p for p in self.problems]
        return message

    def _chained(self, message: m.Message) -> None:
        if message.seq != self.seq or message.previous != self.link:  # whoever holds the file can cut and paste it
            raise VerificationError(f"message {self.seq} does not continue the chain", rule="dis-chain-2")

    def _attached(self, attached: Sequence[Envelope], kinds: Sequence[str], named: Sequence[bytes], rule: str) -> None:
        leaves = [entry_leaf(self.profile, kind, e) for kind, e in zip(kinds, attached, strict=False)]
        if len(attached) != len(named) or leaves != list(named):
            raise VerificationError("what is attached is not what the message names", rule=rule)

    def _problem(self, rule: str, fault: Party, text: str) -> None:
        self.problems.append(Finding(rule, fault, text))

    def _judge(self, rule: str, fault: Party, check: Callable[[], Any]) -> None:
        """Run a check whose failure makes the claim inadmissible instead of the transcript false."""
        try:
            check()
        except (VerificationError, FormatError) as err:
            self._problem(rule, fault, str(err))
