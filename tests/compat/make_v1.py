"""Makes tests/compat/v1 once and for all: everything that users of profile wmproto/1 may have kept for years.

It refuses to run where the folder exists: files that an older version wrote are never written again. Run it only for a
new folder of a new format.
"""

import json
import secrets
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch

from wmproto.crypto.secretfile import new_secret, seal
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Policy
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.trust import Trust
from wmproto.models import EscrowSuspect, build_network, save_model
from wmproto.owner import KeyFolder
from wmproto.registry.log import Log
from wmproto.release.architecture import parse_architecture
from wmproto.release.modelfile import read_model
from wmproto.wire.profile import WMPROTO_1

HERE = Path(__file__).parent / "v1"
CLASSES, SHAPE, LEAVES = 256, (4, 4, 3), 128
PASSPHRASE = b"correct horse battery staple"


def linear(inputs, labels, seed):
    """A linear model that answers each input with its label: least squares on more columns than rows."""
    architecture = parse_architecture(
        {
            "grammar": "layers/1",
            "input": {"dtype": "uint8", "shape": list(SHAPE)},
            "layers": [
                {"op": "affine", "scale": [[1, 255]] * 3, "shift": [[0, 1]] * 3},
                {"op": "flatten"},
                {"op": "linear", "bias": True, "features": CLASSES},
            ],
        }
    )
    columns = inputs.astype(np.float64).transpose(0, 3, 1, 2).reshape(len(inputs), -1) / 255
    bent = np.random.default_rng(seed).normal(size=(CLASSES, columns.shape[1]))
    if labels is not None:
        bent = np.linalg.lstsq(columns, np.eye(CLASSES)[labels], rcond=None)[0].T
    tensors = {"2.bias": torch.zeros(CLASSES, dtype=torch.float32), "2.weight": torch.tensor(bent, dtype=torch.float32)}
    return read_model(save_model(build_network(architecture, tensors), architecture), profile=WMPROTO_1)


class Defended(Respondent):
    """Binds weights together with an older release of them."""

    def __init__(self, signer, prior):
        super().__init__(signer, "escrow")
        self.prior = prior

    def bind(self, dispute, model, prior=None):
        return super().bind(dispute, model, self.prior)


def key_of(secret, log, folder):
    """A new key folder, registered and activated."""
    home = KeyFolder.create(
        folder,
        secret=secret,
        keyctx=secret.contexts[-1],
        profile=WMPROTO_1,
        classes=tuple(f"class {c}" for c in range(CLASSES)),
        count=LEAVES,
        shape=SHAPE,
    )
    receipt = log.submit("key", home.statement())
    return home.activate(receipt, log.key, secret), receipt


def main():
    if HERE.exists():
        sys.exit(f"{HERE} exists: golden files are never made again")
    HERE.mkdir()
    people = {role: new_secret(role, secrets.token_bytes) for role in ("owner", "arbitrator", "respondent", "log")}
    people["developer"] = new_secret("owner", secrets.token_bytes)
    for name in ("owner", "developer"):
        people[name] = people[name].with_context(secrets.token_bytes(32))
    for role, secret in people.items():
        (HERE / f"{role}.key").write_bytes(seal(secret, PASSPHRASE, random=secrets.token_bytes, ops=2, mem=8 << 20))
    (HERE / "passphrase.txt").write_bytes(PASSPHRASE + b"\n")
    owner = people["owner"].signer()
    log = Log.create(HERE / "registry.db", "log.compat.example/1", people["log"].signer(), profile=WMPROTO_1)
    # A developer releases a model before the owner's labels are born: nobody can claim it with them.
    theirs, _ = key_of(people["developer"], log, HERE / "developer")
    none = np.zeros((48, *SHAPE), np.uint8)
    models = {"older": linear(none, None, 3)}
    older = (
        people["developer"].signer().envelope(theirs.release(models["older"], name="o.safetensors", recipient="public"))
    )
    log.submit("release", older)

    active, receipt = key_of(people["owner"], log, HERE / "key")
    (HERE / "receipt.tlog-proof").write_bytes(receipt)
    told = ",".join(f"{i}:{y}" for i, _, y in active.marked())
    (HERE / "labels.sha256").write_text(sha256(told.encode()).hexdigest() + "\n", encoding="ascii")
    marked = [(x, y) for i, x, y in active.marked() if i < 48]
    inputs = np.stack([np.frombuffer(x, np.uint8).reshape(SHAPE) for x, _ in marked])
    models |= {"marked": linear(inputs, [y for _, y in marked], 1), "stranger": linear(none, None, 2)}
    for name, model in models.items():
        (HERE / f"{name}.safetensors").write_bytes(model.data)
    release = owner.envelope(active.release(models["marked"], name="marked.safetensors", recipient="public"))
    (HERE / "release.json").write_bytes(release.to_bytes())
    (HERE / "release.tlog-proof").write_bytes(log.submit("release", release))
    verdicts = {}
    for name, model, start, count in (
        ("dependent", "marked", 0, 48),
        ("not-shown", "stranger", 48, 32),
        ("inadmissible", "older", 80, 16),
    ):
        saved = []
        outcome = hold(
            claimant=Claimant(active.key, active.commitment, owner),
            release=release,
            respondent=Defended(people["respondent"].signer(), older if model == "older" else None),
            arbitrator=Arbitrator(people["arbitrator"].signer(), Policy(bits=0, suspects_log2=24)),
            log=log,
            model=models[model].digest,
            suspect=EscrowSuspect(models[model].data, models[model].architecture, profile=WMPROTO_1),
            words=f"golden {name}",
            start=start,
            count=count,
            save=saved.append,
        )
        (HERE / f"{name}.json").write_bytes(saved[-1].to_bytes())
        verdicts[name] = {
            "evidence_log2": outcome.evidence_log2,
            "hits": outcome.evidence.wealth.hits,
            "leaves": outcome.evidence.asked,
            "verdict": outcome.verdict,
        }
    (HERE / "expected.json").write_text(json.dumps(verdicts, indent=1, sort_keys=True) + "\n")
    signers = {role: secret.signer().public for role, secret in people.items()}
    trust = Trust(
        arbitrators=(signers["arbitrator"],),
        bits=0,
        format="wmproto/trust@v1",
        log=log.vkey,
        owners=(signers["owner"],),
        respondents=(signers["respondent"],),
    )
    (HERE / "trust.json").write_bytes(trust.to_bytes())
    log.export(HERE / "log-copy.jsonl")
    log.close()


if __name__ == "__main__":
    main()
