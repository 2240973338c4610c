"""``wmproto dispute show``: who said what, message by message, for as long as it holds."""

from pathlib import Path

import click

from wmproto.cli.output import AnyPath, emit, json_option, read_input
from wmproto.cli.plain import plain, short
from wmproto.dispute.recorder import Recorder, Said
from wmproto.errors import FormatError, VerificationError, WmprotoError


@click.command()
@click.argument("transcript", type=AnyPath)
@json_option
def show(transcript: Path, as_json: bool) -> None:
    """Show who said what in TRANSCRIPT, message by message.

    Each one is checked by the audit's own machine before it is shown. At the first one that is false the list ends,
    and the command fails as an audit would. This is no verdict: nothing is said of trust, or of what the log hides.
    """
    from wmproto.dispute.audit import replay_steps
    from wmproto.dispute.transcript import TRANSCRIPT_LIMIT, Transcript

    parsed = Transcript.parse(read_input(transcript, what="transcript", limit=TRANSCRIPT_LIMIT))
    if not parsed.steps:
        raise FormatError("transcript: it holds no message")
    dispute, error = Recorder(), None
    try:
        replay_steps(parsed, dispute)
    except (FormatError, VerificationError) as err:
        error = err
    _emit(as_json, dispute, error, len(parsed.steps))
    if error is not None:
        raise error


def _emit(as_json: bool, dispute: Recorder, error: WmprotoError | None, steps: int) -> None:
    lines = []
    if dispute.said:
        key = dispute.key
        lines += [f"key {key.key_id.hex()}, log {plain(dispute.log.name)}"]
    for said in dispute.said:
        who = f"{said.n:>4}  {said.kind:<6}  {said.role:<10} {short(said.signer)}  "
        lines += [who + plain(said.text) + _at(said), *(f"      ! {plain(note)}" for note in said.notes)]
    if error is not None:
        lines += [f"{len(dispute.said)} of {steps} messages hold; message {len(dispute.said)} does not"]
    else:
        over = "" if dispute.decision else "; the arbitrator has not decided"
        lines += [f"all {steps} messages hold{over}"]
    data = {
        "error": _error_record(error) if error else None,
        "key_id": dispute.key.key_id.hex() if dispute.said else None,
        "log": str(dispute.log) if dispute.said else None,
        "messages": [_record(said) for said in dispute.said],
        "steps": steps,
    }
    emit(as_json, data, lines)


def _at(said: Said) -> str:
    return f" (entry {said.entry})" if said.entry is not None else ""


def _record(said: Said) -> dict[str, object]:
    return {
        "entry": said.entry,
        "kind": said.kind,
        "n": said.n,
        "notes": list(said.notes),
        "role": said.role,
        "signer": said.signer.hex(),
        "text": said.text,
    }


def _error_record(error: WmprotoError) -> dict[str, str]:
    rule, fault = (error.rule, error.fault) if isinstance(error, VerificationError) else ("", "unknown")
    return {"fault": fault, "rule": rule, "text": str(error)}
