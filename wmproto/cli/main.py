"""``wmproto``: lazy groups, and one place where errors become a line, a hint and an exit code."""

import io
import os
import re
import sys
from contextlib import suppress
from typing import Any

import click

from wmproto import __version__
from wmproto.cli.lazy import LazyGroup
from wmproto.errors import VerificationError, WmprotoError
from wmproto.wire.plain import plain

__all__ = ["cli", "entry"]

STOPPED, NO_READER = 130, 141  # 128 and the number of SIGINT or SIGPIPE, as shells have it

#: command -> (module, attribute, one line); the module is imported when the command is used.
_COMMANDS = {
    "key": ("wmproto.cli.key", "key", "Identities: make, show, activate, back up."),
    "commit": ("wmproto.cli.commit", "commit", "Commit to a key's inputs before any label exists."),
    "registry": ("wmproto.cli.registry", "registry", "The append-only log: run, publish, monitor, check one."),
    "witness": ("wmproto.cli.witness", "witness", "Watch that logs only grow, and cosign what they show."),
    "policy": ("wmproto.cli.policy", "policy", "Whom you trust about logs, and what that is worth."),
    "release": ("wmproto.cli.release", "release", "Record a release in the log, and verify one."),
    "mark": ("wmproto.cli.mark", "mark", "Train a marked model, or check one for the mark."),
    "dispute": ("wmproto.cli.dispute", "dispute", "Run, show, audit and replay disputes, and report on them."),
    "status": ("wmproto.cli.status", "status", "What is left of a key: its leaves, its disputes, its next start."),
    "verdict": ("wmproto.cli.verdict", "verdict", "How many leaves a verdict takes."),
    "game": ("wmproto.cli.game", "game", "Play marking schemes against attacks, and liars against verdicts."),
    "report": ("wmproto.cli.report", "report", "Write pages about runs of games."),
    "demo": ("wmproto.cli.demo", "demo", "Play the whole story on real pictures, in a minute or two."),
}


class _Cli(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; whoever reads stdout may leave early, as in ``... | head``: that is nobody's error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _forget_stdout()
            ctx.exit(NO_READER)


@click.group(cls=_Cli, table=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wmproto")
def cli() -> None:
    """Prove that a model depends on your secret marks; nobody can prove it falsely.

    Exit codes: 0 success (of a dispute: DEPENDENT), 1 false evidence, 2 usage, 3 malformed, 4 wrong order,
    5 registry, 10 not shown, 13 inadmissible, 15 consistent but trust assumed.
    """


def entry() -> None:
    """Run the command line; the only place that turns errors into exit codes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that this terminal cannot show is no reason to fail
    try:
        code = cli.main(prog_name="wmproto", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("wmproto: stopped", err=True)
        sys.exit(STOPPED)
    except click.ClickException as err:
        context = err.ctx if isinstance(err, click.UsageError) else None
        said = err.format_message()
        if context is not None and said == context.get_help():  # a group without a command: the help is what is wanted
            click.echo(said, err=True)
        else:
            hint = f"{context.command_path} --help" if context is not None else None
            _tell(said[:1].lower() + said[1:].removesuffix("."), hint=hint)
        sys.exit(2)
    except WmprotoError as err:
        rule = f"{err.rule}; at fault: {err.fault}" if isinstance(err, VerificationError) and err.rule else None
        _tell(str(err), rule=rule, hint=err.hint)
        sys.exit(err.exit_code)
    except OSError as err:  # of stdout, or of a path that no command looked at first
        _tell(f"{err.filename or 'cannot write the output'}: {(err.strerror or str(err)).lower()}")
        _forget_stdout()
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


def _tell(error: str, *, rule: str | None = None, hint: str | None = None) -> None:
    """Say on stderr what is wrong: one line each, whatever the words hold."""
    for name, text in (("wmproto: error", error), ("rule", rule), ("hint", hint)):
        if text:
            text = plain(re.sub(r"\s*[\n\t]\s*", " ", text))
            click.echo(f"{name}: {text}", err=True)


def _forget_stdout() -> None:
    """Let what is still buffered for stdout vanish, instead of failing once more when Python exits."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
