"""``wmproto registry``: run a local log."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import (
    PROFILE,
    OrderedGroup,
    check_new,
    check_parent,
    open_log,
    open_log_to_append,
    passphrase_option,
    policy_option,
    progress,
    read_passphrase,
    read_policy,
)
from wmproto.cli.output import AnyPath, LogPlace, emit, json_option, read_input
from wmproto.cli.registry_files import serve_static
from wmproto.cli.registry_fsck import fsck
from wmproto.cli.registry_monitor import check_fork, monitor
from wmproto.errors import ConfigError, FormatError
from wmproto.wire.plain import plain

if TYPE_CHECKING:
    from wmproto.registry.log import Log
    from wmproto.wire.dsse import Envelope


@click.group(cls=OrderedGroup)
def registry() -> None:
    """The append-only log: run, publish, monitor, check one.

    DATABASE is a file, or postgresql://USER@HOST/NAME: an empty database of its own, for several machines.
    """


@registry.command(short_help="Start an empty log.")
@click.argument("database", type=LogPlace)
@click.option("--origin", required=True, help="The log's name, as in log.example/1; stands in every checkpoint.")
@click.option("--key", "key_path", type=AnyPath, required=True, help="New secret file for the log's key.")
@passphrase_option
@json_option
def new(database: Path | str, origin: str, key_path: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Start an empty log in DATABASE, a new file or an empty database; its verifier key goes to stdout."""
    from wmproto.crypto.secretfile import new_secret, seal
    from wmproto.registry.log import Log
    from wmproto.registry.note import LogKey
    from wmproto.wire.writing import write_new

    check_new(*(place for place in (database, key_path) if isinstance(place, Path)))
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
@click.argument("database", type=LogPlace)
@click.argument("statement", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The log's secret file.")
@click.option("--receipt", type=AnyPath, required=True, help="New file for the receipt.")
@policy_option
@passphrase_option
@json_option
def submit(
    database: Path | str,
    statement: Path,
    key_path: Path,
    receipt: Path,
    policy_path: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Append the signed STATEMENT (a key or a release) to the log and write its receipt.

    Twice is the same as once: the entry is found again, and its receipt is replaced by a newer one. With --policy the
    witnesses that it gives URLs for are asked to cosign; who does not answer is named, and blocks nothing.
    """
    from wmproto.cli.witnessed import append_witnessed
    from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope, claims_kind
    from wmproto.wire.writing import replace, write_new

    again = receipt.is_file()
    if not again:
        check_new(receipt)
    data = read_input(statement, what="statement", limit=ENVELOPE_LIMIT)
    try:
        envelope = Envelope.parse(data, what=str(statement))
    except FormatError as err:
        raise FormatError(str(err), hint="commit create and release record write signed statements") from err
    kind = "release" if claims_kind(envelope.payload, "release") else "key"
    policy = read_policy(policy_path) if policy_path else None
    log = open_log_to_append(database, key_path, passphrase_file)
    if again:
        _check_receipt_of(receipt, kind, envelope, log)
    entry, proof, said = append_witnessed(log, kind, envelope, policy)
    (replace if again else write_new)(receipt, proof, mode=0o644)
    cosigned = said.get("witnesses", {}).get("cosigned", [])
    emit(
        as_json,
        {"index": entry.index, "receipt": str(receipt), "type": kind} | said,
        [f"{kind} entry {entry.index}; receipt: {receipt}", *(plain(f"cosigned by {name}") for name in cosigned)],
    )


def _check_receipt_of(path: Path, kind: str, envelope: Envelope, log: Log) -> None:
    """Check that a file is an older receipt of this very entry; raises ConfigError."""
    from wmproto.errors import WmprotoError
    from wmproto.registry.entry import entry_leaf
    from wmproto.registry.receipt import RECEIPT_LIMIT, verify_receipt

    try:
        old = read_input(path, what="older receipt", limit=RECEIPT_LIMIT)
        verify_receipt(old, entry_leaf(PROFILE, kind, envelope), log.key)
    except WmprotoError as err:
        raise ConfigError(
            f"{path} exists already, and is no receipt of this entry", hint="nothing else is overwritten: choose a name"
        ) from err


@registry.command(short_help="Print the receipt of an entry.")
@click.argument("database", type=LogPlace)
@click.argument("index", type=click.IntRange(min=0))
@json_option
def prove(database: Path | str, index: int, as_json: bool) -> None:
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


@registry.command(short_help="Write a copy of the whole log, or its files for the web.")
@click.argument("database", type=LogPlace)
@click.argument("out", type=AnyPath)
@click.option("--tiles", is_flag=True, help="Write files for a web server into the folder OUT (C2SP tlog-tiles).")
@policy_option
@json_option
def export(database: Path | str, out: Path, tiles: bool, policy_path: Path | None, as_json: bool) -> None:
    """Write a copy of the whole log to OUT, for dispute audit --log-copy; the log's verifier key goes to stdout.

    An older copy of the same log in OUT is replaced, any other file is left alone. With --tiles, OUT is a folder, in
    which only what is new is written, for monitors and for whoever wants to serve the log. With --policy the witnesses
    are asked first to cosign the checkpoint; who does not answer is named.
    """
    from wmproto.cli.witnessed import cosign_head
    from wmproto.registry.copy import COPY_LIMIT, read_log_copy

    log = open_log(database)
    check_parent(out)
    said_of = cosign_head(log, read_policy(policy_path)) if policy_path else {}
    if tiles:
        from wmproto.registry.publish import publish

        with progress("entries") as said:
            size = publish(log, out, said).size
        emit(as_json, {"entries": size, "out": str(out), "vkey": log.vkey} | said_of, [log.vkey])
        return
    if out.exists():
        from wmproto.errors import WmprotoError

        try:
            read_log_copy(read_input(out, what="older copy", limit=COPY_LIMIT), log.key, profile=PROFILE)
        except WmprotoError as err:
            raise ConfigError(
                f"{out} exists already, and is no copy of this log", hint="nothing is overwritten: choose another name"
            ) from err
    size = log.export(out).size
    emit(as_json, {"entries": size, "out": str(out), "vkey": log.vkey} | said_of, [log.vkey])


for _command in (serve_static, monitor, check_fork, fsck):
    registry.add_command(_command)
