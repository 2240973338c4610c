"""Weights as safetensors bytes, in and out. Pickles are never read or written."""

from __future__ import annotations

from collections.abc import Mapping

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from wmproto.models.network import Network, build_network, network_tensors
from wmproto.release.architecture import Architecture, architecture_bytes
from wmproto.release.modelfile import ARCHITECTURE_KEY, ModelFile
from wmproto.release.tensors import read_tensors

__all__ = ["UNREADABLE", "load_network", "load_tensors", "save_model", "save_tensors"]

#: What safetensors.torch.load raises for somebody else's bytes, besides its own error: dtypes and shapes torch lacks.
UNREADABLE = (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OverflowError)


def save_tensors(tensors: Mapping[str, Tensor]) -> bytes:
    """Encode tensors as safetensors bytes; the same tensors give the same bytes.

    Args:
        tensors: By name: CPU, contiguous; for a model exactly those of network_tensors().
    """
    return safetensors.torch.save(dict(tensors))


def load_tensors(data: bytes, architecture: Architecture) -> dict[str, Tensor]:
    """Decode a file that must hold exactly the architecture's tensors: float32, CPU, writable.

    Raises:
        FormatError: As wmproto.release.tensors.read_tensors.
    """
    read_tensors(data, architecture)
    return safetensors.torch.load(data)


def save_model(network: Network, architecture: Architecture) -> bytes:
    """A model file: safetensors bytes of a network whose metadata carries its architecture (specs/release.md)."""
    metadata = {ARCHITECTURE_KEY: architecture_bytes(architecture).decode()}
    return safetensors.torch.save(network_tensors(network), metadata=metadata)


def load_network(model: ModelFile) -> Network:
    """Build the network of a model file, in eval mode, its weights free to be trained on."""
    return build_network(model.architecture, load_tensors(model.data, model.architecture)).eval()
