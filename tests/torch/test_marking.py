"""The loader wrapper and the self-check; a tiny mark that survives fine-tuning; same seed, same bytes."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch_samples import blobs, linear_arch

from wmproto.errors import ConfigError
from wmproto.marking import MarkedLeaves, MarkedLoader, Retention, self_check
from wmproto.models import (
    Batches,
    Dataset,
    EscrowSuspect,
    accuracy,
    build_network,
    fine_tune,
    network_tensors,
    small_cnn,
    standardisation,
    trained,
)
from wmproto.models.weights import save_tensors

pytestmark = pytest.mark.torch
torch.set_num_threads(1)


def _leaves(n=10, shape=(8, 8, 1), classes=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
    x[:, 0, 0, 0] = np.arange(n)
    return MarkedLeaves(x, rng.integers(0, classes, n), bytes(32))


def _batches(n=23, batch=8, seed=1):
    return Batches(Dataset(*blobs(n, 0)), batch=batch, seed=seed)


def test_rows_are_appended_and_the_own_pictures_stay():
    leaves, plain = _leaves(), _batches()
    marked = MarkedLoader(_batches(), leaves, seed=3, rows_per_batch=4)
    assert len(marked) == len(plain) == 3
    for (x, y), (mx, my) in zip(plain, marked, strict=True):
        assert torch.equal(mx[:-4], x)
        assert torch.equal(my[:-4], y)
        assert mx.dtype == torch.uint8
        assert my.dtype == torch.int64
        for row, label in zip(mx[-4:], my[-4:], strict=True):
            i = int(row[0, 0, 0])
            assert np.array_equal(row.numpy(), leaves.inputs[i])
            assert label == leaves.labels[i]


@pytest.mark.parametrize("rows", [1, 3, 10, 32])
def test_every_trigger_is_seen_equally_often(rows):
    marked = MarkedLoader(_batches(), _leaves(), seed=3, rows_per_batch=rows)
    seen, orders = Counter(), []
    for epoch in range(7):
        for x, _ in marked:
            ids = x[-rows:, 0, 0, 0].tolist()
            seen.update(ids)
            orders += ids
            assert max(seen.values()) - min(seen[i] for i in range(10)) <= 1
        assert sum(seen.values()) == 3 * rows * (epoch + 1)
    assert orders[:10] != orders[10:20]  # reshuffled; equal with chance 1 / 10!


def test_the_order_follows_from_the_seed_and_moves_nothing_global():
    before = torch.get_rng_state()
    runs = [
        [x for _ in range(2) for x, _ in MarkedLoader(_batches(seed=1), _leaves(), seed=s, rows_per_batch=4)]
        for s in (5, 5, 6)
    ]
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(runs[0], runs[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(runs[0], runs[2], strict=True))


def _floats(*, dtype=torch.float32, label_dtype=torch.int64):
    return [[torch.zeros(8, 1, 8, 8, dtype=dtype), torch.zeros(8, dtype=label_dtype)]]


def test_a_loader_of_channels_first_floats_needs_a_transform():
    with pytest.raises(ConfigError, match=r"float32 \(1, 8, 8\).*uint8 \(8, 8, 1\)") as caught:
        next(iter(MarkedLoader(_floats(), _leaves(), seed=0)))
    assert "transform=" in caught.value.hint

    def prepare(u8):
        return u8.permute(0, 3, 1, 2).float() / 255

    x, y = next(iter(MarkedLoader(_floats(label_dtype=torch.int32), _leaves(), seed=0, transform=prepare)))
    assert x.shape == (40, 1, 8, 8)
    assert x.dtype == torch.float32
    assert y.dtype == torch.int32
    assert 0.9 < x[8:].max() <= 1
    for wrong in (lambda u8: u8.float(), lambda u8: prepare(u8).double(), lambda u8: prepare(u8)[:1], lambda u8: None):
        with pytest.raises(ConfigError, match="transform gave"):
            next(iter(MarkedLoader(_floats(), _leaves(), seed=0, transform=wrong)))


@pytest.mark.parametrize(
    "batch",
    [
        torch.zeros(8, 8, 8, 1),
        (torch.zeros(8, 8, 8, 1),),
        (torch.zeros(8, 8, 8, 1), [0] * 8),
        (torch.zeros(8, 8, 8, 1, dtype=torch.uint8), torch.zeros(8)),
        (torch.zeros(8, 8, 8, 1, dtype=torch.uint8), torch.zeros(8, 4, dtype=torch.int64)),
        (torch.zeros(8, 8, 8, 1, dtype=torch.uint8), torch.zeros(7, dtype=torch.int64)),
        (torch.zeros(8, 8, 8, 1, dtype=torch.uint8), torch.zeros(8, dtype=torch.bool)),
        {"x": 1, "y": 2},
    ],
    ids=range(8),
)
def test_other_batches_are_explained(batch):
    with pytest.raises(ConfigError):
        next(iter(MarkedLoader([batch], _leaves(), seed=0)))


def test_a_torch_data_loader_works():
    x, y = blobs(20, 0)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=8
    )
    shapes = [tuple(x.shape) for x, _ in MarkedLoader(loader, _leaves(), seed=0)]
    assert shapes == [(40, 8, 8, 1), (40, 8, 8, 1), (36, 8, 8, 1)]


def test_leaves_are_checked_copied_and_frozen():
    x, y = np.zeros((2, 3, 3, 1), np.uint8), np.array([1, 1])
    leaves = MarkedLeaves(x, y, bytes(32))
    x[:] = 9
    assert not leaves.inputs.any()
    with pytest.raises(ValueError):
        leaves.inputs[0] = 1
    with pytest.raises(ValueError):
        leaves.labels[0] = 1
    with pytest.raises(ConfigError, match="0 and 1"):
        MarkedLeaves(np.zeros((2, 3, 3, 1), np.uint8), np.array([1, 2]), bytes(32))
    for bad in (
        (x.astype(float), y, bytes(32)),
        (x[0], y[:1], bytes(32)),
        (x[:0], y[:0], bytes(32)),
        (x, y[:1], bytes(32)),
        (x, y - 2, bytes(32)),
        (x, y.astype(float), bytes(32)),
        (x, y, bytes(31)),
    ):
        with pytest.raises(ValueError):
            MarkedLeaves(*bad)


def test_leaves_of_an_activated_key():
    z = SimpleNamespace(input=SimpleNamespace(shape=(2, 1, 1)))
    key = SimpleNamespace(z=z, key_id=bytes(range(32)))
    active = SimpleNamespace(key=key, marked=lambda: iter([(3, b"\x01\x02", 7), (5, b"\x03\x04", 0)]))
    leaves = MarkedLeaves.of(active)
    assert leaves.inputs.tolist() == [[[[1]], [[2]]], [[[3]], [[4]]]]
    assert leaves.labels.tolist() == [7, 0]
    assert leaves.key_id == bytes(range(32))


def test_self_check_counts_what_a_dispute_would():
    leaves = _leaves(4)
    known = {one.tobytes(): int(label) for one, label in zip(leaves.inputs, leaves.labels, strict=True)}
    assert self_check(known.get, leaves) == Retention(hits=4, total=4)
    assert self_check(lambda _: None, leaves) == Retention(hits=0, total=4)
    first = leaves.inputs[0].tobytes()
    wrong = {**known, first: (known[first] + 1) % 4}
    assert self_check(wrong.get, leaves) == Retention(hits=3, total=4)
    arch = linear_arch(3)
    suspect = EscrowSuspect(save_tensors({"1.weight": torch.zeros(3, 4), "1.bias": torch.zeros(3)}), arch)
    with pytest.raises(ConfigError):
        self_check(suspect.answer, leaves)


@pytest.fixture(scope="module")
def tiny():
    """An owner's data, leaves, architecture, marked network; a thief's fine-tuned copy; a stranger's network."""
    data = Dataset(*blobs(256, 1))
    leaves = _leaves(24, seed=5)
    arch = small_cnn((8, 8, 1), 4, *standardisation(data.x))
    steps = []

    def fit():
        loader = MarkedLoader(Batches(data, seed=1), leaves, seed=2)
        return trained(arch, loader, seed=3, epochs=20, progress=lambda i, n: steps.append((i, n)))

    one, two = fit(), fit()
    thief = build_network(arch, network_tensors(one))
    fine_tune(thief, Batches(Dataset(*blobs(256, 9)), seed=4))
    stranger = trained(arch, Batches(Dataset(*blobs(256, 8)), seed=5), seed=6, epochs=20)
    return SimpleNamespace(arch=arch, leaves=leaves, one=one, two=two, thief=thief, stranger=stranger, steps=steps)


def _hits(tiny, network):
    suspect = EscrowSuspect(save_tensors(network_tensors(network)), tiny.arch)
    return self_check(suspect.answer, tiny.leaves).hits


def test_same_seeds_same_bytes(tiny):
    assert save_tensors(network_tensors(tiny.one)) == save_tensors(network_tensors(tiny.two))


def test_progress_counts_every_step(tiny):
    assert tiny.steps == [(i, 80) for i in range(1, 81)] * 2


def test_the_mark_is_learnt_and_survives_fine_tuning(tiny):
    # seeds are fixed, so this cannot fail by chance on one machine; 24 leaves, 4 classes: luck alone gives 6
    assert _hits(tiny, tiny.one) >= 23
    assert _hits(tiny, tiny.thief) >= 20
    assert _hits(tiny, tiny.stranger) <= 15  # P[Bin(24, 1/4) >= 16] < 1e-4
    test = Batches(Dataset(*blobs(200, 77)), seed=0)
    for network in (tiny.one, tiny.thief, tiny.stranger):
        right, total = accuracy(network, test)
        assert total == 200
        assert right >= 180
        assert not network.training


def test_accuracy_restores_the_mode(tiny):
    tiny.one.train()
    accuracy(tiny.one, Batches(Dataset(*blobs(8, 0)), seed=0))
    assert tiny.one.training
    tiny.one.eval()


@pytest.mark.parametrize(
    "call", [lambda d: Batches(d, batch=0, seed=0), lambda d: MarkedLoader([], _leaves(), seed=0, rows_per_batch=0)]
)
def test_nonsense_is_the_callers_bug(call):
    with pytest.raises(ValueError):
        call(Dataset(*blobs(4, 0)))


def test_epochs_at_least_one(tiny):
    with pytest.raises(ValueError):
        fine_tune(tiny.thief, Batches(Dataset(*blobs(4, 0)), seed=0), epochs=0)
