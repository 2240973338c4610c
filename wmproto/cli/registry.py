"""``wmproto registry``: run a local log."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from wmproto.cli.options import (
    PROFILE,
    OrderedGroup,
    check_new,
    check_parent,
    open_log,
    open_log_to_append,
    passphrase_option,
    read_passphrase,
)
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.errors import ConfigError, FormatError


@click.group(cls=OrderedGroup)
def registry() -> None:
    """The append-only log: new, submit, prove, export."""


@registry.command(short_help="Start an empty log.")
@click.argument("database", type=AnyPath)
@click.option("--origin", required=True, help="The log's name, as in log.example/1; stands in every checkpoint.")
@click.option("--key", "key_path", type=AnyPath, required=True, help="New secret file for the log's key.")
@passphrase_option
@json_option
def new(database: Path, origin: str, key_path: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Start an empty log in the new file DATABASE; its verifier key goes to stdout."""
    from wmproto.crypto.secretfile import new_secret, seal
    from wmproto.registry.log import Log
    from wmproto.registry.note import LogKey
    from wmproto.wire.writing import write_new

    check_new(database, key_path)
    secret = new_secret("log", secrets.token_bytes)
    try:
        LogKey(origin, secret.signer().public)
    except FormatError as err:
        raise ConfigError(f"--origin: {err}", hint="a name such as log.example/1") from err
    passphrase = read_passphrase(passphrase_file, confirm=True, what=f"new passphrase for {key_path}")
    write_new(key_path, seal(secret, passphrase, random=secrets.token_bytes), mode=0o600)
    try:
        log = Log.create(database, origin, secret.signer(), profile=PROFILE)
    except BaseException:
        key_path.unlink()  # made a moment ago, the key of nothing
        raise
    log.close()
    emit(as_json, {"database": str(database), "vkey": log.vkey}, [log.vkey])


@registry.command(short_help="Append a signed key or release statement.")
@click.argument("database", type=AnyPath)
@click.argument("statement", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The log's secret file.")
@click.option("--receipt", type=AnyPath, required=True, help="New file for the receipt.")
@passphrase_option
@json_option
def submit(
    database: Path, statement: Path, key_path: Path, receipt: Path, passphrase_file: Path | None, as_json: bool
) -> None:
    """Append the signed STATEMENT (a key or a release) to the log and write its receipt.

    Twice is the same as once: the entry is found again, and its receipt can be written anew.
    """
    from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope, claims_kind
    from wmproto.wire.writing import write_new

    check_new(receipt)
    data = read_input(statement, what="statement", limit=ENVELOPE_LIMIT)
    try:
        envelope = Envelope.parse(data, what=str(statement))
    except FormatError as err:
        raise FormatError(str(err), hint="commit create and release record write signed statements") from err
    kind = "release" if claims_kind(envelope.payload, "release") else "key"
    log = open_log_to_append(database, key_path, passphrase_file)
    entry = log.append(kind, envelope)
    write_new(receipt, entry.receipt, mode=0o644)
    emit(
        as_json,
        {"index": entry.index, "receipt": str(receipt), "type": kind},
        [f"{kind} entry {entry.index}; receipt: {receipt}"],
    )


@registry.command(short_help="Print the receipt of an entry.")
@click.argument("database", type=AnyPath)
@click.argument("index", type=click.IntRange(min=0))
@json_option
def prove(database: Path, index: int, as_json: bool) -> None:
    """Print the receipt of entry INDEX (the first one is 0) under the latest checkpoint."""
    from wmproto.errors import NotFoundError
    from wmproto.registry.entry import entry_leaf

    log = open_log(database)
    entries = log.entries()
    if index >= len(entries):
        have = f"it has {len(entries)}, from 0 on" if entries else "it is empty"
        raise NotFoundError(f"the log {database} has no entry {index}", hint=have)
    _, kind, envelope = entries[index]
    receipt = log.receipts([entry_leaf(PROFILE, kind, envelope)])[0].decode()
    emit(as_json, {"index": index, "receipt": receipt, "type": kind}, [receipt.removesuffix("\n")])


@registry.command(short_help="Write a copy of the whole log for auditors.")
@click.argument("database", type=AnyPath)
@click.argument("out", type=AnyPath)
@json_option
def export(database: Path, out: Path, as_json: bool) -> None:
    """Write a copy of the whole log to OUT, for dispute audit --log-copy; the log's verifier key goes to stdout.

    An older copy of the same log in OUT is replaced, any other file is left alone.
    """
    from wmproto.registry.copy import COPY_LIMIT, read_log_copy

    log = open_log(database)
    check_parent(out)
    if out.exists():
        from wmproto.errors import WmprotoError

        try:
            read_log_copy(read_input(out, what="older copy", limit=COPY_LIMIT), log.key, profile=PROFILE)
        except WmprotoError as err:
            raise ConfigError(
                f"{out} exists already, and is no copy of this log", hint="nothing is overwritten: choose another name"
            ) from err
    log.export(out)
    emit(as_json, {"entries": len(log.entries()), "out": str(out), "vkey": log.vkey}, [log.vkey])
