"""``wmproto``: lazy groups, and one place where errors become a line, a hint and an exit code."""

from __future__ import annotations

import sys

import click

from wmproto import __version__
from wmproto.cli.lazy import LazyGroup
from wmproto.errors import VerificationError, WmprotoError

__all__ = ["cli", "entry"]

#: command -> (module, attribute, one line); the module is imported when the command is used.
_COMMANDS = {
    "key": ("wmproto.cli.key", "key", "Identities: make, show, activate."),
    "commit": ("wmproto.cli.commit", "commit", "Commit to a key's inputs before any label exists."),
    "registry": ("wmproto.cli.registry", "registry", "The append-only log: new, submit, prove, export."),
    "release": ("wmproto.cli.release", "release", "Record a release in the log, and verify one."),
    "mark": ("wmproto.cli.mark", "mark", "Train a marked model, or check one for the mark."),
    "dispute": ("wmproto.cli.dispute", "dispute", "Run, audit and replay disputes."),
    "verdict": ("wmproto.cli.verdict", "verdict", "How many leaves a verdict takes."),
    "demo": ("wmproto.cli.demo", "demo", "Play the whole story on real pictures, in three minutes."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
@click.version_option(__version__, prog_name="wmproto")
def cli() -> None:
    """Prove that a model depends on your secret marks; nobody can prove it falsely.

    Exit codes: 0 success (of a dispute: DEPENDENT), 1 false evidence, 2 usage, 3 malformed, 4 wrong order,
    5 registry, 10 not shown, 13 inadmissible, 15 consistent but trust assumed.
    """


def entry() -> None:
    """Run the command line; the only place that turns errors into exit codes."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("wmproto: stopped", err=True)
        sys.exit(130)
    except click.ClickException as err:
        click.echo(f"wmproto: error: {err.format_message()}", err=True)
        if isinstance(err, click.UsageError) and err.ctx is not None:
            click.echo(f"hint: {err.ctx.command_path} --help", err=True)
        sys.exit(2)
    except WmprotoError as err:
        click.echo(f"wmproto: error: {err}", err=True)
        if isinstance(err, VerificationError) and err.rule:
            click.echo(f"rule: {err.rule}; at fault: {err.fault}", err=True)
        if err.hint:
            click.echo(f"hint: {err.hint}", err=True)
        sys.exit(err.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
