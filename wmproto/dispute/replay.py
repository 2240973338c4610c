"""Replay: do the weights really answer what the transcript says? Only this shows it (specs/dispute.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wmproto.dispute.machine import Dispute
from wmproto.dispute.messages import Open, message_kind, parse_message
from wmproto.dispute.transcript import Transcript
from wmproto.errors import VerificationError
from wmproto.suspects.oracle import Suspect


@dataclass(frozen=True, slots=True)
class Replay:
    """How many opened leaves were asked again, all with the answer of the transcript."""

    answered: int


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
        VerificationError: Other weights than bound, or an answer differs: the arbitrator's fault.
    """
    if model != dispute.bind.model:
        raise VerificationError(
            f"these weights are {model.hex()}; the dispute is about {dispute.bind.model.hex()}", rule="dis-replay-1"
        )
    inputs: dict[int, bytes] = {}
    for step in transcript.steps:
        if message_kind(step.message.payload) == "open":
            inputs |= {o.index: o.inputs[0] for o in parse_message(step.message, Open)[1].openings if o.inputs}
    opened = dispute.tally.opened
    for done, leaf in enumerate(opened):
        answer = suspect.answer(inputs[leaf.index])
        if answer != leaf.answer:
            raise VerificationError(
                f"leaf {leaf.index}: the weights answer {answer}, the transcript says {leaf.answer}",
                rule="dis-replay-2",
                fault="arbitrator",
                hint="compare your libraries with the settings in admit before blaming anybody",
            )
        if progress is not None:
            progress(done + 1, len(opened))
    return Replay(answered=len(opened))
