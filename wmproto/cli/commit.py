"""``wmproto commit``: fix all inputs of a key before any label exists."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from wmproto.cli.options import PROFILE, parse_shape, passphrase_option, progress, read_passphrase
from wmproto.cli.output import ExistingPath, emit, json_option


@click.group()
def commit() -> None:
    """Commit to a key's inputs before any label exists."""


@commit.command()
@click.argument("folder", type=ExistingPath)
@click.option("--key", "key_path", type=ExistingPath, required=True, help="The owner's secret file.")
@click.option("--leaves", type=int, required=True, help="N: a multiple of 16, or of 2,048 above 2,048.")
@click.option("--classes", required=True, help="Class names in the order of the model's outputs, with commas between.")
@click.option("--shape", help="Height x width x channels, as in 28x28x1 (for keyed noise).")
@click.option("--pictures", type=ExistingPath, help="Your own pictures: a folder, or an .npz with an array x.")
@passphrase_option
@json_option
def create(
    folder: Path,
    key_path: Path,
    leaves: int,
    classes: str,
    shape: str | None,
    pictures: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Commit to N inputs and write the signed key statement into the new FOLDER.

    The inputs are keyed noise (--shape) or your own pictures (--pictures). Nothing is embedded yet and no label exists:
    submit FOLDER/statement.json to a log, then activate.
    """
    from wmproto.crypto.secretfile import SECRET_LIMIT, open_secret, seal
    from wmproto.errors import ConfigError
    from wmproto.owner import KeyFolder
    from wmproto.wire.files import read_file, replace

    if folder.exists():
        raise ConfigError(f"{folder} exists already", hint="each key gets a folder of its own")
    size = parse_shape(shape) if shape else None
    passphrase = read_passphrase(passphrase_file, what=f"passphrase of {key_path}")
    secret = open_secret(read_file(key_path, what="owner key", limit=SECRET_LIMIT), passphrase)
    if secret.role != "owner":
        raise ConfigError(f"{key_path} is a key of role {secret.role}, not owner")
    keyctx = secrets.token_bytes(32)
    secret = secret.with_context(keyctx)
    # The key file remembers the context before anything is made from it, so that none is ever used twice (hole R13).
    replace(key_path, seal(secret, passphrase, random=secrets.token_bytes), mode=0o600)
    with progress("hashing the leaves") as tick:
        home = KeyFolder.create(
            folder,
            secret=secret,
            keyctx=keyctx,
            profile=PROFILE,
            classes=tuple(classes.split(",")),
            count=leaves,
            shape=size,
            pictures=pictures,
            progress=tick,
        )
    verified = home.key()
    emit(
        as_json,
        {"key_id": verified.key_id.hex(), "root": verified.z.R.hex(), "statement": str(folder / "statement.json")},
        [f"key {verified.key_id.hex()}", f"now: wmproto registry submit REGISTRY {folder / 'statement.json'}"],
    )
