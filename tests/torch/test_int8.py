"""Int8 copies: what they stand for, to the last bit, and what is refused by name."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch
from torch_samples import every_layer, random_bytes, random_tensors

from wmproto.errors import FormatError, UnsupportedError
from wmproto.models import EscrowSuspect, build_network, float32_copy, int8_copy, save_model
from wmproto.release.architecture import parse_architecture
from wmproto.release.modelfile import read_model

pytestmark = pytest.mark.torch


def _model(change=lambda tensors: None):
    arch = parse_architecture(every_layer())
    tensors = random_tensors(arch, 3)
    change(tensors)
    return save_model(build_network(arch, tensors), arch)


def _metadata(data):
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]


def _changed(data, **tensors):
    """The copy with other tensors; None takes one away. Names with '__' for a dot."""
    found = safetensors.torch.load(data) | {name.replace("__", "."): t for name, t in tensors.items()}
    return safetensors.torch.save({n: t for n, t in found.items() if t is not None}, metadata=_metadata(data))


@pytest.fixture(scope="module")
def model():
    return _model()


def _first_weight(model):
    return next(n for n, shape in read_model(model).architecture.tensors.items() if len(shape) > 1)


def test_a_copy_is_a_quarter_as_large_and_stands_for_nearly_the_same_weights(model):
    small = int8_copy(model)
    assert small == int8_copy(model)
    back, there = read_model(float32_copy(small)), read_model(model)
    assert back.architecture == there.architecture
    assert back.digest != there.digest
    kept, was = safetensors.torch.load(back.data), safetensors.torch.load(model)
    stored = safetensors.torch.load(small)
    for name, tensor in was.items():
        if tensor.dim() < 2:
            assert torch.equal(kept[name], tensor)
            continue
        assert stored[name].dtype == torch.int8
        steps, scale = stored[name].numpy(), stored[name + ".scale"].numpy()
        rows = scale.reshape(-1, *[1] * (steps.ndim - 1))
        naive = steps.astype(np.float64) * rows.astype(np.float64)  # exact: 8 bits times 24
        assert np.array_equal(kept[name].numpy(), naive.astype(np.float32))
        assert np.all(np.abs(naive - tensor.numpy()) <= rows * 0.5000001)
        assert set(np.abs(steps.reshape(len(steps), -1)).max(1)) == {127}


def test_a_copy_of_a_copy_says_the_same(model):
    once = float32_copy(int8_copy(model))
    twice = float32_copy(int8_copy(once))
    for name, tensor in safetensors.torch.load(once).items():
        assert torch.allclose(safetensors.torch.load(twice)[name], tensor, rtol=1e-6)


def test_it_answers_as_its_float32_copy(model):
    copy = read_model(float32_copy(int8_copy(model)))
    suspect = EscrowSuspect(copy.data, copy.architecture)
    inputs = [random_bytes(copy.architecture.input.shape, seed).numpy().tobytes() for seed in range(4)]
    assert suspect.h_f == copy.digest
    assert all(answer is not None for answer in suspect.answers(inputs))


@pytest.mark.parametrize("shape", [(), (1,)])
def test_one_scale_for_a_whole_tensor(model, shape):
    name = _first_weight(model)
    scale = torch.full(shape, 0.375)
    data = _changed(int8_copy(model), **{name + ".scale": scale})
    steps = safetensors.torch.load(data)[name]
    assert torch.equal(safetensors.torch.load(float32_copy(data))[name], steps.float() * 0.375)


def test_outputs_of_zeros_and_huge_weights_have_a_scale():
    def change(tensors):
        first, *_ = (t for t in tensors.values() if t.dim() > 1)
        first[0] = 0
        first[1] = 3e38

    kept = safetensors.torch.load(float32_copy(int8_copy(_model(change))))
    first = kept[_first_weight(_model())]
    assert not first[0].any()
    assert torch.isfinite(first).all()


def test_a_weight_that_is_not_finite_has_no_int8():
    for value in (float("nan"), float("inf")):
        with pytest.raises(FormatError, match="not finite"):
            int8_copy(_model(lambda ts, v=value: next(t for t in ts.values() if t.dim() > 1).fill_(v)))


def test_what_is_no_copy_is_refused_by_name(model):
    good, name = int8_copy(model), _first_weight(model)
    outputs = read_model(model).architecture.tensors[name][0]
    steps, scale = safetensors.torch.load(good)[name], torch.ones(outputs)
    for bad, words in (
        (model, "not one"),
        (b"", "not a safetensors file"),
        (good[:-1], "not a safetensors file"),
        (_changed(good, **{name: None}), f"tensor '{name}' must be"),
        (_changed(good, **{name: steps.float()[:1]}), f"tensor '{name}' must be"),
        (_changed(good, **{name: steps.to(torch.uint8)}), f"tensor '{name}' must be"),
        (_changed(good, **{name: steps.float()}), f"tensor '{name}.scale' is not used"),
        (_changed(good, more=scale), "tensor 'more' is not used"),
        (_changed(good, **{name + ".scale": None}), f"'{name}.scale' must be F32"),
        (_changed(good, **{name + ".scale": scale.double()}), f"'{name}.scale' must be F32"),
        (_changed(good, **{name + ".scale": torch.ones(outputs + 1)}), f"'{name}.scale' must be F32"),
        (_changed(good, **{name + ".scale": scale * float("nan")}), "not finite, or not above 0"),
        (_changed(good, **{name + ".scale": scale * 0}), "not finite, or not above 0"),
        (_changed(good, **{name + ".scale": -scale}), "not finite, or not above 0"),
    ):
        with pytest.raises(FormatError) as caught:
            float32_copy(bad)
        assert words in str(caught.value)


def test_a_copy_is_no_model_file(model):
    with pytest.raises(UnsupportedError, match="an int8 copy") as caught:
        read_model(int8_copy(model))
    assert "float32_copy" in caught.value.hint
