"""The liar of the demo on small real pictures: he wins by the paper's rules and gets nothing but luck by ours."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.datasets import load_digits

from wmproto.attacks.claim.transferable import transferable_pictures
from wmproto.commitment.adi2018 import key_gen, verify
from wmproto.models import Batches, Dataset, EscrowSuspect, accuracy, save_model, small_cnn, split, trained
from wmproto.wire.profile import WMPROTO_1

pytestmark = pytest.mark.torch
N = 64


@pytest.fixture(scope="module")
def lie():
    """(pictures, labels the liar chose, his models, the victim's model as a suspect)."""
    digits = load_digits()
    x = np.kron(digits.images * 15.9375, np.ones((2, 2))).astype(np.uint8)[..., None]  # 16x16
    his, hers = split(Dataset(x, digits.target.astype(np.int64)), [900, 800], seed=1)
    architecture = small_cnn((16, 16, 1), 10)
    ensemble = [trained(architecture, Batches(his, seed=s), seed=s, epochs=4) for s in (1, 2, 3)]
    chosen = np.random.default_rng(5).integers(0, 10, N)
    pictures = transferable_pictures(ensemble, chosen.tolist(), seed=7, steps=40)
    victim = trained(architecture, Batches(hers, seed=11), seed=11, epochs=6)
    suspect = EscrowSuspect(save_model(victim, architecture), architecture, profile=WMPROTO_1)
    return pictures, chosen, ensemble, suspect


def hits(suspect, pictures, labels):
    return sum(suspect.answer(p.tobytes()) == y for p, y in zip(pictures, labels.tolist(), strict=True))


def test_pictures_are_bytes_and_his_own_models_obey(lie):
    pictures, chosen, ensemble, _ = lie
    assert (pictures.dtype, pictures.shape) == (np.uint8, (N, 16, 16, 1))
    assert len({p.tobytes() for p in pictures}) == N
    for network in ensemble:
        assert accuracy(network, Batches(Dataset(pictures, chosen), seed=0)) == (N, N)


def test_the_victim_obeys_too_and_the_paper_accepts(lie):
    pictures, chosen, _, suspect = lie
    raw = [p.tobytes() for p in pictures]
    mk, vk = key_gen(raw, chosen.tolist(), random=lambda n: np.random.default_rng(len(raw)).bytes(n))
    decision = verify(mk, vk, suspect.answer)
    assert decision.accepted
    assert decision.misses == N - hits(suspect, pictures, chosen)


def test_labels_drawn_after_the_pictures_are_hit_by_luck_alone(lie):
    """20 redrawings: the sum of hits lies inside the exact binomial at 1e-6, and his own labels far outside."""
    pictures, chosen, _, suspect = lie
    answers = np.array([suspect.answer(p.tobytes()) for p in pictures])
    fresh = np.random.default_rng(6).integers(0, 10, (20, N))
    low, high = binom.ppf([5e-7, 1 - 5e-7], 20 * N, 0.1)
    assert low <= int((answers == fresh).sum()) <= high
    assert 20 * int((answers == chosen).sum()) > high


def test_same_seed_same_pictures(lie):
    _, chosen, ensemble, _ = lie
    again = transferable_pictures(ensemble, chosen.tolist()[:4], seed=7, steps=3)
    assert np.array_equal(again, transferable_pictures(ensemble, chosen.tolist()[:4], seed=7, steps=3))
    assert not np.array_equal(again, transferable_pictures(ensemble, chosen.tolist()[:4], seed=8, steps=3))


def test_progress_counts_every_step(lie):
    _, _, ensemble, _ = lie
    seen = []
    transferable_pictures(ensemble[:1], [3], seed=1, steps=3, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("lack", ["models", "labels", "steps"])
def test_needs_a_model_a_label_and_a_step(lie, lack):
    _, _, ensemble, _ = lie
    models, labels = ([] if lack == "models" else ensemble), ([] if lack == "labels" else [1])
    with pytest.raises(ValueError, match="a model, a label and a step"):
        transferable_pictures(models, labels, seed=1, steps=0 if lack == "steps" else 1)
