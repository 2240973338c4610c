"""What a game is: a challenger, an adversary, and a winning condition that is judged here and nowhere else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from wmproto.attacks.budget import Cost
from wmproto.attacks.removal.tuning import last_layer
from wmproto.games.challenger import Challenger
from wmproto.games.interval import rate
from wmproto.games.judge import Asked
from wmproto.games.keys import Answer, GameKey, Ruling
from wmproto.games.record import Accuracy, Evidence, Finding, Rate, Retention
from wmproto.models.fit import copy_of
from wmproto.models.network import Network

__all__ = ["NO_MARK", "Game", "Played", "claim_played", "evidence_of", "rate_of", "retention_of", "with_head_of"]


@dataclass(frozen=True, slots=True)
class Played:
    """What a game of one cell came to; see wmproto.games.record.Record."""

    won: bool | None
    accuracy: Accuracy
    retention: Retention
    evidence: Evidence
    cost: Cost | None = None
    log: tuple[dict[str, Any], ...] = ()
    findings: tuple[Finding, ...] = ()
    void: bool = False


NO_MARK = Finding(
    code="mark-did-not-take",
    text="the claim does not stand over the marked model itself, so there is nothing to attack: measured, not won",
)


class Game(ABC):
    """A security game. Numbered steps, what the adversary gets, winning condition and target: specs/games.md.

    Attributes:
        name: Its word in grids and records.
    """

    name: ClassVar[str]

    @abstractmethod
    def play(self, challenger: Challenger) -> Played:
        """Play the challenger's cell.

        Raises:
            BudgetError: The adversary asked for more than the budget.
            ConfigError: The cell cannot be played; says why.
        """


def retention_of(key: GameKey, answer: Answer) -> Rate:
    """How many of a key's marks a model answers with their label: all of them, not only those offered."""
    marks = [(x, y) for x, y, ghost in zip(key.inputs, key.labels.tolist(), key.ghosts, strict=True) if not ghost]
    return rate(sum(answer(x) == y for x, y in marks), len(marks))


def rate_of(asked: Asked) -> Rate:
    """Accuracy on the test pictures."""
    return rate(asked.right, asked.total)


def evidence_of(ruling: Ruling) -> Evidence:
    """A ruling as it stands in a record."""
    return Evidence(
        verdict=ruling.verdict,
        accepted=ruling.accepted,
        bits=ruling.bits,
        asked=ruling.asked,
        leaves=ruling.leaves,
        ghost_hits=ruling.ghost_hits,
        ghosts=ruling.ghosts,
    )


def with_head_of(model: nn.Module, victim: Network) -> Network | None:
    """A copy of the model with the victim's output layer put back, None where the two differ in form."""
    if not isinstance(model, Network) or model.architecture != victim.architecture:
        return None
    copy = copy_of(model)
    last_layer(copy).load_state_dict(last_layer(victim).state_dict())
    return copy


def claim_played(
    ruling: Ruling, *, accuracy: Accuracy, took: bool, cost: Cost | None, log: tuple[dict[str, Any], ...]
) -> Played:
    """What a game of claims came to: won if the claim stands, void if the victim's mark did not take."""
    hits = rate(ruling.hits, ruling.marks) if ruling.asked else None
    nothing = dict.fromkeys(("victim", "twin", "independent", "control", "original_head"))
    refused = (Finding(code="refused-unasked", text=ruling.reason),) if ruling.reason else ()
    return Played(
        won=ruling.accepted if took else None,
        accuracy=accuracy,
        retention=Retention(**nothing, result=hits),
        evidence=evidence_of(ruling),
        cost=cost,
        log=log,
        findings=refused if took else (*refused, NO_MARK),
        void=not took,
    )
