"""Whole small disputes, played by parties that follow from their names."""

import hashlib

import commitment
import dispute
import ed25519
import registry
import release as releases
import triggers
from encoding import PROFILE, b64, sha256
from vectors import seed

OWNER, ARBITRATOR, RESPONDENT = seed("owner"), seed("arbitrator"), seed("respondent")
STRANGER, LOG = seed("stranger"), seed("log")
LOG_NAME = "log.example/1"
POLICY = {"bits": 0, "suspects_log2": 24}
SETTINGS = {"batch": 1, "dtype": "float32", "libraries": [], "threads": 1}
SHAPE = [2, 2, 1]
ARCHITECTURE = {
    "grammar": "layers/1",
    "input": {"dtype": "uint8", "shape": SHAPE},
    "layers": [
        {"op": "affine", "scale": [[1, 255]], "shift": [[0, 1]]},
        {"op": "flatten"},
        {"bias": False, "features": 1000, "op": "linear"},
    ],
}


def public(name_seed):
    return ed25519.public(name_seed).hex()


class World:
    """A key of n leaves and a log that holds it."""

    def __init__(self, n=32, classes=1000, name="world"):
        self.n, self.classes, self.name = n, classes, name
        self.master, self.keyctx = seed(f"{name} master"), seed(f"{name} keyctx")
        self.inputs = [triggers.noise(triggers.seed(self.master, self.keyctx, i), *SHAPE) for i in range(n)]
        self.keys = [commitment.leaf_key(self.master, self.keyctx, i) for i in range(n)]
        names = [str(c) for c in range(classes)]
        z = commitment.make_z(ed25519.public(OWNER), self.keyctx, self.inputs, names, SHAPE, self.keys)
        self.hashes = [sha256(commitment.inputs_bytes([x])) for x in self.inputs]
        self.leaves = [commitment.leaf(self.keyctx, i, self.keys[i], self.hashes[i]) for i in range(n)]
        self.signed = commitment.sign(OWNER, commitment.z_payload(z))
        self.key = commitment.verify_key(self.signed)
        self.key_id, self.beta = self.key["key_id"], self.key["beta"]
        self.key_entry = registry.entry_leaf("key", self.signed)
        self.log = registry.Log(LOG_NAME, LOG)

    def submit(self, kind, signed):
        """Append to the log; returns the receipt."""
        return self.log.receipt(self.log.append(kind, signed))

    def register(self):
        self.key_receipt = self.submit("key", self.signed)

    def latest(self, leaf):
        """The receipt of an entry under the latest checkpoint, in base64: with it no two filings are alike."""
        return b64(self.log.receipt(self.log.index(leaf)))

    def labels(self, i):
        """(label, ghost)"""
        k = self.keys[i]
        y = commitment.label(self.key_id, self.beta, i, k, self.classes)
        return y, commitment.ghost(self.key_id, self.beta, i, k)

    def release(self, name="released", by=OWNER, **change):
        """A signed release of made-up weights that follow from the name; (signed, h_f)."""
        tensors = [releases.tensor_entry("2.weight", [1000, 4], seed(f"weights {name}") * 500)]
        fields = releases.make_release(
            ed25519.public(by), self.key_id, self.beta, self.key_receipt, ARCHITECTURE, tensors
        )
        fields |= change
        files = [(f"{name}.safetensors", sha256(name.encode()))]
        return commitment.sign(by, releases.release_payload(fields, files)), bytes.fromhex(fields["model"])

    # --- messages ----------------------------------------------------------------------------------------------

    def file(self, release=None, start=0, count=32, arbitrator=ARBITRATOR, policy=POLICY, seed=OWNER, attached=None,
             **change):  # fmt: skip
        """A story that begins; ``release`` is a signed release that is in the log."""
        entry, receipt = None, None
        if release:
            leaf = registry.entry_leaf("release", release)
            entry, receipt = leaf.hex(), b64(self.log.receipt(self.log.index(leaf)))
        fields = {
            "access": "W",
            "arbitrator": public(arbitrator),
            "count": count,
            "key_entry": self.key_entry.hex(),
            "key_receipt": b64(self.key_receipt),
            "log": self.log.vkey,
            "policy": dispute.policy_digest(policy).hex(),
            "profile": PROFILE,
            "release_entry": entry,
            "release_receipt": receipt,
            "start": start,
            "suspect": "a suspect",
            "time_evidence": [],
        }
        story = dispute.Story(self.key_id)
        story.policy, story.arbitrator, story.start = policy, arbitrator, start
        story.named = [self.key_entry, *([bytes.fromhex(entry)] if entry else [])]
        if attached is None:
            attached = [self.signed, *([release] if release else [])]
        story.file = story.say("file", seed, attached, **fields | change)
        return story

    def bind(self, story, model, prior=None, seed=RESPONDENT, attached=None, **change):
        fields = {"adapter": None, "holder": "escrow", "map": None, "model": model.hex(), "prior": None}
        if prior:
            leaf = registry.entry_leaf("release", prior)
            fields["prior"] = leaf.hex()
            story.named.append(leaf)
        attached = ([prior] if prior else []) if attached is None else attached
        story.say("bind", seed, attached, **fields | change)
        return story

    def admit(self, story, earlier=(), log=None, seed=None, attached=None, **change):
        """``earlier``: (type, signed) of the earlier entries; ``log``: where the head is read."""
        leaves = [registry.entry_leaf(kind, signed) for kind, signed in earlier]
        fields = {
            "earlier": [leaf.hex() for leaf in leaves],
            "file": story.file,
            "head": (log or self.log).checkpoint(),
            "known_answers": [],
            "policy": story.policy,
            "settings": SETTINGS,
        }
        attached = [signed for _, signed in earlier] if attached is None else attached
        story.admitted = story.say("admit", seed or story.arbitrator, attached, **fields | change)
        story.admit_entry = registry.entry_leaf("admit", story.admitted)
        story.named = [story.admit_entry, *story.named, *leaves]
        return story

    def log_admit(self, story, log=None):
        """Log the admit and take up the receipts."""
        log = log or self.log
        if story.admit_entry not in log.leaves():
            log.append("admit", story.admitted)
        story.logged([log.receipt(log.index(leaf)) for leaf in story.named])
        return story

    def ask(self, story, r=0, **change):
        first = story.start + 16 * r
        leaves = [{"index": i, "inputs": self.hashes[i].hex()} for i in range(first, first + 16)]
        story.say("ask", OWNER, **{"leaves": leaves} | change)
        return story

    def answer(self, story, answers, **change):
        story.say("answer", story.arbitrator, **{"answers": answers} | change)
        return story

    def opening(self, i):
        return commitment.opening(i, self.inputs[i], self.keys[i], self.leaves)

    def open(self, story, r=0, openings=None, **change):
        first = story.start + 16 * r
        if openings is None:
            openings = [self.opening(i) for i in range(first, first + 16)]
        story.say("open", OWNER, **{"openings": openings} | change)
        return story

    def round(self, story, r, answers):
        return self.open(self.answer(self.ask(story, r), answers), r)

    def decide(self, story, rounds, verdict, seed=None, **change):
        fields = {"admit": story.admit_entry.hex(), "rounds": rounds, "verdict": verdict}
        story.decided = story.say("decide", seed or story.arbitrator, **fields | change)
        return story

    def log_decide(self, story, log=None):
        log = log or self.log
        if log is self.log or story.decided not in [signed for _, signed in log.entries]:
            log.append("decide", story.decided)
        index = log.index(registry.entry_leaf("decide", story.decided))
        story.logged([log.receipt(index), log.receipt(log.index(story.admit_entry))])
        return story

    # --- suspects ----------------------------------------------------------------------------------------------

    def thief(self, r, start=0):
        """Answers of round r by a model that keeps every mark; on a ghost it is wrong."""
        first = start + 16 * r
        out = []
        for i in range(first, first + 16):
            y, ghost = self.labels(i)
            out.append((y + 1) % self.classes if ghost else y)
        return out

    def stranger(self, r, start=0):
        """Answers of a model that knows nothing of the labels."""
        first = start + 16 * r
        return [int.from_bytes(self.hashes[i][:4], "big") % self.classes for i in range(first, first + 16)]


def suspect_answer(number, i, label, classes):
    """Suspect ``number`` on leaf i: the label for some leaves, silence for a few, else a hash."""
    h = hashlib.sha256(f"suspect {number} leaf {i}".encode()).digest()
    if h[0] < 16:
        return None
    if h[1] < (255, 230, 128, 16, 0)[number % 5]:
        return label
    return int.from_bytes(h[2:10], "big") % classes


def play(number, world, start, count, earlier, release=None):
    """One whole dispute of suspect ``number``; returns (story, verdict, the entries that count from now on)."""
    story = world.file(release, start, count, key_receipt=world.latest(world.key_entry))
    world.bind(story, seed(f"suspect {number}"))
    world.log_admit(world.admit(story, earlier))
    rounds, verdict, marked, hits = 0, "NOT SHOWN", 0, 0
    while rounds < count // 16 and verdict == "NOT SHOWN":
        first = start + 16 * rounds
        answers = []
        for i in range(first, first + 16):
            y, ghost = world.labels(i)
            answers.append(suspect_answer(number, i, y, world.classes))
            marked += not ghost
            hits += not ghost and answers[-1] == y
            if dispute.verdict.fires(world.classes, marked, hits, dispute.BITS):
                verdict = "DEPENDENT"
        world.round(story, rounds, answers)
        rounds += 1
    world.log_decide(world.decide(story, rounds, verdict))
    return story, verdict, [*earlier, ("admit", story.admitted), ("decide", story.decided)], start + 16 * rounds


def copy(story):
    """The same story so far, to be told on in another way."""
    other = dispute.Story(story.key_id, story.steps, story.chain)
    for name in ("policy", "arbitrator", "start", "named", "file", "admitted", "admit_entry", "decided"):
        if hasattr(story, name):
            value = getattr(story, name)
            setattr(other, name, list(value) if isinstance(value, list) else value)
    return other
