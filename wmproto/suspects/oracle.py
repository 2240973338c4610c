"""What a dispute needs of a model, and a suspect that is a Python function.

A suspect sees one input at a time as raw bytes and gives one class index or nothing. Everything that turns numbers
into a class is here, once: the tie rule and the NaN rule are the profile's (section 8.1), not the suspect's.

Trusts nothing about the scores. Leaves to others: whether the answer comes from the model that was bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan, prod
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from wmproto.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CallableSuspect", "Library", "Settings", "Suspect", "best_class", "check_length"]


class Library(TypedDict):
    """A library that answers depend on.

    Keys: ``name``; ``version``; ``digest``: 64 hexadecimal digits that stand for its installed files.
    """

    name: str
    version: str
    digest: str


class Settings(TypedDict):
    """How a suspect is run, as it stands in ``admit``: JSON, no floats. The profile knows one way.

    Keys: ``dtype``: float32; ``batch``: 1; ``threads``: 1; ``libraries``: may be empty, then nothing is pinned.
    """

    dtype: str
    batch: int
    threads: int
    libraries: list[Library]


class Suspect(Protocol):
    """A model that can be asked."""

    @property
    def classes(self) -> int:
        """Number of classes; an answer is below it."""

    @property
    def settings(self) -> Settings:
        """How it is run."""

    def answer(self, inputs: bytes) -> int | None:
        """Ask once.

        Args:
            inputs: One input's raw bytes: uint8, C order, of the shape that the key states.

        Returns:
            Class index in [0, classes), or None: refused, NaN or no valid answer. None is a miss.

        Raises:
            ConfigError: The input has not the length that this suspect takes; nothing was asked.
        """


def best_class(scores: Sequence[float]) -> int | None:
    """The class of the highest score: a tie goes to the lowest index, NaN anywhere gives None (section 8.1).

    Args:
        scores: One a class; infinities are ordinary values, -0.0 equals 0.0.
    """
    if any(isnan(score) for score in scores):
        return None
    return scores.index(max(scores))


def check_length(inputs: bytes, shape: Sequence[int]) -> None:
    """Raise ConfigError unless the raw input fills the shape exactly."""
    if len(inputs) != prod(shape):
        raise ConfigError(
            f"the input has {len(inputs)} bytes, the suspect takes {prod(shape)} ({'x'.join(map(str, shape))})",
            hint="key and suspect must have the same input shape",
        )


class CallableSuspect:
    """A Python function as a suspect: for models that wmproto cannot load, and for tests.

    What the *model* does wrong (NaN, None, a class out of range) is no answer, hence a miss. What the *adapter* does
    wrong (another number of scores, a batch dimension, text) raises: it would otherwise turn every leaf into a silent
    miss, and the verdict would be about the adapter. Exceptions of the function itself pass through unchanged. Its
    ``settings`` pin nothing; that the function keeps to batch 1 and one thread is the caller's word.

    Args:
        fn: Takes one input as a fresh writable uint8 array of ``shape``; returns either a class index (int) or one
            finite or infinite score for each class: sequence or one-dimensional array, torch tensors included.
        classes: 2 to 65,536.
        shape: (H, W, C) or (F,).

    Raises:
        ValueError: ``classes`` or ``shape`` out of range.
    """

    def __init__(self, fn: Callable[[NDArray[np.uint8]], Any], *, classes: int, shape: Sequence[int]) -> None:
        if not 2 <= classes <= 1 << 16:
            raise ValueError("classes must be in [2, 65536]")
        if not shape or min(shape) < 1:
            raise ValueError("shape must hold positive numbers")
        self._fn = fn
        self._classes = classes
        self.shape = tuple(shape)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self._classes

    @property
    def settings(self) -> Settings:
        """The profile's only settings, with no library pinned."""
        return {"dtype": "float32", "batch": 1, "threads": 1, "libraries": []}

    def answer(self, inputs: bytes) -> int | None:
        """See Suspect.answer.

        Raises:
            ConfigError: Wrong length of the input, or the function returned something that is no answer at all.
        """
        import numpy as np  # not at import: the audit starts without numpy

        check_length(inputs, self.shape)
        out = self._fn(np.frombuffer(bytearray(inputs), dtype=np.uint8).reshape(self.shape))
        if hasattr(out, "tolist"):
            out = out.tolist()
        if out is None:
            return None
        if _is_number(out) and not isinstance(out, float):
            return int(out) if 0 <= out < self._classes else None
        if isinstance(out, list | tuple):
            out = [score.tolist() if hasattr(score, "tolist") else score for score in out]
        if not isinstance(out, list) or not all(_is_number(score) for score in out):
            raise ConfigError(
                f"the suspect returned {type(out).__name__}, not a class index or one number a class",
                hint="take the one row out of the batch and return its scores",
            )
        if len(out) != self._classes:
            raise ConfigError(f"the suspect returned {len(out)} scores for {self._classes} classes")
        return best_class(out)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
