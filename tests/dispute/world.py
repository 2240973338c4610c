"""A small world for tests of disputes: real parties, a real key of tiny pictures, a real log in a temporary folder.

1,000 classes, so that 17 hits of 17 marked leaves reach L = 160 and whole transcripts stay small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from wmproto.commitment.builder import Commitment, commit, key_payload
from wmproto.commitment.labels import Labels
from wmproto.commitment.statement import InputSpec, verify_key
from wmproto.crypto.signer import Signer
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Policy
from wmproto.dispute.outcome import Outcome
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust
from wmproto.owner import ActivatedKey, activate
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.release.payload import release_payload
from wmproto.release.record import Release, TensorEntry
from wmproto.wire.canonical import canonical_json
from wmproto.wire.dsse import Envelope
from wmproto.wire.framing import sha256 as plain_sha256
from wmproto.wire.profile import WMPROTO_1, Profile

SPEC = InputSpec(dtype="uint8", kind="image", shape=(2, 2, 3))
POLICY = Policy(bits=0, suspects_log2=24)


def seed(name: str) -> bytes:
    """32 bytes that are the same in each run."""
    return sha256(f"wmproto test {name}".encode()).digest()


def picture(index: int, owner_seed: bytes) -> bytes:
    """A tiny picture that follows from the owner's seed for that leaf."""
    return sha256(owner_seed + bytes([index % 256])).digest()[: SPEC.size_bytes]


@dataclass
class Known:
    """A suspect that answers from a table, else by a fixed rule that knows nothing of labels."""

    table: dict[bytes, int | None]
    classes: int = 1000
    asked: int = 0

    settings = {"dtype": "float32", "batch": 1, "threads": 1, "libraries": []}  # noqa: RUF012

    def answer(self, inputs: bytes) -> int | None:
        self.asked += 1
        if inputs in self.table:
            return self.table[inputs]
        return int.from_bytes(sha256(inputs).digest()[:8], "big") % self.classes


def make_key(owner: Signer, *, n: int, classes: int, name: str = "key", profile: Profile = WMPROTO_1):
    """(verified key, commitment) of a fresh key."""
    keyctx = seed(f"{name} keyctx")
    leaves = Commitment(
        profile=profile, master=seed(f"{name} master"), keyctx=keyctx, count=n, spec=SPEC, source=picture
    )
    names = tuple(f"c{i}" for i in range(classes))
    z = commit(leaves, profile=profile, keyctx=keyctx, spec=SPEC, classes=names, owner=owner.public)
    return verify_key(owner.envelope(key_payload(z, profile)), profile=profile), leaves


def make_release(signer: Signer, *, key_id: bytes, beta: bytes, receipt: bytes, name: str) -> Envelope:
    """A signed release of a made-up model; its h_f follows from the name."""
    tensor = TensorEntry(digest=seed(f"tensor {name}"), dtype="F32", name="w", shape=(1,))
    architecture = {"made-up": name}
    release = Release(
        architecture=architecture,
        beta=beta,
        key_id=key_id,
        key_receipt=receipt,
        model=WMPROTO_1.hash("model", tensor.digest, canonical_json(architecture)),
        owner=signer.public,
        profile="wmproto/1",
        recipient="public",
        salt=None,
        tensors=(tensor,),
    )
    return signer.envelope(release_payload(release, {f"{name}.safetensors": plain_sha256(name.encode())}))


def model_of(release: Envelope) -> bytes:
    """h_f that a release is about."""
    import json

    return bytes.fromhex(json.loads(release.payload)["predicate"]["model"])


@dataclass
class World:
    """Everybody and everything of one story."""

    path: Path
    n: int = 64
    classes: int = 1000
    saved: list[Transcript] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner, self.arbitrator = Signer(seed("owner")), Signer(seed("arbitrator"))
        self.respondent, self.stranger = Signer(seed("respondent")), Signer(seed("stranger"))
        self.log_signer = Signer(seed("log"))
        self.log = Log.create(self.path / "registry.db", "log.test/1", self.log_signer, profile=WMPROTO_1)
        key, leaves = make_key(self.owner, n=self.n, classes=self.classes)
        self.before_key()
        receipt = self.log.submit("key", key.envelope)
        self.active: ActivatedKey = activate(key, receipt, self.log.key, commitment=leaves)
        self.key = key

    def before_key(self) -> None:
        """Hook: what stands in the log below the key."""

    @property
    def claimant(self) -> Claimant:
        return Claimant(self.key, self.active.commitment, self.owner)

    @property
    def trust(self) -> Trust:
        return Trust(
            arbitrators=(self.arbitrator.public,),
            bits=0,
            format="wmproto/trust@v1",
            log=self.log.vkey,
            owners=(self.owner.public,),
            respondents=(self.respondent.public,),
        )

    def released(self, name: str = "released") -> Envelope:
        """A logged release under the key."""
        release = make_release(
            self.owner, key_id=self.key.key_id, beta=self.key.beta, receipt=self.active.receipt_bytes, name=name
        )
        self.log.submit("release", release)
        return release

    def thief(self, keeps: Callable[[int], bool] = lambda _: True) -> Known:
        """A suspect that keeps the marks of the leaves for which ``keeps`` says so."""
        return Known({x: y for i, x, y in self.active.marked() if keeps(i)}, self.classes)

    def stranger_model(self) -> Known:
        """A suspect that knows nothing of the labels."""
        return Known({}, self.classes)

    def labels(self) -> list[tuple[int, bool]]:
        """(label, ghost) of every leaf."""
        labels = Labels(self.key)
        keys = [self.active.commitment.leaf_key(i) for i in range(self.n)]
        return [(labels.label(i, k), labels.is_ghost(i, k)) for i, k in enumerate(keys)]

    def hold(
        self,
        suspect: Known,
        *,
        start: int = 0,
        count: int = 32,
        release: Envelope | None = None,
        model: bytes | None = None,
        resume: Transcript | None = None,
        arbitrator: Signer | None = None,
        policy: Policy = POLICY,
        save: Callable[[Transcript], None] | None = None,
    ) -> tuple[Outcome, Transcript]:
        """Hold a dispute; returns the verdict and the transcript."""
        self.saved = []
        outcome = hold(
            claimant=self.claimant,
            release=release,
            respondent=Respondent(self.respondent, "escrow"),
            arbitrator=Arbitrator(arbitrator or self.arbitrator, policy),
            log=self.log,
            model=model or seed("some model"),
            suspect=suspect,
            words="a suspect",
            start=start,
            count=count,
            save=save or self.saved.append,
            resume=resume,
        )
        return outcome, self.saved[-1] if self.saved else resume

    def leaf(self, kind: str, envelope: Envelope) -> bytes:
        """Leaf of a log entry."""
        return entry_leaf(WMPROTO_1, kind, envelope)
