"""One cell to one record. Whatever an attack does wrong fails its cell and nothing else."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import torch

from wmproto.attacks.attack import Adversary
from wmproto.errors import StateError
from wmproto.games.catalogue import named
from wmproto.games.challenger import Challenger
from wmproto.games.claims import FalseClaim, NonTrivialOwnership
from wmproto.games.functionality import Functionality
from wmproto.games.game import Game, Played
from wmproto.games.grid import Attacker, Cell
from wmproto.games.record import FORMAT, Limits, Named, Record, Spent
from wmproto.games.store import RunFolder, reason, versions
from wmproto.games.unforgeability import Unforgeability
from wmproto.games.unremovability import Unremovability
from wmproto.marking.scheme import Scheme

__all__ = ["GAMES", "device_name", "failed", "play"]

GAMES: dict[str, Game] = {
    game.name: game
    for game in (Functionality(), NonTrivialOwnership(), Unremovability(), Unforgeability(), FalseClaim())
}


def play(cell: Cell, folder: RunFolder) -> Record:
    """Play a cell; its models are taken from the folder, and trained where they are not there yet.

    Raises:
        CorruptStoreError: A model in the folder is damaged.
        ConfigError: The folder cannot be written.
    """
    began, challenger = time.monotonic(), Challenger(cell, folder)
    try:
        for part in challenger.needed():
            challenger.model(part)
    except StateError as err:
        return failed(cell, folder, str(err), challenger)
    try:
        played = GAMES[cell.game].play(challenger)
        cost = Spent(seconds=time.monotonic() - began, work_seconds=challenger.work_seconds)
        return _record(cell, folder, challenger, played, cost)
    except (Exception, SystemExit) as err:  # an attack may be a stranger's code, and may do anything
        return failed(cell, folder, reason(err), challenger)


def failed(cell: Cell, folder: RunFolder, error: str, challenger: Challenger | None = None) -> Record:
    """The record of a cell that could not be played."""
    return _record(cell, folder, challenger or Challenger(cell, folder), None, None, error=error)


def device_name(device: str) -> str:
    """The device as a record names it."""
    return device if device == "cpu" else f"{device} ({torch.cuda.get_device_name(torch.device(device))})"


def _record(
    cell: Cell, folder: RunFolder, challenger: Challenger, played: Played | None, cost: Spent | None, *, error: str = ""
) -> Record:
    facts = cell.facts
    config = {name: facts[name] for name in ("data", "keys", "training")}
    if played is not None:
        config |= {"classes": challenger.shares.classes, "data_digest": challenger.shares.digest}
    fields: dict[str, Any] = {
        "format": FORMAT,
        "cell": cell.id,
        "grid": cell.grid.name,
        "game": cell.game,
        "profile": cell.profile,
        "data": cell.data.name,
        "model": cell.model,
        "scheme": _named("scheme", cell.scheme) if cell.scheme else None,
        "adversary": _adversary(cell),
        "budget": Limits(**asdict(cell.budget)) if cell.budget else None,
        "seed": cell.seed,
        "config": config,
        "versions": versions(),
        "device": device_name(folder.device),
        "state": "failed" if played is None else "void" if played.void else "played",
        "error": error or None,
        "cost": cost,
    }
    result = ("won", "accuracy", "retention", "evidence")
    fields |= {name: getattr(played, name) if played else None for name in result}
    fields |= {name: getattr(played, name) if played else () for name in ("log", "findings")}
    used = played.cost if played else None
    return Record(**fields, used=Limits(**asdict(used)) if used else None)


def _adversary(cell: Cell) -> Named | None:
    if isinstance(cell.adversary, Attacker):
        return _named(cell.adversary.kind, cell.adversary.attack, cell.adversary.digest)
    return None if cell.adversary is None else Named(kind=cell.adversary, name=cell.adversary, settings={})


def _named(kind: str, made: Scheme | Adversary[Any, Any], source: str | None = None) -> Named:
    return Named.model_validate({"kind": kind, **named(made), "source": source})
