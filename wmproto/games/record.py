"""What is written down of one cell of a grid: JSON by a published schema (specs/game-record.schema.json).

Two runs of the same grid with the same versions on the same machine differ in ``cost`` alone.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wmproto.errors import FormatError

__all__ = ["FORMAT", "GAMES", "Record", "parse_record", "schema"]

FORMAT = "wmproto/game-record@v1"
#: Every game, in the order in which reports list them.
GAMES = ("functionality", "non-trivial-ownership", "unremovability", "unforgeability", "false-claim")
LEVEL = 0.95  # of every interval

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Setting = str | int | float | bool


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Rate(_Part):
    """``hits`` of ``total``, and the exact 95 % interval of the rate behind it (Clopper and Pearson 1934)."""

    hits: Count
    total: Annotated[int, Field(ge=1)]
    low: Share
    high: Share

    @property
    def share(self) -> float:
        """Hits / total."""
        return self.hits / self.total


class Named(_Part):
    """A scheme or an adversary with its settings.

    Attributes:
        kind: ``scheme``; of adversaries ``removal``, ``extraction``, ``evasion``, ``claim``, ``forgery``, or what every
            game has beside them: ``no-op`` and ``cheater``.
        name: Its word.
        settings: All of them, defaults too.
        source: SHA-256 of a stranger's attack file; None for what comes with the package.
    """

    kind: Literal["scheme", "removal", "extraction", "evasion", "claim", "forgery", "no-op", "cheater"]
    name: str
    settings: dict[str, Setting]
    source: str | None = None


class Limits(_Part):
    """Samples forward, samples backward, queries."""

    forward: Count
    backward: Count
    queries: Count


class Accuracy(_Part):
    """Right answers of the test pictures; None where a model has no part in the game.

    Attributes:
        victim: The marked model.
        twin: The unmarked twin: same data, same seed, no mark.
        independent: A stranger's model, trained on her own data.
        result: What the adversary hands in.
        control: What the same attack makes of the twin.
    """

    victim: Rate | None
    twin: Rate | None
    independent: Rate | None
    result: Rate | None
    control: Rate | None


class Retention(_Part):
    """Marks answered with their label. The names are those of Accuracy.

    Attributes:
        original_head: The result with the victim's output layer put back (the test of Adi et al. after RTLL and RTAL):
            reported, never counted, and None where the result has no such layer.
    """

    victim: Rate | None
    twin: Rate | None
    independent: Rate | None
    result: Rate | None
    control: Rate | None
    original_head: Rate | None


class Evidence(_Part):
    """What the profile's rule says of the model that the claim is about.

    Attributes:
        verdict: ``DEPENDENT``, ``NOT SHOWN``, ``ACCEPTED`` or ``REFUSED``.
        accepted: Whether the claim stands.
        bits: ``wmproto/1``: floor(log2 E) of the wealth. ``adi2018``: floor(-log2 P[Bin(n, 1/C) >= hits]), what as many
            hits would be worth if labels were drawn after the inputs; the scheme itself does not say it.
        asked: Leaves or triggers asked.
        leaves: Leaves until the verdict stood, None if it never did.
        ghost_hits: Hits on ghosts; None where the profile has none.
        ghosts: Ghosts asked; likewise.
    """

    verdict: Literal["DEPENDENT", "NOT SHOWN", "ACCEPTED", "REFUSED"]
    accepted: bool
    bits: int
    asked: Count
    leaves: Count | None
    ghost_hits: Count | None
    ghosts: Count | None


class Spent(_Part):
    """What a cell cost; the only part that may differ between two runs.

    Attributes:
        seconds: Of the whole cell on one process, without what it found in the store.
        work_seconds: Of these, training, attacking and asking models; the rest is the harness.
    """

    seconds: Annotated[float, Field(ge=0)]
    work_seconds: Annotated[float, Field(ge=0)]


class Finding(_Part):
    """Something that a reader of this record must know; see specs/games.md for the codes."""

    code: str
    text: str


class Record(_Part):
    """One cell.

    Attributes:
        format: Of this schema.
        cell: 16 hexadecimal digits of the cell's content: two cells with the same digits are the same.
        grid: Name of the grid.
        game: Which game.
        profile: ``wmproto/1`` or ``adi2018``.
        data: Name of the data set.
        model: Name of the architecture.
        scheme: How the victim was marked; None where no victim has a part.
        adversary: Who attacks; None where the game has none.
        budget: The adversary's limits; likewise.
        seed: Of everything in this cell.
        config: Sizes, recipe and key of the grid that this cell follows from.
        versions: Of wmproto, torch, numpy and Python.
        device: ``cpu`` or ``cuda``, with the card's name.
        state: ``played``; ``void``: the mark did not take, so there was nothing to attack; ``failed``: see error.
        error: One line, None unless failed.
        won: Whether the adversary won; None where there is none, and where the cell is void or failed.
        used: What the adversary used of his budget; None where there is none.
        accuracy: Right answers.
        retention: Marks that are left.
        evidence: What the rule says.
        log: What the attack noted.
        findings: Warnings.
        cost: Seconds.
    """

    format: Literal["wmproto/game-record@v1"]
    cell: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    grid: str
    game: Literal["functionality", "non-trivial-ownership", "unremovability", "unforgeability", "false-claim"]
    profile: Literal["wmproto/1", "adi2018"]
    data: str
    model: str
    scheme: Named | None
    adversary: Named | None
    budget: Limits | None
    seed: Count
    config: dict[str, Any]
    versions: dict[str, str]
    device: str
    state: Literal["played", "void", "failed"]
    error: str | None
    won: bool | None
    used: Limits | None
    accuracy: Accuracy | None
    retention: Retention | None
    evidence: Evidence | None
    log: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]
    cost: Spent | None

    def to_line(self) -> bytes:
        """One line of JSON with sorted keys, ended by a line feed."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, allow_nan=False).encode() + b"\n"


def parse_record(line: bytes, *, what: str) -> Record:
    """Read one line.

    Raises:
        FormatError: Not a record of this version; names ``what`` and the field.
    """
    try:
        return Record.model_validate_json(line)
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise FormatError(f"{what}: {ascii(where)[1:-1]}: {first['msg'].lower()}") from None


def schema() -> bytes:
    """The JSON Schema (2020-12) of a record, as it is published."""
    return json.dumps(Record.model_json_schema(), indent=1, sort_keys=True).encode() + b"\n"
