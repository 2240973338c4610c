"""``wmproto dispute run``: every party on this machine, each with a key of its own. Needs the extra torch."""

from __future__ import annotations

from pathlib import Path

import click

from wmproto.cli.options import PROFILE, open_key, passphrase_option, progress
from wmproto.cli.output import AnyPath, emit, json_option


@click.command()
@click.option("--folder", type=AnyPath, required=True, help="The activated key folder.")
@click.option("--key", "key_path", type=AnyPath, required=True, help="The claimant's (owner's) secret file.")
@click.option("--respondent", "respondent_path", type=AnyPath, required=True, help="Secret file of who binds.")
@click.option("--holder", type=click.Choice(["respondent", "escrow"]), default="escrow", show_default=True)
@click.option("--arbitrator", "arbitrator_path", type=AnyPath, required=True, help="The arbitrator's secret file.")
@click.option("--registry", "database", type=AnyPath, required=True, help="The log.")
@click.option("--log-key", type=AnyPath, required=True, help="The log's secret file.")
@click.option("--model", type=AnyPath, required=True, help="The suspect's weights, in escrow (safetensors).")
@click.option("--release", "release_path", type=AnyPath, help="Your signed release record, if there is one.")
@click.option("--suspect", "words", required=True, help="The suspect in words.")
@click.option("--start", type=int, default=0, show_default=True, help="First leaf, on the key's grid.")
@click.option("--count", type=int, default=128, show_default=True, help="Leaves offered, a multiple of 16.")
@click.option("--bits", type=int, default=0, help="The arbitrator's policy: at least this many bits.")
@click.option("--out", type=AnyPath, required=True, help="The transcript; a dispute that was cut off goes on.")
@passphrase_option
@json_option
def run(
    folder: Path,
    key_path: Path,
    respondent_path: Path,
    holder: str,
    arbitrator_path: Path,
    database: Path,
    log_key: Path,
    model: Path,
    release_path: Path | None,
    words: str,
    start: int,
    count: int,
    bits: int,
    out: Path,
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """Hold a whole dispute over escrowed weights: file, bind, admit, ask and answer and open, decide."""
    from wmproto.dispute.hold import hold
    from wmproto.dispute.messages import Policy
    from wmproto.dispute.outcome import EXIT_CODES
    from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
    from wmproto.dispute.transcript import TRANSCRIPT_LIMIT, Transcript
    from wmproto.models import EscrowSuspect
    from wmproto.owner import KeyFolder
    from wmproto.registry.log import Log
    from wmproto.release.modelfile import read_model
    from wmproto.release.tensors import WEIGHTS_LIMIT
    from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope
    from wmproto.wire.files import read_file, replace

    home = KeyFolder(folder, profile=PROFILE)
    home.activation()
    loaded = read_model(read_file(model, what="model", limit=WEIGHTS_LIMIT), profile=PROFILE)
    resume = Transcript.parse(read_file(out, what="transcript", limit=TRANSCRIPT_LIMIT)) if out.exists() else None
    release = None
    if release_path is not None:
        release = Envelope.parse(read_file(release_path, what="release", limit=ENVELOPE_LIMIT), what="release")
    log = Log.open(database, open_key(log_key, passphrase_file, "log").signer(), profile=PROFILE)
    owner = open_key(key_path, passphrase_file, "owner")
    holder_signer = open_key(respondent_path, passphrase_file, "respondent").signer()
    arbitrator_signer = open_key(arbitrator_path, passphrase_file, "arbitrator").signer()
    with progress("recomputing the leaves") as tick:
        active = home.activated(owner, tick)
    active.check_model(loaded)
    with progress("leaves asked") as tick:
        outcome = hold(
            claimant=Claimant(active.key, active.commitment, owner.signer()),
            key_receipt=active.receipt_bytes,
            release=release,
            respondent=Respondent(holder_signer, "escrow" if holder == "escrow" else "respondent"),
            arbitrator=Arbitrator(arbitrator_signer, Policy(bits=bits, suspects_log2=24)),
            log=log,
            model=loaded.digest,
            suspect=EscrowSuspect(loaded.data, loaded.architecture, profile=PROFILE),
            words=words,
            start=start,
            count=count,
            save=lambda t: replace(out, t.to_bytes(), mode=0o644),
            resume=resume,
            progress=tick,
        )
    emit(
        as_json,
        {
            "bits": outcome.bits,
            "evidence_log2": outcome.evidence_log2,
            "hits": outcome.evidence.wealth.hits,
            "leaves": outcome.evidence.asked,
            "marked": outcome.evidence.wealth.n,
            "transcript": str(out),
            "verdict": outcome.verdict,
        },
        [
            f"{outcome.verdict}: {outcome.evidence_log2} bits of {outcome.bits} "
            f"after {outcome.evidence.asked} leaves "
            f"({outcome.evidence.wealth.hits} hits of {outcome.evidence.wealth.n} marked)",
            f"recheck it: wmproto dispute audit {out} --trust TRUST.json",
        ],
    )
    return EXIT_CODES[outcome.verdict]
