"""``wmproto registry fsck``: check a whole log from its signed objects upwards."""

from __future__ import annotations

from pathlib import Path

import click

from wmproto.cli.options import PROFILE, progress
from wmproto.cli.output import AnyPath, LogPlace, emit, json_option, read_input


@click.command(short_help="Check a whole log, entry by entry.")
@click.argument("database", type=LogPlace)
@click.option("--past", type=AnyPath, multiple=True, help="Checkpoint or receipt kept elsewhere (any number).")
@json_option
def fsck(database: Path | str, past: tuple[Path, ...], as_json: bool) -> None:
    """Recompute the log in DATABASE from its signed objects, and name the first thing that is wrong.

    With --past, the log must also have grown from that checkpoint: give the last one that anybody was shown, before a
    restored log signs again.
    """
    from wmproto.registry.fsck import fsck as check
    from wmproto.registry.fsck import note_in
    from wmproto.registry.log import Log
    from wmproto.registry.receipt import RECEIPT_LIMIT

    notes = [note_in(read_input(path, what="checkpoint", limit=RECEIPT_LIMIT)) for path in past]
    log = Log.open(database, profile=PROFILE, checked=False)
    click.get_current_context().call_on_close(log.close)
    with progress("rows") as said:
        found = check(log, notes, said)
    data = {
        "checkpoints": found.checkpoints,
        "cosignatures": found.cosignatures,
        "entries": found.entries,
        "nodes": found.nodes,
        "past": len(notes),
        "vkey": log.vkey,
    }
    text = (
        f"whole: {found.entries} entries, {found.nodes} nodes, {found.checkpoints} checkpoints, "
        f"{found.cosignatures} cosignatures"
    )
    emit(as_json, data, [text + (f"; grown from {len(notes)} that were kept elsewhere" if notes else "")])
