"""Liars: grinding forges where labels hang on their own leaf, and gains a handful of bits where they hang on the root."""

from dataclasses import replace
from hashlib import sha256
from math import log2

import numpy as np
import pytest
import torch
from scipy.stats import binom

from wmproto.attacks.budget import Budget
from wmproto.attacks.claim.claim import Claim, ClaimAttack, ClaimView, Registered
from wmproto.attacks.claim.grinding import LeafGrinding, RootGrinding
from wmproto.attacks.claim.lucky_blocks import LuckyBlocks, best_range
from wmproto.attacks.view import Api
from wmproto.errors import BudgetError, ConfigError, StateError
from wmproto.games.data import shares
from wmproto.games.grid import DataSpec
from wmproto.games.keys import Wmproto1Key

pytestmark = pytest.mark.torch
torch.set_num_threads(1)  # two processes of a suite that share two cores stand in each other's way
N, SEED, PLENTY = 128, 5, Budget(10**7, 10**7, 5000)
DATA = shares(DataSpec("made", None, None, 300, 600, 300, 200), None, 1)

KNOWN = {x.tobytes(): int(y) for x, y in zip(DATA.thief.x, DATA.thief.y, strict=True)}


def truth(pictures):
    """A suspect that answers every picture of the task rightly: what every good model does."""
    scores = torch.zeros(len(pictures), DATA.classes)
    for row, picture in zip(scores, pictures, strict=True):
        row[KNOWN.get(picture.tobytes(), 0)] = 1
    return scores


def view(register, **changes):
    made = ClaimView(
        data=DATA.thief,
        shape=DATA.shape,
        classes=DATA.classes,
        leaves=N,
        grid=16,
        chooses_labels=False,
        device=torch.device("cpu"),
        _register=register,
        _suspect=lambda: Api(truth, soft=False),
    )
    return replace(made, _closed=[False], **changes)


def real():
    """Registers wmproto/1 keys; returns the view and its keys."""
    keys = []

    def register(inputs, _labels):
        keys.append(Wmproto1Key(inputs, shape=DATA.shape, classes=DATA.classes, seed=SEED, who=("liar", len(keys))))
        return Registered(len(keys) - 1, keys[-1].inputs, keys[-1].labels, keys[-1].ghosts)

    return view(register), keys


def per_leaf():
    """The scheme that wmproto/1 is not: each label is a hash of its own leaf alone."""
    count = [0]

    def register(inputs, _labels):
        count[0] += 1
        labels = np.array([sha256(x).digest()[0] % DATA.classes for x in inputs])
        return Registered(count[0] - 1, tuple(inputs), labels, np.zeros(N, bool))

    return view(register), count


def test_leaf_grinding_forges_every_label_that_hangs_on_its_leaf_alone():
    given, count = per_leaf()
    claimed = LeafGrinding(tries=500, surrogates=1, epochs=3).attack(given, PLENTY, SEED)
    assert claimed.log[-1]["expected_hits"] == N
    assert count[0] < 150  # a missing leaf survives a draw with 7 in 8
    assert claimed.cost.queries == count[0]


def test_leaf_grinding_gains_no_more_than_drawing_whole_keys_where_labels_hang_on_the_root():
    given, keys = real()
    claimed = LeafGrinding(tries=100, surrogates=1, epochs=3).attack(given, PLENTY, SEED)
    ruling = keys[claimed.claim.key.number].rule(lambda x: KNOWN.get(x, 0))
    assert not ruling.accepted
    assert claimed.log[-1]["expected_hits"] < binom(96, 1 / 8).isf(1e-9)
    assert len(keys) == 100


def test_root_grinding_does_what_it_says_and_no_more():
    given, keys = real()
    tries = 200
    claimed = RootGrinding(tries=tries, surrogates=1, epochs=3).attack(given, PLENTY, SEED)
    assert len(keys) == tries
    hits = claimed.log[-1]["expected_hits"]
    counts = sorted(int(((k.labels == keys[0].labels) & ~k.ghosts).sum()) for k in keys[1:])  # of any fixed guess
    assert hits > counts[len(counts) // 2]  # better than most keys: an attack that does nothing fails here
    assert hits > 96 / 8 + 6
    ruling = keys[claimed.claim.key.number].rule(KNOWN.get)
    assert ruling.bits < log2(tries) + 30  # more has a chance of 2^-30
    assert not ruling.accepted


def test_lucky_blocks_finds_the_best_range_and_it_is_not_enough():
    given, keys = real()
    claimed = LuckyBlocks(tries=10, surrogates=1, epochs=1).attack(given, PLENTY, SEED)
    claim = claimed.claim
    rulings = [
        key.rule(KNOWN.get, start=start, count=count).bits
        for key in keys
        for start in range(0, N, 16)
        for count in range(16, N - start + 1, 16)
    ]
    chosen = keys[claim.key.number].rule(KNOWN.get, start=claim.start, count=claim.count)
    assert chosen.bits >= max(rulings) - 3  # he bets an eighth, the rule averages seven stakes
    assert chosen.bits > sorted(rulings)[len(rulings) // 2]
    assert not chosen.accepted
    assert claimed.cost.queries == 10 + N


def test_the_best_range_is_the_best_of_all():
    key = Registered(0, (b"",) * 48, np.zeros(48, np.int64), np.zeros(48, bool))
    answers = np.array([1] * 16 + [0] * 20 + [1] * 12)
    _, claim = best_range(key, answers, 8, 16)
    assert (claim.start, claim.count) == (16, 32)
    _, claim = best_range(key, np.array([0] * 16 + [1] * 32), 8, 16)
    assert (claim.start, claim.count) == (0, 16)


def test_where_labels_can_be_chosen_there_is_nothing_to_grind():
    asked = []

    def register(inputs, labels):
        asked.append(labels)
        return Registered(0, tuple(inputs), np.array(labels), np.zeros(N, bool))

    for attack in (LeafGrinding(), RootGrinding(), LuckyBlocks()):
        given = view(register, chooses_labels=True)
        claim = attack.attack(given, PLENTY, SEED).claim
        assert (claim.start, claim.count) == (0, N)
    assert len(asked) == 3


def test_nobody_registers_after_he_has_seen_the_suspect():
    given, _ = real()
    inputs = [bytes(256)] * N
    given.register(inputs)
    given.suspect()
    with pytest.raises(StateError, match="suspect exists already"):
        given.register(inputs)


def test_a_key_has_the_views_size_and_labels_only_where_they_can_be_chosen():
    given, _ = real()
    for inputs, labels in (([bytes(256)], None), ([bytes(256)] * N, [0] * N)):
        with pytest.raises(ValueError, match="number of inputs"):
            given.register(inputs, labels)


def test_every_key_costs_a_query():
    given, keys = real()
    claimed = RootGrinding(tries=1000, surrogates=1, epochs=1).attack(given, Budget(10**7, 10**7, 7), SEED)
    assert claimed.cost.queries == len(keys) == 7

    class Greedy(ClaimAttack):
        name, source = "greedy", "a test"

        def run(self, view, run):
            while True:
                view.register([bytes(256)] * N)

    with pytest.raises(BudgetError, match="7 queries"):
        Greedy().attack(real()[0], Budget(0, 0, 7), SEED)


def test_what_is_no_claim_is_refused():
    class Wrong(ClaimAttack):
        name, source = "wrong", "a test"

        def run(self, view, run):
            return "mine"

    with pytest.raises(ConfigError, match="not a Claim"):
        Wrong().attack(real()[0], PLENTY, SEED)


@pytest.mark.parametrize(("start", "count", "number"), [(8, 16, 0), (0, 24, 0), (112, 32, 0), (0, 16, 1), (-16, 32, 0)])
def test_the_court_hears_no_claim_off_the_grid_or_over_a_key_that_is_not_there(start, count, number):
    from wmproto.games.claims import _ClaimGame

    given, keys = real()
    registered = given.register([bytes(256)] * N)
    claim = Claim(replace(registered, number=number), start, count)
    with pytest.raises(ConfigError):
        _ClaimGame._heard(keys, claim)
