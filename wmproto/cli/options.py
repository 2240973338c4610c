"""What commands that use secrets share: passphrases, key files, shapes, progress bars."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from wmproto.errors import ConfigError
from wmproto.wire.profile import WMPROTO_1

PROFILE = WMPROTO_1
_F = TypeVar("_F", bound=Callable[..., Any])


def passphrase_option(command: _F) -> _F:
    """``--passphrase-file``: where the passphrase stands; without it there is a prompt."""
    return click.option(
        "--passphrase-file",
        type=click.Path(path_type=Path),
        help="File whose first line is the passphrase (default: ask).",
    )(command)


def read_passphrase(path: Path | None, *, confirm: bool = False, what: str = "passphrase") -> bytes:
    """The passphrase from a file's first line or from a prompt; never from an argument.

    Raises:
        ConfigError: No file, no terminal, or an empty passphrase.
    """
    from wmproto.crypto.secretfile import passphrase_from_text

    if path is not None:
        try:
            text = path.read_text(encoding="utf-8").split("\n")[0]
        except (OSError, UnicodeDecodeError) as err:
            raise ConfigError(f"cannot read the passphrase file {path}", hint="one line of UTF-8 text") from err
        return passphrase_from_text(text)
    if not sys.stdin.isatty():
        raise ConfigError("no terminal to ask for a passphrase", hint="--passphrase-file FILE")
    return passphrase_from_text(str(click.prompt(what, hide_input=True, confirmation_prompt=confirm, err=True)))


def open_key(path: Path, passphrase_file: Path | None, role: str) -> Any:
    """Open a secret file of the given role; returns its Secret.

    Raises:
        ConfigError: Another role, a wrong passphrase, no such file.
        FormatError: Not a key file.
    """
    from wmproto.crypto.secretfile import SECRET_LIMIT, open_secret, read_public
    from wmproto.wire.files import read_file

    data = read_file(path, what=f"{role} key", limit=SECRET_LIMIT)
    found, _ = read_public(data)
    if found != role:
        raise ConfigError(f"{path} is a key of role {found}, not {role}")
    return open_secret(data, read_passphrase(passphrase_file, what=f"passphrase of {path}"))


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
