"""The liar's act: he marks nothing, and claims a model that he has never seen.

He registers pictures that models of this kind answer with labels of his choice. By the paper's rules, profile
``adi2018``, his claim is accepted: he chose the labels. By ``wmproto/1`` the very same pictures get their labels after
they are registered, and prove nothing.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from wmproto.attacks.claim.transferable import transferable_pictures
from wmproto.commitment.adi2018 import Decision, MarkingKey, VerificationKey, key_gen, sample_labels, verify
from wmproto.demo.stage import SEED, Stage, suspect
from wmproto.models import Batches, small_cnn, standardisation, trained
from wmproto.owner.activated import ActivatedKey
from wmproto.release.modelfile import ModelFile
from wmproto.triggers.folder import Pictures
from wmproto.wire.writing import write_new


@dataclass(frozen=True, slots=True)
class Lie:
    """What the liar registered, twice: the paper's two keys, and an activated key over the same pictures."""

    mk: MarkingKey
    vk: VerificationKey
    active: ActivatedKey


def prepare(stage: Stage) -> Lie:
    """Everything that the liar does before the model that he will claim exists."""
    size, classes = stage.size, len(stage.classes)
    architecture = small_cnn(stage.shape, classes, *standardisation(stage.his.x))
    ensemble = []
    with stage.progress("liar trains his own models") as tick:
        for n in range(size.ensemble):
            seed = SEED + 100 + n
            loader = Batches(stage.his, seed=seed)
            ensemble.append(trained(architecture, loader, seed=seed, epochs=size.ensemble_epochs))
            tick(n + 1, size.ensemble)
    chosen = sample_labels([b""] * size.claims, classes, random=secrets.token_bytes)
    with stage.progress("liar optimises his pictures") as tick:
        x = transferable_pictures(ensemble, chosen, seed=SEED + 200, steps=size.steps, progress=tick)
    pictures = Pictures(shape=stage.shape, raw=tuple(one.tobytes() for one in x))
    stage.say(
        f"liar trains {size.ensemble} models of his own and optimises {size.claims} pictures on them, each to a label "
        "that he chose"
    )
    mk, vk = key_gen(pictures.raw, chosen, random=secrets.token_bytes)
    published = {name: [c.hex() for c in getattr(vk, name)] for name in ("inputs", "labels")}
    write_new(stage.out / "liar-adi2018.json", json.dumps(published, indent=1).encode(), mode=0o644)
    active = stage.register("lie", stage.people["liar"], count=size.claims, pictures=pictures)
    stage.say(
        f"liar publishes commitments to pictures and labels (adi2018), and commits the same pictures as key "
        f"{active.key.key_id.hex()[:16]} (wmproto/1), whose labels are born now"
    )
    return Lie(mk, vk, active)


def claim_by_the_paper(stage: Stage, lie: Lie, model: ModelFile) -> Decision:
    """The claim under ``adi2018``, against a model that its maker trained after the liar had registered."""
    decision = verify(lie.mk, lie.vk, suspect(model).answer)
    n = len(lie.mk.inputs)
    stage.say(
        f"liar claims the stranger's model by the paper's rules (adi2018): "
        f"{'ACCEPTED' if decision.accepted else 'REFUSED'}, {n - decision.misses} of {n} labels hit, "
        f"{decision.allowed} misses are allowed"
    )
    return decision
