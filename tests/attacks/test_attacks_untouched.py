"""What no attack may touch, whatever it does: the victim, the view, and every global state. And what a seed means."""

import importlib
import inspect
import pkgutil
import random

import numpy as np
import pytest
import torch
from attack_samples import AMPLE, ATTACKS, FIXED, bytes_of, noise_data, tiny, view_for
from torch import nn

import wmproto.attacks
from wmproto.attacks.attack import Attack
from wmproto.errors import ConfigError, MissingExtraError
from wmproto.models.network import Network

pytestmark = pytest.mark.torch

_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def _globals():
    """Everything global that an attack could leave behind, as one comparable value."""
    name, keys, *rest = np.random.get_state()
    return (
        torch.get_rng_state().numpy().tobytes(),
        (name, keys.tobytes(), *rest),
        random.getstate(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        len(nn.modules.module._global_forward_hooks),
        len(nn.modules.module._global_forward_pre_hooks),
    )


def _victim(network):
    parameters = list(network.parameters())
    modes = tuple(module.training for module in network.modules())
    return bytes_of(network), modes, [p.requires_grad for p in parameters], [p.grad for p in parameters]


def _view(view):
    """The bytes of all that was granted."""
    if hasattr(view, "pictures"):
        return view.pictures.tobytes(), view.published, view.classes
    tensors = {name: tensor.numpy().tobytes() for name, tensor in view.tensors.items()}
    return tensors, view.data.x.tobytes(), view.data.y.tobytes(), view.published, view.classes


@pytest.mark.parametrize("grad", [True, False], ids=["grad", "no-grad"])
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_touches_nothing_and_follows_from_its_seed(name, grad):
    attack, victim, data = ATTACKS[name], tiny(), noise_data(40)
    view = view_for(attack, victim, data)
    before = _victim(victim), _view(view)
    made = []
    with torch.set_grad_enabled(grad):
        for seed in (5, 5, 6):
            # Another global state each time: what follows from the seed alone follows from none of these.
            torch.manual_seed(100 + len(made))
            np.random.seed(200 + len(made))
            random.seed(300 + len(made))
            state = _globals()
            outcome = attack.attack(view, AMPLE, seed)
            assert _globals() == state
            assert (_victim(victim), _view(view)) == before
            assert not any(module.training for module in outcome.model.modules())
            assert all(p.grad is None for p in outcome.model.parameters())
            assert victim is not outcome.model
            made.append(bytes_of(outcome.model))
    assert made[0] == made[1]
    assert (made[0] == made[2]) == (name in FIXED)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_an_attack_makes_is_its_own(name):
    """Training on with the outcome changes neither the victim nor what the view hands out next."""
    attack, victim = ATTACKS[name], tiny()
    view = view_for(attack, victim, noise_data(20))
    outcome, before = attack.attack(view, AMPLE, 1), bytes_of(victim)
    with torch.no_grad():
        for tensor in [*outcome.model.parameters(), *outcome.model.buffers()]:
            tensor.zero_()
    assert bytes_of(victim) == before
    if hasattr(view, "tensors"):
        assert bytes_of(view.network()) == before


def test_the_list_of_these_tests_is_complete():
    found = set()
    for part in ("removal", "extraction", "evasion"):
        package = importlib.import_module(f"wmproto.attacks.{part}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(cls, Attack) and not inspect.isabstract(cls) and cls.__module__ == module.name:
                    found.add(cls)
    assert found == {type(attack) for attack in ATTACKS.values()}
    assert len({cls.name for cls in found}) == len(found) >= 12
    assert all(cls.source and cls.__doc__ for cls in found)
    assert wmproto.attacks.__doc__


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=_GPU)])
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_runs_where_the_view_says(name, device):
    attack, data = ATTACKS[name], noise_data(40)
    outcome = attack.attack(view_for(attack, tiny(), data, torch.device(device)), AMPLE, 1)
    assert {tensor.device.type for tensor in outcome.model.parameters()} == {device}
    with torch.no_grad():
        scores = outcome.model(torch.from_numpy(data.x).to(device))
    assert scores.device.type == device
    assert torch.isfinite(scores).all()
    same = attack.attack(view_for(attack, tiny(), data), AMPLE, 1)
    assert (outcome.cost, outcome.log[:1]) == (same.cost, same.log[:1])


def test_removal_makes_networks_that_can_be_kept():
    for name in ("ftal", "prune", "quantise", "noise", "overwrite", "extract-hard", "extract-hard-wide"):
        victim = tiny()
        assert isinstance(
            ATTACKS[name].attack(view_for(ATTACKS[name], victim, noise_data(20)), AMPLE, 1).model, Network
        )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("prune", {"share": 1.0}),
        ("prune", {"share": -0.1}),
        ("prune", {"share": float("nan")}),
        ("quantise", {"bits": 1}),
        ("quantise", {"bits": 9}),
        ("noise", {"strength": -1.0}),
        ("noise", {"strength": float("inf")}),
        ("overwrite", {"triggers": 0}),
        ("overwrite", {"rows": 0}),
        ("overwrite", {"then": "ftll"}),
        ("overwrite", {"batch": 0}),
        ("overwrite", {"epochs": 0}),
        ("extract-hard", {"student": "vgg"}),
        ("extract-hard", {"epochs": 0}),
        ("extract-soft", {"batch": 0}),
        ("extract-soft", {"lr": -1.0}),
        ("extract-soft", {"schedule": "linear"}),
        ("blur", {"sigma": 0.0}),
        ("blur", {"sigma": 17.0}),
        ("blur", {"sigma": float("nan")}),
        ("jpeg", {"quality": 0}),
        ("jpeg", {"quality": 96}),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused_in_one_line(name, settings):
    with pytest.raises(ValueError) as caught:
        type(ATTACKS[name])(**settings)
    assert next(iter(settings)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_jpeg_says_what_it_lacks(monkeypatch):
    view = view_for(ATTACKS["jpeg"], tiny(), noise_data(4))
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(MissingExtraError):
        ATTACKS["jpeg"].attack(view, AMPLE, 1)


def test_a_weight_that_is_not_finite_is_not_quantised():
    victim = tiny()
    with torch.no_grad():
        victim[1].weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(ConfigError, match="not finite"):
        ATTACKS["quantise"].attack(view_for(ATTACKS["quantise"], victim, noise_data(4)), AMPLE, 1)
