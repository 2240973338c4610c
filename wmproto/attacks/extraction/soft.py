"""Extraction from probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wmproto.attacks.attack import Run
from wmproto.attacks.extraction.student import Student
from wmproto.attacks.view import BlackBox
from wmproto.models.network import Network

__all__ = ["SoftLabels"]


@dataclass(frozen=True)
class SoftLabels(Student):
    """The student learns the victim's probabilities of each picture: cross-entropy, which is KL up to a constant.

    Settings, deviations and cost: see Student. Temperature is 1, as in retraining; distillation takes 3.
    """

    name: ClassVar[str] = "extract-soft"
    source: ClassVar[str] = "Lukas et al. 2022 (SoK), retraining"
    soft: ClassVar[bool] = True

    def run(self, view: BlackBox, run: Run) -> Network:
        """See ExtractionAttack.

        Raises:
            ValueError: The interface gives class indices alone.
        """
        return self.learn(view, run, view.api.scores)
