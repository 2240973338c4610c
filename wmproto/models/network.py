"""An architecture of the closed grammar as a torch module, in float32.

The module is an ordinary torch.nn.Sequential: indexing, ``parameters()``, ``train()`` and optimisers work, and
``state_dict()`` holds exactly the tensors that the architecture names. Semantics, layer by layer, stand in
release/architecture.py; every layer but the first is the torch.nn layer of the same meaning:

    affine       a table of 256 values a channel, exact rationals rounded once to binary64 and then to binary32
    conv2d       nn.Conv2d(dilation 1, zeros)      linear   nn.Linear         relu     nn.ReLU
    maxpool      nn.MaxPool2d(ceil_mode False)     avgpool  nn.AvgPool2d(no padding, ceil_mode False)
    batchnorm2d  nn.BatchNorm2d; in eval mode its running statistics; in train mode momentum 0.1
    flatten      nn.Flatten                        residual body(x) + shortcut(x)

Sums inside conv2d, linear, avgpool and batchnorm2d have no fixed order: torch may give other last bits on another
processor. Nothing here draws random numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from wmproto.release.architecture import (
    Affine,
    Architecture,
    AvgPool,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    MaxPool,
    ReLU,
    Residual,
)

__all__ = ["AffineTable", "Network", "build_network", "network_tensors"]


class AffineTable(nn.Module):
    """The affine first layer as a table of its 256 values a channel; it has no parameters.

    Args:
        layer: The parsed layer.
        rank: 3 for pictures, 1 for rows of a table.
    """

    table: Tensor

    def __init__(self, layer: Affine, rank: int) -> None:
        super().__init__()
        self._rank = rank
        rows = []
        for (sn, sd), (tn, td) in zip(layer.scale, layer.shift, strict=True):
            # int / int is correctly rounded to binary64; the tensor rounds it to binary32
            rows.append([(v * sn * td + tn * sd) / (sd * td) for v in range(256)])
        self.register_buffer("table", torch.tensor(rows, dtype=torch.float32, device="cpu"), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Look every byte up.

        Args:
            x: (B, H, W, C) or (B, F) uint8, not modified.

        Returns:
            (B, C, H, W) or (B, F) float32, contiguous. No gradient flows to x.

        Raises:
            TypeError: x is not uint8 of that rank: the raw bytes are the model's input, preprocessing is inside.
        """
        if x.dtype != torch.uint8 or x.dim() != self._rank + 1:
            raise TypeError(f"the network takes raw uint8 inputs of rank {self._rank + 1}, batch first")
        channels = torch.arange(x.shape[-1], device=x.device)
        y = self.table[channels, x.long()]
        return y if self._rank == 1 else y.permute(0, 3, 1, 2).contiguous()


class _Residual(nn.Module):
    def __init__(self, body: nn.Sequential, shortcut: nn.Sequential) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x) + self.shortcut(x)
        return y


class Network(nn.Sequential):
    """A network with the architecture that it was built from.

    forward: (B, H, W, C) or (B, F) uint8 -> (B, classes) float32 scores.

    Attributes:
        architecture: The checked architecture.
    """

    architecture: Architecture


class _Builder:
    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors

    def sequence(self, layers: Sequence[Layer], shape: tuple[int, ...], prefix: str) -> OrderedDict[str, nn.Module]:
        return OrderedDict((str(i), self._layer(layer, shape, f"{prefix}{i}")) for i, layer in enumerate(layers))

    def _fill(self, module: nn.Module, path: str) -> nn.Module:
        """Put copies of the tensors into a module that was made on the meta device, so without random numbers."""
        for name, empty in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            given = self._tensors[f"{path}.{name}"]
            if given.dtype != torch.float32 or given.shape != empty.shape:
                raise ValueError(f"tensor {path}.{name} must be float32 of shape {tuple(empty.shape)}")
            copy = given.detach().clone(memory_format=torch.contiguous_format)
            setattr(module, name, nn.Parameter(copy) if isinstance(empty, nn.Parameter) else copy)
        return module

    def _layer(self, layer: Layer, shape: tuple[int, ...], path: str) -> nn.Module:
        match layer:
            case Affine():
                return AffineTable(layer, len(shape))
            case Conv2d():
                weight = self._tensors[f"{path}.weight"]
                conv = nn.Conv2d(
                    weight.shape[1] * layer.groups,
                    layer.channels,
                    layer.kernel,
                    layer.stride,
                    layer.padding,
                    groups=layer.groups,
                    bias=layer.bias,
                    device="meta",
                )
                return self._fill(conv, path)
            case Linear():
                weight = self._tensors[f"{path}.weight"]
                return self._fill(nn.Linear(weight.shape[1], layer.features, bias=layer.bias, device="meta"), path)
            case BatchNorm2d():
                channels = self._tensors[f"{path}.weight"].shape[0]
                norm = nn.BatchNorm2d(channels, eps=layer.eps[0] / layer.eps[1], device="meta")
                norm.num_batches_tracked = None  # only counts; not a tensor of the architecture
                return self._fill(norm, path)
            case ReLU():
                return nn.ReLU()
            case MaxPool():
                return nn.MaxPool2d(layer.kernel, layer.stride, layer.padding)
            case AvgPool():
                return nn.AvgPool2d(layer.kernel, layer.stride)
            case Flatten():
                return nn.Flatten()
            case Residual():
                body = nn.Sequential(self.sequence(layer.body, shape, f"{path}.body."))
                return _Residual(body, nn.Sequential(self.sequence(layer.shortcut, shape, f"{path}.shortcut.")))


def build_network(architecture: Architecture, tensors: Mapping[str, Tensor]) -> Network:
    """Build the module, in train mode as torch does; call ``eval()`` before asking it.

    Args:
        architecture: The checked architecture.
        tensors: Exactly its tensors by name: float32, CPU; copied.

    Raises:
        ValueError: Missing, unknown or wrong tensors. Files are checked by load_tensors, which names the fault.

    Global state: none is read or changed, the random generators included.
    """
    if set(tensors) != set(architecture.tensors):
        raise ValueError("tensors must be exactly those of the architecture")
    network = Network(_Builder(tensors).sequence(architecture.layers, architecture.input.shape, ""))
    network.architecture = architecture
    return network


def network_tensors(network: Network) -> dict[str, Tensor]:
    """Copies of the network's tensors by name: float32, CPU, contiguous; what is saved and hashed."""
    return {
        name: tensor.detach().to(device="cpu", copy=True).contiguous() for name, tensor in network.state_dict().items()
    }
