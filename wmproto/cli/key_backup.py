"""``wmproto key backup`` and ``restore``: a key file as k-of-n shares. Needs the extra backup."""

from __future__ import annotations

import secrets
import shutil
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import PROFILE, check_new, named, open_key, passphrase_option, read_passphrase
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.cli.plain import plain
from wmproto.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from wmproto.crypto.secret import Secret
    from wmproto.crypto.sharefile import Share


@click.command(short_help="Split a secret file into shares, some of which restore it.")
@click.argument("key_path", metavar="FILE", type=AnyPath)
@click.option("--threshold", type=int, required=True, metavar="K", help="How many shares restore the key.")
@click.option("--shares", "count", type=int, required=True, metavar="N", help="How many shares to make, at most 16.")
@click.option("--out-dir", type=AnyPath, required=True, help="New folder for the share files.")
@passphrase_option
@json_option
def backup(
    key_path: Path, threshold: int, count: int, out_dir: Path, passphrase_file: Path | None, as_json: bool
) -> None:
    """Split the secret file FILE into N shares, any K of which restore all of it, without a passphrase.

    Give each share to another person or place. Fewer than K of them tell nothing but whose key it is. Shares of an
    earlier backup stay good until they are destroyed. Key folders are not in it: back them up as well.

    A command that is stopped leaves no share; one that is killed (SIGKILL, a power cut) can leave a folder
    .wmproto-*.tmp with shares in the clear beside the new one: the next backup to that place names it. Destroy it.
    """
    from wmproto.crypto.backup import make_shares
    from wmproto.crypto.slip39 import check_split, need_slip39

    need_slip39()
    check_split(threshold, count)
    check_new(out_dir)
    _warn_of_leftovers(out_dir.parent)
    secret = open_key(key_path, passphrase_file, None)
    made = make_shares(secret, threshold, count, random=secrets.token_bytes)
    _write_shares(out_dir, made, secret)
    public, keys = secret.signer().public.hex(), len(secret.contexts)
    files = [str(out_dir / share.name) for share in made]
    any_k = f"any {threshold} of these {count} restore" if threshold > 1 else "it alone restores, without a passphrase,"
    knows = [f"key contexts in it: {keys}; commit create adds one each time"] if secret.role == "owner" else []
    emit(
        as_json,
        {"contexts": keys, "public": public, "role": secret.role, "shares": files, "threshold": threshold},
        [*files, f"{any_k} the {secret.role} key {public}", *knows],
    )


def _warn_of_leftovers(folder: Path) -> None:
    """Say on stderr, in one line, which folders a backup that was killed may have left here."""
    left = [plain(str(path)) for path in sorted(folder.glob(".wmproto-*.tmp")) if path.is_dir()]
    if left:
        what = "was left by a command that was killed: it" if len(left) == 1 else "were left by killed commands: they"
        click.echo(f"wmproto: {', '.join(left)} {what} may hold shares in the clear; destroy what is in it", err=True)


@contextmanager
def _stopping_raises() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that ``finally`` runs; handlers are put back afterwards.

    Only in the main thread, where Python can. A signal that is ignored (nohup) or handled elsewhere stays as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) == signal.SIG_DFL]

    def stop(number: int, _frame: FrameType | None) -> None:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)  # a second one shall not cut off what the first one lets run
        raise SystemExit(128 + number)  # as shells have it

    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _write_shares(out_dir: Path, shares: Sequence[Share], secret: Secret) -> None:
    """Write the folder whole or not at all, after its files, still in memory, have restored the secret.

    SIGTERM, SIGHUP and Ctrl-C remove what is half written. SIGKILL or a power cut can leave ``.wmproto-*.tmp`` with
    shares in the clear: _warn_of_leftovers names it at the next backup.

    Raises:
        ConfigError: It cannot be written, does not restore, or reads back otherwise than it was written.
        SystemExit: SIGTERM or SIGHUP came; nothing is left.
    """
    from wmproto.crypto.backup import combine
    from wmproto.crypto.sharefile import SHARE_LIMIT, read_share
    from wmproto.wire.files import told
    from wmproto.wire.hidden import Hidden
    from wmproto.wire.writing import sync_folder, write_new

    texts = {share.name: share.to_text() for share in shares}
    if combine([(name, read_share(text)) for name, text in texts.items()]) != secret:  # it takes all of them
        raise ConfigError("the shares do not restore the key: none was written", hint="is the memory sound?")
    draft = out_dir.with_name(f".wmproto-{secrets.token_hex(8)}.tmp")
    with _stopping_raises():
        try:
            with told("make the folder", out_dir):
                draft.mkdir(mode=0o700)
            for name, text in texts.items():
                write_new(draft / name, text, mode=0o600)
            if any(Hidden(read_input(draft / n, what="share", limit=SHARE_LIMIT)) != t for n, t in texts.items()):
                raise ConfigError("the shares read back otherwise: none was kept", hint="is the disk sound?")
            with told("make the folder", out_dir):
                draft.rename(out_dir)
            sync_folder(out_dir)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@click.command(short_help="Restore a secret file from shares.")
@click.argument("shares", metavar="SHARES", type=AnyPath, nargs=-1, required=True)
@click.option("--out", type=AnyPath, required=True, help="New secret file.")
@click.option(
    "--folder",
    "folders",
    type=AnyPath,
    multiple=True,
    help="Folder of a key that may be younger than the backup: its context is remembered, too (again and again).",
)
@passphrase_option
@json_option
def restore(
    shares: tuple[Path, ...], out: Path, folders: tuple[Path, ...], passphrase_file: Path | None, as_json: bool
) -> None:
    """Restore a secret file from the share files SHARES, and put it under a new passphrase.

    It acts for every key of its owner, also for those made after the backup. But it remembers only the contexts that
    are printed: name the folders of younger keys with --folder before you commit to another one.
    """
    from wmproto.crypto.backup import check_together, combine
    from wmproto.crypto.secretfile import seal
    from wmproto.crypto.slip39 import need_slip39
    from wmproto.wire.writing import write_new

    need_slip39()
    check_new(out)
    found = [(str(path), _read_share(path)) for path in shares]
    check_together(found)
    secret = combine(found)
    backed_up = secret.contexts
    for folder in folders:
        secret = _with_folder(secret, folder)
    passphrase = read_passphrase(passphrase_file, confirm=True, what=f"new passphrase for {out}")
    write_new(out, seal(secret, passphrase, random=secrets.token_bytes), mode=0o600)
    public = secret.signer().public.hex()
    contexts = [context.hex() for context in secret.contexts]
    told = [f"it remembers {len(contexts)} key context{'s' * (len(contexts) != 1)}:", *(f"  {c}" for c in contexts)]
    emit(
        as_json,
        {
            "contexts": contexts,
            "contexts_in_backup": len(backed_up),
            "path": str(out),
            "public": public,
            "role": secret.role,
            "shares": sorted(share.number for _, share in found),
        },
        [f"{secret.role} {public}", *(told if secret.role == "owner" else [])],
    )


def _read_share(path: Path) -> Share:
    """A share file; raises as read_share does, and ConfigError if there is none. Names the file."""
    from wmproto.crypto.sharefile import SHARE_LIMIT, read_share
    from wmproto.wire.hidden import Hidden

    data = Hidden(read_input(path, what="share", limit=SHARE_LIMIT))
    with named(path):
        return read_share(data)


def _with_folder(secret: Secret, folder: Path) -> Secret:
    """The same secrets, remembering the context of the key in a folder.

    Raises:
        ConfigError: No key folder, or another owner's.
        WmprotoError: Its statement does not hold; see verify_key.
    """
    from wmproto.owner import KeyFolder

    z = KeyFolder(folder, profile=PROFILE).key().z
    if z.owner != secret.signer().public:
        raise ConfigError(f"the key in {folder} belongs to another owner", hint="leave that --folder out")
    return secret if z.keyctx in secret.contexts else secret.with_context(z.keyctx)
