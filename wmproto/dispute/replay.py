"""Replay: do the weights really answer what the transcript says? Only this shows it (specs/dispute.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import Open, message_kind, parse_message
from wmproto.dispute.transcript import Transcript
from wmproto.errors import StateError, VerificationError
from wmproto.suspects.oracle import Suspect
from wmproto.wire.canonical import canonical_json


@dataclass(frozen=True, slots=True)
class Replay:
    """How many opened leaves were asked again, each with the transcript's answer; whether with admit's settings."""

    answered: int
    same_settings: bool


def replay(
    transcript: Transcript,
    dispute: Dispute,
    suspect: Suspect,
    *,
    model: bytes,
    progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Ask the escrowed weights every opened leaf again.

    Args:
        transcript: A transcript that passed its audit.
        dispute: The state that the audit left.
        suspect: The weights, run with the settings of admit.
        model: h_f of these weights, 32 bytes.
        progress: Called with (leaves done, leaves to do).

    Raises:
        StateError: No answer was given.
        VerificationError: Other weights than bound, or an answer differs: with the very settings of admit, the
            arbitrator's fault.
    """
    if dispute.seq < 3:
        raise StateError("there is nothing to replay: the dispute was not admitted")
    if model != dispute.bind.model:
        raise VerificationError(
            f"these weights are {model.hex()}; the dispute is about {dispute.bind.model.hex()}", rule="dis-replay-1"
        )
    inputs: dict[int, bytes] = {}
    for step in transcript.steps:
        if message_kind(step.message.payload) == "open":
            inputs |= {o.index: o.inputs[0] for o in parse_message(step.message, Open)[1].openings if o.inputs}
    opened = dispute.tally.opened
    same_settings = canonical_json(suspect.settings) == dispute.admit.settings.to_bytes()
    for done, leaf in enumerate(opened):
        answer = suspect.answer(inputs[leaf.index])
        if answer != leaf.answer:
            raise VerificationError(
                f"leaf {leaf.index}: the weights answer {answer}, the transcript says {leaf.answer}",
                rule="dis-replay-2",
                fault="arbitrator" if same_settings else "unknown",
                hint=None if same_settings else "your libraries differ from those in admit: that may be the cause",
            )
        if progress is not None:
            progress(done + 1, len(opened))
    return Replay(answered=len(opened), same_settings=same_settings)
