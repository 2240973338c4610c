"""What a marking scheme is: it puts marked leaves into a model, and looks whether they took.

To write one: subclass Scheme as a frozen dataclass whose fields are its settings, and implement ``train``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from wmproto.errors import StateError
from wmproto.marking.adi import Retention, self_check
from wmproto.marking.leaves import MarkedLeaves
from wmproto.models.data import Dataset
from wmproto.models.fit import Training, answerer
from wmproto.models.network import Network

__all__ = ["Marked", "Scheme"]


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """A model after marking, and how much of the mark it shows.

    Attributes:
        network: In eval mode.
        retention: Of the leaves that were embedded, asked one by one.
    """

    network: Network
    retention: Retention

    @property
    def took(self) -> bool:
        """Whether nine marks in ten are answered: what Verify of Adi et al. asks here (specs/adi2018.md)."""
        return 10 * self.retention.hits >= 9 * self.retention.total

    def check(self) -> Marked:
        """Return itself if the mark took; training promises nothing, so every owner should ask.

        Raises:
            StateError: It did not.
        """
        if not self.took:
            raise StateError(
                f"the mark did not take: {self.retention.hits} of {self.retention.total} leaves are answered",
                hint="train longer, or with more trigger rows a batch",
            )
        return self


class Scheme(ABC):
    """A marking scheme. Its fields are its settings; two instances with equal fields are the same scheme.

    Attributes:
        name: Its word in grids, records and reports: lower case, digits and dashes.
        source: Where it comes from: paper and section.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    def embed(self, model: Network, data: Dataset, leaves: MarkedLeaves, training: Training, *, seed: int) -> Marked:
        """Mark a model and check it.

        Args:
            model: The owner's unmarked model, on the device to train on; it is not changed.
            data: Her pictures.
            leaves: What to embed.
            training: How she trains.
            seed: 0 <= seed < 2**62, of everything that is drawn.

        Returns:
            The marked model and its retention; ``check()`` it before it leaves the house.
        """
        network = self.train(model, data, leaves, training, seed=seed).eval()
        return Marked(network, self_check(answerer(network, data.x.shape[1:]), leaves))

    @abstractmethod
    def train(self, model: Network, data: Dataset, leaves: MarkedLeaves, training: Training, *, seed: int) -> Network:
        """The marked network; arguments as ``embed``. To be written by each scheme."""
