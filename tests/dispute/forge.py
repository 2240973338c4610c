"""Everything a liar needs: a log that signs what it is told, and a play in which any party says anything.

Nothing here asks the dispute machine. Messages are plain JSON, links are worked out here, and every field, signer,
attachment and receipt can be overridden, so that a test can tell exactly one lie and keep all the rest true.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

from world import Known, make_key, make_release, model_of, seed

from wmproto.commitment.builder import Commitment
from wmproto.commitment.labels import Labels
from wmproto.commitment.statement import VerifiedKey
from wmproto.crypto.signer import Signer
from wmproto.crypto.tree import MerkleTree
from wmproto.dispute.audit import Audit, audit
from wmproto.dispute.machine import Dispute
from wmproto.dispute.outcome import Outcome
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust
from wmproto.errors import FormatError, VerificationError
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import Receipt
from wmproto.registry.writing import sign_note, write_log_copy
from wmproto.verdict.closed_form import fires
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Envelope
from wmproto.wire.framing import frame
from wmproto.wire.profile import WMPROTO_1

REFUSED = (FormatError, VerificationError)
OWNER, ARBITRATOR, RESPONDENT, LOG, STRANGER, OTHER = (
    Signer(seed(name)) for name in ("owner", "arbitrator", "respondent", "log", "stranger", "another arbitrator")
)
SIGNERS = {s.public: s for s in (OWNER, ARBITRATOR, RESPONDENT, LOG, STRANGER, OTHER)}
POLICY = {"bits": 0, "suspects_log2": 24}
SETTINGS = {"batch": 1, "dtype": "float32", "libraries": [], "threads": 1}
ROUND = 16


# --- bytes ---------------------------------------------------------------------------------------------------------


def raw(value: Any) -> bytes:
    """What RFC 8785 gives for ASCII field names and integers; also writes what the package refuses to write."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def jsonable(value: Any) -> Any:
    """Bytes of 32 as hexadecimal, signed objects as JSON, the rest as it is."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Envelope):
        return as_json(value)
    if isinstance(value, Mapping):
        return {k: jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    return value


def as_json(envelope: Envelope) -> dict[str, Any]:
    return {
        "payload": b64(envelope.payload),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": envelope.signer.hex(), "sig": b64(envelope.signature)}],
    }


def statement(kind: str, predicate: Mapping[str, Any], *subjects: tuple[str, bytes]) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": jsonable(predicate),
        "predicateType": f"tag:wmproto,2025:{kind}/1",
        "subject": [{"digest": {"sha256": digest.hex()}, "name": name} for name, digest in subjects],
    }


def resigned(envelope: Envelope, change: Callable[[dict[str, Any]], Any], by: Signer | None = None) -> Envelope:
    """The object with its statement changed and signed anew, by the same signer unless another is given.

    ``change`` edits the statement in place, or returns another value.
    """
    value = json.loads(envelope.payload)
    value = change(value) or value
    return (by or SIGNERS[envelope.signer]).envelope(raw(value))


def forged(envelope: Envelope, by: Signer = STRANGER) -> Envelope:
    """The object under the same name with somebody else's signature."""
    return compose_envelope(envelope.payload, envelope.signer, by.envelope(envelope.payload).signature)


def with_extra_line(receipt: bytes, by: Signer = STRANGER) -> bytes:
    """A receipt whose checkpoint carries one more, unknown signature: it still proves what it proved."""
    return receipt + sign_note("x\n", "witness.test", by).partition(b"\n\n")[2]


# --- a log that signs what it is told ------------------------------------------------------------------------------


class PaperLog:
    """A log on paper. It forks, forgets and appends anything on demand; also serves as the log of ``hold``."""

    def __init__(self, signer: Signer = LOG, name: str = "log.test/1", kept: Sequence[tuple[str, Envelope]] = ()):
        self.signer, self.key, self.kept = signer, LogKey(name, signer.public), list(kept)

    @property
    def vkey(self) -> str:
        return str(self.key)

    def fork(self, size: int | None = None) -> PaperLog:
        """Another log of the same key with the same first entries."""
        return PaperLog(self.signer, self.key.name, self.kept[:size])

    def add(self, kind: str, envelope: Envelope) -> bytes:
        """Append without a look at it; returns the entry's leaf."""
        self.kept.append((kind, envelope))
        return entry_leaf(WMPROTO_1, kind, envelope)

    def pad(self, entries: int = 1) -> PaperLog:
        """Append entries that mean nothing to anybody."""
        for _ in range(entries):
            self.add("key", STRANGER.envelope(b"padding %d" % len(self.kept)))
        return self

    def leaves(self, size: int | None = None) -> list[bytes]:
        return [entry_leaf(WMPROTO_1, kind, envelope) for kind, envelope in self.kept[:size]]

    def checkpoint(self, size: int | None = None) -> bytes:
        leaves = self.leaves(size)
        text = Checkpoint(self.key.name, len(leaves), MerkleTree(leaves).root).text
        return sign_note(text, self.key.name, self.signer)

    def receipts(self, leaves: Sequence[bytes], size: int | None = None) -> list[bytes]:
        all_leaves, note = self.leaves(size), self.checkpoint(size)
        tree = MerkleTree(all_leaves)
        at = [all_leaves.index(leaf) for leaf in leaves]
        return [Receipt(i, tree.path(i), note).to_bytes() for i in at]

    def submit(self, kind: str, envelope: Envelope) -> bytes:
        """As an honest log: the same (type, payload, signer) again finds the first one."""
        for of_kind, other in self.kept:
            if (of_kind, other.payload, other.signer) == (kind, envelope.payload, envelope.signer):
                return self.receipts([entry_leaf(WMPROTO_1, kind, other)])[0]
        return self.receipts([self.add(kind, envelope)])[0]

    def entries(self, kind: str | None = None, subject: bytes | None = None) -> list[tuple[int, str, Envelope]]:
        """As an honest log reads: (index, type, signed object) of one type or about one first subject."""
        found = []
        for i, (of_kind, envelope) in enumerate(self.kept):
            try:
                about = json.loads(envelope.payload)["subject"][0]["digest"]["sha256"]
            except (ValueError, KeyError, TypeError):
                about = ""
            if kind in (None, of_kind) and (subject is None or about == subject.hex()):
                found.append((i, of_kind, envelope))
        return found

    def copy(self, size: int | None = None) -> bytes:
        return b"".join(write_log_copy(self.checkpoint(size), self.key, self.kept[:size]))


# --- who plays -----------------------------------------------------------------------------------------------------


@dataclass
class Cast:
    """One key with its owner, and a log that holds it."""

    key: VerifiedKey
    leaves: Commitment
    owner: Signer = OWNER
    log: PaperLog = field(default_factory=PaperLog)

    @property
    def trust(self) -> Trust:
        return Trust(
            arbitrators=(ARBITRATOR.public,),
            bits=0,
            format="wmproto/trust@v1",
            log=self.log.vkey,
            owners=(self.owner.public,),
            respondents=(RESPONDENT.public,),
        )

    def label(self, index: int) -> int:
        return Labels(self.key).label(index, self.leaves.leaf_key(index))

    def ghost(self, index: int) -> bool:
        return Labels(self.key).is_ghost(index, self.leaves.leaf_key(index))

    def input(self, index: int) -> bytes:
        return self.leaves.input(index)

    def thief(self, misses: Sequence[int] = ()) -> Callable[[int], int | None]:
        """Answers every leaf with its label, ghosts too unless told otherwise, but for those to miss."""
        return lambda i: (self.label(i) + (i in misses)) % self.key.z.m

    def known(self, answers: Callable[[int], int | None]) -> Known:
        """The same as a suspect for ``hold``."""
        return Known({self.input(i): answers(i) for i in range(self.key.z.N)}, self.key.z.m)

    def release(self, name: str = "released", by: Signer | None = None, **fields: Any) -> Envelope:
        """A release that the key's owner signs, and the log holds from now on."""
        made = self.unlogged_release(name, by, **fields)
        self.log.add("release", made)
        return made

    def unlogged_release(self, name: str = "released", by: Signer | None = None, **fields: Any) -> Envelope:
        receipt = fields.pop("receipt", None) or self.log.receipts([entry_leaf(WMPROTO_1, "key", self.key.envelope)])[0]
        given = {"key_id": self.key.key_id, "beta": self.key.beta} | fields
        return make_release(by or self.owner, receipt=receipt, name=name, **given)


@cache
def _key(n: int, classes: int, name: str, owner: Signer) -> tuple[VerifiedKey, Commitment]:
    return make_key(owner, n=n, classes=classes, name=name)


@cache
def _opening(leaves: Commitment, index: int) -> dict[str, Any]:
    opening = leaves.open(index)
    return {
        "aux": "",
        "index": index,
        "inputs": [b64(x) for x in opening.inputs],
        "k": opening.k.hex(),
        "path": [h.hex() for h in opening.path],
    }


def cast(n: int = 32, classes: int = 2, name: str = "key", owner: Signer = OWNER, log: PaperLog | None = None) -> Cast:
    """A cast of its own log, with a key of n leaves; 1,000 classes where a dispute is to be DEPENDENT."""
    key, leaves = _key(n, classes, name, owner)
    made = Cast(key, leaves, owner, log or PaperLog())
    made.log.add("key", key.envelope)
    return made


def opening(of: Cast, at: int, **lies: Any) -> dict[str, Any]:
    """The true opening of a leaf, with lies."""
    return deepcopy(_opening(of.leaves, at)) | jsonable(lies)


def asked(of: Cast, index: int) -> dict[str, Any]:
    return {"index": index, "inputs": sha256(frame(of.input(index))).hexdigest()}


# --- a play --------------------------------------------------------------------------------------------------------


@dataclass
class Line:
    """One step: message, what is attached, receipts."""

    kind: str
    message: Envelope
    attached: list[Envelope]
    receipts: list[bytes] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "attached": [as_json(e) for e in self.attached],
            "message": as_json(self.message),
            "receipts": [b64(r) for r in self.receipts],
        }


class Play:
    """A dispute as its parties write it down, or liars in their place.

    Every method says the true next message; keyword arguments override fields of the message, ``by`` the signer,
    ``about`` the key_id, ``attached`` what is attached. The link always goes on from what was really said.

    Args:
        of: The cast.
        answers: leaf -> answer of the suspect.
        edits: seq -> what to do with that message's statement before it is signed ("all collude": everything after
            it is signed over the edited one).
    """

    def __init__(
        self,
        of: Cast,
        answers: Callable[[int], int | None] | None = None,
        edits: Mapping[int, Callable[[dict[str, Any]], Any]] | None = None,
        log: PaperLog | None = None,
    ) -> None:
        self.of, self.log = of, log or of.log
        self.answers = answers or of.thief()
        self.edits = dict(edits or {})
        self.lines: list[Line] = []
        self.link: bytes | None = None
        self.rounds = 0
        self.asked: list[int] = []
        self.key_id = of.key.key_id
        self.key_envelope = of.key.envelope
        self.release: Envelope | None = None
        self.prior: Envelope | None = None
        self.earlier: list[tuple[str, Envelope]] = []
        self.start = self.count = 0

    # --- how anything is said ---

    def fork(self) -> Play:
        """The same play so far, to go on with in another way. The log is shared."""
        other = object.__new__(Play)
        other.__dict__.update(self.__dict__)
        other.lines = [Line(x.kind, x.message, list(x.attached), list(x.receipts)) for x in self.lines]
        other.asked, other.earlier, other.edits = list(self.asked), list(self.earlier), dict(self.edits)
        return other

    def say(
        self,
        kind: str,
        fields: Mapping[str, Any],
        by: Signer,
        attached: Sequence[Envelope] = (),
        about: bytes | None = None,
    ) -> Play:
        place = {"previous": self.link, "seq": len(self.lines)}
        value = statement(kind, place | dict(fields), ("key", about or self.key_id))
        if edit := self.edits.get(len(self.lines)):
            value = edit(value) or value
        return self.add(kind, by.envelope(raw(value)), attached)

    def add(self, kind: str, message: Envelope, attached: Sequence[Envelope] = ()) -> Play:
        """Say a message that was made elsewhere."""
        self.lines.append(Line(kind, message, list(attached)))
        self.link = WMPROTO_1.hash("link", self.link or b"", message.payload_hash, message.signer, message.signature)
        return self

    def leaf(self, kind: str, envelope: Envelope | None = None) -> bytes:
        """Entry leaf of the last message of a kind, or of a given object."""
        envelope = envelope or next(x.message for x in reversed(self.lines) if x.kind == kind)
        return entry_leaf(WMPROTO_1, kind, envelope)

    # --- the messages ---

    def file(
        self, start: int = 0, count: int | None = None, release: Envelope | None = None, by: Signer | None = None,
        attached: Sequence[Envelope] | None = None, about: bytes | None = None, **lies: Any,
    ) -> Play:  # fmt: skip
        self.start, self.count = start, self.of.key.z.N if count is None else count
        self.release = release
        key_entry = self.leaf("key", self.key_envelope)
        fields = {
            "access": "W",
            "arbitrator": ARBITRATOR.public,
            "count": self.count,
            "key_entry": key_entry,
            "key_receipt": b64(self.log.receipts([key_entry])[0]) if "key_receipt" not in lies else None,
            "log": self.log.vkey,
            "policy": WMPROTO_1.hash("policy", raw(POLICY)),
            "profile": "wmproto/1",
            "release_entry": self.leaf("release", release) if release else None,
            "release_receipt": None,
            "start": start,
            "suspect": "a suspect",
            "time_evidence": [],
        }
        if release and "release_receipt" not in lies:
            fields["release_receipt"] = b64(self.log.receipts([self.leaf("release", release)])[0])
        true = [self.key_envelope, *([release] if release else [])]
        return self.say("file", fields | lies, by or self.of.owner, true if attached is None else attached, about)

    def bind(
        self, older: Envelope | None = None, by: Signer = RESPONDENT, attached: Sequence[Envelope] | None = None,
        about: bytes | None = None, **lies: Any,
    ) -> Play:  # fmt: skip
        self.prior = older
        fields = {
            "adapter": None,
            "holder": "escrow",
            "map": None,
            "model": model_of(older) if older else seed("some model"),
            "prior": self.leaf("release", older) if older else None,
        }
        true = [older] if older else []
        return self.say("bind", fields | lies, by, true if attached is None else attached, about)

    def say_admit(
        self, earlier: Sequence[tuple[str, Envelope]] = (), by: Signer = ARBITRATOR,
        attached: Sequence[Envelope] | None = None, about: bytes | None = None, head: bytes | None = None, **lies: Any,
    ) -> Play:  # fmt: skip
        """admit, not yet logged."""
        self.earlier = list(earlier)
        fields = {
            "earlier": [self.leaf(kind, e) for kind, e in earlier],
            "file": self.lines[0].message if self.lines else self.key_envelope,
            "head": (head or self.log.checkpoint()).decode(),
            "known_answers": [],
            "policy": POLICY,
            "settings": SETTINGS,
        }
        true = [e for _, e in earlier]
        return self.say("admit", fields | lies, by, true if attached is None else attached, about)

    def admitted_leaves(self) -> list[bytes]:
        """Entries that admit's receipts prove, in their order."""
        others = [("release", self.release), ("release", self.prior), *self.earlier]
        return [
            self.leaf("admit"),
            self.leaf("key", self.key_envelope),
            *(self.leaf(kind, e) for kind, e in others if e is not None),
        ]

    def log_admit(self, receipts: Sequence[bytes] | None = None) -> Play:
        """Log the admit just said, and take the receipts into the chain."""
        if self.leaf("admit") not in self.log.leaves():
            self.log.add("admit", self.lines[-1].message)
        return self.logged(self.log.receipts(self.admitted_leaves()) if receipts is None else receipts)

    def logged(self, receipts: Sequence[bytes]) -> Play:
        """Write receipts to the last step; after admit the chain takes them up."""
        self.lines[-1].receipts = list(receipts)
        if self.lines[-1].kind == "admit":
            self.link = WMPROTO_1.hash("logged", self.link or b"", frame(*receipts))
        return self

    def admit(self, earlier: Sequence[tuple[str, Envelope]] = (), **lies: Any) -> Play:
        return self.say_admit(earlier, **lies).log_admit()

    def begin(self, start: int = 0, count: int | None = None, **lies: Any) -> Play:
        """file, bind, admit, logged."""
        return self.file(start, count, **lies).bind().admit()

    def ask(self, indices: Sequence[int] | None = None, by: Signer | None = None, attached: Sequence[Envelope] = (),
            about: bytes | None = None, **lies: Any) -> Play:  # fmt: skip
        first = self.start + ROUND * self.rounds
        self.asked = list(range(first, first + ROUND) if indices is None else indices)
        self.rounds += 1
        n = self.of.key.z.N
        leaves = [asked(self.of, i) if i < n else {"index": i, "inputs": seed("none").hex()} for i in self.asked]
        return self.say("ask", {"leaves": leaves} | lies, by or self.of.owner, attached, about)

    def answer(self, said: Sequence[Any] | None = None, by: Signer = ARBITRATOR,
               attached: Sequence[Envelope] = (), about: bytes | None = None, **lies: Any) -> Play:  # fmt: skip
        n = self.of.key.z.N
        true = [self.answers(i) if i < n else None for i in self.asked] if said is None else list(said)
        return self.say("answer", {"answers": true} | lies, by, attached, about)

    def open(self, indices: Sequence[int] | None = None, openings: Sequence[Any] | None = None,
             by: Signer | None = None, attached: Sequence[Envelope] = (), about: bytes | None = None,
             **lies: Any) -> Play:  # fmt: skip
        if openings is None:
            n = self.of.key.z.N
            openings = [opening(self.of, i) for i in (self.asked if indices is None else indices) if i < n]
        return self.say("open", {"openings": openings} | lies, by or self.of.owner, attached, about)

    def round(self, only: Sequence[int] | None = None) -> Play:
        """ask, answer, open; of the leaves asked, or only those named."""
        return self.ask().answer().open(only)

    def stop(self, by: Signer | None = None, attached: Sequence[Envelope] = (), about: bytes | None = None,
             **lies: Any) -> Play:  # fmt: skip
        return self.say("stop", lies, by or self.of.owner, attached, about)

    def say_decide(self, verdict: str = "NOT SHOWN", by: Signer = ARBITRATOR, attached: Sequence[Envelope] = (),
                   about: bytes | None = None, **lies: Any) -> Play:  # fmt: skip
        """decide, not yet logged."""
        admits = [x.message for x in self.lines if x.kind == "admit"]
        admit = self.leaf("admit", admits[-1]) if admits else seed("no admit")
        return self.say(
            "decide", {"admit": admit, "rounds": self.rounds, "verdict": verdict} | lies, by, attached, about
        )

    def log_decide(self, receipts: Sequence[bytes] | None = None) -> Play:
        if receipts is None:
            if self.leaf("decide") not in self.log.leaves():
                self.log.add("decide", self.lines[-1].message)
            receipts = self.log.receipts([self.leaf("decide"), self.leaf("admit")])
        return self.logged(receipts)

    def decide(self, verdict: str = "NOT SHOWN", **lies: Any) -> Play:
        return self.say_decide(verdict, **lies).log_decide()

    def whole(self, rounds: int, verdict: str, **filed: Any) -> Play:
        """A whole dispute of that many rounds."""
        self.begin(**filed)
        for _ in range(rounds):
            self.round()
        return self.decide(verdict)

    # --- what becomes of it ---

    def transcript(self) -> bytes:
        return raw({"format": "wmproto/transcript@v1", "steps": [x.to_json() for x in self.lines]})

    def audit(self, trust: Trust | None = None, log_copy: bytes | None = None) -> Audit:
        return audit(self.transcript(), trust=trust, log_copy=log_copy)

    def live(self, steps: int | None = None) -> Dispute:
        """The state of a party that heard the first steps."""
        dispute = Dispute()
        for line in self.lines[:steps]:
            dispute.receive(line.message, line.attached)
            if line.receipts:
                dispute.logged(line.receipts)
        return dispute

    def parsed(self) -> Transcript:
        return Transcript.parse(self.transcript())

    def logged_entry(self, kind: str) -> tuple[str, Envelope]:
        """(type, signed object) of the last message of a kind, for somebody else's ``earlier``."""
        return kind, next(x.message for x in reversed(self.lines) if x.kind == kind)


def resigned_step(play: Play, number: int, change: Callable[[dict[str, Any]], Any], by: Signer | None = None) -> bytes:
    """The transcript with one message changed and signed anew by its signer; nothing else follows suit."""
    other = play.fork()
    other.lines[number].message = resigned(other.lines[number].message, change, by)
    return other.transcript()


# --- what is true, worked out without the machine ------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """What a transcript is worth: counts up to the first leaf that fires, and whether one did."""

    dependent: bool
    asked: int
    marked: int
    hits: int
    ghosts: int


def truth(play: Play, bits: int = 160) -> Truth:
    """Count what the messages now say against what the owner really committed to.

    A leaf is opened well if and only if its opening is, field for field, the one that the commitment gives, and the
    hash asked is that of its input: anything else would be a collision.
    """
    of = play.of
    n = hits = marked = ghosts = 0
    said = [(x.kind, json.loads(x.message.payload)["predicate"]) for x in play.lines]
    for at, (kind, body) in enumerate(said):
        if kind != "ask":
            continue
        answers: list[Any] = [None] * len(body["leaves"])
        openings: list[Any] = []
        if said[at + 1][0] == "answer":
            answers = said[at + 1][1]["answers"]
            openings = said[at + 2][1]["openings"] if said[at + 2][0] == "open" else []
        for leaf, answer in zip(body["leaves"], answers, strict=True):
            i = leaf["index"]
            n += 1
            well = leaf == asked(of, i) and any(o == opening(of, i) for o in openings)
            if well and of.ghost(i):
                ghosts += 1
                continue
            marked += 1
            hits += bool(well and answer == of.label(i))
            if fires(of.key.z.m, marked, hits, bits):
                return Truth(True, n, marked, hits, ghosts)
    return Truth(False, n, marked, hits, ghosts)


def counted(dispute: Dispute, outcome: Outcome) -> Truth:
    """The same as the machine counted it."""
    e = outcome.evidence
    dependent = dispute.seq > 2 and dispute.tally.fired(outcome.bits)
    return Truth(dependent, e.asked, e.wealth.n, e.wealth.hits, e.ghosts)


def found(audited: Audit) -> Truth:
    """The same of an audit."""
    return counted(audited.dispute, audited.outcome)


# --- mutations of single fields ------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], Any]


def _at(value: Any, path: Sequence[Any]) -> Any:
    for part in path:
        value = value[part]
    return value


def _set(path: Sequence[Any], new: Any) -> Change:
    def change(value: dict[str, Any]) -> None:
        _at(value, path[:-1])[path[-1]] = deepcopy(new)

    return change


def _drop(path: Sequence[Any]) -> Change:
    def change(value: dict[str, Any]) -> None:
        del _at(value, path[:-1])[path[-1]]

    return change


def _others(value: Any) -> Iterator[tuple[str, Any]]:
    """Other values in the place of this one."""
    if value is not None:
        yield "null", None
    else:
        yield "zero", 0
        yield "hash", "00" * 32
        yield "text", "x"
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        yield "plus one", value + 1
        yield "minus one", value - 1
        yield "as text", str(value)
        yield "huge", 1 << 53
        yield "float", float(value)
    if isinstance(value, str):
        yield "longer", value + "x"
        yield "empty", ""
        yield "number", 1
        if value:
            middle = len(value) // 2
            old = value[middle]
            new = {"0": "1", "A": "B", "a": "b"}.get(old, "a" if old.isalnum() else old + "a")
            yield "one character", value[:middle] + new + value[middle + 1 :]
            if value.upper() != value:
                yield "upper case", value.upper()
    if isinstance(value, list):
        yield "empty", []
        yield "not a list", {}
        if value:
            yield "first dropped", value[1:]
            yield "last dropped", value[:-1]
            yield "first twice", [value[0], *value]
            yield "last twice", [*value, value[-1]]
        if len(value) > 1 and value[0] != value[1]:
            yield "swapped", [value[1], value[0], *value[2:]]
            yield "reversed", value[::-1]
    if isinstance(value, dict):
        yield "unknown field", value | {"zzz": 0}
        yield "not an object", []


def mutations(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, Change]]:
    """(name, change) of every single-field change of a JSON object: each field dropped, and replaced by others.

    Of a list of things alike only the first and the last are walked into.
    """
    for key in _keys(value):
        inner, here = value[key], (*path, key)
        name = "/".join(map(str, here))
        for what, new in _others(inner):
            if raw(new) != raw(inner):
                yield f"{name}: {what}", _set(here, new)
        if isinstance(value, dict):
            yield f"{name}: dropped", _drop(here)
        yield from mutations(inner, here)


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return sorted(value)
    if isinstance(value, list) and value:
        return sorted({0, len(value) - 1})
    return []
