"""``wmproto registry monitor`` and ``check-fork``: follow a log, and convict one that signed two pasts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wmproto.cli.options import PROFILE, parse_log_key, progress, read_policy
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.errors import (
    ConfigError,
    FormatError,
    InclusionError,
    RegistryError,
    SignatureError,
    TrustError,
    WmprotoError,
)
from wmproto.wire.plain import plain
from wmproto.wire.schema import encode_b64

if TYPE_CHECKING:
    from wmproto.registry.checkpoint import Checkpoint
    from wmproto.registry.memory import Memory
    from wmproto.registry.monitor import Monitor, Update

UNWITNESSED = 15  # consistent, but trust is assumed: that of the witnesses whose lines are missing


@click.command(short_help="Follow a log; prove it if it forks.")
@click.argument("source")
@click.option("--policy", "policy_path", type=AnyPath, required=True, help="Log policy: names the log and witnesses.")
@click.option("--state", type=AnyPath, required=True, help="Folder for what is remembered; made the first time.")
@click.option("--every", type=click.IntRange(min=1), help="Look again after so many seconds, until stopped.")
@json_option
def monitor(source: str, policy_path: Path, state: Path, every: int | None, as_json: bool) -> None:
    """Look at a log in SOURCE, a folder or URL of export --tiles, and remember what it shows in the folder --state.

    Exit code 1: the log has forked, and the evidence is in the state folder. 5: its files show less than it has
    signed, are damaged, missing or somebody else's, or entries do not hold; these are in the folder bad of the state:
    move them away when you have seen to them. 15: the policy's witnesses do not vouch for it.
    """
    from wmproto.registry.memory import open_memory
    from wmproto.registry.monitor import Monitor
    from wmproto.registry.source import open_source

    policy = read_policy(policy_path)
    if not policy.logs:
        raise ConfigError(f"the log policy {policy_path} names no log to follow", hint="add a line: log VKEY")
    files = open_source(source)
    click.get_current_context().call_on_close(files.close)
    with open_memory(state, list(policy.logs)) as memory, progress("entries") as said:
        follower = Monitor(files, policy, memory, profile=PROFILE, progress=said)
        digest = policy.digest.hex()
        if every is None:
            click.get_current_context().exit(_tell(_update(follower), digest, as_json, memory))
        while True:
            try:
                _tell(_update(follower), digest, as_json, memory)
            except InclusionError:  # a fork, and only that, ends it
                raise
            except WmprotoError as err:
                _warn("error", str(err))
            time.sleep(every)


def _update(follower: Monitor) -> Update:
    """One look; false evidence is a fork and nothing else: whatever else a server shows is just not the log's.

    Raises:
        InclusionError: The log has forked.
        RegistryError: The files are missing, damaged, or signed by somebody else.
    """
    try:
        return follower.update()
    except (SignatureError, TrustError, FormatError) as err:
        raise RegistryError(f"what is shown is no checkpoint to follow: {err}", hint=err.hint) from err


def _tell(update: Update, digest: str, as_json: bool, memory: Memory) -> int:
    """Say what a look has shown; returns the exit code."""
    old, seen = update.old, update.seen
    before = memory.bad() - len(update.bad)
    data = {
        "ahead": dict(update.ahead),
        "bad": [{"index": entry.index, "reason": entry.reason} for entry in update.bad],
        "bad_before": before,
        "log": seen.origin,
        "new": update.new,
        "old": _head(old) if old is not None else None,
        "policy": digest,
        "seen": _head(seen),
        "silent": dict(update.silent),
        "stale": update.stale,
        "unwitnessed": update.unwitnessed,
    }
    lines = [
        f"log     {seen.origin}",
        f"before  {_words(old) if old is not None else 'nothing: this is the first look'}",
        f"now     {_words(seen)}",
        f"new     {update.new} entries{'; the log has signed more than it shows' if update.stale else ''}",
        f"policy  {digest}",
    ]
    emit(as_json, data, [plain(line) for line in lines])
    for entry in update.bad:
        _warn("warning", f"entry {entry.index} counts for nobody: {entry.reason}")
    if before:
        told = memory.folder / "bad"
        _warn(
            "warning", f"entries of earlier looks that count for nobody: {before}; move them out of {told} once seen to"
        )
    if update.unwitnessed is not None:
        _warn("warning", update.unwitnessed)
    for name, why in update.silent.items():
        _warn("warning", f"the witness {name} does not show its head: {why}")
    for name, size in update.ahead.items():
        _warn("error", f"the witness {name} has cosigned {size} entries, and the files show {seen.size}")
    if old is not None and seen.size < old.size:
        _warn("error", f"the log shows {seen.size} entries and has shown {old.size}: it is stale, or was rolled back")
    if update.stale or update.bad or before:
        return RegistryError.exit_code
    return UNWITNESSED if update.unwitnessed is not None else 0


def _warn(kind: str, text: str) -> None:
    click.echo(f"wmproto: {kind}: {plain(text)}", err=True)


def _head(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"root": encode_b64(checkpoint.root), "size": checkpoint.size}


def _words(checkpoint: Checkpoint) -> str:
    return f"{checkpoint.size} entries with root {encode_b64(checkpoint.root)}"


@click.command("check-fork", short_help="Check evidence that a log signed two pasts.")
@click.argument("file", type=AnyPath)
@click.option("--log", "vkey", required=True, help="The log's verifier key, as registry new printed it.")
@json_option
def check_fork(file: Path, vkey: str, as_json: bool) -> None:
    """Check the evidence in FILE, as a monitor wrote it, against the log's key alone; exit code 0: it holds."""
    from wmproto.registry.fork import FORK_LIMIT, verify_fork

    key = parse_log_key(vkey)
    fork = verify_fork(read_input(file, what="fork evidence", limit=FORK_LIMIT), key)
    data = {"log": key.name, "newer": _head(fork.newer), "older": _head(fork.older), "root": encode_b64(fork.root)}
    lines = [
        f"The log {key.name} has forked. Its key signed both of these:",
        f"  older  {_words(fork.older)}",
        f"  newer  {_words(fork.newer)}",
        f"The first {fork.older.size} entries of the newer one have the root {encode_b64(fork.root)}, another one.",
        "So who holds that key has shown two pasts. It says nothing about anybody else, nor which past is true.",
    ]
    emit(as_json, data, [plain(line) for line in lines])
