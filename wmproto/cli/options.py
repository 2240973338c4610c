"""What all commands share but an audit: passphrases, key files, the log, new files, progress bars."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wmproto.cli.output import AnyPath, read_input
from wmproto.errors import ConfigError, FormatError, MissingExtraError
from wmproto.wire.hidden import Hidden, HiddenText
from wmproto.wire.profile import WMPROTO_1

if TYPE_CHECKING:
    from wmproto.crypto.secretfile import Secret
    from wmproto.crypto.signer import Signer
    from wmproto.owner import KeyFolder
    from wmproto.registry.log import Log
    from wmproto.registry.note import LogKey
    from wmproto.registry.policy import LogPolicy

PROFILE = WMPROTO_1
PASSPHRASE_LIMIT = 64 << 10  # bytes of a passphrase file
_F = TypeVar("_F", bound=Callable[..., Any])


class OrderedGroup(click.Group):
    """A group that lists its commands in the order in which they are defined, which is that of their use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names of the commands."""
        return list(self.commands)


def short_text(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Callback of an option whose value goes into a signed object: refuse what could not stand there."""
    from wmproto.wire.compose import is_text

    if not is_text(value):
        raise click.BadParameter("1 to 128 bytes of text without control characters are needed.")
    return value


def passphrase_option(command: _F) -> _F:
    """``--passphrase-file``: where the passphrase stands; without it there is a prompt."""
    return click.option(
        "--passphrase-file", type=AnyPath, help="File whose first line is the passphrase (default: ask)."
    )(command)


def read_passphrase(path: Path | None, *, confirm: bool = False, what: str = "passphrase") -> bytes:
    """The passphrase from a file's first line or from a prompt; never from an argument.

    Raises:
        ConfigError: No file, no terminal, or an empty passphrase.
    """
    from wmproto.crypto.secretfile import passphrase_from_text

    if path is not None:
        text = _first_line(path)
        if not text:
            problem = "is not UTF-8 text" if text is None else "has an empty first line"
            raise ConfigError(f"the passphrase file {path} {problem}", hint="its first line is the passphrase")
        return passphrase_from_text(text)
    if not sys.stdin.isatty():
        raise ConfigError("no terminal to ask for a passphrase", hint="--passphrase-file FILE")
    return passphrase_from_text(HiddenText(click.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True)))


def _first_line(path: Path) -> str | None:
    """None where it is not UTF-8. Raises no error of its own while it holds what may be a passphrase."""
    data = Hidden(read_input(path, what="passphrase file", limit=PASSPHRASE_LIMIT))
    try:
        return HiddenText(data.split(b"\n")[0].removesuffix(b"\r").decode())
    except UnicodeDecodeError:
        return None


def open_key(path: Path, passphrase_file: Path | None, role: str | None) -> Secret:
    """Open a secret file of the given role; None: of any.

    Raises:
        ConfigError: Another role, no such file; SecretError: a wrong passphrase. Names the file.
        FormatError: Not a key file, damaged or edited. Names the file.
    """
    return open_key_with_passphrase(path, passphrase_file, role)[0]


def open_key_with_passphrase(path: Path, passphrase_file: Path | None, role: str | None) -> tuple[Secret, bytes]:
    """As open_key; returns the passphrase, too, for whoever has to seal the file again."""
    from wmproto.crypto.secretfile import SECRET_LIMIT, open_secret, read_public

    data = read_input(path, what=f"{role} key" if role else "key file", limit=SECRET_LIMIT)
    with named(path):
        found, _ = read_public(data)
    if role is not None and found != role:
        raise ConfigError(f"{path} is a key of role {found}, not {role}", hint=f"give the {role}'s key file")
    passphrase = read_passphrase(passphrase_file, what=f"passphrase of {path}")
    with named(path):
        return open_secret(data, passphrase), passphrase


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Say which of several key files an error is about."""
    try:
        yield
    except ConfigError as err:
        raise type(err)(f"{path}: {err}", hint=err.hint) from err
    except FormatError as err:
        raise FormatError(f"{path}: {err}", hint=err.hint or "is it a key file? then restore it from a backup") from err


def open_log(database: Path | str, signer: Signer | None = None) -> Log:
    """Open an existing log, to read it, or with its key to append; it is closed when the command ends."""
    from wmproto.registry.log import Log

    log = Log.open(database, signer, profile=PROFILE)
    click.get_current_context().call_on_close(log.close)
    return log


def open_log_to_append(database: Path | str, key_path: Path, passphrase_file: Path | None) -> Log:
    """Open an existing log with its key; a wrong path is told before anybody is asked for a passphrase."""
    open_log(database)
    return open_log(database, open_key(key_path, passphrase_file, "log").signer())


def check_log_of(home: KeyFolder, log: Log) -> None:
    """Check that a key was activated in this very log: what else is logged of it elsewhere proves nothing.

    Raises:
        ConfigError: It was activated in another log.
    """
    named = home.activation().log
    if named != log.vkey:
        raise ConfigError(
            f"{home.path} was activated in the log {named.split('+')[0]}, and {log.where} is not that log",
            hint="give the log in which the key stands",
        )


def parse_log_key(text: str) -> LogKey:
    """A log's verifier key as an option; raises ConfigError."""
    from wmproto.registry.note import LogKey

    try:
        return LogKey.parse(text)
    except FormatError as err:
        raise ConfigError(f"--log: {err}", hint="give the whole line that registry new printed") from err


policy_option = click.option(
    "--policy", "policy_path", type=AnyPath, help="Log policy: which logs and witnesses you trust."
)


def read_policy(path: Path) -> LogPolicy:
    """Read a log policy.

    Raises:
        ConfigError: No such file.
        FormatError: Not a policy.
    """
    from wmproto.registry.policy import POLICY_LIMIT, LogPolicy

    return LogPolicy.parse(read_input(path, what="log policy", limit=POLICY_LIMIT))


def need_torch() -> None:
    """Say, before any work, that this command needs the extra; raises MissingExtraError."""
    if find_spec("torch") is None:
        raise MissingExtraError("torch")


def check_new(*paths: Path) -> None:
    """Check, before any work, that files or folders can be made where nothing is yet.

    Raises:
        ConfigError: One exists, or its folder does not.
    """
    for path in paths:
        if os.path.lexists(path):
            raise ConfigError(f"{path} exists already", hint="nothing is overwritten: choose another name")
        check_parent(path)
    if len(set(paths)) < len(paths):
        raise ConfigError(f"{paths[-1]} is given twice", hint="each file needs a name of its own")


def check_parent(path: Path) -> None:
    """Check, before any work, that the folder of a file to write is there; raises ConfigError."""
    if not path.parent.is_dir():
        raise ConfigError(f"{path.parent} is no folder", hint="make the folder first")


def parse_shape(text: str) -> tuple[int, int, int]:
    """Read ``28x28x1`` as (height, width, channels); raises ConfigError."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})x([1-9][0-9]{0,3})", text)
    if found is None:
        raise ConfigError(f"{text!r} is not a shape", hint="height x width x channels, as in 28x28x1")
    return int(found[1]), int(found[2]), int(found[3])


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with the time left on stderr; silent where stderr is no terminal.

    Yields:
        ``callback(done, total)``.
    """
    if not sys.stderr.isatty() or os.environ.get("NO_PROGRESS"):
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("  {task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
