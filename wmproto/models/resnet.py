"""ResNet-18 for small pictures: a 3x3 stem of stride 1 and no pooling before the blocks.

Source: He, Zhang, Ren, Sun (CVPR 2016), blocks [2, 2, 2, 2] of 64, 128, 256, 512 channels. Adi et al. use this size for
CIFAR; their code has pre-activation blocks, these are the original ones (norm and ReLU after each convolution, ReLU
after the sum), and a norm in each projecting shortcut.
"""

from __future__ import annotations

from collections.abc import Sequence

from wmproto.models.cnn import standard_affine
from wmproto.release.architecture import Architecture, parse_architecture

__all__ = ["resnet18"]

_EPS = [1, 100_000]
_BLOCKS = ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1))  # (channels, stride)


def resnet18(
    shape: Sequence[int], classes: int, scale: Sequence[object] | None = None, shift: Sequence[object] | None = None
) -> Architecture:
    """The network; 11,173,962 trained weights for (32, 32, 3) and 10 classes, and 9,600 running statistics.

    Args:
        shape: (H, W, C) of the pictures, H and W at least 8 and equal; the last feature map has a side of H / 8.
        classes: 2 or more.
        scale: Ratios of the affine layer, see wmproto.models.small_cnn.
        shift: Likewise.

    Raises:
        FormatError: The numbers do not fit the grammar.
        ValueError: Only one of scale and shift.
    """
    side = (shape[0] + 7) // 8  # three strides of 2, each rounded up
    layers: list[object] = [standard_affine(shape, scale, shift), *_conv(64, 3, 1), {"op": "relu"}]
    before = 64
    for channels, stride in _BLOCKS:
        shortcut = [] if stride == 1 and before == channels else _conv(channels, 1, stride)
        body = [*_conv(channels, 3, stride), {"op": "relu"}, *_conv(channels, 3, 1)]
        layers += [{"op": "residual", "body": body, "shortcut": shortcut}, {"op": "relu"}]
        before = channels
    layers += [
        {"op": "avgpool", "kernel": [side, side], "stride": [side, side]},
        {"op": "flatten"},
        {"op": "linear", "bias": True, "features": classes},
    ]
    return parse_architecture(
        {"grammar": "layers/1", "input": {"dtype": "uint8", "shape": list(shape)}, "layers": layers}
    )


def _conv(channels: int, kernel: int, stride: int) -> list[object]:
    window = {"kernel": [kernel] * 2, "padding": [kernel // 2] * 2, "stride": [stride] * 2}
    return [
        {"op": "conv2d", "bias": False, "channels": channels, "groups": 1, **window},
        {"op": "batchnorm2d", "eps": _EPS},
    ]
