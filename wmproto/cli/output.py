"""What every command shares: paths, and data on stdout for people or machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

ExistingPath = click.Path(path_type=Path)
_F = TypeVar("_F", bound=Callable[..., Any])


def json_option(command: _F) -> _F:
    """``--json``: one JSON object on stdout for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


def emit(as_json: bool, data: dict[str, Any], lines: list[str]) -> None:
    """Print data: JSON for machines or lines for people."""
    click.echo(json.dumps(data, indent=2, sort_keys=True) if as_json else "\n".join(lines))
