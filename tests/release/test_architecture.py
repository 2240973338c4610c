"""The closed grammar: what is in it, what is not, and that nothing but FormatError comes out of the parser."""

import json

import pytest
from architecture_samples import EVERY_TENSOR, every_layer, fitting
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wmproto.errors import FormatError, UnsupportedError
from wmproto.release.architecture import (
    ARCHITECTURE_LIMIT,
    architecture_bytes,
    parse_architecture,
    parse_architecture_bytes,
)


def test_every_layer_is_understood():
    arch = parse_architecture(every_layer())
    assert arch.classes == 3
    assert dict(arch.tensors) == EVERY_TENSOR
    assert list(arch.tensors) == sorted(EVERY_TENSOR, key=str.encode)
    assert arch.weights == 36 + 21 + 24 + 28 + 24 + 7 + 168
    assert arch.input_bytes == 144
    assert architecture_bytes(arch) == json.dumps(every_layer(), sort_keys=True, separators=(",", ":")).encode()


def test_a_row_of_a_table_is_an_input_too():
    doc = {"grammar": "layers/1", "input": {"dtype": "uint8", "shape": [3]}, "layers": [
        {"op": "affine", "scale": [[1, 1]] * 3, "shift": [[0, 1]] * 3},
        {"op": "linear", "bias": True, "features": 2},
    ]}  # fmt: skip
    assert dict(parse_architecture(doc).tensors) == {"1.bias": (2,), "1.weight": (2, 3)}


def test_it_is_frozen():
    arch = parse_architecture(every_layer())
    with pytest.raises(ValidationError):
        arch.grammar = "layers/2"
    with pytest.raises(TypeError):
        arch.tensors["x"] = (1,)


@given(fitting())
def test_round_trip(doc):
    arch = parse_architecture(doc)
    data = architecture_bytes(arch)
    again = parse_architecture_bytes(data)
    assert again == arch
    assert again.tensors == arch.tensors
    assert architecture_bytes(again) == data
    assert json.loads(data) == doc


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
)


@given(_json)
def test_random_objects_give_only_format_errors(obj):
    with pytest.raises(FormatError):
        parse_architecture(obj)


@given(st.binary(max_size=200))
def test_random_bytes_give_only_format_errors(data):
    with pytest.raises(FormatError):
        parse_architecture_bytes(data)


def _places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        yield from _places(inner, (*path, key))


_PLACES = [p for p in _places(every_layer()) if p]


def _put(doc, path, change):
    *front, last = path
    for key in front:
        doc = doc[key]
    change(doc, last)


def _set(value):
    def change(parent, key):
        parent[key] = value

    return change


@given(st.sampled_from(_PLACES), _json)
def test_a_changed_place_gives_another_architecture_or_a_format_error(path, value):
    doc = every_layer()
    _put(doc, path, _set(value))
    try:
        arch = parse_architecture(doc)
    except FormatError:
        return
    assert json.loads(architecture_bytes(arch)) == doc


@pytest.mark.parametrize("path", [p for p in _PLACES if isinstance(p[-1], str)], ids=str)
def test_every_field_is_needed_and_none_may_be_added(path):
    doc = every_layer()
    _put(doc, path, lambda parent, key: parent.pop(key))
    with pytest.raises(FormatError):
        parse_architecture(doc)
    doc = every_layer()
    _put(doc, path, lambda parent, _: parent.update(name="x"))
    with pytest.raises(FormatError):
        parse_architecture(doc)


@pytest.mark.parametrize(
    "path", [p for p in _PLACES if isinstance(p[-1], int) or p[-1] in ("channels", "groups")], ids=str
)
def test_numbers_are_integers_and_never_floats_booleans_or_text(path):
    doc = every_layer()
    *front, last = path
    at = doc
    for key in front:
        at = at[key]
    if not isinstance(at[last], int):
        return
    for wrong in (float(at[last]), str(at[last]), True, None):
        copy = every_layer()
        _put(copy, path, _set(wrong))
        with pytest.raises(FormatError):
            parse_architecture(copy)


_CONV = {
    "op": "conv2d",
    "bias": True,
    "channels": 4,
    "groups": 1,
    "kernel": [3, 3],
    "padding": [0, 0],
    "stride": [1, 1],
}
_AFFINE = {"op": "affine", "scale": [[1, 1]], "shift": [[0, 1]]}
_HEAD = [{"op": "flatten"}, {"op": "linear", "bias": True, "features": 2}]


def _net(*layers, shape=(8, 8, 1), head=_HEAD, first=_AFFINE):
    doc = {"grammar": "layers/1", "input": {"dtype": "uint8", "shape": list(shape)}, "layers": [first, *layers, *head]}
    return json.loads(json.dumps(doc))


def _nested(depth):
    layer = {"op": "relu"}
    for _ in range(depth):
        layer = {"op": "residual", "body": [layer], "shortcut": []}
    return layer


@pytest.mark.parametrize(
    ("doc", "where"),
    [
        (_net(first={"op": "relu"}), "layer 0"),
        (_net(_AFFINE), "layer 1"),
        (_net({"op": "residual", "body": [_AFFINE], "shortcut": []}), "layer 1.body.0"),
        (_net({"op": "residual", "body": [{"op": "relu"}], "shortcut": [_AFFINE]}), "layer 1.shortcut.0"),
        (_net({"op": "residual", "body": [_CONV], "shortcut": []}), "layer 1: body gives (4, 6, 6)"),
        (_net({"op": "residual", "body": [], "shortcut": []}), "layers.1.residual.body"),
        (_net(_CONV | {"groups": 2}), "layer 1: groups"),
        (_net(_CONV | {"padding": [3, 0]}), "layer 1: padding"),
        (_net(_CONV | {"kernel": [9, 3]}), "layer 1: a kernel of 9"),
        (_net({"op": "maxpool", "kernel": [3, 3], "padding": [2, 1], "stride": [1, 1]}), "layer 1: padding"),
        (_net({"op": "flatten"}), "layer 2: takes (C, H, W)"),
        (_net({"op": "linear", "bias": True, "features": 2}), "flatten first"),
        (_net({"op": "flatten"}, {"op": "batchnorm2d", "eps": [1, 9]}), "layer 2: takes (C, H, W)"),
        (_net({"op": "batchnorm2d", "eps": [0, 1]}), "eps"),
        (_net({"op": "batchnorm2d", "eps": [2, 10]}), "reduced"),
        (_net(first=_AFFINE | {"scale": [[2, 2]]}), "reduced"),
        (_net(first=_AFFINE | {"scale": [[0, 2]]}), "reduced"),
        (_net(first=_AFFINE | {"scale": [[1, 0]]}), "scale"),
        (_net(first=_AFFINE | {"scale": [[1, -3]]}), "scale"),
        (_net(first=_AFFINE | {"scale": [[2**31, 1]]}), "scale"),
        (_net(first=_AFFINE | {"scale": [[1, 1], [1, 1]]}), "layer 0: needs 1 scales"),
        (_net(first=_AFFINE | {"shift": []}), "layer 0: needs 1 scales"),
        (_net(head=[]), "one score a class"),
        (_net(head=[{"op": "flatten"}, {"op": "linear", "bias": True, "features": 1}]), "two classes"),
        (_net(shape=(8, 8)), "input.shape"),
        (_net(shape=(8, 8, 1, 1)), "input.shape"),
        (_net(shape=()), "input.shape"),
        (_net(shape=(4097, 1, 1)), "input.shape"),
        (_net(shape=(4096, 4096, 2)), "input.shape"),
        (_net({"op": "gelu"}), "gelu"),
        (_net() | {"grammar": "layers/2"}, "grammar"),
        (_net() | {"classes": 2}, "classes"),
        (_net(*[{"op": "relu"}] * 1022), "layers"),
        (_net(*[{"op": "residual", "body": [{"op": "relu"}] * 600, "shortcut": []}] * 2), "more than 1024 layers"),
        (_net(_nested(5)), "more than 4 residuals"),
        (_net(_nested(300)), "recursion"),
        (_net(_CONV | {"channels": 65537}), "channels"),
        (_net(_CONV | {"kernel": [257, 1]}), "kernel"),
        (_net(_CONV | {"channels": 65536}, _CONV | {"channels": 65536}, shape=(9, 9, 1)), "weights"),
        (_net(*[_CONV | {"kernel": [1, 1], "channels": 4096}] * 2, shape=(99, 99, 1)), "operations an answer"),
        (_net(*[_CONV | {"kernel": [1, 1], "channels": 64}] * 99, shape=(400, 400, 1)), "activations"),
        (_net(_CONV | {"kernel": [128, 128], "channels": 1}, shape=(512, 512, 1)), "windows"),
        (
            _net({"op": "avgpool", "kernel": [256, 256], "stride": [1, 1]}, shape=(2048, 2048, 1)),
            "operations an answer",
        ),
        (
            _net({"op": "flatten"}, head=[{"op": "linear", "bias": True, "features": 65536}], shape=(65, 65, 1)),
            "weights",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_refused_with_the_place(doc, where):
    with pytest.raises(FormatError) as caught:
        parse_architecture(doc)
    assert where in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("doc", [_net() | {"grammar": "onnx/1"}, _net({"op": "onnx"})])
def test_later_things_are_refused_by_name(doc):
    with pytest.raises(UnsupportedError, match="onnx"):
        parse_architecture(doc)


def test_deepest_and_largest_are_accepted():
    parse_architecture(_net(_nested(4)))
    parse_architecture(_net(*[{"op": "relu"}] * 1021))
    parse_architecture(_net(first={"op": "affine", "scale": [[1, 2**31 - 1]], "shift": [[-(2**31) + 1, 1]]}))


def test_only_canonical_bytes_are_parsed():
    data = architecture_bytes(parse_architecture(every_layer()))
    for other in (b" " + data, data.replace(b":", b": ", 1), data + b"\n", json.dumps(every_layer()).encode(), b""):
        with pytest.raises(FormatError):
            parse_architecture_bytes(other)


def test_the_size_is_capped():
    wide = _net(
        shape=(1, 1, 65536), first=_AFFINE | {"scale": [[2**31 - 1, 2**31 - 2]] * 65536, "shift": [[0, 1]] * 65536}
    )
    with pytest.raises(FormatError, match=str(ARCHITECTURE_LIMIT)):
        parse_architecture(wide)


def test_cycles_and_endless_depth_are_format_errors():
    doc = every_layer()
    doc["layers"].append(doc)
    with pytest.raises(FormatError):
        parse_architecture(doc)
    deep = every_layer()
    deep["layers"].append(_nested(100_000))
    with pytest.raises(FormatError):
        parse_architecture(deep)
