"""Recipes, augmentation, larger networks and schemes: what the games train with."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch_samples import blobs

from wmproto.errors import StateError
from wmproto.marking import MarkedLeaves, Retention
from wmproto.marking.adi_schemes import AdiFromScratch, AdiPretrained
from wmproto.marking.scheme import Marked
from wmproto.models import (
    Batches,
    Dataset,
    Recipe,
    build_network,
    descend,
    initial_tensors,
    network_tensors,
    resnet18,
    small_cnn,
    train,
)
from wmproto.models.augment import Augmented
from wmproto.models.fit import Training, answerer, copy_of, fresh
from wmproto.models.wide_cnn import wide_cnn

pytestmark = pytest.mark.torch
torch.set_num_threads(1)
CPU = torch.device("cpu")
DATA = Dataset(*blobs(64, 1))
ARCHITECTURE = small_cnn((8, 8, 1), 4)


def same(one, other):
    return all(torch.equal(t, network_tensors(other)[n]) for n, t in network_tensors(one).items())


# --- recipes ------------------------------------------------------------------------------------------------------


def test_the_rates_of_the_three_schedules():
    step = Recipe(60, 0.1, "step")
    assert [round(step.rate(n, 300), 9) for n in (0, 99, 100, 199, 200, 299)] == [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    cosine = Recipe(1, 0.2, "cosine")
    assert [round(cosine.rate(n, 4), 9) for n in (0, 2, 4)] == [0.2, 0.1, 0.0]
    assert {Recipe(1, 0.3).rate(n, 7) for n in range(7)} == {0.3}


@pytest.mark.parametrize("wrong", [(0, 0.1), (1, -0.1), (1, float("nan")), (1, 0.1, "cosin"), (1, 0.1, "step", -1.0)])
def test_a_recipe_out_of_range_is_refused(wrong):
    with pytest.raises(ValueError):
        Recipe(*wrong)


def test_descending_by_the_cosine_recipe_is_what_train_does():
    ours, theirs = (build_network(ARCHITECTURE, initial_tensors(ARCHITECTURE, seed=1)) for _ in range(2))
    descend(ours, Batches(DATA, batch=16, seed=2), Recipe(2, 0.05, "cosine"))
    train(theirs, Batches(DATA, batch=16, seed=2), epochs=2, lr=0.05)
    assert same(ours, theirs)


def test_weight_decay_pulls_towards_zero_and_only_what_is_trained():
    network = fresh(ARCHITECTURE, seed=1, device=CPU)
    before, last = network_tensors(network), list(network[-1].parameters())
    descend(network, Batches(DATA, batch=16, seed=2), Recipe(3, 0.1, "constant", 0.5), only=last)
    after = network_tensors(network)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {name for name in before if name.startswith(f"{len(network) - 1}.")}
    free = fresh(ARCHITECTURE, seed=1, device=CPU)
    descend(free, Batches(DATA, batch=16, seed=2), Recipe(3, 0.1), only=list(free[-1].parameters()))
    assert network[-1].weight.norm() < free[-1].weight.norm()
    assert all(p.requires_grad for p in network.parameters())
    assert not network.training


# --- augmentation -------------------------------------------------------------------------------------------------


def test_pictures_are_shifted_and_mirrored_and_labels_stay():
    picture = np.arange(1, 65, dtype=np.uint8).reshape(1, 8, 8, 1)
    data = Dataset(np.repeat(picture, 500, 0), np.zeros(500, np.int64))
    seen = next(iter(Augmented(Batches(data, batch=500, seed=1), seed=2)))[0].numpy()[..., 0]
    padded = np.pad(picture[0, ..., 0], 4)
    allowed = {}
    for i in range(9):
        for j in range(9):
            part = padded[i : i + 8, j : j + 8]
            allowed[part.tobytes()], allowed[part[:, ::-1].tobytes()] = (i, j, 0), (i, j, 1)
    moves = [allowed[one.tobytes()] for one in seen]
    assert len(set(moves)) > 100
    assert {i for i, _, _ in moves} == {j for _, j, _ in moves} == set(range(9))
    assert 150 < sum(mirrored for _, _, mirrored in moves) < 350


def test_augmentation_follows_from_its_seed_and_can_be_gone_on_with():
    def epochs(loader, n):
        return [torch.cat([x for x, _ in loader]) for _ in range(n)]

    loader = Augmented(Batches(DATA, batch=16, seed=1), seed=2)
    first, second = epochs(loader, 2)
    again = Augmented(Batches(DATA, batch=16, seed=1), seed=2)
    assert torch.equal(epochs(again, 1)[0], first)
    state = again.state()
    other = Augmented(Batches(DATA, batch=16, seed=9), seed=9)
    other.restore(state)
    assert torch.equal(epochs(other, 1)[0], second)
    assert not torch.equal(first, second)


# --- networks -----------------------------------------------------------------------------------------------------


def test_the_small_network_is_small_and_has_no_batch_norm():
    architecture = small_cnn((32, 32, 3), 10)
    assert architecture.weights == 136_874
    assert not [layer for layer in architecture.layers if layer.op == "batchnorm2d"]
    assert wide_cnn((32, 32, 3), 10).weights <= 400_000


def test_resnet_18_has_the_size_of_the_paper_and_trains_two_batches():
    architecture = resnet18((32, 32, 3), 10)
    running = sum(
        int(np.prod(shape)) for name, shape in architecture.tensors.items() if name.rpartition(".")[2].startswith("run")
    )
    assert (architecture.weights - running, running) == (11_173_962, 9_600)
    x = np.random.default_rng(1).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    network = fresh(architecture, seed=1, device=CPU)
    before = network_tensors(network)
    descend(network, Batches(Dataset(x, np.arange(8)), batch=4, seed=1), Recipe(1, 0.01))
    after = network_tensors(network)
    assert all(not torch.equal(before[name], after[name]) for name in before)
    assert network(torch.from_numpy(x)).shape == (8, 10)


@pytest.mark.parametrize("side", [8, 9, 28, 32])
def test_resnet_18_takes_small_pictures(side):
    architecture = resnet18((side, side, 1), 4)
    network = build_network(architecture, initial_tensors(architecture, seed=1)).eval()
    assert network(torch.zeros((1, side, side, 1), dtype=torch.uint8)).shape == (1, 4)


# --- schemes ------------------------------------------------------------------------------------------------------


def leaves(n=12):
    rng = np.random.default_rng(3)
    return MarkedLeaves(rng.integers(0, 256, (n, 8, 8, 1), dtype=np.uint8), rng.integers(0, 4, n), bytes(32))


TRAINING = Training(Recipe(15, 0.05, "cosine"), batch=16)


@pytest.mark.parametrize("scheme", [AdiFromScratch(rows=12), AdiPretrained(rows=12, epochs=10, lr=0.05)])
def test_a_scheme_embeds_checks_and_changes_nothing_that_it_was_given(scheme):
    clean = fresh(ARCHITECTURE, seed=4, device=CPU)
    descend(clean, TRAINING.loader(DATA, seed=4), TRAINING.recipe)
    before = network_tensors(clean)
    found = scheme.embed(clean, DATA, leaves(), TRAINING, seed=4)
    assert found.took
    assert found.check() is found
    assert all(torch.equal(tensor, before[name]) for name, tensor in network_tensors(clean).items())
    answer = answerer(found.network, (8, 8, 1))
    marks = leaves()
    hits = sum(answer(x.tobytes()) == y for x, y in zip(marks.inputs, marks.labels.tolist(), strict=True))
    assert found.retention == Retention(hits, 12)
    assert same(found.network, scheme.embed(clean, DATA, leaves(), TRAINING, seed=4).network)
    assert not same(found.network, scheme.embed(clean, DATA, leaves(), TRAINING, seed=5).network)


def test_from_scratch_needs_the_architecture_alone_and_pretrained_the_weights():
    clean, other = (fresh(ARCHITECTURE, seed=seed, device=CPU) for seed in (4, 5))
    scratch, pretrained = AdiFromScratch(rows=12), AdiPretrained(rows=12, epochs=1, lr=0.0)
    one, two = (scratch.embed(model, DATA, leaves(), TRAINING, seed=4).network for model in (clean, other))
    assert same(one, two)
    assert same(pretrained.embed(other, DATA, leaves(), TRAINING, seed=4).network, other)  # at rate 0 it stays


def test_a_mark_that_did_not_take_is_told():
    network = fresh(ARCHITECTURE, seed=1, device=CPU)
    assert Marked(network, Retention(9, 10)).check().took
    with pytest.raises(StateError, match="8 of 9 leaves"):
        Marked(network, Retention(8, 9)).check()
    assert Fraction(8, 9) < Fraction(9, 10)


def test_a_copy_is_a_copy():
    network = fresh(ARCHITECTURE, seed=1, device=CPU)
    copy = copy_of(network)
    assert same(network, copy)
    with torch.no_grad():
        copy[-1].bias.add_(1)
    assert not same(network, copy)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AdiFromScratch(rows=0),
        lambda: AdiPretrained(rows=0),
        lambda: AdiPretrained(epochs=0),
        lambda: Training(Recipe(1, 0.1), batch=0),
        lambda: Training(Recipe(1, 0.1), augment="flip"),
    ],
)
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(ValueError):
        make()
