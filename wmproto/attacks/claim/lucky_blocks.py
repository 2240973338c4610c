"""Lucky blocks: the liar looks at the suspect's answers first, and offers the range of leaves that suits him best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from wmproto.attacks.attack import Run
from wmproto.attacks.claim.claim import Claim, Registered
from wmproto.attacks.claim.claim import ClaimView as View
from wmproto.attacks.claim.grinding import Grinding

__all__ = ["LuckyBlocks"]

_ROUND = 16  # leaves of a round: ranges are whole rounds


@dataclass(frozen=True)
class LuckyBlocks(Grinding):
    """Registers ``tries`` keys, asks the suspect for every input, and brings the best key, start and length.

    He knows everything: all labels, all answers. What it is worth: K keys and B starts multiply the chance by K * B at
    most, for which every verdict pays; where the end may be chosen, too, the betting rule allows it as it is.
    """

    name: ClassVar[str] = "lucky-blocks"
    source: ClassVar[str] = "specs/dispute.md: starts on a grid, each counted in the bound"

    tries: int = 20

    def run(self, view: View, run: Run) -> Claim:
        """See ClaimAttack."""
        pictures, guess = self.expected(view, run)
        inputs = [one.tobytes() for one in pictures]
        if view.chooses_labels:
            return Claim(view.register(inputs, guess.tolist()), 0, view.leaves)
        keys = [view.register(inputs) for _ in range(max(1, min(self.left(run), run.budget.queries - view.leaves)))]
        answers = view.suspect().labels(pictures)
        bits, claim = max(
            (best_range(key, answers, view.classes, view.grid) for key in keys), key=lambda found: found[0]
        )
        run.note(expected_bits=round(bits, 2), start=claim.start, count=claim.count)
        return claim


def best_range(key: Registered, answers: NDArray[np.int64], classes: int, grid: int) -> tuple[float, Claim]:
    """The range of a key with the greatest wealth by an eighth's stake, log2, and the claim over it."""
    stake = 4 / 32
    step = np.where(key.labels == answers, np.log2(1 + stake * (classes - 1)), np.log2(1 - stake))
    total = np.concatenate([[0.0], np.cumsum(np.where(key.ghosts, 0.0, step))])
    best = (-np.inf, Claim(key, 0, _ROUND))
    for start in range(0, len(answers), grid):
        for end in range(start + _ROUND, len(answers) + 1, _ROUND):
            if (bits := float(total[end] - total[start])) > best[0]:
                best = (bits, Claim(key, start, end - start))
    return best
