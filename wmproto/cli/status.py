"""``wmproto status``: what is left of a key, and by which disputes its leaves were taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import PROFILE, check_log_of, open_log
from wmproto.cli.output import AnyPath, LogPlace, emit, json_option, read_input
from wmproto.cli.plain import plain, short
from wmproto.errors import ConfigError, InclusionError

if TYPE_CHECKING:
    from wmproto.owner import KeyFolder
    from wmproto.owner.usage import Held, Ignored, Usage
    from wmproto.registry.note import LogKey
    from wmproto.registry.receipt import VerifiedReceipt
    from wmproto.wire.dsse import Envelope


@click.command()
@click.argument("folder", type=AnyPath)
@click.option("--registry", "database", type=LogPlace, help="The log in which the key was activated.")
@click.option("--log-copy", type=AnyPath, help="Or a copy of that log, as registry export writes it.")
@json_option
def status(folder: Path, database: Path | str | None, log_copy: Path | None, as_json: bool) -> None:
    """What is left of a key: its leaves, its disputes, its next start.

    Reads the activated key in FOLDER and its log; needs no passphrase. A copy says what was taken when it was made.
    """
    from wmproto.owner import KeyFolder
    from wmproto.owner.usage import usage
    from wmproto.registry.entry import entry_leaf
    from wmproto.registry.note import LogKey
    from wmproto.registry.receipt import verify_receipt

    if (database is None) == (log_copy is None):
        many = "is needed" if database is None else "is enough"
        raise ConfigError(f"one log {many}", hint="--registry DATABASE, or --log-copy FILE from registry export")
    home = KeyFolder(folder, profile=PROFILE)
    record, key = home.activation(), home.key()
    log = LogKey.parse(record.log)
    receipt = verify_receipt(record.receipt, entry_leaf(PROFILE, "key", key.envelope), log)
    if database is not None:
        entries = _from_log(database, home, receipt)
    else:
        entries = _from_copy(log_copy or Path(), log, receipt)  # one of the two is there
    found = usage(key, entries, str(log))
    n, grid = key.z.N, PROFILE.start_grid(key.z.N)
    rounds = found.left // PROFILE.round_leaves
    data = {
        "disputes": [_dispute_record(held) for held in found.disputes],
        "grid": grid,
        "key_entry": receipt.index,
        "key_id": key.key_id.hex(),
        "leaves": n,
        "left": found.left,
        "log": str(log),
        "log_entries": len(entries),
        "next_start": found.next_start,
        "not_counted": [
            {"entry": i.entry, "signer": i.signer.hex(), "type": i.kind, "why": i.why} for i in found.ignored
        ],
        "rounds_left": rounds,
        "taken": found.taken,
    }
    first = f"leaf {found.next_start}" if found.next_start is not None else "none: all leaves are used up"
    lines = [
        f"key         {key.key_id.hex()}",
        f"log         {plain(log.name)}, {len(entries)} entries; the key is entry {receipt.index}",
        f"leaves      {n}: {found.taken} taken, first free {found.taken if found.taken < n else 'none'}",
        f"next start  {first} (a multiple of {grid}); from there {found.left} leaves, {_rounds(rounds)}",
    ]
    emit(as_json, data, [*lines, *_dispute_lines(found), *_ignored_lines(found.ignored)])


def _from_log(database: Path | str, home: KeyFolder, receipt: VerifiedReceipt) -> list[tuple[str, Envelope]]:
    """Every entry of a log; raises as Log.verify_past does if it is older than the key's receipt."""
    log = open_log(database)
    check_log_of(home, log)
    log.verify_past(receipt.note)
    return [(kind, envelope) for _, kind, envelope in log.entries()]


def _from_copy(path: Path, log: LogKey, receipt: VerifiedReceipt) -> list[tuple[str, Envelope]]:
    """Every entry of a copy.

    Raises:
        ConfigError: It is older than the key's receipt.
        InclusionError: The log signed two pasts. See read_log_copy for the rest.
    """
    from wmproto.crypto.merkle import tree_root
    from wmproto.registry.copy import COPY_LIMIT, read_log_copy
    from wmproto.registry.entry import entry_leaf

    copy = read_log_copy(read_input(path, what="copy of the log", limit=COPY_LIMIT), log, profile=PROFILE)
    then = receipt.checkpoint
    if copy.checkpoint.size < then.size:
        raise ConfigError(f"the copy {path} is older than the key's receipt", hint="registry export writes a new one")
    if tree_root([entry_leaf(PROFILE, kind, e) for kind, e in copy.entries[: then.size]]) != then.root:
        raise InclusionError("the log signed two pasts: the copy's and that of the key's receipt", fault="registry")
    return list(copy.entries)


def _range(held: Held) -> str:
    return f"leaves {held.file.start} to {held.file.start + held.file.count - 1}"


def _dispute_lines(found: Usage) -> list[str]:
    lines = [f"disputes    {len(found.disputes) or 'none'}"]
    for held in found.disputes:
        end = held.end
        lines += [
            f'  entry {held.entry:<4} {_range(held)}, "{plain(held.file.suspect)}", '
            f"arbitrator {short(held.file.arbitrator)}: "
            + (f"{end.verdict} after {_rounds(end.rounds)} (entry {end.entry})" if end else "open, all of them taken")
        ]
    return lines


def _rounds(count: int) -> str:
    return f"{count} round{'s' * (count != 1)}"


def _ignored_lines(ignored: tuple[Ignored, ...]) -> list[str]:
    if not ignored:
        return []
    told = [f"  entry {i.entry:<4} {i.kind} by {short(i.signer)}: {i.why}" for i in ignored]
    return [f"not counted {len(ignored)} (they take and free no leaf)", *told]


def _dispute_record(held: Held) -> dict[str, object]:
    file, end = held.file, held.end
    return {
        "admit": held.entry,
        "arbitrator": file.arbitrator.hex(),
        "count": file.count,
        "decide": end.entry if end else None,
        "open": end is None,
        "rounds": end.rounds if end else None,
        "start": file.start,
        "suspect": file.suspect,
        "verdict": end.verdict if end else None,
    }
