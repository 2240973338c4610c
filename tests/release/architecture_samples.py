"""Architectures for the tests of this folder: one that uses every layer, and a strategy that builds fitting ones."""

import copy

from hypothesis import strategies as st


def every_layer():
    return copy.deepcopy(_EVERY_LAYER)


_EVERY_LAYER = {
    "grammar": "layers/1",
    "input": {"dtype": "uint8", "shape": [9, 8, 2]},
    "layers": [
        {"op": "affine", "scale": [[1, 255], [2, 3]], "shift": [[-1, 2], [0, 1]]},
        {
            "op": "conv2d",
            "bias": False,
            "channels": 6,
            "groups": 2,
            "kernel": [3, 2],
            "padding": [1, 0],
            "stride": [2, 1],
        },  # (6, 5, 7)
        {"op": "batchnorm2d", "eps": [1, 100000]},
        {
            "op": "residual",
            "body": [
                {
                    "op": "conv2d",
                    "bias": True,
                    "channels": 4,
                    "groups": 1,
                    "kernel": [1, 1],
                    "padding": [0, 0],
                    "stride": [1, 1],
                },
                {"op": "residual", "body": [{"op": "relu"}], "shortcut": []},
            ],
            "shortcut": [
                {
                    "op": "conv2d",
                    "bias": False,
                    "channels": 4,
                    "groups": 1,
                    "kernel": [1, 1],
                    "padding": [0, 0],
                    "stride": [1, 1],
                }
            ],
        },
        {"op": "relu"},
        {"op": "maxpool", "kernel": [2, 3], "padding": [1, 1], "stride": [1, 2]},  # (4, 6, 4)
        {"op": "avgpool", "kernel": [2, 2], "stride": [2, 2]},  # (4, 3, 2)
        {"op": "flatten"},
        {"op": "linear", "bias": True, "features": 7},
        {"op": "relu"},
        {"op": "linear", "bias": False, "features": 3},
    ],
}

EVERY_TENSOR = {
    "1.weight": (6, 1, 3, 2),
    "10.weight": (3, 7),
    "2.bias": (6,),
    "2.running_mean": (6,),
    "2.running_var": (6,),
    "2.weight": (6,),
    "3.body.0.bias": (4,),
    "3.body.0.weight": (4, 6, 1, 1),
    "3.shortcut.0.weight": (4, 6, 1, 1),
    "8.bias": (7,),
    "8.weight": (7, 24),
}

_ratios = st.sampled_from([[0, 1], [1, 255], [-3, 7], [2**31 - 1, 2], [-(2**31) + 1, 2**31 - 2]])


@st.composite
def fitting(draw):
    """A JSON document of the grammar whose shapes fit."""
    h, w, c = (draw(st.integers(1, 9)) for _ in range(3))
    ratios = st.lists(_ratios, min_size=c, max_size=c)
    layers = [{"op": "affine", "scale": draw(ratios), "shift": draw(ratios)}]
    body, _ = draw(_picture_layers((c, h, w), 0))
    layers += [*body, {"op": "flatten"}, {"op": "linear", "bias": draw(st.booleans()), "features": draw(_classes)}]
    return {"grammar": "layers/1", "input": {"dtype": "uint8", "shape": [h, w, c]}, "layers": layers}


_classes = st.integers(2, 12)


@st.composite
def _picture_layers(draw, shape, depth):
    layers = []
    for op in draw(
        st.lists(st.sampled_from(["conv2d", "relu", "batchnorm2d", "maxpool", "avgpool", "residual"]), max_size=4)
    ):
        c, *sides = shape
        layer = {"op": op}
        if op == "batchnorm2d":
            layer["eps"] = draw(st.sampled_from([[1, 1000], [1, 100000], [3, 7]]))
        elif op == "residual":
            if depth == 3:
                continue
            inner = {"op": "conv2d", "bias": True, "channels": c, "groups": 1}
            inner |= {"kernel": [3, 3], "padding": [1, 1], "stride": [1, 1]}
            deeper = {"op": "residual", "body": [{"op": "relu"}], "shortcut": []}
            layer |= {"body": draw(st.sampled_from([[inner], [inner, deeper]])), "shortcut": []}
        elif op != "relu":
            kernel = [draw(st.integers(1, n)) for n in sides]
            stride = [draw(st.integers(1, 3)) for _ in sides]
            padding = [draw(st.integers(0, k // 2)) for k in kernel]
            if op == "avgpool":
                padding = [0, 0]
            if op == "conv2d":
                padding = [min(p, k - 1) for p, k in zip(padding, kernel, strict=True)]
                groups = draw(st.sampled_from([g for g in range(1, c + 1) if c % g == 0]))
                channels = groups * draw(st.integers(1, 3))
                layer |= {"bias": draw(st.booleans()), "channels": channels, "groups": groups}
                c = channels
            layer |= {"kernel": kernel, "stride": stride}
            if op != "avgpool":
                layer["padding"] = padding
            sides = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(sides, padding, kernel, stride, strict=True)]
            shape = (c, *sides)
        layers.append(layer)
    return layers, shape
