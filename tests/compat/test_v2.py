"""Golden files of the log with witnesses: what operators and auditors have kept is read for ever (tests/compat/make_v2.py).

A failure here means that a change breaks evidence that exists. The files are never made again.
"""

import shutil
from pathlib import Path

import pytest

from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust
from wmproto.registry.add_checkpoint import write_add_checkpoint
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.fork import verify_fork
from wmproto.registry.fsck import fsck
from wmproto.registry.heads import Heads
from wmproto.registry.log import Log
from wmproto.registry.memory import open_memory
from wmproto.registry.monitor import Monitor
from wmproto.registry.policy import LogPolicy
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.registry.source import open_source
from wmproto.registry.witness import Witness
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import WMPROTO_1

V2 = Path(__file__).parent / "v2"
POLICY = LogPolicy.parse((V2 / "policy").read_bytes())
[LOG] = POLICY.logs
SIZE = 4  # key, release, admit, decide


@pytest.fixture
def home(tmp_path):
    return Path(shutil.copytree(V2, tmp_path / "v2"))


def test_the_policy_means_what_it_meant():
    assert POLICY.digest.hex() == "290060d00506df930b6c16108b550fd41078f31f2091008f1af18b14117eba21"
    assert (list(POLICY.witnesses), POLICY.quorum, POLICY.groups["both"].k) == (["ann", "bob"], "both", 2)


def test_a_cosigned_receipt_counts():
    data = (V2 / "key.tlog-proof").read_bytes()
    key = Envelope.parse((V2 / "key.json").read_bytes())
    assert verify_receipt(data, entry_leaf(WMPROTO_1, "key", key), LOG).index == 0
    assert POLICY.verify(Receipt.parse(data).note, strict=True).size == 1
    assert Receipt.parse(data).to_bytes() == data


def test_a_dispute_under_the_policy_has_the_verdict_it_had():
    data = (V2 / "dependent.json").read_bytes()
    assert Transcript.parse(data).to_bytes() == data
    trust = Trust.parse((V2 / "trust.json").read_bytes())
    found = audit(data, trust=trust, policy=POLICY, log_copy=(V2 / "log-copy.jsonl").read_bytes())
    assert (found.outcome.verdict, found.log_size, found.outcome.findings) == ("DEPENDENT", SIZE, ())


def test_the_log_opens_is_whole_and_has_its_cosignatures(home):
    log = Log.open(home / "registry.db")
    found = fsck(log, [Receipt.parse((V2 / "key.tlog-proof").read_bytes()).note])
    assert found.entries == SIZE
    assert POLICY.verify(log.checkpoint(), strict=True).size == SIZE
    log.close()


def test_a_witness_s_state_goes_on(home):
    for name, key in POLICY.witnesses.items():
        heads = Heads.open(home / f"{name}.state")
        assert (heads.key, heads.last(LOG).size) == (key, SIZE)
        assert heads.last(LOG).time >= 1_790_000_000
        heads.close()


def test_a_witness_still_refuses_what_it_refused(home):
    from world import seed

    heads = Heads.open(home / "ann.state")
    witness = Witness(heads, Signer(seed("compat v2 ann")), [LOG], lambda: 1)
    evidence = (V2 / "fork.json").read_bytes()
    import json

    both = [json.loads(evidence)[name].encode() for name in ("older", "newer")]
    statuses = sorted(
        witness.add_checkpoint(write_add_checkpoint(verify_checkpoint(n, LOG).size, (), n)).status for n in both
    )
    assert statuses == [200, 409]
    heads.close()


def test_the_files_and_the_monitor_s_state_go_together(home):
    with open_memory(home / "seen", [LOG]) as memory:
        assert memory.size == SIZE
        found = Monitor(open_source(str(home / "public")), POLICY, memory).update()
    assert (found.seen.size, found.new, found.bad, found.unwitnessed) == (SIZE, 0, (), None)
    with open_memory(home / "anew", [LOG]) as memory:
        found = Monitor(open_source(str(home / "public")), POLICY, memory).update()
    assert (found.seen.size, found.new, found.bad, found.unwitnessed) == (SIZE, SIZE, (), None)


def test_the_evidence_of_a_fork_convicts():
    fork = verify_fork((V2 / "fork.json").read_bytes(), LOG)
    assert (fork.older.size, fork.newer.size) == (2, SIZE)
