"""specs/vectors/dispute.json through wmproto.dispute: audits, what is taken, links, and whole disputes played again."""

import hashlib

import pytest
from vectorfile import VECTORS, cases, check, patched

from wmproto.commitment.builder import Commitment, commit, key_payload
from wmproto.commitment.labels import Labels
from wmproto.commitment.statement import InputSpec, verify_key
from wmproto.crypto.signer import Signer
from wmproto.crypto.tree import MerkleTree
from wmproto.dispute.admission import counted, first_free
from wmproto.dispute.audit import audit
from wmproto.dispute.chain import link, link_logged
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Policy, Settings
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.session import TRANSCRIPT
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import Receipt
from wmproto.registry.writing import sign_note, write_log_copy
from wmproto.release.architecture import architecture_bytes, parse_architecture
from wmproto.release.payload import release_payload
from wmproto.release.record import Release, TensorEntry
from wmproto.release.tensors import TensorDigest, model_digest
from wmproto.triggers.noise import noise_input
from wmproto.verdict.tail import ghost_tail
from wmproto.wire.canonical import canonical_json, parse_json
from wmproto.wire.compose import compose_envelope
from wmproto.wire.dsse import Envelope
from wmproto.wire.framing import frame, sha256
from wmproto.wire.profile import WMPROTO_1
from wmproto.wire.schema import encode_b64

h = bytes.fromhex
P = WMPROTO_1


class Objects:
    """The signed objects of the file, by name."""

    def __init__(self, shared):
        self.shared, self._payloads, self._made = shared, {}, {}

    def payload(self, name):
        one = self.shared["objects"][name]
        if name not in self._payloads:
            base = self.payload(one["like"]) if "like" in one else one["payload"]
            self._payloads[name] = self._embedded(patched(base, one.get("set", {})))
        return self._payloads[name]

    def _embedded(self, value):
        file = value["predicate"].get("file") if isinstance(value["predicate"], dict) else None
        if isinstance(file, dict) and "object" in file:
            inner = self.json(file["object"])
            return value | {"predicate": value["predicate"] | {"file": inner}}
        return value

    def json(self, name):
        """The envelope as JSON, unchecked."""
        if name not in self._made:
            one = self.shared["objects"][name]
            payload = canonical_json(self.payload(name))
            if one.get("space"):
                payload = payload.replace(b",", b", ", 1)
            self._made[name] = {
                "payload": encode_b64(payload),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"keyid": self.shared["parties"][one["by"]]["public"], "sig": one["sig"]}],
            }
        return self._made[name]

    def envelope(self, name):
        return Envelope.parse(canonical_json(self.json(name)))

    def transcript(self, case):
        """The bytes of a case's transcript."""
        steps = [
            {
                "attached": [self.json(name) for name in attached],
                "message": self.json(message),
                "receipts": [encode_b64(self.text(name).encode()) for name in receipts],
            }
            for message, attached, receipts in case["transcript"]
        ]
        return canonical_json({"format": "wmproto/transcript@v1", "steps": steps})

    def text(self, name):
        value = self.shared["texts"][name]
        return value if isinstance(value, str) else value["text"] + self.text(value["and"])

    def log_copy(self, case):
        copy = case.get("log_copy")
        if copy is None:
            return None
        entries = [(kind, self.envelope(name)) for kind, name in copy["entries"]]
        note = self.text(copy["checkpoint"]).encode()
        return b"".join(write_log_copy(note, LogKey.parse(copy["vkey"]), entries))


def on_link(_, case):
    if "policy" in case:
        return {"digest": Policy(**case["policy"]).digest(P).hex()}
    if "settings" in case:
        settings = Settings.from_bytes(canonical_json(case["settings"]), what="settings", limit=1 << 16)
        return {"suspect": P.hash("suspect", h(case["model"]), b"", b"", settings.to_bytes()).hex()}
    previous = h(case["previous"])
    if "receipts" in case:
        return {"link": link_logged(P, previous, [h(r) for r in case["receipts"]]).hex()}
    envelope = compose_envelope(case["payload"].encode(), h(case["keyid"]), h(case["sig"]))
    return {"link": link(P, previous or None, envelope).hex()}


def on_taken(group, case):
    key = verify_key(OBJECTS.envelope(group["key_object"]), profile=P)
    entries = [(kind, OBJECTS.envelope(name)) for kind, name in case["entries"]]
    found = counted(entries, key=key, log=group["vkey"])
    return {"counted": [leaf.hex() for leaf in found], "free": first_free(found, P)}


def found_by(audited):
    """What the reference's judge tells, from an audit."""
    o, dispute = audited.outcome, audited.dispute
    e = o.evidence
    return {
        "bits": o.bits,
        "bound_log2": o.bound_log2,
        "evidence_log2": o.evidence_log2,
        "findings": sorted([f.rule, f.fault] for f in o.findings),
        "ghost_hits": e.ghost_hits,
        "ghost_log2": ghost_tail(e.wealth.m, e.ghosts, e.ghost_hits).ceil_log2,
        "ghosts": e.ghosts,
        "hits": e.wealth.hits,
        "leaves": e.asked,
        "link": dispute.link.hex(),
        "marked": e.wealth.n,
        "opened": [
            f"{leaf.index} {'ghost' if leaf.ghost else 'marked'} {leaf.label} {leaf.answer}"
            for leaf in (dispute.tally.opened if hasattr(dispute, "tally") else ())
        ],
        "problems": [problem.rule for problem in o.problems],
        "supported_log2": o.supported_log2,
        "unopened": e.unopened,
        "verdict": o.verdict,
    }


def on_transcript(_, case):
    data = OBJECTS.transcript(case)
    trust = Trust.parse(canonical_json(case["trust"])) if "trust" in case else None
    audited = audit(data, trust=trust, log_copy=OBJECTS.log_copy(case))
    assert Transcript.parse(data).to_bytes() == data
    found = found_by(audited)
    if case["expect"] == "ok" and "opened" not in case["steps"]:
        del found["opened"]
    return found


# --- whole disputes by the package's own parties, and the very same bytes ------------------------------------------


def seed(name):
    return hashlib.sha256(f"wmproto vectors: {name}".encode()).digest()


class MemoryLog:
    """The log of stories.py."""

    def __init__(self):
        self.signer, self.name = Signer(seed("log")), "log.example/1"
        self.key, self.held = LogKey(self.name, self.signer.public), []

    @property
    def vkey(self):
        return str(self.key)

    def leaves(self):
        return [entry_leaf(P, kind, e) for kind, e in self.held]

    def checkpoint(self):
        leaves = self.leaves()
        return sign_note(Checkpoint(self.name, len(leaves), MerkleTree(leaves).root).text, self.name, self.signer)

    def receipts(self, leaves, size=None):
        assert size is None
        tree, note = MerkleTree(self.leaves()), self.checkpoint()
        return [Receipt(at, tree.path(at), note).to_bytes() for at in map(self.leaves().index, leaves)]

    def submit(self, kind, envelope):
        self.held.append((kind, envelope))
        return self.receipts([entry_leaf(P, kind, envelope)])[0]

    def entries(self, kind=None, subject=None):
        out = [(i, k, e) for i, (k, e) in enumerate(self.held) if kind in (None, k)]
        if subject is None:
            return out
        return [(i, k, e) for i, k, e in out if subject.hex() in e.payload.decode()]


class Answers:
    """suspect_answer of stories.py."""

    settings = {"batch": 1, "dtype": "float32", "libraries": [], "threads": 1}  # noqa: RUF012

    def __init__(self, number, key, commitment):
        self.number, self.key, self.at = number, key, {commitment.input(i): i for i in range(commitment.count)}
        self.commitment = commitment

    def answer(self, inputs):
        i = self.at[inputs]
        digest = hashlib.sha256(f"suspect {self.number} leaf {i}".encode()).digest()
        if digest[0] < 16:
            return None
        if digest[1] < (255, 230, 128, 16, 0)[self.number % 5]:
            return Labels(self.key).label(i, self.commitment.leaf_key(i))
        return int.from_bytes(digest[2:10], "big") % len(self.key.z.classes)


def release_of(name, owner, key, receipt):
    architecture = parse_architecture(
        {
            "grammar": "layers/1",
            "input": {"dtype": "uint8", "shape": [2, 2, 1]},
            "layers": [
                {"op": "affine", "scale": [[1, 255]], "shift": [[0, 1]]},
                {"op": "flatten"},
                {"bias": False, "features": 1000, "op": "linear"},
            ],
        }
    )
    data = seed(f"weights {name}") * 500
    leaf = sha256(b"\x00" + frame(P.tag("tensor"), "2.weight", "F32", frame(1000, 4), data))
    tensor = TensorDigest("2.weight", "F32", (1000, 4), leaf)
    release = Release(
        architecture=parse_json(architecture_bytes(architecture), what="test", limit=1 << 20),
        beta=key.beta,
        key_id=key.key_id,
        key_receipt=receipt,
        model=model_digest(architecture, [tensor]),
        owner=owner.public,
        profile=P.name,
        recipient="public",
        salt=None,
        tensors=(TensorEntry(digest=leaf, dtype="F32", name="2.weight", shape=(1000, 4)),),
    )
    return owner.envelope(release_payload(release, {f"{name}.safetensors": sha256(name.encode())}))


def play_all():
    """Transcripts and verdicts of the accumulated plays."""
    owner, arbitrator, respondent = (Signer(seed(name)) for name in ("owner", "arbitrator", "respondent"))
    spec = InputSpec(dtype="uint8", kind="image", shape=(2, 2, 1))
    for w in range(4):
        name, log, keyctx = f"play {w}", MemoryLog(), seed(f"play {w} keyctx")
        leaves = Commitment(
            profile=P,
            master=seed(f"{name} master"),
            keyctx=keyctx,
            count=64,
            spec=spec,
            source=lambda _i, s: noise_input(P, s, (2, 2, 1)),
        )
        classes = [str(c) for c in range((1000, 1000, 4096, 300)[w])]
        z = commit(leaves, profile=P, keyctx=keyctx, spec=spec, classes=classes, owner=owner.public)
        key = verify_key(owner.envelope(key_payload(z, P)), profile=P)
        receipt = log.submit("key", key.envelope)
        release = release_of(name, owner, key, receipt)
        log.submit("release", release)
        start = 0
        for count, number in ((32, 5 * w), (16, 5 * w + 2), (64, 5 * w + 1)):
            count = min(count, 64 - start)
            if not count:
                continue
            saved = []
            outcome = hold(
                claimant=Claimant(key, leaves, owner),
                release=release if w % 2 else None,
                respondent=Respondent(respondent, "escrow"),
                arbitrator=Arbitrator(arbitrator, Policy(bits=0, suspects_log2=24)),
                log=log,
                model=seed(f"suspect {number}"),
                suspect=Answers(number, key, leaves),
                words="a suspect",
                start=start,
                count=count,
                save=saved.append,
            )
            rounds = sum(b'"predicateType":"tag:wmproto,2025:ask/1"' in s.message.payload for s in saved[-1].steps)
            start += 16 * rounds
            yield outcome, saved[-1]


PLAYED = []


def played():
    if not PLAYED:
        PLAYED.extend(play_all())
    return PLAYED


def on_plays(_, case):
    assert [outcome.verdict for outcome, _ in played()] == case["verdicts"]
    digest = hashlib.sha256()
    for _, transcript in played():
        digest.update(transcript.to_bytes())
    return {"digest": digest.hexdigest()}


def on_prefixes(_, case):
    digest = hashlib.sha256()
    for _, transcript in played():
        for n in range(1, len(transcript.steps) + 1):
            steps = transcript.steps[:n]
            digest.update(line(Transcript(format=TRANSCRIPT, steps=steps)))
            if steps[-1].receipts:
                digest.update(
                    line(
                        Transcript(
                            format=TRANSCRIPT, steps=(*steps[:-1], steps[-1].model_copy(update={"receipts": ()}))
                        )
                    )
                )
    return {"digest": digest.hexdigest()}


def line(transcript):
    found = found_by(audit(transcript.to_bytes()))
    numbers = [found[name] for name in ("leaves", "marked", "hits", "ghosts", "ghost_hits", "evidence_log2")]
    rules = ",".join(rule for rule, _ in found["findings"])
    words = [found["verdict"], *numbers, len(found["problems"]), rules, found["link"]]
    return (" ".join(map(str, words)) + "\n").encode()


HANDLERS = {
    "link": on_link,
    "taken": on_taken,
    "transcript": on_transcript,
    "false": on_transcript,
    "inadmissible": on_transcript,
    "plays-accumulated": on_plays,
    "prefixes-accumulated": on_prefixes,
}
SHARED = parse_json((VECTORS / "dispute.json").read_bytes(), what="dispute.json", limit=1 << 20)
OBJECTS = Objects(SHARED)


@pytest.mark.parametrize(("handler", "group", "case"), cases("dispute", HANDLERS, {"objects", "parties", "texts"}))
def test_dispute(handler, group, case):
    check(handler, group, case)


def test_no_object_or_text_is_left_over():
    used = {name for group in SHARED["groups"] for case in group["tests"] for name in names(case)}
    used |= {name for group in SHARED["groups"] for name in names(group)}
    used |= {name for text in SHARED["texts"].values() if isinstance(text, dict) for name in names(text)}
    used |= {one["like"] for one in SHARED["objects"].values() if "like" in one}
    used |= {name for one in SHARED["objects"].values() for name in names(one.get("set", {}))}
    used |= {name for one in SHARED["objects"].values() for name in names(one.get("payload", {}))}
    assert set(SHARED["objects"]) <= used
    assert set(SHARED["texts"]) <= used
    assert {one["by"] for one in SHARED["objects"].values()} <= set(SHARED["parties"])
    for party in SHARED["parties"].values():
        assert Signer(h(party["seed"])).public.hex() == party["public"]


def names(value):
    """Every string in a piece of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)
