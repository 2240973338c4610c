"""Golden files of profile wmproto/1: what users have kept is read for ever, and says the same (tests/compat/make_v1.py).

A failure here means that a change breaks evidence that exists. The files are never made again.
"""

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from wmproto.crypto.secretfile import open_secret
from wmproto.dispute.audit import audit
from wmproto.dispute.transcript import Transcript
from wmproto.dispute.trust import Trust
from wmproto.owner import KeyFolder
from wmproto.registry.copy import read_log_copy
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.release.modelfile import read_model
from wmproto.release.record import check_release_of, verify_release
from wmproto.wire.dsse import Envelope
from wmproto.wire.profile import WMPROTO_1

V1 = Path(__file__).parent / "v1"
EXPECTED = json.loads((V1 / "expected.json").read_text(encoding="utf-8"))
TRUST = Trust.parse((V1 / "trust.json").read_bytes())
LOG = LogKey.parse(TRUST.log)
PASSPHRASE = (V1 / "passphrase.txt").read_bytes().strip()


def envelope(name):
    data = (V1 / name).read_bytes()
    assert Envelope.parse(data).to_bytes() == data
    return Envelope.parse(data)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_transcript_has_the_verdict_it_had(name):
    data = (V1 / f"{name}.json").read_bytes()
    assert Transcript.parse(data).to_bytes() == data
    found = audit(data, trust=TRUST, log_copy=(V1 / "log-copy.jsonl").read_bytes())
    outcome, evidence = found.outcome, found.outcome.evidence
    assert {
        "evidence_log2": outcome.evidence_log2,
        "hits": evidence.wealth.hits,
        "leaves": evidence.asked,
        "verdict": outcome.verdict,
    } == EXPECTED[name]
    assert outcome.findings == ()
    assert found.log_size == 10


def test_there_is_a_transcript_for_every_verdict_of_this_version():
    assert {e["verdict"] for e in EXPECTED.values()} == {"DEPENDENT", "NOT SHOWN", "INADMISSIBLE"}


@pytest.mark.parametrize("name", ["owner", "developer", "arbitrator", "respondent", "log"])
def test_a_secret_file_opens(name):
    secret = open_secret((V1 / f"{name}.key").read_bytes(), PASSPHRASE)
    assert secret.role == ("owner" if name == "developer" else name)
    known = {"owner": TRUST.owners, "arbitrator": TRUST.arbitrators, "respondent": TRUST.respondents}
    known["log"] = (LOG.public,)
    if name in known:
        assert secret.signer().public in known[name]


def test_a_key_folder_is_activated_and_its_leaves_open():
    secret = open_secret((V1 / "owner.key").read_bytes(), PASSPHRASE)
    home = KeyFolder(V1 / "key", profile=WMPROTO_1)
    active = home.activated(secret, None)
    assert active.commitment.root == active.key.z.R
    marked = list(active.marked())
    # The labels of this key, in the order of its leaves: written down when the files were made.
    told = sha256(",".join(f"{i}:{y}" for i, _, y in marked).encode()).hexdigest()
    assert told == (V1 / "labels.sha256").read_text(encoding="ascii").strip()


def test_statement_receipt_and_release_verify():
    key = KeyFolder(V1 / "key", profile=WMPROTO_1).key()
    receipt = (V1 / "receipt.tlog-proof").read_bytes()
    assert Receipt.parse(receipt).to_bytes() == receipt
    assert verify_receipt(receipt, entry_leaf(WMPROTO_1, "key", key.envelope), LOG).index == 2
    release = verify_release(envelope("release.json"), profile=WMPROTO_1)
    check_release_of(release, key)
    proof = (V1 / "release.tlog-proof").read_bytes()
    assert verify_receipt(proof, entry_leaf(WMPROTO_1, "release", release.envelope), LOG).index == 3
    model = read_model((V1 / "marked.safetensors").read_bytes(), profile=WMPROTO_1)
    assert model.digest == release.release.model


def test_the_log_and_its_copy(tmp_path):
    shutil.copy(V1 / "registry.db", tmp_path)
    copy = read_log_copy((V1 / "log-copy.jsonl").read_bytes(), LOG, profile=WMPROTO_1)
    log = Log.open(tmp_path / "registry.db", profile=WMPROTO_1)
    try:
        assert [(kind, e) for _, kind, e in log.entries()] == list(copy.entries)
        assert log.vkey == TRUST.log
        signed = Log.open(
            tmp_path / "registry.db", open_secret((V1 / "log.key").read_bytes(), PASSPHRASE).signer(), profile=WMPROTO_1
        )
        key = KeyFolder(V1 / "key", profile=WMPROTO_1).key()
        assert signed.append("key", key.envelope).index == 2  # idempotent: found again
        signed.close()
    finally:
        log.close()


@pytest.mark.torch
@pytest.mark.parametrize("name", ["dependent", "not-shown"])
def test_the_weights_still_answer_what_they_answered(name):
    from wmproto.models import EscrowSuspect

    which = "marked" if name == "dependent" else "stranger"
    model = read_model((V1 / f"{which}.safetensors").read_bytes(), profile=WMPROTO_1)
    suspect = EscrowSuspect(model.data, model.architecture, profile=WMPROTO_1)
    found = audit((V1 / f"{name}.json").read_bytes(), trust=TRUST)
    steps = [json.loads(s.message.payload) for s in Transcript.parse((V1 / f"{name}.json").read_bytes()).steps]
    shown = {o["index"]: o["inputs"][0] for s in steps for o in s["predicate"].get("openings", ())}
    import base64

    for leaf in found.dispute.tally.opened:
        assert suspect.answer(base64.b64decode(shown[leaf.index])) == leaf.answer
