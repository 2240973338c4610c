"""``wmproto commit``: fix all inputs of a key before any label exists."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.commit_inspect import inspect
from wmproto.cli.options import (
    PROFILE,
    OrderedGroup,
    open_key_with_passphrase,
    parse_shape,
    passphrase_option,
    progress,
)
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.errors import ConfigError

if TYPE_CHECKING:
    from wmproto.crypto.secretfile import Secret


@click.group(cls=OrderedGroup)
def commit() -> None:
    """Commit to a key's inputs before any label exists."""


@commit.command(short_help="Commit to N inputs, and write the signed key statement.")
@click.argument("folder", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The owner's secret file.")
@click.option("--leaves", type=int, required=True, help="N: a multiple of 16, or of 2,048 above 2,048.")
@click.option("--classes", required=True, help="Class names in the order of the model's outputs, with commas between.")
@click.option("--shape", help="Height x width x channels, as in 28x28x1 (for keyed noise).")
@click.option("--pictures", "own", type=AnyPath, help="Your own pictures: a folder, or an .npz with an array x.")
@passphrase_option
@json_option
def create(
    folder: Path,
    key_path: Path,
    leaves: int,
    classes: str,
    shape: str | None,
    own: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Commit to N inputs and write the signed key statement into the new FOLDER.

    The inputs are keyed noise (--shape) or your own pictures (--pictures). Nothing is embedded yet and no label exists:
    submit FOLDER/statement.json to a log, then activate.
    """
    from wmproto.owner import KeyFolder
    from wmproto.owner.folder import check_new_key
    from wmproto.triggers.folder import load_folder

    size = parse_shape(shape) if shape else None
    names = tuple(name.strip() for name in classes.split(","))
    if own is not None and not own.exists():
        raise ConfigError(f"there are no pictures at {own}", hint="check the path: a folder of PNG files, or an .npz")
    pictures = load_folder(own, size) if own is not None else None
    # All that can be wrong is told before a context is used up.
    check_new_key(folder, profile=PROFILE, classes=names, count=leaves, shape=size, pictures=pictures)
    keyctx = secrets.token_bytes(32)
    secret = _remember(key_path, passphrase_file, keyctx)
    with progress("hashing the leaves") as tick:
        home = KeyFolder.create(
            folder,
            secret=secret,
            keyctx=keyctx,
            profile=PROFILE,
            classes=names,
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


def _remember(key_path: Path, passphrase_file: Path | None, keyctx: bytes) -> Secret:
    """Write the context into the key file before anything is made from it: none is ever used twice (hole R13)."""
    from wmproto.crypto.secretfile import SECRET_LIMIT, cost, seal
    from wmproto.wire.writing import replace

    secret, passphrase = open_key_with_passphrase(key_path, passphrase_file, "owner")
    secret = secret.with_context(keyctx)
    at_least = cost(read_input(key_path, what="owner key", limit=SECRET_LIMIT))
    replace(key_path, seal(secret, passphrase, random=secrets.token_bytes, at_least=at_least), mode=0o600)
    return secret


commit.add_command(inspect)
