"""Int8 copies of a model: read to see whether the mark is still there, made to try that out.

An int8 copy is a safetensors file whose metadata holds, under ``wmproto.int8``, what a model file holds under
``wmproto.architecture``: the architecture's canonical JSON. Each tensor NAME of the architecture stands in it either
as F32 of its shape, or as I8 of its shape together with ``NAME.scale``, F32 of shape () or (1), for the whole tensor,
or of the length of its first axis, one for each output. It stands for the float32 weight ``int8 * scale``, rounded once
to nearest: the same on every machine.

It is no model file. h_f, releases and disputes speak of float32 tensors only (specs/release.md, rel-tensor-1): what is
bound in a dispute over such a model is its ``float32_copy``.
"""

from __future__ import annotations

from collections.abc import Mapping

import safetensors.torch
import torch
from torch import Tensor

from wmproto.errors import FormatError
from wmproto.models.weights import UNREADABLE, load_tensors
from wmproto.release.architecture import Architecture, architecture_bytes, parse_architecture_bytes
from wmproto.release.modelfile import ARCHITECTURE_KEY, INT8_KEY, read_metadata, read_model
from wmproto.release.tensors import WEIGHTS_LIMIT

__all__ = ["dequantised", "float32_copy", "int8_copy", "quantised"]

_SCALE = ".scale"  # no tensor of layers/1 is called so
_MOST = 127  # -128 is read, but not written: scales stay symmetrical


def int8_copy(model: bytes) -> bytes:
    """Make the int8 copy of a model file, as post-training quantisation of weights alone does it.

    Tensors of two or more axes become int8 with a scale for each output, max(abs) / 127, ties to even; biases and
    norms stay float32. The same model gives the same bytes.

    Args:
        model: A model file (specs/release.md), at most WEIGHTS_LIMIT bytes.

    Raises:
        FormatError: Not a model file, or a weight that is not finite: it has no int8.
    """
    loaded = read_model(model)
    tensors: dict[str, Tensor] = {}
    for name, tensor in load_tensors(loaded.data, loaded.architecture).items():
        if tensor.dim() < 2:
            tensors[name] = tensor
            continue
        if not bool(torch.isfinite(tensor).all()):
            raise FormatError(f"model: tensor {name!r} holds a weight that is not finite")
        tensors[name], tensors[name + _SCALE] = quantised(tensor)
    return safetensors.torch.save(tensors, metadata={INT8_KEY: architecture_bytes(loaded.architecture).decode()})


def quantised(tensor: Tensor, most: int = _MOST) -> tuple[Tensor, Tensor]:
    """Whole steps and their size for each output: max(abs) / most, ties to even.

    Args:
        tensor: float32 of two or more axes, finite, on any device.
        most: Largest step, 1 to 127.

    Returns:
        The steps, int8 in [-most, most] of the tensor's shape; the scales, float32 (outputs,), all above 0.
    """
    scale = tensor.flatten(1).abs().amax(1) / most
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))  # an output of zeros alone, or of denormals
    steps = torch.round(tensor / _broadcast(scale, tensor))
    return steps.clamp(-most, most).to(torch.int8), scale


def dequantised(steps: Tensor, scale: Tensor) -> Tensor:
    """The float32 weights that steps and scales stand for, rounded once; see quantised()."""
    return steps.to(torch.float32) * _broadcast(scale, steps)


def float32_copy(data: bytes) -> bytes:
    """The model file that an int8 copy stands for: what a dispute over it would bind and ask.

    Raises:
        FormatError: Not an int8 copy; the message names the tensor.
    """
    text = read_metadata(data, what="int8 copy").get(INT8_KEY)
    if text is None or len(data) > WEIGHTS_LIMIT:
        raise FormatError("int8 copy: not one", hint=f"its architecture stands under the metadata {INT8_KEY!r}")
    architecture = parse_architecture_bytes(text.encode())
    try:
        found = safetensors.torch.load(data)
    except UNREADABLE as err:
        raise FormatError("int8 copy: not a safetensors file") from err
    tensors = _dequantised(found, architecture)
    return safetensors.torch.save(tensors, metadata={ARCHITECTURE_KEY: architecture_bytes(architecture).decode()})


def _dequantised(found: Mapping[str, Tensor], architecture: Architecture) -> dict[str, Tensor]:
    tensors, known = {}, set()
    for name, shape in architecture.tensors.items():
        tensor = found.get(name)
        if tensor is None or tuple(tensor.shape) != shape or tensor.dtype not in (torch.int8, torch.float32):
            raise FormatError(f"int8 copy: tensor {name!r} must be I8 or F32 of shape {list(shape)}")
        known.add(name)
        if tensor.dtype == torch.int8:
            known.add(name + _SCALE)
            scale = _scale(found.get(name + _SCALE), name, shape[0])
            tensor = dequantised(tensor, scale)
        tensors[name] = tensor
    if extra := found.keys() - known:
        raise FormatError(f"int8 copy: tensor {min(extra)[:128]!r} is not used", hint="leave it out")
    return tensors


def _scale(scale: Tensor | None, name: str, outputs: int) -> Tensor:
    shapes = ((), (1,), (outputs,))
    if scale is None or scale.dtype != torch.float32 or tuple(scale.shape) not in shapes:
        raise FormatError(f"int8 copy: {name + _SCALE!r} must be F32 of shape [], [1] or [{outputs}]")
    if not bool((torch.isfinite(scale) & (scale > 0)).all()):
        raise FormatError(f"int8 copy: {name + _SCALE!r} holds a scale that is not finite, or not above 0")
    return scale


def _broadcast(scale: Tensor, tensor: Tensor) -> Tensor:
    """A scale as it multiplies a tensor: (out,) becomes (out, 1, 1...); one number stays one."""
    return scale.reshape(-1, *[1] * (tensor.dim() - 1))
