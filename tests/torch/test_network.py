"""The network is the torch.nn network of the same meaning; the affine layer is exact; nothing global moves."""

from fractions import Fraction

import pytest
import torch
from torch import nn
from torch_samples import every_layer, random_bytes, random_tensors

from wmproto.models import build_network, initial_tensors, network_tensors, small_cnn
from wmproto.models.weights import load_tensors, save_tensors
from wmproto.release.architecture import parse_architecture

pytestmark = pytest.mark.torch
torch.set_num_threads(1)
ARCH = parse_architecture(every_layer())


class _Plain(nn.Module):
    """The same network by hand, with torch's own state dict names."""

    def __init__(self):
        super().__init__()
        body = nn.Sequential(nn.Conv2d(6, 4, 1), _Add(nn.Sequential(nn.ReLU()), nn.Sequential()))
        self.net = nn.Sequential(
            nn.Identity(),
            nn.Conv2d(2, 6, (3, 2), (2, 1), (1, 0), groups=2, bias=False),
            nn.BatchNorm2d(6, eps=1e-5),
            _Add(body, nn.Sequential(nn.Conv2d(6, 4, 1, bias=False))),
            nn.ReLU(),
            nn.MaxPool2d((2, 3), (1, 2), (1, 1)),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(24, 7),
            nn.ReLU(),
            nn.Linear(7, 3, bias=False),
        )

    def forward(self, x):
        y = x.permute(0, 3, 1, 2).float() * torch.tensor([1 / 255, 2 / 3])[:, None, None]
        return self.net(y + torch.tensor([-0.5, 0.0])[:, None, None])


class _Add(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_torch_reference(seed):
    tensors = random_tensors(ARCH, seed)
    plain = _Plain().eval()
    missing, unknown = plain.net.load_state_dict(tensors, strict=False)
    assert not unknown
    assert [name for name in missing if not name.endswith("num_batches_tracked")] == []
    x = random_bytes((5, 9, 8, 2), seed)
    got = build_network(ARCH, tensors).eval()(x)
    assert got.dtype == torch.float32
    assert got.shape == (5, 3)
    torch.testing.assert_close(got, plain(x), rtol=1e-5, atol=1e-5)


def test_the_state_dict_is_exactly_the_architectures_tensors():
    tensors = random_tensors(ARCH, 1)
    network = build_network(ARCH, tensors)
    assert {name: tuple(t.shape) for name, t in network.state_dict().items()} == dict(ARCH.tensors)
    again = network_tensors(network)
    assert all(torch.equal(again[name], tensors[name]) for name in ARCH.tensors)
    again["8.bias"][:] = 99
    assert not torch.equal(network.state_dict()["8.bias"], again["8.bias"])


def test_the_affine_layer_rounds_the_exact_value():
    ratios = [((1, 255), (-1, 2)), ((2**31 - 1, 3), (1, 2**31 - 1)), ((-7, 113), (5, 19)), ((0, 1), (0, 1))]
    doc = {
        "grammar": "layers/1",
        "input": {"dtype": "uint8", "shape": [2, 2, 4]},
        "layers": [
            {"op": "affine", "scale": [list(s) for s, _ in ratios], "shift": [list(t) for _, t in ratios]},
            {"op": "flatten"},
            {"op": "linear", "bias": False, "features": 2},
        ],
    }
    arch = parse_architecture(doc)
    affine = build_network(arch, random_tensors(arch, 0))[0]
    for v in range(256):
        out = affine(torch.full((1, 2, 2, 4), v, dtype=torch.uint8))
        for c, (scale, shift) in enumerate(ratios):
            exact = float(Fraction(*scale) * v + Fraction(*shift))
            assert out[0, c].flatten().tolist() == [torch.tensor(exact, dtype=torch.float32).item()] * 4


def test_channels_last_becomes_channels_first():
    x = random_bytes((2, 9, 8, 2), 3)
    out = build_network(ARCH, random_tensors(ARCH, 0))[0](x)
    assert out.shape == (2, 2, 9, 8)
    assert out.is_contiguous()
    torch.testing.assert_close(out[:, 0], x[..., 0].float() / 255 - 0.5)
    torch.testing.assert_close(out[:, 1], x[..., 1].float() * 2 / 3)


def test_rows_of_a_table():
    doc = {
        "grammar": "layers/1",
        "input": {"dtype": "uint8", "shape": [3]},
        "layers": [
            {"op": "affine", "scale": [[1, 2], [1, 1], [2, 1]], "shift": [[0, 1], [1, 1], [0, 1]]},
            {"op": "linear", "bias": True, "features": 2},
        ],
    }
    arch = parse_architecture(doc)
    network = build_network(
        arch, {"1.weight": torch.tensor([[1.0, 1, 1], [1, 0, 0]]), "1.bias": torch.tensor([0.0, 9])}
    )
    assert network(torch.tensor([[2, 3, 4]], dtype=torch.uint8)).tolist() == [[1 + 4 + 8, 10]]


@pytest.mark.parametrize("x", [torch.zeros(1, 9, 8, 2), torch.zeros(9, 8, 2, dtype=torch.uint8)])
def test_only_raw_batches_are_taken(x):
    with pytest.raises(TypeError, match="uint8"):
        build_network(ARCH, random_tensors(ARCH, 0))(x)


def test_wrong_tensors_are_the_callers_bug():
    tensors = random_tensors(ARCH, 0)
    wrong = [
        {k: v for k, v in tensors.items() if k != "8.bias"},
        tensors | {"x": torch.zeros(1)},
        tensors | {"8.bias": tensors["8.bias"].double()},
        tensors | {"8.bias": torch.zeros(8)},
    ]
    for bad in wrong:
        with pytest.raises(ValueError):
            build_network(ARCH, bad)


def test_building_and_drawing_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    build_network(ARCH, initial_tensors(ARCH, seed=1))
    assert torch.equal(before, torch.get_rng_state())


def test_initial_tensors_follow_from_the_seed():
    one, two, other = (initial_tensors(ARCH, seed=s) for s in (1, 1, 2))
    assert save_tensors(one) == save_tensors(two) != save_tensors(other)
    assert one["2.running_var"].tolist() == [1.0] * 6
    assert one["2.running_mean"].tolist() == one["2.bias"].tolist() == [0.0] * 6
    assert one["2.weight"].tolist() == [1.0] * 6


def test_batch_norm_trains_and_freezes():
    network = build_network(ARCH, random_tensors(ARCH, 0))
    before = network_tensors(network)["2.running_mean"]
    x = random_bytes((8, 9, 8, 2), 0)
    network.eval()(x)
    assert torch.equal(before, network_tensors(network)["2.running_mean"])
    network.train()(x)
    assert not torch.equal(before, network_tensors(network)["2.running_mean"])
    assert set(network.state_dict()) == set(ARCH.tensors)


def test_weights_round_trip():
    tensors = random_tensors(ARCH, 5)
    data = save_tensors(tensors)
    back = load_tensors(data, ARCH)
    assert set(back) == set(tensors)
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)
    assert save_tensors(back) == data


def test_the_small_network_has_about_a_hundred_thousand_weights():
    arch = small_cnn((28, 28, 1), 10, [[1, 64]], [[-1, 2]])
    assert arch.weights == 105_866
    assert arch.classes == 10


def test_the_small_network_centres_the_bytes_unless_told_otherwise():
    arch = small_cnn((4, 4, 2), 3)
    ends = build_network(arch, initial_tensors(arch, seed=0))[0](
        torch.tensor([0, 255], dtype=torch.uint8).repeat(1, 4, 4, 1)
    )
    assert ends[0, 0].unique().tolist() == [-1.0]
    assert ends[0, 1].unique().tolist() == [1.0]
    for half in ({"scale": [[1, 1]] * 2}, {"shift": [[0, 1]] * 2}):
        with pytest.raises(ValueError):
            small_cnn((4, 4, 2), 3, **half)
