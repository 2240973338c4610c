"""``wmproto release``: which weights leave the house, said before they leave it."""

from __future__ import annotations

from pathlib import Path

import click

from wmproto.cli.options import (
    PROFILE,
    OrderedGroup,
    check_log_of,
    check_new,
    open_key,
    open_log_to_append,
    parse_log_key,
    passphrase_option,
    policy_option,
    progress,
    read_policy,
    short_text,
)
from wmproto.cli.output import AnyPath, LogPlace, emit, json_option, read_input


@click.group(cls=OrderedGroup)
def release() -> None:
    """Record a release in the log, and verify one."""


@release.command(short_help="Sign and log which weights are released.")
@click.argument("folder", type=AnyPath)
@click.option("--key", "key_path", type=AnyPath, required=True, help="The owner's secret file.")
@click.option("--model", type=AnyPath, required=True, help="The weights (safetensors) about to be released.")
@click.option("--registry", "database", type=LogPlace, required=True, help="The log.")
@click.option("--log-key", type=AnyPath, required=True, help="The log's secret file.")
@click.option(
    "--recipient", callback=short_text, default="public", show_default=True, help="public, or the licensee's name."
)
@click.option("--out", type=AnyPath, required=True, help="New file for the signed release record.")
@click.option("--receipt", type=AnyPath, required=True, help="New file for its receipt.")
@policy_option
@passphrase_option
@json_option
def record(
    folder: Path,
    key_path: Path,
    model: Path,
    database: Path | str,
    log_key: Path,
    recipient: str,
    out: Path,
    receipt: Path,
    policy_path: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Sign which weights are released under the activated key in FOLDER, and log that before they leave the house."""
    from wmproto.cli.witnessed import append_witnessed
    from wmproto.errors import ConfigError
    from wmproto.owner import KeyFolder
    from wmproto.owner.activated import check_model
    from wmproto.release.modelfile import read_model
    from wmproto.release.tensors import WEIGHTS_LIMIT
    from wmproto.wire.compose import is_text
    from wmproto.wire.writing import write_new

    check_new(out, receipt)
    if not is_text(model.name):
        raise ConfigError(
            f"{model.name!r} is no name for a record", hint="1 to 128 bytes of text without control characters"
        )
    policy = read_policy(policy_path) if policy_path else None
    home = KeyFolder(folder, profile=PROFILE)
    home.activation()
    loaded = read_model(read_input(model, what="model", limit=WEIGHTS_LIMIT), profile=PROFILE)
    check_model(home.key(), loaded)
    log = open_log_to_append(database, log_key, passphrase_file)
    check_log_of(home, log)
    secret = open_key(key_path, passphrase_file, "owner")
    with progress("recomputing the leaves") as tick:
        active = home.activated(secret, tick)
    envelope = secret.signer().envelope(active.release(loaded, name=model.name, recipient=recipient))
    entry, proof, said = append_witnessed(log, "release", envelope, policy)
    write_new(out, envelope.to_bytes(), mode=0o644)
    write_new(receipt, proof, mode=0o644)
    emit(
        as_json,
        {"index": entry.index, "model": loaded.digest.hex(), "out": str(out), "receipt": str(receipt)} | said,
        [f"release of model {loaded.digest.hex()} is logged"],
    )


@release.command(short_help="Check a release record.")
@click.argument("record_path", metavar="RELEASE", type=AnyPath)
@click.option("--model", type=AnyPath, help="Weights to compare with the record.")
@click.option("--receipt", type=AnyPath, help="Receipt of the record, together with --log.")
@click.option("--log", "log_vkey", help="The log's verifier key.")
@policy_option
@json_option
def verify(
    record_path: Path,
    model: Path | None,
    receipt: Path | None,
    log_vkey: str | None,
    policy_path: Path | None,
    as_json: bool,
) -> None:
    """Check a signed RELEASE record: its signature and digests, and if given its weights and its place in a log."""
    from wmproto.cli.plain import plain
    from wmproto.errors import ConfigError, VerificationError
    from wmproto.registry.entry import entry_leaf
    from wmproto.registry.receipt import RECEIPT_LIMIT, verify_receipt
    from wmproto.release.modelfile import check_grammar, read_model
    from wmproto.release.record import verify_release
    from wmproto.release.tensors import WEIGHTS_LIMIT
    from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope

    if (receipt is None) != (log_vkey is None):
        raise ConfigError("--receipt and --log go together", hint="give both, or neither")
    if policy_path is not None and receipt is None:
        raise ConfigError("--policy judges a receipt, and there is none", hint="give --receipt and --log, too")
    policy = read_policy(policy_path) if policy_path else None
    log = parse_log_key(log_vkey) if log_vkey is not None else None
    data = read_input(record_path, what="release", limit=ENVELOPE_LIMIT)
    verified = verify_release(Envelope.parse(data, what="release"), profile=PROFILE)
    check_grammar(verified.release)
    checked = ["signature and digests"]
    if model is not None:
        loaded = read_model(read_input(model, what="model", limit=WEIGHTS_LIMIT), profile=PROFILE)
        if loaded.digest != verified.release.model:
            raise VerificationError(
                f"these weights are {loaded.digest.hex()}; the record is of {verified.release.model.hex()}",
                rule="rel-5",
            )
        checked.append("weights")
    if receipt is not None and log is not None:
        leaf = entry_leaf(PROFILE, "release", verified.envelope)
        place = verify_receipt(read_input(receipt, what="receipt", limit=RECEIPT_LIMIT), leaf, log)
        checked.append(f"entry {place.index} of the log")
        if policy is not None:
            policy.verify(place.note)
            checked.append(f"quorum {plain(policy.quorum)} of the log policy {policy.digest.hex()}")
    emit(
        as_json,
        {
            "checked": checked,
            "files": {name: digest.hex() for name, digest in verified.files},
            "key_id": verified.release.key_id.hex(),
            "model": verified.release.model.hex(),
            "owner": verified.release.owner.hex(),
            "recipient": verified.release.recipient,
        },
        [
            f"release of model {verified.release.model.hex()}",
            f"key {verified.release.key_id.hex()}, to {plain(verified.release.recipient)}",
            f"checked: {', '.join(checked)}",
            *(["not checked: that a log holds it, and since when (--receipt, --log)"] if receipt is None else []),
        ],
    )
