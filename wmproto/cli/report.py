"""``wmproto report``: pages about runs of games. Needs the extra games."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from wmproto.cli.options import OrderedGroup, check_new
from wmproto.cli.output import AnyPath, emit, json_option
from wmproto.errors import ConfigError, MissingExtraError


@click.group(cls=OrderedGroup)
def report() -> None:
    """Write pages about runs of games."""


@report.command()
@click.argument("runs", type=AnyPath, nargs=-1, required=True, metavar="RUNS")
@click.option("--out", type=AnyPath, required=True, help="The page (HTML); nothing is overwritten.")
@json_option
def build(runs: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Write one page about the runs in the folders RUNS, finished or not.

    The page needs no network and no script: schemes against attacks, the tables of Adi et al., claims, the calibration
    of the null, what failed or is missing, and every record to download.
    """
    if any(find_spec(name) is None for name in ("jinja2", "torch", "scipy", "yaml")):
        raise MissingExtraError("games")
    from wmproto.games.page import render
    from wmproto.games.store import RunFolder
    from wmproto.wire.writing import write_new

    check_new(out)
    records, missing = [], []
    for path in runs:
        folder = RunFolder.open(path, any_version=True)
        for cell, text in folder.cells():
            found = folder.record(cell)
            if found is None:
                missing.append(text)
            else:
                records.append(found)
    if not records:
        raise ConfigError(f"nothing of {runs[0]} is played yet", hint=f"wmproto game resume {runs[0]}")
    page = render(records, missing=missing, title=", ".join(dict.fromkeys(record.grid for record in records))).encode()
    write_new(out, page, mode=0o644)
    facts = {"bytes": len(page), "missing": len(missing), "out": str(out), "records": len(records)}
    emit(as_json, facts, [f"{out}: {len(page)} bytes about {len(records)} cells, {len(missing)} missing"])
