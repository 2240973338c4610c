"""``wmproto dispute``: run, audit and replay."""

from __future__ import annotations

import click

from wmproto.cli.lazy import LazyGroup

_COMMANDS = {
    "run": ("wmproto.cli.dispute_run", "run", "Hold a whole dispute over weights in escrow."),
    "audit": ("wmproto.cli.dispute_audit", "audit", "Recheck a transcript alone, and print the verdict."),
    "replay": ("wmproto.cli.dispute_replay", "replay", "Ask the escrowed weights every opened leaf again."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def dispute() -> None:
    """Run, audit and replay disputes."""
