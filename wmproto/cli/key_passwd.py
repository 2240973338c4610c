"""``wmproto key passwd``: the same secrets under a new passphrase."""

from __future__ import annotations

import hmac
import secrets
import stat
from pathlib import Path

import click

from wmproto.cli.options import named, open_key_with_passphrase, passphrase_option, read_passphrase
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.cli.plain import plain
from wmproto.errors import ConfigError


@click.command(short_help="Change the passphrase of a secret file.")
@click.argument("key_path", metavar="FILE", type=AnyPath)
@passphrase_option
@click.option("--new-passphrase-file", type=AnyPath, help="File whose first line is the new one (default: ask).")
@json_option
def passwd(key_path: Path, passphrase_file: Path | None, new_passphrase_file: Path | None, as_json: bool) -> None:
    """Change the passphrase of the secret file FILE: the old one is asked for, then twice the new one.

    FILE is replaced at once, or not at all, and is its owner's alone from then on: what its mode allows to others is
    taken away, and said. Copies of it keep the old passphrase: destroy them if it is known.
    """
    from wmproto.crypto.secretfile import SECRET_LIMIT, cost, seal
    from wmproto.wire.writing import replace

    data = read_input(key_path, what="key file", limit=SECRET_LIMIT)
    with named(key_path):
        at_least = cost(data)
    before = stat.S_IMODE(key_path.stat().st_mode)
    mode = before & 0o600
    secret, old = open_key_with_passphrase(key_path, passphrase_file, None)
    new = read_passphrase(new_passphrase_file, confirm=True, what=f"new passphrase for {key_path}")
    if hmac.compare_digest(old, new):
        raise ConfigError("the new passphrase is the old one", hint="nothing was changed; choose another one")
    replace(key_path, seal(secret, new, random=secrets.token_bytes, at_least=at_least), mode=mode)
    if stat.S_IMODE(key_path.stat().st_mode) != mode:  # the umask took something away
        key_path.chmod(mode)
    if before != mode:
        said = f"{plain(str(key_path))} had mode {before:04o}: it has {mode:04o} now, and is its owner's alone"
        click.echo(f"wmproto: {said}", err=True)
    public = secret.signer().public.hex()
    emit(
        as_json,
        {"path": str(key_path), "public": public, "role": secret.role},
        [f"{key_path} has a new passphrase; old copies of it keep the old one"],
    )
