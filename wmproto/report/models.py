"""What marking costs: accuracy and marks kept of each model, in counts and as shares for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from wmproto.report.svg import signed
from wmproto.verdict.wealth import whole


@dataclass(frozen=True, slots=True)
class ModelAccuracy:
    """One model on test pictures and on the leaves to mark.

    Args:
        name: Its name for readers.
        right: Test pictures classified right.
        total: Test pictures, at least 1.
        kept: Marked leaves that the model answers with their label.
        marks: Marked leaves, at least 1.

    Raises:
        TypeError: A count is not an int.
        ValueError: A count is out of range.
    """

    name: str
    right: int
    total: int
    kept: int
    marks: int

    def __post_init__(self) -> None:
        for part, all_, name in ((self.right, self.total, "right"), (self.kept, self.marks, "kept")):
            if whole(name, part, 0) > whole(f"all of {name}", all_, 1):
                raise ValueError(f"{name} must be at most {all_}, not {part}")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A line of the table: shares in tenths of a percent (0 to 1000), texts ready to print."""

    model: ModelAccuracy
    accuracy: str
    accuracy_permille: int
    difference: str
    kept: str
    kept_permille: int


def model_rows(models: Sequence[ModelAccuracy]) -> list[ModelRow]:
    """The table's lines; differences are against the first model, in percentage points."""
    rows = []
    for at, model in enumerate(models):
        accuracy, kept = Fraction(model.right, model.total), Fraction(model.kept, model.marks)
        points = 100 * (accuracy - Fraction(models[0].right, models[0].total))
        rows.append(
            ModelRow(
                model,
                f"{_tenths(100 * accuracy)} %",
                round(1000 * accuracy),
                "compared with" if at == 0 else f"{'+' if points > 0 else ''}{_tenths(points)} points",
                f"{_tenths(100 * kept)} %",
                round(1000 * kept),
            )
        )
    return rows


def _tenths(value: Fraction) -> str:
    """One decimal, with a true minus sign; ties as Python rounds them, to even."""
    tenths = round(10 * value)
    return signed(f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}")
