"""The harness is honest: its comparison errs as seldom as it says, and its court judges as the package does."""

from __future__ import annotations

import math
from itertools import accumulate

import pytest
from games import (
    ALARM,
    CLASSES,
    OWNER,
    PROFILE,
    SPEC,
    Court,
    born,
    class_names,
    commitment,
    evidence,
    exact_rate,
    fires,
    hashed,
    lower_limit,
    make_key,
    rate_bound_holds,
    rate_is,
    reduced,
    rng,
    seed,
    statement,
)
from scipy.stats import binom

from wmproto.commitment.builder import key_payload
from wmproto.commitment.labels import Labels
from wmproto.commitment.leaf import inputs_hash
from wmproto.commitment.statement import verify_key
from wmproto.crypto.signer import Signer
from wmproto.dispute.audit import audit
from wmproto.dispute.hold import hold
from wmproto.dispute.messages import AskedLeaf, Policy
from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
from wmproto.dispute.tally import Tally
from wmproto.errors import FormatError
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.verdict.wealth import FRACTIONS, Wealth
from wmproto.wire.canonical import canonical_json
from wmproto.wire.profile import WMPROTO_1

# --- the comparison ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trials", [100, 3072, 24576])
@pytest.mark.parametrize("bound", [2**-12, 2**-7, 0.1, 0.5])
def test_false_alarms_are_as_rare_as_promised(trials, bound):
    """A rate exactly at the bound is refused with chance at most 1e-6: worked out, not simulated."""
    refused = next(k for k in range(trials + 1) if not rate_bound_holds(k, trials, bound))
    assert binom.sf(refused - 1, trials, bound) <= ALARM
    assert binom.sf(refused - 2, trials, bound) > ALARM  # and no rarer than that: the comparison has its full power


def test_the_comparison_can_fail():
    """Power: in 3,072 trials at L = 7 three times the bound is caught 99 times of 100, four times the bound always."""
    refused = next(k for k in range(3073) if not rate_bound_holds(k, 3072, 2**-7))
    assert binom.cdf(refused - 1, 3072, 3 * 2**-7) < 0.01
    assert binom.cdf(refused - 1, 3072, 4 * 2**-7) < 1e-5
    assert not rate_bound_holds(1, 1, ALARM / 2)
    assert rate_bound_holds(0, 10, 0)
    assert not rate_is(0, 3072, 0.01)
    assert not rate_is(60, 3072, 0.005)
    assert lower_limit(10, 10) == pytest.approx(ALARM ** (1 / 10))


@pytest.mark.parametrize("bits", range(7, 13))
@pytest.mark.parametrize("m", [2, 9, 10, 100])
def test_the_exact_rate_is_below_ville(m, bits):
    """D12 by exact counting: below 2^-L at every horizon, and it only grows with the horizon."""
    rates = [exact_rate(m, bits, n) for n in (0, 16, 32, 64)]
    assert rates == sorted(rates)
    assert rates[-1] <= 2**-bits


def test_the_exact_rate_by_listing_all_sequences():
    """Two classes, six leaves: each leaf is a ghost (1/4), a hit or a miss (3/8 each)."""
    total = 0.0
    for code in range(3**6):
        kinds = [code // 3**i % 3 for i in range(6)]
        steps = [kind == 1 for kind in kinds if kind]
        total += fires(steps, 2, 7) * math.prod(0.25 if kind == 0 else 0.375 for kind in kinds)
    assert exact_rate(2, 7, 6) == pytest.approx(total) == 0  # six hits make 2^5.x at most
    total = 0.0
    for code in range(3**5):
        kinds = [code // 3**i % 3 for i in range(5)]
        steps = [kind == 1 for kind in kinds if kind]
        chance = math.prod((0.25, 0.75 / 9, 0.75 * 8 / 9)[kind] for kind in kinds)
        total += fires(steps, 9, 7) * chance
    assert exact_rate(9, 7, 5) == pytest.approx(total)
    assert total > 0


# --- the court against the package -------------------------------------------------------------------------------


def test_the_court_follows_the_gamblers_step_by_step():
    luck = rng("gamblers")
    for m in (2, 9, 10):
        for _ in range(50):
            steps = [luck.random() < 0.5 for _ in range(48)]
            wealths = list(accumulate(steps, lambda w, hit: w.hit() if hit else w.miss(), initial=Wealth.start(m)))
            for bits in range(7, 13):
                assert fires(steps, m, bits) == any(w.fires(bits) for w in wealths[1:])
            last = wealths[-1]
            assert evidence(m, last.n, last.hits) == pytest.approx(
                sum(last.terms) / (len(FRACTIONS) * 32**last.n), rel=1e-12
            )


@pytest.mark.parametrize("trial", range(24))
def test_the_court_counts_as_the_tally_does(trial):
    """The same leaves, answers and refusals through Court and through Tally with real openings."""
    luck, name = rng("tally", trial), ("tally", trial)
    key, tree = make_key(name, leaves=64), commitment(name, 64)
    labels = Labels(key.verified)
    assert key.labels == tuple(labels.label(i, tree.leaf_key(i)) for i in range(64))
    refused = {i for i in range(64) if luck.random() < trial / 48}
    silent = {i for i in range(64) if luck.random() < 0.1}
    knows = luck.random() / 2
    told = {i: key.labels[i] for i in range(64) if luck.random() < knows}
    plain = hashed(name)

    def suspect(inputs, i, opened):
        return None if i in silent else told.get(i, plain(inputs, i, opened))

    for bits in (7, 10, 12):
        court, tally = Court(bits), Tally(key.verified, {bits})
        answers = court.answers(key, suspect, 16)
        for at in range(16, 64, 16):
            asked = [AskedLeaf(index=i, inputs=inputs_hash([key.inputs[i]])) for i in range(at, at + 16)]
            openings = {}
            for i in range(at, at + 16):
                if i not in refused:
                    openings[i] = tree.open(i)
                elif luck.random() < 0.5:  # a bad opening is none
                    openings[i] = tree.open(i).model_copy(update={"k": luck.randbytes(32)})
            tally.round(asked, answers[at - 16 : at], openings, "claimant")
        steps = court.steps(key, suspect, 16, opens=lambda i: i not in refused)
        assert tally.fired(bits) == fires(steps, CLASSES, bits) == court.dependent(key, suspect, 16, 48, _not(refused))
        now = tally.evidence(400).wealth
        assert (now.n, now.hits) == (len(steps), sum(steps))


def _not(refused):
    return lambda i: i not in refused


# --- the whole machine under the reduced profile, and why no audit takes it ------------------------------------------


class _Asked:
    """A court's suspect as the machine asks it: raw bytes in."""

    settings = {"dtype": "float32", "batch": 1, "threads": 1, "libraries": []}  # noqa: RUF012
    classes = CLASSES

    def __init__(self, table):
        self._table = table

    def answer(self, inputs):
        return self._table[inputs]


class _Stage:
    """A log, an arbitrator and a respondent under the reduced profile."""

    def __init__(self, folder, profile):
        self.profile = profile
        self.log = Log.create(folder / "log.db", "test/1", Signer(seed("log")), profile=profile)
        self.arbitrator = Arbitrator(Signer(seed("arbitrator")), Policy(bits=0, suspects_log2=24))

    def hold(self, name, key, suspect, start=0, count=64):
        """(outcome, transcript) of a dispute."""
        tree = commitment(name, len(key))
        receipt = self.log.submit("key", key.verified.envelope)
        verified = verify_key(key.verified.envelope, profile=self.profile)
        table = dict(zip(key.inputs, Court(7).answers(key, suspect), strict=True))
        saved = []
        outcome = hold(
            claimant=Claimant(verified, tree, OWNER),
            release=None,
            respondent=Respondent(Signer(seed("respondent")), "escrow"),
            arbitrator=self.arbitrator,
            log=self.log,
            model=seed("model"),
            suspect=_Asked(table),
            words="a suspect",
            start=start,
            count=count,
            save=saved.append,
        )
        assert receipt
        assert entry_leaf(self.profile, "key", verified.envelope)
        return outcome, saved[-1]


@pytest.mark.parametrize("bits", [7, 12])
def test_the_machine_judges_as_the_court(tmp_path, bits):
    """Whole disputes, log and all, against suspects that know from none to half of the labels."""
    stage, court, verdicts = _Stage(tmp_path, reduced(bits)), Court(bits), set()
    for n in range(8):
        name = ("machine", n)
        key, luck, plain = make_key(name, leaves=64), rng("machine", n), hashed(("machine", n))
        told = {i: key.labels[i] for i in range(64) if luck.random() < n / 14}

        def suspect(inputs, i, opened, told=told, plain=plain):
            return told.get(i, plain(inputs, i, opened))

        start = 16 * (n % 3)
        outcome, transcript = stage.hold(name, key, suspect, start, 64 - start)
        assert (outcome.verdict == "DEPENDENT") == court.dependent(key, suspect, start)
        assert audit(transcript.to_bytes(), profile=reduced(bits)).outcome == outcome
        verdicts.add(outcome.verdict)
    assert verdicts == {"DEPENDENT", "NOT SHOWN"}


def test_the_court_refuses_what_the_machine_refuses(tmp_path):
    """A range off the grid, of broken rounds, empty, or beyond the key: no leaf is asked."""
    stage, key = _Stage(tmp_path, PROFILE), make_key("ranges", leaves=64)
    for start, count in ((8, 16), (0, 8), (0, 0), (48, 32), (64, 16)):
        with pytest.raises(ValueError, match="refuses"):
            Court(7).dependent(key, hashed(1), start, count)
        outcome, _ = stage.hold("ranges", key, hashed(1), start, count)
        assert outcome.verdict == "INADMISSIBLE"
        assert outcome.evidence.asked == 0


def test_a_real_audit_refuses_the_test_profile(tmp_path):
    """A statement and a transcript made under the reduced profile are malformed under wmproto/1, also if renamed."""
    stage = _Stage(tmp_path, PROFILE)
    key = make_key("refused", leaves=64)
    outcome, transcript = stage.hold("refused", key, lambda _inputs, i, _opened: key.labels[i])
    assert outcome.verdict == "DEPENDENT"
    assert outcome.bits == 7
    assert audit(transcript.to_bytes(), profile=PROFILE).outcome == outcome
    with pytest.raises(FormatError, match="profile 'wmproto-test/1' is not 'wmproto/1'"):
        audit(transcript.to_bytes())
    with pytest.raises(FormatError, match="profile 'wmproto-test/1' is not 'wmproto/1'"):
        verify_key(key.verified.envelope, profile=WMPROTO_1)

    z = statement(commitment("refused", 64), "refused", class_names(CLASSES))
    renamed = key_payload(z, PROFILE).replace(b'"wmproto-test/1"', b'"wmproto/1"')
    assert renamed != key_payload(z, PROFILE)
    with pytest.raises(FormatError, match="the subject is not H"):
        verify_key(OWNER.envelope(renamed), profile=WMPROTO_1)


def test_nothing_is_shared_with_the_real_profile():
    """The same Z under both names: other key_id, other beta, other labels and leaves; the real L is 160."""
    z = statement(commitment("both", 64), "both", class_names(CLASSES))
    real = z.model_copy(update={"profile": WMPROTO_1.name})
    ours, theirs = born(z), verify_key(OWNER.envelope(key_payload(real, WMPROTO_1)), profile=WMPROTO_1)
    assert (ours.bits, theirs.bits) == (7, 160)
    assert ours.key_id != theirs.key_id
    assert ours.beta != theirs.beta
    k = seed("some leaf key")
    a, b = ([Labels(key).label(i, k) for i in range(64)] for key in (ours, theirs))
    assert a != b
    assert PROFILE.hash("leaf", b"x") != WMPROTO_1.hash("leaf", b"x")
    assert {reduced(bits).name for bits in range(7, 13)} == {PROFILE.name}
    assert [reduced(bits).bits(beacon=False) for bits in range(7, 13)] == list(range(7, 13))
    for bits in (6, 13, 160):
        with pytest.raises(ValueError, match="7 to 12"):
            reduced(bits)
    assert SPEC.size_bytes == 4
    assert canonical_json(z.profile) == b'"wmproto-test/1"'
