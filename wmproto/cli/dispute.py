"""``wmproto dispute``: run, show, audit, replay and report."""

from __future__ import annotations

import click

from wmproto.cli.lazy import LazyGroup

_COMMANDS = {
    "run": ("wmproto.cli.dispute_run", "run", "Hold a whole dispute over weights in escrow."),
    "audit": ("wmproto.cli.dispute_audit", "audit", "Recheck a transcript alone, and print the verdict."),
    "show": ("wmproto.cli.dispute_show", "show", "Show who said what, message by message."),
    "replay": ("wmproto.cli.dispute_replay", "replay", "Ask the escrowed weights every opened leaf again."),
    "report": ("wmproto.cli.dispute_report", "report", "Write one page about any number of transcripts."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def dispute() -> None:
    """Run, show, audit and replay disputes, and report on them."""
