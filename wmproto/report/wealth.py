"""The bet leaf by leaf: what each asked leaf counted as, and the gambler's wealth after it (specs/verdict.md).

The walk repeats the audit's own steps in exact integers, over the leaves that count: in index order, up to the first
at which the evidence was reached. Only where a point is drawn does a wealth become a float.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import log2
from typing import Literal

from wmproto.dispute.audit import Audit
from wmproto.dispute.tally import OpenedLeaf
from wmproto.verdict.wealth import FRACTIONS, Wealth

Counted = Literal["hit", "miss", "ghost", "not opened"]


@dataclass(frozen=True, slots=True)
class CountedLeaf:
    """A leaf that counts: its index, as what, and its label and answer where it was opened well."""

    index: int
    counted: Counted
    opened: OpenedLeaf | None


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the chart: leaves asked so far, and log2 of the wealth, in bits, for drawing only."""

    leaves: int
    bits: float


def counted_leaves(audit: Audit) -> tuple[CountedLeaf, ...]:
    """Every leaf that the verdict counts, in index order; none before admit."""
    dispute = audit.dispute
    if dispute.seq <= 2:  # not admitted: nothing could be asked
        return ()
    opened = {leaf.index: leaf for leaf in dispute.counted().opened}
    first = dispute.file.start
    indices = range(first, first + audit.outcome.evidence.asked)
    return tuple(CountedLeaf(i, _counted(opened.get(i)), opened.get(i)) for i in indices)


def _counted(leaf: OpenedLeaf | None) -> Counted:
    if leaf is None:
        return "not opened"
    if leaf.ghost:
        return "ghost"
    return "hit" if leaf.answer == leaf.label else "miss"


def wealth_walk(m: int, leaves: tuple[CountedLeaf, ...]) -> Iterator[Wealth]:
    """The wealth before the first leaf and after each one; exact.

    A generator: over the 65,536 leaves of the largest key all wealths together would fill gigabytes.

    Args:
        m: Number of equally likely labels.
        leaves: The leaves that count, in order.
    """
    return accumulate(leaves, _after, initial=Wealth.start(m))


def _after(wealth: Wealth, leaf: CountedLeaf) -> Wealth:
    if leaf.counted == "ghost":
        return wealth
    return wealth.hit() if leaf.counted == "hit" else wealth.miss()


def series(audit: Audit, *, most: int = 600) -> tuple[Point, ...]:
    """The points to draw: all, or about ``most`` at equal steps, always with the first and the last one."""
    leaves = counted_leaves(audit)
    step = -(-len(leaves) // most) or 1
    return tuple(
        Point(at, drawn_bits(wealth))
        for at, wealth in enumerate(wealth_walk(audit.dispute.key.z.m, leaves))
        if at % step == 0 or at == len(leaves)
    )


def drawn_bits(wealth: Wealth) -> float:
    """log2 of the wealth as a float: the exact floor, and a fraction that is good for a drawing."""
    floor = wealth.floor_log2()
    num, den = sum(wealth.terms), len(FRACTIONS) << 5 * wealth.n
    ratio = num / (den << floor) if floor >= 0 else (num << -floor) / den  # 1 <= ratio < 2, however large num is
    return floor + log2(ratio)
