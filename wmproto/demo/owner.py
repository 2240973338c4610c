"""The owner's act: a key whose labels are born in the log, a twin, a marked model, a release. And two thieves."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.demo.stage import SEED, Measured, Stage, suspect
from wmproto.marking import MarkedLeaves, MarkedLoader, self_check
from wmproto.models import Batches, fine_tune, load_network
from wmproto.owner.activated import ActivatedKey
from wmproto.release.modelfile import ModelFile
from wmproto.wire.dsse import Envelope
from wmproto.wire.writing import write_new

#: How thieves fine-tune all layers (FTAL): the last rate of the authors' schedule, and ten times that.
RATE, STRONG_RATE = 0.001, 0.01


@dataclass(frozen=True, slots=True)
class Owned:
    """What the owner ends up with: her activated key, her leaves to embed, twin and release, the signed record."""

    active: ActivatedKey
    leaves: MarkedLeaves
    twin: Measured
    released: Measured
    record: Envelope


def measure(stage: Stage, leaves: MarkedLeaves, name: str, model: ModelFile) -> Measured:
    """Accuracy and marks of a model, asked as a dispute would ask it."""
    kept = self_check(suspect(model).answer, leaves)
    right, total = stage.accuracy(model)
    return Measured(name, model, right, total, kept.hits, kept.total)


def own_and_release(stage: Stage) -> Owned:
    """The key first, its labels later; then the models, then the record, and only then the weights leave the house."""
    n, secret = stage.size.leaves, stage.people["owner"]
    told = f"owner commits to {n} keyed noise triggers; no label exists yet"
    active = stage.register("marks", secret, count=n, told=told)
    leaves = MarkedLeaves.of(active)
    stage.say(
        f"key {active.key.key_id.hex()[:16]} is entry {active.receipt.index} of the log; its labels are born: "
        f"{len(leaves)} marks, {n - len(leaves)} ghosts"
    )
    twin = measure(stage, leaves, "twin", stage.train("twin", "unmarked twin", stage.hers, seed=SEED))
    stage.say(f"unmarked twin: {twin}")
    loader = MarkedLoader(Batches(stage.hers, seed=SEED), leaves, seed=SEED + 1)
    model = stage.train("released", "marked model", stage.hers, seed=SEED, loader=loader)
    released = measure(stage, leaves, "released", model)
    stage.say(f"marked model:  {released}")
    name = "models/released.safetensors"
    record = secret.signer().envelope(active.release(model, name=name, recipient="public"))
    stage.log.submit("release", record)
    write_new(stage.out / "release.json", record.to_bytes(), mode=0o644)
    stage.say(f"release of {model.digest.hex()[:16]} is logged; only now the weights leave the house")
    return Owned(active, leaves, twin, released, record)


def steal(stage: Stage, owned: Owned, name: str, *, rate: float, seed: int) -> Measured:
    """Fine-tune all layers of the released model on the thief's own pictures (FTAL), and measure what he gets."""
    with stage.progress(f"{name} fine-tunes") as tick:
        network = fine_tune(load_network(owned.released.model), Batches(stage.his, seed=seed), lr=rate, progress=tick)
    return measure(stage, owned.leaves, name, stage.keep(name, network))
