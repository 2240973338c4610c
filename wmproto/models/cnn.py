"""The small reference network: about 100,000 weights for 28x28x1 bytes and 10 classes, no batch normalisation.

Batch normalisation is left out on purpose: Adi et al. blame it for the trigger rows' effect on their batches, and
without it training and answering compute the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, isqrt, prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wmproto.release.architecture import Architecture, parse_architecture

__all__ = ["initial_tensors", "pooled_conv", "small_cnn", "standard_affine", "standardisation"]

_UNIT = 1 << 20  # denominator of the standardisation's ratios before reducing


def _ratio(numerator: int) -> list[int]:
    d = gcd(numerator, _UNIT)
    return [numerator // d, _UNIT // d]


def standardisation(x: NDArray[np.uint8]) -> tuple[list[list[int]], list[list[int]]]:
    """Scale and shift a channel that give the pictures mean 0 and deviation 1, as reduced ratios over 2**20.

    Integers only: the same pictures give the same ratios everywhere. A deviation below one grey level counts as one.

    Args:
        x: (n, H, W, C) uint8, n >= 1.

    Returns:
        ``scale`` and ``shift`` for the affine layer, C ratios each.
    """
    flat = x.reshape(-1, x.shape[-1]).astype(np.int64)
    scales, shifts = [], []
    for total, squares in zip(flat.sum(0).tolist(), (flat * flat).sum(0).tolist(), strict=True):
        n = len(flat)
        spread = max(n * squares - total * total, n * n)  # n**2 times the variance
        scale = isqrt(_UNIT * _UNIT * n * n // spread)
        scales.append(_ratio(scale))
        shifts.append(_ratio(-(total * scale // n)))
    return scales, shifts


def small_cnn(
    shape: Sequence[int], classes: int, scale: Sequence[object] | None = None, shift: Sequence[object] | None = None
) -> Architecture:
    """The network: two 3x3 convolutions (16, 32 channels) with pooling, 64 hidden units, linear output.

    Args:
        shape: (H, W, C) of the pictures, H and W at least 4.
        classes: 2 or more.
        scale: Ratios of the affine layer, one a channel; see standardisation(). Left out, with ``shift``: bytes are
            mapped to [-1, 1]. Prefer that for keyed noise: it puts the noise's mean at 0 whatever the pictures are, and
            the marks are learnt in half the epochs (MNIST, whose own mean is 33: without it 1 run in 8 stopped short).
        shift: Likewise.

    Returns:
        The architecture; 105,866 weights for (28, 28, 1) and 10 classes.

    Raises:
        FormatError: The numbers do not fit the grammar.
        ValueError: Only one of scale and shift.
    """
    return parse_architecture(
        {
            "grammar": "layers/1",
            "input": {"dtype": "uint8", "shape": list(shape)},
            "layers": [
                standard_affine(shape, scale, shift),
                *pooled_conv(16),
                *pooled_conv(32),
                {"op": "flatten"},
                {"op": "linear", "bias": True, "features": 64},
                {"op": "relu"},
                {"op": "linear", "bias": True, "features": classes},
            ],
        }
    )


def pooled_conv(channels: int) -> list[dict[str, object]]:
    """A 3x3 convolution that keeps the size, ReLU, and pooling of 2x2: the block of the networks without norms."""
    window = {"kernel": [3, 3], "padding": [1, 1], "stride": [1, 1]}
    return [
        {"op": "conv2d", "bias": True, "channels": channels, "groups": 1, **window},
        {"op": "relu"},
        {"op": "maxpool", "kernel": [2, 2], "padding": [0, 0], "stride": [2, 2]},
    ]


def standard_affine(
    shape: Sequence[int], scale: Sequence[object] | None, shift: Sequence[object] | None
) -> dict[str, object]:
    """The first layer of the reference networks; without ratios bytes are mapped to [-1, 1].

    Raises:
        ValueError: Only one of scale and shift.
    """
    if scale is None and shift is None:
        scale, shift = [[2, 255]] * shape[-1], [[-1, 1]] * shape[-1]
    if scale is None or shift is None:
        raise ValueError("give scale and shift, or neither")
    return {"op": "affine", "scale": list(scale), "shift": list(shift)}


def initial_tensors(architecture: Architecture, *, seed: int) -> dict[str, Tensor]:
    """Draw initial tensors: weights normal with variance 1 / fan in (LeCun et al. 1998), biases 0, identity norms.

    Args:
        architecture: Any architecture.
        seed: 0 <= seed < 2**63; the same seed gives the same bytes with this version of torch.

    Returns:
        float32 CPU tensors by name.
    """
    generator = torch.Generator(device="cpu").manual_seed(seed)
    tensors = {}
    for name, shape in architecture.tensors.items():
        kind = name.rpartition(".")[2]
        if kind == "weight" and len(shape) > 1:
            deviation = (1 / prod(shape[1:])) ** 0.5  # He et al.'s 2 / fan in learns noise triggers in 1 run of 4 only
            tensors[name] = torch.empty(shape, dtype=torch.float32, device="cpu").normal_(
                0, deviation, generator=generator
            )
        else:
            ones = kind in ("weight", "running_var")
            tensors[name] = torch.full(shape, float(ones), dtype=torch.float32, device="cpu")
    return tensors
