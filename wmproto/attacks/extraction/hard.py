"""Extraction from class indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wmproto.attacks.attack import Run
from wmproto.attacks.extraction.student import Student
from wmproto.attacks.view import BlackBox
from wmproto.models.network import Network

__all__ = ["HardLabels"]


@dataclass(frozen=True)
class HardLabels(Student):
    """The student learns the victim's class of each picture. Any interface will do.

    Settings, deviations and cost: see Student.
    """

    name: ClassVar[str] = "extract-hard"
    source: ClassVar[str] = "Lukas et al. 2022 (SoK), retraining, with top_k set; Orekondy et al. 2019, --argmaxed"

    def run(self, view: BlackBox, run: Run) -> Network:
        """See ExtractionAttack."""
        return self.learn(view, run, view.api.labels)
