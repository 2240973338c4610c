"""A second small network, deeper and wider than small_cnn: for students that differ from their victim."""

from __future__ import annotations

from collections.abc import Sequence

from wmproto.models.cnn import pooled_conv, standard_affine
from wmproto.release.architecture import Architecture, parse_architecture

__all__ = ["wide_cnn"]


def wide_cnn(
    shape: Sequence[int], classes: int, scale: Sequence[object] | None = None, shift: Sequence[object] | None = None
) -> Architecture:
    """The network: three 3x3 convolutions (24, 48, 96 channels) with pooling, 128 hidden units, linear output.

    Args:
        shape: (H, W, C) of the pictures, H and W at least 8.
        classes: 2 or more.
        scale: Ratios of the affine layer, see wmproto.models.small_cnn.
        shift: Likewise.

    Returns:
        The architecture; 250,682 weights for (32, 32, 3) and 10 classes, no batch normalisation.

    Raises:
        FormatError: The numbers do not fit the grammar.
        ValueError: Only one of scale and shift.
    """
    layers = [
        standard_affine(shape, scale, shift),
        *pooled_conv(24),
        *pooled_conv(48),
        *pooled_conv(96),
        {"op": "flatten"},
        {"op": "linear", "bias": True, "features": 128},
        {"op": "relu"},
        {"op": "linear", "bias": True, "features": classes},
    ]
    return parse_architecture(
        {"grammar": "layers/1", "input": {"dtype": "uint8", "shape": list(shape)}, "layers": layers}
    )
