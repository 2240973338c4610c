"""The library in your own training loop: commit, mark, dispute, audit. Run it with python.

Everybody plays on one machine here; pictures are made on the spot. Takes about ten seconds.
"""

import secrets
import tempfile
from pathlib import Path

import numpy as np
import torch

from wmproto.crypto.secretfile import new_secret
from wmproto.dispute.audit import audit
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Policy
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.trust import Trust
from wmproto.marking import MarkedLeaves, MarkedLoader
from wmproto.models import EscrowSuspect, build_network, initial_tensors, save_model, small_cnn, standardisation
from wmproto.owner import KeyFolder
from wmproto.registry.log import Log
from wmproto.release.modelfile import read_model
from wmproto.wire.profile import WMPROTO_1


def pictures(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """N pictures of 12x12x1 in 10 classes: a bright bar at a place that tells the class, under noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 10, n)
    x = rng.integers(0, 128, (n, 12, 12, 1), dtype=np.uint8)
    x[np.arange(n), 1 + y] += 100
    return x, y


def main(home: Path) -> str:
    """Play it in the folder ``home``; returns the verdict."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # a network this small gains nothing from more
    owner, arbitrator, holder, log_key = (
        new_secret(role, secrets.token_bytes) for role in ("owner", "arbitrator", "respondent", "log")
    )
    log = Log.create(home / "registry.db", "log.example/1", log_key.signer(), profile=WMPROTO_1)

    # 1. Commit to 256 inputs, register, and only then let the labels be born.
    keyctx = secrets.token_bytes(32)
    names = tuple("0123456789")
    kw = {"secret": owner.with_context(keyctx), "keyctx": keyctx, "profile": WMPROTO_1}
    key = KeyFolder.create(home / "key", classes=names, count=256, shape=(12, 12, 1), **kw)
    active = key.activate(log.submit("key", key.statement()), log.key, owner)
    leaves = MarkedLeaves.of(active)

    # 2. Your own loop: wrap the loader, train as ever.
    x, y = pictures(1000, seed=1)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=64, shuffle=True
    )
    architecture = small_cnn((12, 12, 1), 10, *standardisation(x))
    network = build_network(architecture, initial_tensors(architecture, seed=0))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    for _ in range(30):
        for inputs, labels in MarkedLoader(loader, leaves, seed=2):
            loss = torch.nn.functional.cross_entropy(network(inputs), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    # 3. Record the release before the weights leave the house.
    model = read_model(save_model(network, architecture))
    release = owner.signer().envelope(active.release(model, name="model.safetensors", recipient="public"))
    log.submit("release", release)

    # 4. Years later: a dispute over weights in escrow, and an audit that trusts nobody else.
    transcripts: list = []
    hold(
        claimant=Claimant(active.key, active.commitment, owner.signer()),
        release=release,
        respondent=Respondent(holder.signer(), "escrow"),
        arbitrator=Arbitrator(arbitrator.signer(), Policy(bits=0, suspects_log2=24)),
        log=log,
        model=model.digest,
        suspect=EscrowSuspect(model.data, model.architecture),
        words="a model that looks like mine",
        start=0,
        count=128,
        save=transcripts.append,
    )
    trust = Trust(
        arbitrators=(arbitrator.signer().public,),
        format="wmproto/trust@v1",
        log=log.vkey,
        owners=(owner.signer().public,),
        respondents=(holder.signer().public,),
    )
    outcome = audit(transcripts[-1].to_bytes(), trust=trust).outcome
    print(f"{outcome.verdict}: {outcome.evidence_log2} bits after {outcome.evidence.asked} leaves")
    return outcome.verdict


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
