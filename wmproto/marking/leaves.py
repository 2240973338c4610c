"""What a marking scheme may see of a key: activated leaves that are not ghosts."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from wmproto.errors import ConfigError
from wmproto.owner.activated import ActivatedKey

__all__ = ["MarkedLeaves"]


@dataclass(frozen=True, slots=True, eq=False)
class MarkedLeaves:
    """Inputs and born labels of the leaves to embed; ghosts are not in it, and must never be embedded.

    Build it only from a key whose labels are born (wmproto.commitment, with the log's receipt): a label that stood
    before the key was logged makes the mark worthless as evidence. The arrays are copied and made read-only.

    Attributes:
        inputs: (n, H, W, C) or (n, F) uint8, n >= 1, raw bytes as committed.
        labels: (n,) int64, at least 0.
        key_id: 32 bytes.

    Raises:
        ValueError: Wrong shapes, dtypes or lengths.
        ConfigError: The same input stands twice with different labels; no model can answer both.
    """

    inputs: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    key_id: bytes

    def __post_init__(self) -> None:
        inputs, labels = np.array(self.inputs), np.array(self.labels)
        if inputs.dtype != np.uint8 or inputs.ndim not in (2, 4) or 0 in inputs.shape:
            raise ValueError("inputs must be uint8 of shape (n, H, W, C) or (n, F)")
        if labels.dtype.kind not in "iu" or labels.shape != inputs.shape[:1] or int(labels.min()) < 0:
            raise ValueError("labels must be n integers, at least 0")
        if len(self.key_id) != 32:
            raise ValueError("key_id must be 32 bytes")
        seen: dict[bytes, int] = {}
        for i, one in enumerate(inputs):
            first = seen.setdefault(sha256(one.tobytes()).digest(), i)
            if labels[first] != labels[i]:
                raise ConfigError(f"marked leaves {first} and {i} have the same input but different labels")
        inputs.setflags(write=False)
        labels = labels.astype(np.int64)
        labels.setflags(write=False)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "labels", labels)

    @classmethod
    def of(cls, active: ActivatedKey) -> MarkedLeaves:
        """The leaves of an activated key that are to be embedded; raises ConfigError as the class does."""
        _, inputs, labels = zip(*active.marked(), strict=True)
        shape = (len(inputs), *active.key.z.input.shape)
        raw = np.frombuffer(b"".join(inputs), dtype=np.uint8).reshape(shape)
        return cls(inputs=raw, labels=np.array(labels, dtype=np.int64), key_id=active.key.key_id)

    def __len__(self) -> int:
        return len(self.labels)
