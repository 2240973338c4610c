"""The court of the games says what a real dispute with its audit says, and what Verify says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import Policy
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.games.keys import Adi2018Key, Wmproto1Key, drawn, noise_inputs
from wmproto.registry.log import Log
from wmproto.suspects.oracle import CallableSuspect
from wmproto.verdict.closed_form import fires, floor_log2_evidence
from wmproto.wire.profile import WMPROTO_1

pytestmark = pytest.mark.torch
SHAPE, CLASSES = (4, 4, 1), 10
KEY = Wmproto1Key(noise_inputs(1, 128, SHAPE), shape=SHAPE, classes=CLASSES, seed=1)
LABELS = dict(zip(KEY.inputs, KEY.labels.tolist(), strict=True))


def knows(share, *, seed=0):
    """A suspect that answers that share of the labels."""
    knowing = np.random.default_rng(seed).random(len(KEY.inputs)) < share
    known = {x for x, k in zip(KEY.inputs, knowing, strict=True) if k}
    return lambda x: LABELS[x] if x in known else (LABELS.get(x, 0) + 1) % CLASSES


@pytest.mark.parametrize(("share", "start", "count"), [(1.0, 0, 128), (0.7, 16, 112), (0.9, 32, 96), (0.0, 0, 32)])
def test_a_real_dispute_with_its_audit_counts_the_same(share, start, count, tmp_path):
    answer = knows(share)
    log = Log.create(tmp_path / "log.db", "log.example/1", Signer(bytes([9]) * 32), profile=WMPROTO_1)
    log.submit("key", KEY._key.envelope)
    transcripts = []
    outcome = hold(
        claimant=Claimant(KEY._key, KEY._leaves, Signer(drawn(1, "owner", "owner"))),
        release=None,
        respondent=Respondent(Signer(bytes([8]) * 32), "escrow"),
        arbitrator=Arbitrator(Signer(bytes([7]) * 32), Policy(bits=0, suspects_log2=24)),
        log=log,
        model=bytes(32),
        suspect=CallableSuspect(lambda x: answer(x.tobytes()), classes=CLASSES, shape=SHAPE),
        words="a model",
        start=start,
        count=count,
        save=transcripts.append,
    )
    found = KEY.rule(answer, start=start, count=count)
    assert audit(transcripts[-1].to_bytes()).outcome.verdict == outcome.verdict == found.verdict
    assert outcome.bits == KEY.bits == 160
    if found.accepted:
        assert found.leaves == outcome.evidence.asked
        assert outcome.evidence_log2 >= 160
    else:
        assert found.leaves is None
        assert (found.hits, found.marks) == (outcome.evidence.wealth.hits, outcome.evidence.wealth.n)
        assert (found.ghost_hits, found.ghosts) == (outcome.evidence.ghost_hits, outcome.evidence.ghosts)
        assert found.bits == outcome.evidence_log2


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 1), st.integers(0, 7), st.integers(1, 8), st.integers(0, 1000))
def test_bits_and_verdict_are_those_of_the_closed_form(share, first, rounds, seed):
    start, count = 16 * first, 16 * min(rounds, 8 - first)
    found = KEY.rule(knows(share, seed=seed), start=start, count=count)
    assert found.marks + found.ghosts == found.asked == count
    assert found.bits == floor_log2_evidence(CLASSES, found.marks, found.hits)
    assert found.accepted >= fires(CLASSES, found.marks, found.hits, 160)  # it may have stood before the end


def test_off_the_grid_nothing_is_heard():
    for start, count in ((8, 16), (0, 8), (0, 0), (16, 128), (-16, 16)):
        with pytest.raises(ValueError, match="grid"):
            KEY.rule(knows(1.0), start=start, count=count)


def test_only_the_owners_openings_open():
    forged = KEY.opened()
    assert KEY.rule(LABELS.get, forgery=forged) == KEY.rule(LABELS.get)
    salts = (bytes(32), *forged.salts[1:])
    assert KEY.rule(LABELS.get, forgery=type(forged)(forged.inputs, forged.labels, salts)).asked == 128
    nothing = type(forged)(forged.inputs, forged.labels, (bytes(32),) * 128)
    assert KEY.rule(LABELS.get, forgery=nothing).hits == 0


def test_adi2018_is_its_verify():
    key = Adi2018Key(noise_inputs(2, 50, SHAPE), shape=SHAPE, classes=CLASSES, seed=1)
    labels = dict(zip(key.inputs, key.labels.tolist(), strict=True))

    def misses(n):
        wrong = set(key.inputs[:n])
        return lambda x: (labels[x] + 1) % CLASSES if x in wrong else labels[x]

    assert key.rule(misses(5)).accepted
    assert not key.rule(misses(6)).accepted
    assert key.rule(misses(0)).bits == 166  # 50 labels of 10 classes: 50 * log2(10)
    assert key.rule(misses(6)).verdict == "REFUSED"
    forged = key.opened()
    assert key.rule(misses(0), forgery=forged).accepted
    assert not key.rule(misses(0), forgery=type(forged)(forged.inputs, forged.labels, (bytes(64),) * 50)).accepted


def test_adi2018_refuses_a_label_that_is_the_true_one():
    inputs = noise_inputs(2, 50, SHAPE)
    key = Adi2018Key(
        inputs, shape=SHAPE, classes=CLASSES, seed=1, labels=[3] * 50, truth=lambda x: 3 if x == inputs[7] else None
    )
    found = key.rule(lambda _: 3)
    assert (found.verdict, found.asked) == ("REFUSED", 0)


def test_another_seed_or_another_owner_gives_another_key():
    names = {KEY.name}
    for seed, who in ((2, ("owner",)), (1, ("liar", 0)), (1, ("liar", 1))):
        other = Wmproto1Key(KEY.inputs, shape=SHAPE, classes=CLASSES, seed=seed, who=who)
        names.add(other.name)
        assert (other.labels != KEY.labels).any()
    assert len(names) == 4
