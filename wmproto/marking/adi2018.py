"""Mark of the profile ``adi2018``: the owner's chosen backdoor, trained into a model from scratch or on top of one.

Source: Adi, Baum, Cisse, Pinkas, Keshet (USENIX Security 2018), section 5.2; deviations in specs/adi2018.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from wmproto.commitment.adi2018 import ADI2018, Decision, MarkingKey, VerificationKey, verify
from wmproto.errors import StateError
from wmproto.marking.adi import MarkedLoader
from wmproto.marking.leaves import MarkedLeaves

__all__ = ["check_marked", "paper_loader"]


def paper_loader(
    loader: Iterable[object], mk: MarkingKey, shape: tuple[int, int, int], *, seed: int, rows_per_batch: int = 2
) -> MarkedLoader:
    """Wrap a loader of raw uint8 pictures: training over it is the paper's Backdoor.

    Args:
        loader: Batches (x, y) of uint8 pictures (B, H, W, C) and class indices.
        mk: The marking key: all its triggers are embedded.
        shape: (H, W, C) of its inputs.
        seed: 0 <= seed < 2**63, for the order of the triggers.
        rows_per_batch: Trigger rows a batch; the authors take 2.

    Raises:
        ConfigError: One input stands twice with two labels.
        ValueError: The inputs are not of that shape.
    """
    inputs = np.stack([np.frombuffer(t, np.uint8).reshape(shape) for t in mk.inputs])
    name = ADI2018.hash("key", *mk.input_salts)
    return MarkedLoader(
        loader, MarkedLeaves(inputs, np.array(mk.labels), name), seed=seed, rows_per_batch=rows_per_batch
    )


def check_marked(mk: MarkingKey, vk: VerificationKey, classify: Callable[[bytes], int | None]) -> Decision:
    """Check that the mark took: the paper states correctness with probability 1, and training promises nothing.

    Args:
        mk: The marking key.
        vk: Its verification key.
        classify: The marked model.

    Raises:
        StateError: Verify would refuse this model; train longer, or with more rows a batch.
    """
    decision = verify(mk, vk, classify)
    if not decision.accepted:
        raise StateError(
            f"the mark did not take: {decision.misses} of {len(mk.inputs)} triggers are missed, "
            f"{decision.allowed} are allowed",
            hint="train longer, or with more trigger rows a batch",
        )
    return decision
