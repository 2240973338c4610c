"""``wmproto key``: identities and the birth of labels; passphrases and backups have files of their own."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from wmproto.cli.key_backup import backup, restore
from wmproto.cli.key_passwd import passwd
from wmproto.cli.options import (
    PROFILE,
    OrderedGroup,
    check_new,
    named,
    open_key,
    parse_log_key,
    passphrase_option,
    policy_option,
    progress,
    read_passphrase,
    read_policy,
)
from wmproto.cli.output import AnyPath, emit, json_option, read_input


@click.group(cls=OrderedGroup)
def key() -> None:
    """Identities: make, show, activate, back up."""


@key.command(short_help="Make a new identity.")
@click.argument("path", type=AnyPath)
@click.option(
    "--role", type=click.Choice(["owner", "arbitrator", "respondent"]), required=True, help="Whose identity it is."
)
@passphrase_option
@json_option
def new(path: Path, role: str, passphrase_file: Path | None, as_json: bool) -> None:
    """Make a new identity in the new secret file PATH; its public key goes to stdout.

    A log's identity is made by registry new, a witness's by witness new.
    """
    from wmproto.crypto.secretfile import new_secret, seal
    from wmproto.wire.writing import write_new

    check_new(path)
    secret = new_secret(role, secrets.token_bytes)
    passphrase = read_passphrase(passphrase_file, confirm=True, what=f"new passphrase for {path}")
    write_new(path, seal(secret, passphrase, random=secrets.token_bytes), mode=0o600)
    public = secret.signer().public.hex()
    emit(as_json, {"path": str(path), "public": public, "role": role}, [public])


@key.command(short_help="Show a public key, or what stands in a key folder.")
@click.argument("path", type=AnyPath)
@json_option
def show(path: Path, as_json: bool) -> None:
    """Show role and public key of the secret file PATH, or what stands in the key folder PATH. Needs no passphrase."""
    if path.is_dir():
        from wmproto.owner import KeyFolder

        folder = KeyFolder(path, profile=PROFILE)
        verified = folder.key()
        z = verified.z
        data = {
            "activated": folder.is_activated,
            "classes": list(z.classes),
            "key_id": verified.key_id.hex(),
            "leaves": z.N,
            "owner": z.owner.hex(),
            "root": z.R.hex(),
            "shape": list(z.input.shape),
        }
        lines = [
            f"key        {verified.key_id.hex()}",
            f"owner      {z.owner.hex()}",
            f"leaves     {z.N} of {'x'.join(map(str, z.input.shape))}, {len(z.classes)} classes",
            f"activated  {'yes' if folder.is_activated else 'no: labels do not exist yet'}",
        ]
        emit(as_json, data, lines)
        return
    from wmproto.crypto.secretfile import SECRET_LIMIT, read_public

    sealed = read_input(path, what="key file", limit=SECRET_LIMIT)
    with named(path):
        role, public = read_public(sealed)
    emit(as_json, {"public": public.hex(), "role": role}, [f"{role} {public.hex()}"])


@key.command(short_help="Give life to the labels, once the key is logged.")
@click.argument("folder", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The owner's secret file.")
@click.option("--receipt", type=AnyPath, required=True, help="The receipt that registry submit gave.")
@click.option("--log", "log_vkey", required=True, help="The log's verifier key, as registry new printed it.")
@policy_option
@passphrase_option
@json_option
def activate(
    folder: Path,
    key_path: Path,
    receipt: Path,
    log_vkey: str,
    policy_path: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Give life to the labels of the key in FOLDER, once its statement stands in the log."""
    from wmproto.owner import KeyFolder
    from wmproto.registry.receipt import RECEIPT_LIMIT, Receipt

    log = parse_log_key(log_vkey)
    home = KeyFolder(folder, profile=PROFILE)
    home.check_not_activated()
    data = read_input(receipt, what="receipt", limit=RECEIPT_LIMIT)
    policy = read_policy(policy_path) if policy_path else None
    if policy is not None:
        policy.verify(Receipt.parse(data).note)
    secret = open_key(key_path, passphrase_file, "owner")
    with progress("recomputing the leaves") as tick:
        active = home.activate(data, log, secret, tick)
    marked = sum(1 for _ in active.marked())
    total = active.key.z.N
    emit(
        as_json,
        {
            "ghosts": total - marked,
            "key_id": active.key.key_id.hex(),
            "leaves": total,
            "marked": marked,
            "policy": policy.digest.hex() if policy else None,
        },
        [
            f"labels are born: {marked} leaves to mark, {total - marked} ghosts",
            *([f"the receipt counts under the log policy {policy.digest.hex()}"] if policy else []),
        ],
    )


key.add_command(passwd)
key.add_command(backup)
key.add_command(restore)
