"""Makes tests/compat/v2 once and for all: see make_v1.py.

What came with witnesses: a log's database and a witness's state with cosignatures in them, a policy, a cosigned receipt,
a dispute under that policy, the log as files, what a monitor keeps, and evidence of a fork. Keys are drawn from names, so
that nothing here is a secret.

    python tests/compat/make_v2.py tests/compat/v2        refuses where the folder exists
"""

import json
import shutil
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ("dispute", "registry", "witness")]

from forge import ARBITRATOR, RESPONDENT, cast  # noqa: E402
from world import model_of, seed  # noqa: E402

from wmproto.crypto.signer import Signer  # noqa: E402
from wmproto.dispute.hold import hold  # noqa: E402
from wmproto.dispute.messages import Policy  # noqa: E402
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent  # noqa: E402
from wmproto.errors import InclusionError  # noqa: E402
from wmproto.registry.add_checkpoint import write_add_checkpoint  # noqa: E402
from wmproto.registry.checkpoint import verify_checkpoint  # noqa: E402
from wmproto.registry.cosignature import WitnessKey  # noqa: E402
from wmproto.registry.entry import entry_leaf  # noqa: E402
from wmproto.registry.heads import Heads  # noqa: E402
from wmproto.registry.log import Log  # noqa: E402
from wmproto.registry.memory import open_memory  # noqa: E402
from wmproto.registry.monitor import Monitor  # noqa: E402
from wmproto.registry.policy import LogPolicy  # noqa: E402
from wmproto.registry.publish import publish  # noqa: E402
from wmproto.registry.source import open_source  # noqa: E402
from wmproto.registry.witness import Witness  # noqa: E402
from wmproto.wire.profile import WMPROTO_1  # noqa: E402

LOG = Signer(seed("compat v2 log"))
NAMES = ("ann", "bob")


class Watched:
    """The log of a dispute, whose every checkpoint is cosigned before it is handed out."""

    def __init__(self, log, witnesses):
        self.log, self.witnesses, self.vkey = log, witnesses, log.vkey
        self.entries = log.entries

    def checkpoint(self):
        head = verify_checkpoint(self.log.checkpoint(()), self.log.key)
        for witness, heads in self.witnesses:
            old = heads.last(self.log.key).size
            body = write_add_checkpoint(old, self.log.consistency(old, head.size), self.log.checkpoint(()))
            answer = witness.add_checkpoint(body)
            assert answer.status == 200, answer
            self.log.keep_cosignatures(head.size, {witness.key: answer.body.decode()})
        return self.log.checkpoint()

    def submit(self, kind, envelope):
        self.checkpoint()
        return self.log.submit(kind, envelope)

    def receipts(self, leaves, size=None):
        self.checkpoint()
        return self.log.receipts(leaves, size)


def main(home):
    home.mkdir()
    log = Log.create(home / "registry.db", "log.compat.example/2", LOG)
    witnesses = []
    for number, name in enumerate(NAMES):
        signer = Signer(seed(f"compat v2 {name}"))
        heads = Heads.create(home / f"{name}.state", WitnessKey(f"{name}.compat.example", signer.public))
        witnesses.append((Witness(heads, signer, [log.key], lambda n=number: 1_790_000_000 + n), heads))
    lines = [f"log {log.key}", *(f"witness {n} {w.key}" for n, (w, _) in zip(NAMES, witnesses, strict=True))]
    (home / "policy").write_text("\n".join([*lines, "group both all ann bob", "quorum both", ""]))
    policy = LogPolicy.parse((home / "policy").read_bytes())
    watched, of = Watched(log, witnesses), cast(n=32, classes=1000)
    watched.submit("key", of.key.envelope)
    [receipt] = watched.receipts([entry_leaf(WMPROTO_1, "key", of.key.envelope)])
    (home / "key.tlog-proof").write_bytes(receipt)
    (home / "key.json").write_bytes(of.key.envelope.to_bytes())
    log.close()  # so that all is in the one file
    shutil.copy(home / "registry.db", home / "backup.db")
    release = of.unlogged_release(receipt=receipt)
    watched.submit("release", release)
    saved = []
    outcome = hold(
        claimant=Claimant(of.key, of.leaves, of.owner),
        release=release,
        respondent=Respondent(RESPONDENT, "escrow"),
        arbitrator=Arbitrator(ARBITRATOR, Policy(bits=0, suspects_log2=24)),
        log=watched,
        model=model_of(release),
        suspect=of.known(of.thief()),
        words="a suspect",
        start=0,
        count=32,
        save=saved.append,
        policy=policy,
    )
    assert outcome.verdict == "DEPENDENT"
    (home / "dependent.json").write_bytes(saved[-1].to_bytes())
    trust = of.trust.model_dump(mode="json") | {"log": log.vkey}
    (home / "trust.json").write_text(json.dumps(trust, indent=1) + "\n")
    watched.checkpoint()
    log.export(home / "log-copy.jsonl")
    publish(log, home / "public")
    forked = Log.open(home / "backup.db", LOG)
    forked.submit("release", of.unlogged_release("other", receipt=receipt))
    publish(forked, home / "forked")
    with open_memory(home / "seen", [log.key]) as memory:
        Monitor(open_source(str(home / "public")), policy, memory).update()
    shutil.copytree(home / "seen", home / "convicted")
    with open_memory(home / "convicted", [log.key]) as memory:
        try:
            Monitor(open_source(str(home / "forked")), policy, memory).update()
        except InclusionError:
            next((home / "convicted").glob("fork-*")).rename(home / "fork.json")
    for closing in (log, forked, *(heads for _, heads in witnesses)):
        closing.close()
    (home / "backup.db").unlink()
    for folder in ("forked", "convicted"):
        shutil.rmtree(home / folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
