"""What every command shares: paths, files that are read, and data on stdout for people or machines."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wmproto.errors import ConfigError, NotFoundError
from wmproto.wire.files import read_file

AnyPath = click.Path(path_type=Path)  # whether it must exist, each command says itself, with a hint
_F = TypeVar("_F", bound=Callable[..., Any])


class _LogPlace(click.Path):
    """Where a log is: a Path, or the text ``postgresql://...``, of which a Path would make something else."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Tell one from the other; whether a log is there, each command says itself."""
        from wmproto.registry.store import is_url  # late: an audit reads no log, and loads no database

        return value if isinstance(value, str) and is_url(value) else super().convert(value, param, ctx)


LogPlace = _LogPlace(path_type=Path)


def json_option(command: _F) -> _F:
    """``--json``: one JSON object on stdout for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


def emit(as_json: bool, data: dict[str, Any], lines: list[str]) -> None:
    """Print data: JSON for machines or lines for people; other people's words in them must have gone through plain."""
    click.echo(json.dumps(data, indent=2, sort_keys=True) if as_json else "\n".join(lines))


def read_input(path: Path, *, what: str, limit: int) -> bytes:
    """Read a file that the caller named; see wire.files.read_file.

    Raises:
        ConfigError: There is none, or it cannot be read: a wrong path is a wrong option.
        FormatError: It is larger than the limit.
    """
    try:
        return read_file(path, what=what, limit=limit)
    except NotFoundError as err:
        raise ConfigError(str(err), hint="check the path") from err
