"""Data sets by name, cut into the shares of owner, thief, stranger and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wmproto.errors import ConfigError, MissingExtraError
from wmproto.games.grid import DataSpec
from wmproto.models.data import Dataset, load_npz, mnist_5000, split

__all__ = ["SOURCES", "Shares", "key_pictures", "own_copy", "shares"]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Disjoint pictures of owner, thief (or liar), stranger, and tests; and the number of classes."""

    owner: Dataset
    thief: Dataset
    stranger: Dataset
    test: Dataset
    classes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        height, width, channels = self.owner.x.shape[1:]
        return height, width, channels

    def truth(self, picture: bytes) -> int | None:
        """The paper's oracle O^f as far as it can be played: the label of a picture that is one of these, or nearly.

        Nearly: at most NEAR grey levels away in the mean. None: no label is clear. A human recognises far more.
        """
        return _label(self, picture)

    @property
    def digest(self) -> str:
        """Of all shares, 64 hexadecimal digits."""
        return _digest(self)

    def __hash__(self) -> int:
        return id(self)


def own_copy(data: Dataset) -> Dataset:
    """A copy that an adversary may write to."""
    return Dataset(data.x.copy(), data.y.copy())


def _fixed(data: Dataset) -> Dataset:
    data.x.setflags(write=False)
    data.y.setflags(write=False)
    return data


@lru_cache(maxsize=2)
def _digest(of: Shares) -> str:
    parts = (of.owner, of.thief, of.stranger, of.test)
    return sha256(b"".join(part.digest() for part in parts)).hexdigest()


#: Mean distance in grey levels up to which a picture is taken for a known one.
NEAR = 2.0
_BLOCK = 16  # neighbouring bytes whose mean is compared first


class _Oracle:
    """Finds the nearest known picture; first by means of blocks, which cannot be further apart than the pictures."""

    def __init__(self, of: Shares) -> None:
        parts = (of.owner, of.thief, of.stranger, of.test)
        self._pictures = [part.x.reshape(len(part), -1) for part in parts]
        self._labels = [part.y for part in parts]
        self._blocks = [self._means(flat) for flat in self._pictures]

    @staticmethod
    def _means(flat: NDArray[np.uint8]) -> NDArray[np.float32]:
        whole = flat.shape[1] // _BLOCK * _BLOCK
        means: NDArray[np.float32] = flat[:, :whole].reshape(len(flat), -1, _BLOCK).mean(2, dtype=np.float32)
        return means

    def label(self, picture: NDArray[np.uint8]) -> int | None:
        """The label of the nearest picture within NEAR, the first of equally near ones."""
        best, found = NEAR, None
        means = self._means(picture[None])
        for pictures, labels, blocks in zip(self._pictures, self._labels, self._blocks, strict=True):
            share = blocks.shape[1] * _BLOCK / pictures.shape[1]
            for at in np.flatnonzero(np.abs(blocks - means).mean(1) * share <= NEAR):
                far = float(np.abs(pictures[at].astype(np.int16) - picture).mean())
                if far < best or (far == best and found is None):
                    best, found = far, int(labels[at])
        return found


@lru_cache(maxsize=1 << 14)
def _label(of: Shares, picture: bytes) -> int | None:
    return _oracle(of).label(np.frombuffer(picture, np.uint8))


@lru_cache(maxsize=1)
def _oracle(of: Shares) -> _Oracle:
    return _Oracle(of)


def _made() -> Dataset:
    """8,000 pictures of 16x16x1 made on the spot: a bright bar at one of eight angles, under noise."""
    generator = np.random.default_rng(2018)
    y = generator.integers(0, 8, 8000)
    rows, columns = np.mgrid[-7.5:8.5, -7.5:8.5]
    angle = np.pi * y[:, None, None] / 8
    moved = generator.normal(0, 1.5, (8000, 1, 1))
    far = np.abs(rows * np.cos(angle) - columns * np.sin(angle) - moved)
    bright = np.where(far < 1.5, 200, 40) + generator.normal(0, 40, (8000, 16, 16))
    return Dataset(bright.clip(0, 255).astype(np.uint8)[..., None], y.astype(np.int64))


def _digits() -> Dataset:
    """The 1,797 digits of scikit-learn, 8x8x1."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as err:
        raise MissingExtraError("games") from err
    found = load_digits()
    return Dataset((found.images * 15.9375).astype(np.uint8)[..., None], found.target.astype(np.int64))


_BY_NAME: dict[str, Callable[[], Dataset]] = {"mnist-5000": mnist_5000, "digits": _digits, "made": _made}
SOURCES = tuple(_BY_NAME)


def _read(file: str, folder: Path | None) -> Dataset:
    if folder is None:
        raise ConfigError(f"{file} is looked for in a folder of data", hint="say which: --data FOLDER")
    return load_npz(folder / file)


@lru_cache(maxsize=1)
def _whole(name: str | None, file: str | None, folder: Path | None) -> Dataset:
    return _BY_NAME[name]() if name is not None else _read(str(file), folder)


@lru_cache(maxsize=2)
def shares(spec: DataSpec, folder: Path | None, seed: int) -> Shares:
    """Read a data set and cut it; the same seed gives the same shares.

    Args:
        spec: Which, and how large the shares are.
        folder: Where files lie.
        seed: Of the cut.

    Raises:
        ConfigError: Missing data, or fewer pictures than the shares need.
        FormatError: Not such a file.
        MissingExtraError: Its package is not installed.
    """
    whole = _whole(spec.name if spec.file is None else None, spec.file, folder)
    asked = [spec.owner, spec.thief, spec.stranger]
    sizes = [max(asked)] if spec.overlap else list(asked)
    if spec.test_file is None:
        sizes.append(spec.test)
    if sum(sizes) > len(whole):
        raise ConfigError(f"{spec.name} has {len(whole)} pictures, the shares need {sum(sizes)}", hint="take less")
    parts = list(split(whole, sizes, seed=seed))
    if spec.test_file is not None:
        tests = _read(spec.test_file, folder)
        if spec.test > len(tests):
            raise ConfigError(f"{spec.test_file} has {len(tests)} pictures, {spec.test} are asked for")
        parts += split(tests, [spec.test], seed=seed)
    *trained, test = parts
    if spec.overlap:
        trained = [trained[0].take(range(n)) for n in asked]
    owner, thief, stranger = trained
    return Shares(_fixed(owner), _fixed(thief), _fixed(stranger), _fixed(test), max(2, whole.classes))


@lru_cache(maxsize=2)
def key_pictures(file: str, folder: Path | None, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Inputs of keys from a file: (n, H, W, C) uint8; raises ConfigError where they are not of the data's shape."""
    x = _read(file, folder).x
    if x.shape[1:] != shape:
        raise ConfigError(f"{file} has pictures of {x.shape[1:]}, the data are {shape}")
    return x
