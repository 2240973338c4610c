"""What a network computes, in a closed grammar: the half of h_f that is not tensors (specs/release.md).

An architecture is canonical JSON of layers that run one after the other. It holds no code, no float, no name that
anybody chooses and no default: two different documents are two different models, and a reader who knows this page
knows the whole behaviour. Everything that happens to an input after its raw bytes is inside, so preprocessing is part
of the model (hole R8) and cannot be argued about in a dispute.

Promises: every accepted document has a fixed output length, a fixed set of float32 tensors, and bounded time and
memory. Leaves to others: the arithmetic (models/network.py), the tensors' bytes (release/tensors.py). Floating point
sums are not specified to the last bit, so two machines may disagree on an input whose two best scores nearly tie.

Source: design "wmproto/1", section 8.6.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import gcd, prod
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, PrivateAttr

from wmproto.errors import FormatError, UnsupportedError
from wmproto.wire.canonical import canonical_json, parse_json
from wmproto.wire.schema import Wire

__all__ = [
    "ARCHITECTURE_LIMIT",
    "Affine",
    "Architecture",
    "AvgPool",
    "BatchNorm2d",
    "Conv2d",
    "Flatten",
    "Input",
    "Layer",
    "Linear",
    "MaxPool",
    "ReLU",
    "Residual",
    "architecture_bytes",
    "parse_architecture",
    "parse_architecture_bytes",
]

#: Largest architecture in bytes of canonical JSON.
ARCHITECTURE_LIMIT = 1 << 20
_MAX_RATIO = 2**31 - 1  # numerators and denominators
_MAX_WIDTH = 1 << 16  # channels, features, classes
_MAX_SIDE = 1 << 12  # input height and width
_MAX_WINDOW = 1 << 8  # kernel and stride
_MAX_LAYERS = 1 << 10  # all layers, nested ones included
_MAX_DEPTH = 4  # residuals inside residuals
_MAX_INPUT = 1 << 24  # bytes of one input
_MAX_WEIGHTS = 1 << 28  # elements of all tensors together: 1 GiB
_MAX_ACTIVATIONS = 1 << 28  # elements of all layers' outputs together
_MAX_PRODUCTS = 1 << 36  # multiplications and window elements for one answer: seconds on one core
_MAX_UNFOLDED = 1 << 28  # elements of one convolution's windows laid out side by side, as libraries do: 1 GiB
_LATER = frozenset({"onnx"})
_LATER_GRAMMARS = frozenset({"onnx/1"})

Shape: TypeAlias = tuple[int, ...]


def _reduced(value: tuple[int, int]) -> tuple[int, int]:
    if gcd(*value) != 1:
        raise ValueError("a ratio must be reduced")
    return value


_Width = Annotated[int, Field(ge=1, le=_MAX_WIDTH)]
_Window = Annotated[int, Field(ge=1, le=_MAX_WINDOW)]
_Padding = Annotated[int, Field(ge=0, lt=_MAX_WINDOW)]
_Denominator = Annotated[int, Field(ge=1, le=_MAX_RATIO)]
#: [numerator, denominator], reduced; zero is [0, 1].
Ratio = Annotated[tuple[Annotated[int, Field(ge=-_MAX_RATIO, le=_MAX_RATIO)], _Denominator], AfterValidator(_reduced)]
_Positive = Annotated[tuple[_Denominator, _Denominator], AfterValidator(_reduced)]


class Affine(Wire):
    """First layer, once: y = x * scale + shift for each channel of the raw bytes, and (H, W, C) becomes (C, H, W).

    y is the exact rational, rounded to binary64 and then to binary32 (both to nearest, ties to even): the same on
    every machine. One scale and one shift for each entry of the input's last axis.
    """

    op: Literal["affine"]
    scale: Annotated[tuple[Ratio, ...], Field(max_length=_MAX_WIDTH)]
    shift: Annotated[tuple[Ratio, ...], Field(max_length=_MAX_WIDTH)]


class Conv2d(Wire):
    """Cross-correlation with zero padding on both sides. Tensors: weight (channels, C / groups, kh, kw), bias."""

    op: Literal["conv2d"]
    bias: bool
    channels: _Width
    groups: _Width
    kernel: tuple[_Window, _Window]
    padding: tuple[_Padding, _Padding]
    stride: tuple[_Window, _Window]


class Linear(Wire):
    """Matrix times vector. Tensors: weight (features, F), bias (features,) if ``bias``."""

    op: Literal["linear"]
    bias: bool
    features: _Width


class BatchNorm2d(Wire):
    """(x - running_mean) / sqrt(running_var + eps) * weight + bias, a channel; tensors of these four names, (C,)."""

    op: Literal["batchnorm2d"]
    eps: _Positive


class ReLU(Wire):
    """max(x, 0); NaN stays NaN."""

    op: Literal["relu"]


class MaxPool(Wire):
    """Largest of each window, the padding counting as minus infinity; windows that stick out are left out."""

    op: Literal["maxpool"]
    kernel: tuple[_Window, _Window]
    padding: tuple[_Padding, _Padding]
    stride: tuple[_Window, _Window]


class AvgPool(Wire):
    """Mean of each window; no padding; windows that stick out are left out."""

    op: Literal["avgpool"]
    kernel: tuple[_Window, _Window]
    stride: tuple[_Window, _Window]


class Flatten(Wire):
    """(C, H, W) becomes (C*H*W,), the last axis fastest."""

    op: Literal["flatten"]


class Residual(Wire):
    """body(x) + shortcut(x); an empty shortcut is x itself."""

    op: Literal["residual"]
    body: Annotated[tuple[Layer, ...], Field(min_length=1, max_length=_MAX_LAYERS)]
    shortcut: Annotated[tuple[Layer, ...], Field(max_length=_MAX_LAYERS)]


Layer: TypeAlias = Annotated[
    Affine | Conv2d | Linear | BatchNorm2d | ReLU | MaxPool | AvgPool | Flatten | Residual, Field(discriminator="op")
]
Residual.model_rebuild()


class Input(Wire):
    """What the model is asked with: raw bytes in C order, (H, W, C) for pictures or (F,) for a row of a table."""

    dtype: Literal["uint8"]
    shape: Annotated[tuple[_Width, ...], Field(min_length=1, max_length=3)]


class Architecture(Wire):
    """A checked architecture: whoever holds one knows that the shapes fit and the sizes are bounded.

    The checks run on every construction, also where it is a field of another wire object.

    Attributes:
        grammar: ``layers/1``.
        input: dtype and shape of one input.
        layers: In order; tensors are called as in torch.nn.Sequential: ``3.weight``, ``4.body.0.bias``.
    """

    grammar: Literal["layers/1"]
    input: Input
    layers: Annotated[tuple[Layer, ...], Field(min_length=1, max_length=_MAX_LAYERS)]

    _classes: int = PrivateAttr()
    _tensors: dict[str, Shape] = PrivateAttr()
    _weights: int = PrivateAttr()

    def model_post_init(self, _: Any, /) -> None:
        """Infer every shape and refuse what does not fit; raises FormatError with the layer's path."""
        shapes = _Shapes(self)
        self._classes, self._tensors, self._weights = shapes.classes, shapes.tensors, shapes.weights

    @property
    def classes(self) -> int:
        """Length of the output: one score a class, 2 to 65,536."""
        return self._classes

    @property
    def input_bytes(self) -> int:
        """Bytes of one input."""
        return prod(self.input.shape)

    @property
    def tensors(self) -> Mapping[str, Shape]:
        """Name and shape of exactly the tensors it uses, all F32, in byte order of the names; read only."""
        return MappingProxyType(self._tensors)

    @property
    def weights(self) -> int:
        """Number of elements of all tensors."""
        return self._weights


class _Shapes:
    """Shape inference with the caps; raises FormatError."""

    def __init__(self, architecture: Architecture) -> None:
        self.tensors: dict[str, Shape] = {}
        self.weights = 0
        self._layers = self._activations = self._products = 0
        shape: Shape = architecture.input.shape
        if len(shape) == 2:
            raise FormatError("architecture: input.shape: must be (H, W, C) or (F,)")
        if len(shape) == 3 and max(shape[:2]) > _MAX_SIDE:
            raise FormatError(f"architecture: input.shape: height and width are capped at {_MAX_SIDE}")
        if prod(shape) > _MAX_INPUT:
            raise FormatError(f"architecture: input.shape: capped at {_MAX_INPUT} bytes")
        out = self._run(architecture.layers, shape, "", depth=0)
        if len(out) != 1:
            raise FormatError(f"architecture: the output has shape {_text(out)}, but must be one score a class")
        if out[0] < 2:
            raise FormatError("architecture: the output has one score; a classifier has two classes or more")
        self.classes = out[0]
        self.tensors = {name: self.tensors[name] for name in sorted(self.tensors, key=str.encode)}

    def _run(self, layers: Sequence[Layer], shape: Shape, prefix: str, *, depth: int) -> Shape:
        for i, layer in enumerate(layers):
            path = f"{prefix}{i}"
            first = path == "0"
            if first != isinstance(layer, Affine):
                raise _error(
                    path, "the first layer must be affine" if first else "affine is allowed as first layer only"
                )
            self._layers += 1
            if self._layers > _MAX_LAYERS:
                raise _error(path, f"more than {_MAX_LAYERS} layers")
            shape = self._apply(layer, shape, path, depth)
            self._activations += prod(shape)
            if self._activations > _MAX_ACTIVATIONS:
                raise _error(path, f"more than {_MAX_ACTIVATIONS} activations up to here")
        return shape

    def _apply(self, layer: Layer, shape: Shape, path: str, depth: int) -> Shape:
        match layer:
            case Affine():
                if not len(layer.scale) == len(layer.shift) == shape[-1]:
                    raise _error(path, f"needs {shape[-1]} scales and shifts, one a channel")
                return shape if len(shape) == 1 else (shape[2], shape[0], shape[1])
            case Conv2d():
                c, *sides = _picture(shape, path)
                if c % layer.groups or layer.channels % layer.groups:
                    raise _error(path, f"groups must divide {c} and {layer.channels} channels")
                if any(p >= k for p, k in zip(layer.padding, layer.kernel, strict=True)):
                    raise _error(path, "padding must be smaller than the kernel")
                out = (layer.channels, *_windows(sides, layer.kernel, layer.stride, layer.padding, path))
                if c * prod(layer.kernel) * prod(out[1:]) > _MAX_UNFOLDED:
                    raise _error(path, f"more than {_MAX_UNFOLDED} elements in all windows together")
                weight = (layer.channels, c // layer.groups, *layer.kernel)
                self._tensor(path, "weight", weight, uses=out[1] * out[2])
                if layer.bias:
                    self._tensor(path, "bias", (layer.channels,))
                return out
            case Linear():
                if len(shape) != 1:
                    raise _error(path, f"linear takes a vector, but gets {_text(shape)}: flatten first")
                self._tensor(path, "weight", (layer.features, shape[0]), uses=1)
                if layer.bias:
                    self._tensor(path, "bias", (layer.features,))
                return (layer.features,)
            case BatchNorm2d():
                for name in ("weight", "bias", "running_mean", "running_var"):
                    self._tensor(path, name, _picture(shape, path)[:1])
                return shape
            case ReLU():
                return shape
            case MaxPool():
                c, *sides = _picture(shape, path)
                if any(2 * p > k for p, k in zip(layer.padding, layer.kernel, strict=True)):
                    raise _error(path, "padding must be at most half the kernel")
                return self._pool((c, *_windows(sides, layer.kernel, layer.stride, layer.padding, path)), layer, path)
            case AvgPool():
                c, *sides = _picture(shape, path)
                return self._pool((c, *_windows(sides, layer.kernel, layer.stride, (0, 0), path)), layer, path)
            case Flatten():
                return (prod(_picture(shape, path)),)
            case Residual():
                if depth == _MAX_DEPTH:
                    raise _error(path, f"more than {_MAX_DEPTH} residuals inside each other")
                body = self._run(layer.body, shape, f"{path}.body.", depth=depth + 1)
                shortcut = self._run(layer.shortcut, shape, f"{path}.shortcut.", depth=depth + 1)
                if body != shortcut:
                    raise _error(path, f"body gives {_text(body)}, shortcut gives {_text(shortcut)}")
                return body

    def _pool(self, out: Shape, layer: MaxPool | AvgPool, path: str) -> Shape:
        self._work(prod(out) * prod(layer.kernel), path)
        return out

    def _work(self, products: int, path: str) -> None:
        self._products += products
        if self._products > _MAX_PRODUCTS:
            raise _error(path, f"more than {_MAX_PRODUCTS} operations an answer up to here")

    def _tensor(self, path: str, name: str, shape: Shape, *, uses: int = 0) -> None:
        self.weights += prod(shape)
        if self.weights > _MAX_WEIGHTS:
            raise _error(path, f"more than {_MAX_WEIGHTS} weights up to here")
        self._work(prod(shape) * uses, path)
        self.tensors[f"{path}.{name}"] = shape


def _error(path: str, message: str) -> FormatError:
    return FormatError(f"architecture: layer {path}: {message}")


def _text(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))})"


def _picture(shape: Shape, path: str) -> Shape:
    if len(shape) != 3:
        raise _error(path, f"takes (C, H, W), but gets {_text(shape)}")
    return shape


def _windows(sides: Sequence[int], kernel: Shape, stride: Shape, padding: Shape, path: str) -> Iterator[int]:
    for n, k, s, p in zip(sides, kernel, stride, padding, strict=True):
        if n + 2 * p < k:
            raise _error(path, f"a kernel of {k} does not fit into {n + 2 * p}")
        yield (n + 2 * p - k) // s + 1


def _refuse_later(value: Any, depth: int = 0) -> None:
    """Name what a later version will know, before the schema calls it malformed."""
    if not isinstance(value, dict) or depth > _MAX_DEPTH + 1:
        return
    for field, later in (("grammar", _LATER_GRAMMARS), ("op", _LATER)):
        word = value.get(field)
        if isinstance(word, str) and word in later:
            raise UnsupportedError(f"architecture: {field} {word!r} is not supported by this version")
    for field in ("layers", "body", "shortcut"):
        inner = value.get(field)
        if isinstance(inner, list | tuple):
            for layer in inner[: _MAX_LAYERS + 1]:
                _refuse_later(layer, depth + 1)


def parse_architecture(obj: object) -> Architecture:
    """Check an architecture that is already Python objects (dict, list or tuple, str, int, bool), as out of JSON.

    Args:
        obj: For example ``{"grammar": "layers/1", "input": {...}, "layers": [{"op": "affine", ...}, ...]}``.

    Raises:
        FormatError: Not in the grammar, a float, shapes that do not fit, over a cap; names the layer.
        UnsupportedError: A grammar or layer that a later version will know.
    """
    try:
        data = json.dumps(obj, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as err:
        raise FormatError("architecture: not JSON") from err
    _refuse_later(obj)
    # json.dumps writes a float with its point and Wire's strict integers refuse it; canonical_json would hide it.
    architecture = Architecture.from_text(data, what="architecture", limit=8 * ARCHITECTURE_LIMIT)
    architecture_bytes(architecture)
    return architecture


def parse_architecture_bytes(data: bytes) -> Architecture:
    """Check an architecture's canonical JSON: ``architecture_bytes(parse_architecture_bytes(b)) == b``.

    Raises:
        FormatError: As parse_architecture, or not the canonical bytes.
    """
    value = parse_json(data, what="architecture", limit=ARCHITECTURE_LIMIT)
    if canonical_json(value) != data:
        raise FormatError("architecture: not in canonical form (RFC 8785)")
    return parse_architecture(value)


def architecture_bytes(architecture: Architecture) -> bytes:
    """The canonical JSON (RFC 8785) that enters h_f.

    Raises:
        FormatError: More than ARCHITECTURE_LIMIT bytes.
    """
    data = architecture.to_bytes()
    if len(data) > ARCHITECTURE_LIMIT:
        raise FormatError(f"architecture: {len(data)} bytes are more than the {ARCHITECTURE_LIMIT} allowed")
    return data
