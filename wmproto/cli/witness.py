"""``wmproto witness``: watch that logs only grow."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import click

from wmproto.cli.options import OrderedGroup, check_new, open_key, passphrase_option, read_passphrase, read_policy
from wmproto.cli.output import AnyPath, emit, json_option
from wmproto.errors import ConfigError, FormatError
from wmproto.wire.plain import plain


@click.group(cls=OrderedGroup)
def witness() -> None:
    """Watch that logs only grow, and cosign what they show."""


@witness.command(short_help="Make a witness.")
@click.argument("state", type=AnyPath)
@click.option("--name", required=True, help="The witness's name, as in witness.example/w1.")
@click.option("--key", "key_path", type=AnyPath, required=True, help="New secret file for the witness's key.")
@passphrase_option
@json_option
def new(state: Path, name: str, key_path: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Make a witness with its state in the new file STATE; its verifier key, for policies, goes to stdout.

    Never run two copies of STATE, and never put an old copy back: a witness that forgets what it cosigned vouches for
    two pasts.
    """
    from wmproto.crypto.secretfile import new_secret, seal
    from wmproto.registry.cosignature import WitnessKey
    from wmproto.registry.heads import Heads
    from wmproto.wire.writing import write_new

    check_new(state, key_path)
    secret = new_secret("witness", secrets.token_bytes)
    try:
        key = WitnessKey(name, secret.signer().public)
    except FormatError as err:
        raise ConfigError(f"--name: {err}", hint="a name such as witness.example/w1") from err
    passphrase = read_passphrase(passphrase_file, confirm=True, what=f"new passphrase for {key_path}")
    write_new(key_path, seal(secret, passphrase, random=secrets.token_bytes), mode=0o600)
    try:
        Heads.create(state, key).close()
    except BaseException:
        key_path.unlink()  # made a moment ago, the key of nothing
        raise
    emit(as_json, {"state": str(state), "vkey": str(key)}, [str(key)])


@witness.command(short_help="Answer logs over HTTP.")
@click.argument("state", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The witness's secret file.")
@click.option("--policy", "policy_path", type=AnyPath, required=True, help="Log policy: its log lines are followed.")
@click.option("--listen", required=True, help="HOST:PORT to answer on; port 0: any that is free.")
@passphrase_option
def run(state: Path, key_path: Path, policy_path: Path, listen: str, passphrase_file: Path | None) -> None:
    """Cosign, with the state in STATE, what the logs of a policy show, until it is stopped (Ctrl-C).

    Its URL goes to stdout when it answers. Put a web server with TLS in front of it.
    """
    from wmproto.registry.heads import Heads
    from wmproto.registry.service import need_service, serve, witness_app
    from wmproto.registry.witness import Witness

    need_service()
    policy = read_policy(policy_path)
    if not policy.logs:
        raise ConfigError(f"the log policy {policy_path} names no log to follow", hint="add a line: log VKEY")
    heads = Heads.open(state)  # a wrong path is told before anybody is asked for a passphrase
    click.get_current_context().call_on_close(heads.close)
    signer = open_key(key_path, passphrase_file, "witness").signer()
    app = witness_app(Witness(heads, signer, list(policy.logs), lambda: int(time.time())), _complain)
    serve(app, listen, lambda url: click.echo(f"listening on {url}"))


def _complain(problem: str) -> None:
    click.echo(f"wmproto: error: {plain(problem)}", err=True)
