"""``wmproto dispute run``: every party on this machine, each with a key of its own. Needs the extra torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wmproto.cli.options import (
    PROFILE,
    check_log_of,
    check_parent,
    need_torch,
    open_key,
    open_log_to_append,
    passphrase_option,
    policy_option,
    progress,
    read_policy,
    short_text,
)
from wmproto.cli.output import AnyPath, LogPlace, emit, json_option, read_input
from wmproto.errors import ConfigError, StateError

if TYPE_CHECKING:
    from wmproto.commitment.statement import VerifiedKey
    from wmproto.dispute.transcript import Transcript
    from wmproto.registry.log import Log
    from wmproto.wire.dsse import Envelope


@click.command()
@click.option("--folder", type=AnyPath, required=True, help="The activated key folder.")
@click.option("--key", "key_path", type=AnyPath, required=True, help="The claimant's (owner's) secret file.")
@click.option("--respondent", "respondent_path", type=AnyPath, required=True, help="Secret file of who binds.")
@click.option(
    "--holder",
    type=click.Choice(["respondent", "escrow"]),
    default="escrow",
    show_default=True,
    help="Who that is: the respondent, or one who holds the weights for others.",
)
@click.option("--arbitrator", "arbitrator_path", type=AnyPath, required=True, help="The arbitrator's secret file.")
@click.option("--registry", "database", type=LogPlace, required=True, help="The log.")
@click.option("--log-key", type=AnyPath, required=True, help="The log's secret file.")
@click.option("--model", type=AnyPath, required=True, help="The suspect's weights, in escrow (safetensors).")
@click.option("--release", "release_path", type=AnyPath, help="Your signed release record, if there is one.")
@click.option("--suspect", "words", callback=short_text, required=True, help="The suspect in words.")
@click.option("--start", type=int, default=0, show_default=True, help="First leaf: a multiple of 16, or of N/128.")
@click.option("--count", type=int, default=128, show_default=True, help="Leaves offered, a multiple of 16.")
@click.option(
    "--bits",
    type=click.IntRange(0, 4096),
    metavar="INTEGER",
    default=0,
    show_default=True,
    help="The arbitrator asks for at least this many bits; 0 leaves it to the profile.",
)
@click.option("--out", type=AnyPath, required=True, help="The transcript; a dispute that was cut off goes on.")
@policy_option
@passphrase_option
@json_option
def run(
    folder: Path,
    key_path: Path,
    respondent_path: Path,
    holder: str,
    arbitrator_path: Path,
    database: Path | str,
    log_key: Path,
    model: Path,
    release_path: Path | None,
    words: str,
    start: int,
    count: int,
    bits: int,
    out: Path,
    policy_path: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """Hold a whole dispute over escrowed weights: file, bind, admit, ask and answer and open, decide.

    Leaves that were asked are used up for good. If it is cut off, give the same command again.
    """
    from wmproto.cli.words import broken_rules
    from wmproto.dispute.hold import hold
    from wmproto.dispute.messages import Policy
    from wmproto.dispute.outcome import EXIT_CODES
    from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
    from wmproto.dispute.transcript import TRANSCRIPT_LIMIT, Transcript
    from wmproto.owner import KeyFolder
    from wmproto.owner.activated import check_model
    from wmproto.registry.entry import entry_leaf
    from wmproto.registry.gather import CosignedLog
    from wmproto.release.modelfile import read_model
    from wmproto.release.tensors import WEIGHTS_LIMIT
    from wmproto.wire.writing import replace

    need_torch()
    policy = read_policy(policy_path) if policy_path else None
    home = KeyFolder(folder, profile=PROFILE)
    home.activation()
    loaded = read_model(read_input(model, what="model", limit=WEIGHTS_LIMIT), profile=PROFILE)
    key = home.key()
    check_model(key, loaded)
    check_parent(out)
    resume = Transcript.parse(read_input(out, what="transcript", limit=TRANSCRIPT_LIMIT)) if out.exists() else None
    release = _read_release(release_path) if release_path is not None else None
    log = open_log_to_append(database, log_key, passphrase_file)
    check_log_of(home, log)
    owner = open_key(key_path, passphrase_file, "owner")
    holder_signer = open_key(respondent_path, passphrase_file, "respondent").signer()
    arbitrator = Arbitrator(
        open_key(arbitrator_path, passphrase_file, "arbitrator").signer(), Policy(bits=bits, suspects_log2=24)
    )
    release_leaf = entry_leaf(PROFILE, "release", release) if release is not None else None
    if release_leaf is not None:
        _check_logged(release_leaf, log, release_path)
    if resume is not None and resume.steps:
        given = {
            "--arbitrator": arbitrator.public,
            "--bits": arbitrator.policy.digest(PROFILE),
            "--count": count,
            "--holder": holder,
            "--registry": log.vkey,
            "--release": release_leaf,
            "--respondent": holder_signer.public,
            "--start": start,
            "--suspect": words,
        }
        _check_same_dispute(resume, key, given, out)
    if resume is None or len(resume.steps) < 3:
        _check_range(key, log, start, count)
    with progress("recomputing the leaves") as tick:
        active = home.activated(owner, tick)
    from wmproto.models import EscrowSuspect  # late: torch takes seconds to load, and nothing above needs it

    with progress("leaves asked") as tick:
        outcome = hold(
            claimant=Claimant(active.key, active.commitment, owner.signer()),
            release=release,
            respondent=Respondent(holder_signer, "escrow" if holder == "escrow" else "respondent"),
            arbitrator=arbitrator,
            log=CosignedLog(log, policy) if policy else log,
            model=loaded.digest,
            suspect=EscrowSuspect(loaded.data, loaded.architecture, profile=PROFILE),
            words=words,
            start=start,
            count=count,
            save=lambda t: replace(out, t.to_bytes(), mode=0o644),
            resume=resume,
            policy=policy,
            progress=tick,
        )
    if resume is not None and resume.steps and resume.steps[-1].receipts and len(resume.steps) > 3:
        click.echo("this dispute was over already: no leaf was asked", err=True)
    emit(
        as_json,
        {
            "bits": outcome.bits,
            "evidence_log2": outcome.evidence_log2,
            "hits": outcome.evidence.wealth.hits,
            "leaves": outcome.evidence.asked,
            "marked": outcome.evidence.wealth.n,
            "policy": policy.digest.hex() if policy else None,
            "problems": broken_rules(outcome.problems),
            "transcript": str(out),
            "verdict": outcome.verdict,
        },
        [
            f"{outcome.verdict}: {outcome.evidence_log2} bits of {outcome.bits} "
            f"after {outcome.evidence.asked} leaves "
            f"({outcome.evidence.wealth.hits} hits of {outcome.evidence.wealth.n} marked)",
            *(f"problem: {found.text}" for found in outcome.problems),
            *([f"log policy {policy.digest.hex()}"] if policy else []),
            f"recheck it: wmproto dispute audit {out} --trust TRUST.json",
        ],
    )
    return EXIT_CODES[outcome.verdict]


def _read_release(path: Path) -> Envelope:
    """A signed release record; raises as verify_release does."""
    from wmproto.release.record import verify_release
    from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope

    envelope = Envelope.parse(read_input(path, what="release", limit=ENVELOPE_LIMIT), what=str(path))
    return verify_release(envelope, profile=PROFILE).envelope


def _check_logged(release: bytes, log: Log, path: Path | None) -> None:
    """Check that a release stands in the log; raises NotFoundError."""
    from wmproto.errors import NotFoundError

    try:
        log.find(release)
    except NotFoundError as err:
        raise NotFoundError(f"the release {path} is not in the log", hint="registry submit appends it") from err


def _check_same_dispute(resume: Transcript, key: VerifiedKey, given: dict[str, object], out: Path) -> None:
    """Check that a dispute that was cut off goes on as it was filed.

    Raises:
        ConfigError: The transcript is of another dispute.
        FormatError: Its first messages are malformed.
        SignatureError: Or not signed.
    """
    from wmproto.dispute.messages import Bind, File, parse_message

    key_id, file = parse_message(resume.steps[0].message, File)
    if key_id != key.key_id:
        raise ConfigError(f"{out} holds a dispute over another key", hint="give --out a new name")
    filed: dict[str, object] = {
        "--arbitrator": file.arbitrator,
        "--bits": file.policy,
        "--count": file.count,
        "--registry": file.log,
        "--release": file.release_entry,
        "--start": file.start,
        "--suspect": file.suspect,
    }
    if len(resume.steps) > 1:
        _, bind = parse_message(resume.steps[1].message, Bind)
        filed |= {"--holder": bind.holder, "--respondent": resume.steps[1].message.signer}
    for option, value in filed.items():
        if given[option] != value:
            with_ = f"{option} {value}" if isinstance(value, int | str) else f"another {option}"
            raise ConfigError(
                f"{out} holds a dispute that was filed with {with_}", hint="give --out a new name, or the same options"
            )


def _check_range(key: VerifiedKey, log: Log, start: int, count: int) -> None:
    """Check that a range may be filed, before anything is.

    Raises:
        ConfigError: Not whole rounds of the key's leaves, or off the grid.
        StateError: Taken.
    """
    from wmproto.dispute.admission import counted, first_free
    from wmproto.verdict.closed_form import floor_log2_evidence

    n, grid, unit = key.z.N, PROFILE.start_grid(key.z.N), PROFILE.round_leaves
    if start % grid or not 0 <= start < n:
        raise ConfigError(f"no dispute starts at leaf {start}", hint=f"--start is a multiple of {grid} below {n}")
    if count % unit or count < unit:
        raise ConfigError(f"a range cannot have {count} leaves", hint=f"--count is a multiple of {unit}")
    if start + count > n:
        raise ConfigError(
            f"from leaf {start} on the key has {n - start} leaves, not {count}", hint=f"--count {n - start}"
        )
    entries = ((kind, e) for _, kind, e in log.entries(subject=key.key_id))
    free = first_free(counted(entries, key=key, log=log.vkey), PROFILE)
    first = -(-free // grid) * grid
    if start < free:
        hint = f"--start {first}" if first < n else "all leaves of this key are used up"
        raise StateError(f"leaves below {free} are taken", hint=hint)
    most = floor_log2_evidence(key.z.m, count, count)
    if most < key.bits:
        click.echo(
            f"wmproto: warning: {count} leaves give at most {most} bits, even if every answer is right and none is a "
            f"ghost; {key.bits} are asked for (wmproto verdict plan --classes {key.z.m} --retention 0.9)",
            err=True,
        )
