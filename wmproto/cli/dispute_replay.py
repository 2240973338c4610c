"""``wmproto dispute replay``: needs the extra torch."""

from __future__ import annotations

from pathlib import Path

import click

from wmproto.cli.options import PROFILE, need_torch, progress
from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.errors import StateError


@click.command()
@click.argument("transcript", type=AnyPath)
@click.option("--model", type=AnyPath, required=True, help="The escrowed weights (safetensors).")
@json_option
def replay(transcript: Path, model: Path, as_json: bool) -> None:
    """Ask the escrowed weights every opened leaf of TRANSCRIPT again, and compare with the answers in it.

    Exit code 1 if they answer otherwise, or are other weights.
    """
    from wmproto.dispute.audit import audit as run_audit
    from wmproto.dispute.replay import replay as run_replay
    from wmproto.dispute.transcript import TRANSCRIPT_LIMIT, Transcript
    from wmproto.release.modelfile import read_model
    from wmproto.release.tensors import WEIGHTS_LIMIT

    need_torch()
    data = read_input(transcript, what="transcript", limit=TRANSCRIPT_LIMIT)
    found = run_audit(data, profile=PROFILE)
    if found.dispute.seq < 3 or not found.dispute.tally.opened:
        raise StateError("there is nothing to replay: no leaf was opened", hint="dispute audit says how far it went")
    loaded = read_model(read_input(model, what="model", limit=WEIGHTS_LIMIT), profile=PROFILE)
    from wmproto.models import EscrowSuspect  # late: torch takes seconds to load, and nothing above needs it

    suspect = EscrowSuspect(loaded.data, loaded.architecture, profile=PROFILE)
    with progress("asking again") as tick:
        result = run_replay(Transcript.parse(data), found.dispute, suspect, model=loaded.digest, progress=tick)
    same = result.same_settings
    emit(
        as_json,
        {"answered": result.answered, "model": loaded.digest.hex(), "same_settings": same},
        [
            f"all {result.answered} answers are what these weights answer",
            "settings (libraries included) are those of admit" if same else "the libraries differ from those of admit",
        ],
    )
