"""Counting: what each opened leaf adds to the evidence (specs/dispute.md, dis-open-*; specs/verdict.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

from wmproto.commitment.labels import Labels
from wmproto.commitment.opening import Opening, verify_opening
from wmproto.commitment.statement import VerifiedKey
from wmproto.dispute.messages import AskedLeaf
from wmproto.errors import OpeningError, Party
from wmproto.verdict.wealth import Wealth


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken rule: which, by whom, in words. A problem makes the claim inadmissible; the rest changes no verdict."""

    rule: str
    fault: Party
    text: str


@dataclass(frozen=True, slots=True)
class OpenedLeaf:
    """A leaf that was opened well: its index, whether it is a ghost, its label, and the suspect's answer."""

    index: int
    ghost: bool
    label: int
    answer: int | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the leaves asked so far say.

    Attributes:
        wealth: The gambler's wealth after the marked leaves.
        asked: Leaves asked, ghosts included.
        unopened: Leaves asked and not opened well; each counts as a marked miss.
        ghosts: Ghosts opened.
        ghost_hits: Ghosts whose answer was their label.
    """

    wealth: Wealth
    asked: int = 0
    unopened: int = 0
    ghosts: int = 0
    ghost_hits: int = 0


class Tally:
    """The evidence of one dispute, leaf by leaf in index order.

    Args:
        key: The key.
        thresholds: Values of L to watch: E >= 2**L after some leaf is final for that L.
    """

    def __init__(self, key: VerifiedKey, thresholds: Iterable[int]) -> None:
        self._key, self._labels = key, Labels(key)
        self._thresholds = frozenset(thresholds)
        self._now = Evidence(Wealth.start(key.z.m))
        self._fired: dict[int, Evidence] = {}
        self.findings: list[Finding] = []
        self.opened: list[OpenedLeaf] = []

    def fork(self) -> Tally:
        """The same counts, to go on counting without changing these."""
        fork = copy(self)
        fork._fired, fork.findings, fork.opened = dict(self._fired), list(self.findings), list(self.opened)
        return fork

    def fired(self, bits: int) -> bool:
        """Whether E has reached 2**bits after some leaf."""
        return bits in self._fired

    def evidence(self, bits: int) -> Evidence:
        """What counts for a judge who asks ``bits``: up to the first leaf that fired, else everything asked."""
        return self._fired.get(bits, self._now)

    def round(
        self, leaves: Sequence[AskedLeaf], answers: Sequence[int | None], openings: Mapping[int, Opening], fault: Party
    ) -> None:
        """Count a round in index order; not answered, not opened, badly opened = a marked miss (dis-open-3).

        Args:
            leaves: The leaves asked.
            answers: The answers, one for each.
            openings: What was opened, by index.
            fault: Who is to blame for a leaf that was not opened.
        """
        for leaf, answer in zip(leaves, answers, strict=True):
            now = self._leaf(leaf, answer, openings.get(leaf.index), fault)
            self._now = replace(now, asked=now.asked + 1)
            for bits in self._thresholds - self._fired.keys():
                if self._now.wealth.fires(bits):
                    self._fired[bits] = self._now

    def _leaf(self, leaf: AskedLeaf, answer: int | None, opening: Opening | None, fault: Party) -> Evidence:
        now = self._now
        try:
            if opening is None:
                raise OpeningError(f"leaf {leaf.index}: asked and not opened", rule="dis-open-3")
            verify_opening(opening, key=self._key, asked=leaf.inputs)
        except OpeningError as err:
            self.findings.append(Finding(err.rule, fault, f"{err}; it counts as a miss"))
            return replace(now, wealth=now.wealth.miss(), unopened=now.unopened + 1)
        label, ghost = self._labels.label(leaf.index, opening.k), self._labels.is_ghost(leaf.index, opening.k)
        self.opened.append(OpenedLeaf(leaf.index, ghost, label, answer))
        if ghost:  # factor 1, whatever was answered
            return replace(now, ghosts=now.ghosts + 1, ghost_hits=now.ghost_hits + (answer == label))
        return replace(now, wealth=now.wealth.hit() if answer == label else now.wealth.miss())
