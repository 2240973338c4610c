"""The acts in their order."""

from __future__ import annotations

from wmproto.demo.disputes import dispute, recheck, write_trust
from wmproto.demo.liar import claim_by_the_paper, prepare
from wmproto.demo.owner import RATE, STRONG_RATE, measure, own_and_release, steal
from wmproto.demo.page import write_page
from wmproto.demo.stage import PROFILE, SEED, Stage

EXPECTED: dict[str, str | None] = {
    "released": "DEPENDENT",
    "thief": "DEPENDENT",
    "stranger": "NOT SHOWN",
    "strong-thief": None,  # the honest limit: how much he leaves depends on his recipe
    "liar": "NOT SHOWN",
}

#: What the claimant calls each suspect.
TITLES = {
    "released": "a copy of the release",
    "thief": "the thief's model",
    "stranger": "the stranger's model",
    "strong-thief": "the stronger thief's model",
    "liar": "the liar's claim to the stranger's model",
}


def tell(stage: Stage) -> bool:
    """Play the story; returns whether every verdict is the expected one and every transcript passes its audit."""
    people, size = stage.people, stage.size
    owned = own_and_release(stage)
    thief = steal(stage, owned, "thief", rate=RATE, seed=SEED + 2)
    stage.say(f"thief fine-tunes all layers on {len(stage.his)} pictures of his own: {thief}")
    strong = steal(stage, owned, "strong-thief", rate=STRONG_RATE, seed=SEED + 3)
    stage.say(f"a stronger thief does so at ten times the rate: {strong}")
    lie = prepare(stage)
    model = stage.train("stranger", "stranger's model", stage.strangers, seed=SEED + 4)
    stranger = measure(stage, owned.leaves, "stranger", model)
    stage.say(f"stranger trains on {len(stage.strangers)} pictures of her own: {stranger}")

    free, held = 0, {"liar"}
    for name, suspect, offered in (
        ("released", owned.released, size.offered),
        ("thief", thief, size.offered),
        ("stranger", stranger, size.stranger),
        ("strong-thief", strong, size.leaves),
    ):
        if free + PROFILE.round_leaves > size.leaves:
            stage.say(f"no leaves are left for a dispute over {TITLES[name]}")
            continue
        held.add(name)
        free = dispute(
            stage,
            name,
            TITLES[name],
            suspect.model,
            claimant=people["owner"],
            active=owned.active,
            record=owned.record,
            start=free,
            offered=offered,
        )
    by_the_paper = claim_by_the_paper(stage, lie, model)
    dispute(
        stage,
        "liar",
        TITLES["liar"],
        model,
        claimant=people["liar"],
        active=lie.active,
        record=None,
        start=0,
        offered=size.claims,
    )
    audits, good = recheck(stage, write_trust(stage), {name: EXPECTED[name] for name in EXPECTED if name in held})
    write_page(
        stage, audits, TITLES, [owned.twin, owned.released, thief, strong, stranger], (by_the_paper, size.claims)
    )
    stage.say(f"look at it:  {stage.out}/report.html")
    stage.say(f"recheck one: wmproto dispute audit {stage.out}/disputes/thief.json --trust {stage.out}/trust.json")
    complete = all(verdict is None or name in held for name, verdict in EXPECTED.items())
    return good and complete and by_the_paper.accepted
