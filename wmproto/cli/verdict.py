"""``wmproto verdict``: how many leaves a verdict takes."""

from __future__ import annotations

import re

import click

from wmproto.cli.options import PROFILE
from wmproto.cli.output import emit, json_option
from wmproto.errors import ConfigError


@click.group()
def verdict() -> None:
    """How many leaves a verdict takes."""


def _retention(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(0?|1)(?:\.([0-9]{1,6}))?", text)
    if not text or found is None:
        raise ConfigError(f"{text!r} is not a retention", hint="a decimal from 0 to 1, as in 0.8")
    digits = found[2] or ""
    ratio = int((found[1] or "0") + digits), 10 ** len(digits)
    if ratio[0] > ratio[1]:
        raise ConfigError(f"{text!r} is not a retention", hint="a decimal from 0 to 1, as in 0.8")
    return ratio


@verdict.command(short_help="Print how many leaves a DEPENDENT takes.")
@click.option("--classes", type=click.IntRange(2, 65536), required=True, help="C: number of classes.")
@click.option("--retention", default="0.8", show_default=True, help="Chance that the suspect keeps a mark, 0 to 1.")
@click.option("--bits", type=click.IntRange(1, 4096), help="Bits asked for (default: those of the profile).")
@click.option("--leaves", type=int, metavar="N", help="Leaves of a key: also print how many disputes it is good for.")
@json_option
def plan(classes: int, retention: str, bits: int | None, leaves: int | None, as_json: bool) -> None:
    """Print how many leaves a DEPENDENT takes: marked ones, and the range to offer, ghosts included."""
    from wmproto.verdict.plan import plan as work_out

    if leaves is not None and not PROFILE.is_leaf_count(leaves):
        rule = "N is a multiple of 16 from 16 to 2,048, or a multiple of 2,048 up to 65,536"
        raise ConfigError(f"a key cannot have {leaves} leaves", hint=rule)
    needed = bits if bits is not None else PROFILE.bits(beacon=False)
    result = work_out(classes, needed, _retention(retention))
    s = result.sequential
    if s is None:
        raise ConfigError(
            f"a retention of {retention} with {classes} classes is too weak for {needed} bits",
            hint="a luck of 1 in C must be clearly beaten; more classes or a stronger mark",
        )
    fixed = result.fixed
    whole, average = s.disputes(leaves) if leaves is not None else (0, 0)
    emit(
        as_json,
        {
            "bits": needed,
            "classes": classes,
            "disputes": {"at_the_mean": average, "leaves": leaves, "whole_range": whole} if leaves else None,
            "fixed_size": list(fixed) if fixed else None,
            "marked_99": s.marked,
            "marked_mean_tenths": s.mean_tenths,
            "offered_99": s.offered,
            "range": s.range_leaves,
            "retention": retention,
        },
        [
            f"C = {classes}, retention {retention}, {needed} bits",
            f"  marked leaves to DEPENDENT: {s.mean_tenths // 10}.{s.mean_tenths % 10} on average, "
            f"{s.marked} in 99 of 100 disputes",
            f"  with ghosts (one leaf in four): offer a range of {s.range_leaves} leaves "
            f"({s.offered} suffice in 99 of 100)",
            *([f"  a test of fixed size would take {fixed[0]} marked leaves and {fixed[1]} hits"] if fixed else []),
            *(_disputes(leaves, s.range_leaves, whole, average) if leaves is not None else []),
        ],
    )


def _disputes(leaves: int, planned: int, whole: int, average: int) -> list[str]:
    """How many disputes a key is good for, and what that does not promise."""
    if not whole:
        return [f"  a key of {leaves} leaves is smaller than one range of {planned}: offer all of it, with less chance"]
    return [
        f"  a key of {leaves} leaves has room for {whole} dispute{'s' * (whole != 1)} that "
        f"use{'s' * (whole == 1)} the whole range, {average} if each takes the average",
        "  (at this retention; a dispute over a suspect that lost the mark, or never had it, uses its whole range)",
    ]
