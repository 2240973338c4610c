"""One claim under several rules: the same pictures, and who could choose the labels when."""

from __future__ import annotations

from dataclasses import dataclass

from wmproto.verdict.wealth import whole


@dataclass(frozen=True, slots=True)
class RuledClaim:
    """What one set of rules makes of a claim.

    Args:
        rules: Whose rules.
        labels: Where the labels come from, in a few words.
        hits: Answers that are the label.
        of: Answers that count, at least 1.
        needed: What the rules ask for, in words.
        outcome: What follows.

    Raises:
        TypeError: A count is not an int.
        ValueError: A count is out of range.
    """

    rules: str
    labels: str
    hits: int
    of: int
    needed: str
    outcome: str

    def __post_init__(self) -> None:
        if whole("hits", self.hits, 0) > whole("of", self.of, 1):
            raise ValueError(f"hits must be at most {self.of}, not {self.hits}")

    @property
    def permille(self) -> int:
        """Share of hits in thousandths."""
        return 1000 * self.hits // self.of
