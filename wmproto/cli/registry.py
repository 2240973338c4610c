"""``wmproto registry``: run a local log."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from wmproto.cli.options import PROFILE, open_key, passphrase_option, read_passphrase
from wmproto.cli.output import ExistingPath, emit, json_option


@click.group()
def registry() -> None:
    """The append-only log: new, submit, prove, export."""


@registry.command()
@click.argument("database", type=ExistingPath)
@click.option("--origin", required=True, help="The log's name, as in log.example/1; stands in every checkpoint.")
@click.option("--key", "key_path", type=ExistingPath, required=True, help="New secret file for the log's key.")
@passphrase_option
@json_option
def new(database: Path, origin: str, key_path: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Start an empty log in the new file DATABASE; its verifier key goes to stdout."""
    from wmproto.crypto.secretfile import new_secret, seal
    from wmproto.errors import ConfigError
    from wmproto.registry.log import Log
    from wmproto.wire.files import write_new

    if database.exists():
        raise ConfigError(f"{database} exists already", hint="a log is never started anew over another")
    secret = new_secret("log", secrets.token_bytes)
    passphrase = read_passphrase(passphrase_file, confirm=True, what=f"new passphrase for {key_path}")
    write_new(key_path, seal(secret, passphrase, random=secrets.token_bytes), mode=0o600)
    log = Log.create(database, origin, secret.signer(), profile=PROFILE)
    emit(as_json, {"database": str(database), "vkey": log.vkey}, [log.vkey])


@registry.command()
@click.argument("database", type=ExistingPath)
@click.argument("statement", type=ExistingPath)
@click.option("--key", "key_path", type=ExistingPath, required=True, help="The log's secret file.")
@click.option("--receipt", type=ExistingPath, required=True, help="New file for the receipt.")
@passphrase_option
@json_option
def submit(
    database: Path, statement: Path, key_path: Path, receipt: Path, passphrase_file: Path | None, as_json: bool
) -> None:
    """Append the signed STATEMENT (a key or a release) to the log and write its receipt. Twice is the same as once."""
    from wmproto.registry.entry import entry_leaf
    from wmproto.registry.log import Log
    from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope
    from wmproto.wire.files import read_file, write_new

    envelope = Envelope.parse(read_file(statement, what="statement", limit=ENVELOPE_LIMIT), what=str(statement))
    kind = "release" if b'"predicateType":"tag:wmproto,2025:release/1"' in envelope.payload else "key"
    log = Log.open(database, open_key(key_path, passphrase_file, "log").signer(), profile=PROFILE)
    data = log.submit(kind, envelope)
    write_new(receipt, data, mode=0o644)
    index = log.find(entry_leaf(PROFILE, kind, envelope))
    emit(
        as_json, {"index": index, "receipt": str(receipt), "type": kind}, [f"{kind} entry {index}; receipt: {receipt}"]
    )


@registry.command()
@click.argument("database", type=ExistingPath)
@click.argument("index", type=int)
def prove(database: Path, index: int) -> None:
    """Print the receipt of entry INDEX under the latest checkpoint."""
    from wmproto.errors import NotFoundError
    from wmproto.registry.entry import entry_leaf
    from wmproto.registry.log import Log

    log = Log.open(database, profile=PROFILE)
    for at, kind, envelope in log.entries():
        if at == index:
            click.echo(log.receipts([entry_leaf(PROFILE, kind, envelope)])[0], nl=False)
            return
    raise NotFoundError(f"the log has no entry {index}")


@registry.command()
@click.argument("database", type=ExistingPath)
@click.argument("out", type=ExistingPath)
def export(database: Path, out: Path) -> None:
    """Write a copy of the whole log to OUT, for dispute audit --log-copy."""
    from wmproto.registry.log import Log

    log = Log.open(database, profile=PROFILE)
    log.export(out)
    click.echo(log.vkey)
