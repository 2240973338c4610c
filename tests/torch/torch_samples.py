"""Small things for the tests of this folder."""

import importlib.util
from pathlib import Path

import numpy as np
import torch

from wmproto.release.architecture import parse_architecture


def _load(name):
    path = Path(__file__).parents[1] / "release" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


every_layer = _load("architecture_samples").every_layer


def random_tensors(arch, seed):
    """Random float32 tensors; variances are positive."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {name: torch.randn(shape, generator=generator) for name, shape in arch.tensors.items()}
    return {name: t.abs() + 0.1 if name.endswith("running_var") else t for name, t in tensors.items()}


def random_bytes(shape, seed):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def linear_arch(classes, features=4):
    """A network that is one matrix: its scores can be set by hand."""
    return parse_architecture(
        {
            "grammar": "layers/1",
            "input": {"dtype": "uint8", "shape": [features]},
            "layers": [
                {"op": "affine", "scale": [[1, 1]] * features, "shift": [[0, 1]] * features},
                {"op": "linear", "bias": True, "features": classes},
            ],
        }
    )


def blobs(n, seed, *, classes=4, side=8):
    """Easy pictures: a bright quarter says the class. x (n, side, side, 1) uint8, y (n,)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    x = rng.integers(0, 80, (n, side, side, 1), dtype=np.uint8)
    half = side // 2
    for picture, label in zip(x, y, strict=True):
        r, c = divmod(int(label), 2)
        picture[r * half : (r + 1) * half, c * half : (c + 1) * half] += 120
    return x, y
