"""A click group that knows its commands' names and imports one only when it runs."""

import importlib
from typing import Any

import click


class LazyGroup(click.Group):
    """A group with a table of commands.

    Args:
        table: name -> (module, attribute in it, one line for the help).
        **kw: As for click.Group.
    """

    def __init__(self, *args: Any, table: dict[str, tuple[str, str, str]], **kw: Any) -> None:
        super().__init__(*args, **kw)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._table)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self._table:
            return None
        module, attribute, _ = self._table[name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in self._table.items()])
