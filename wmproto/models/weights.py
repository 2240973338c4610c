"""Weights as safetensors bytes, in and out. Pickles are never read or written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
from torch import Tensor

from wmproto.errors import ConfigError
from wmproto.release.architecture import Architecture
from wmproto.release.tensors import read_tensors

__all__ = ["load_tensors", "save_tensors", "write_file"]


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


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a temporary file beside it, synced, then renamed over it.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as err:
        raise ConfigError(f"cannot write {path}: {err.strerror}") from err
