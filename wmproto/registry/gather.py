"""What a log does with witnesses: it has its head confirmed before it appends, and gathers cosignatures after.

A store that was rolled back would fork the log with its next entry. The witnesses remember: so they are asked first
(specs/registry.md, reg-gather-*).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from wmproto.errors import ConfigError, CorruptStoreError, FormatError, RegistryError, SignatureError
from wmproto.registry.ask import DEADLINE_S, Contradiction, ask
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.log import Log
from wmproto.registry.note import Note
from wmproto.registry.policy import LogPolicy
from wmproto.registry.receipt import Receipt
from wmproto.wire.dsse import Envelope

_GRACE_S = 1.0  # for which the slow are waited for, once those who answered are a quorum

__all__ = ["CosignedLog", "Gathered", "confirm_head", "gather"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Who has cosigned a log's head.

    Attributes:
        note: The head, with the lines of those witnesses of the policy that have cosigned it.
        checkpoint: What it says.
        cosigned: Names in the policy of those who did, in its order.
        missing: Names of the others -> why, in a few words.
        quorum: Whether those who did are enough for the policy.
    """

    note: bytes
    checkpoint: Checkpoint
    cosigned: tuple[str, ...]
    missing: Mapping[str, str]
    quorum: bool


def gather(log: Log, policy: LogPolicy, *, deadline: float = DEADLINE_S) -> Gathered:
    """Ask all witnesses that have a URL for a cosignature of the head, unless the log holds it already.

    What is valid is kept in the log.

    Args:
        log: The log.
        policy: Whose witnesses are asked.
        deadline: Seconds after which nobody is waited for.

    Raises:
        CorruptStoreError: A witness shows that it has cosigned a larger tree or another past: the store is behind, or
            forked. One that only says so is missing.
        ConfigError: The policy does not name this log.
        RegistryError: The store fails.
    """
    return _gathered(log, policy, deadline, anew=False)


def confirm_head(log: Log, policy: LogPolicy, *, deadline: float = DEADLINE_S) -> Gathered:
    """Ask all witnesses that have a URL whether the head is the last one that they know; before anything is appended.

    As gather, but nobody is spared, all are waited for, and who does not confirm it now is missing.

    Raises:
        RegistryError: A witness says that the store is behind or forked, and does not show it: better nothing is
            appended than a fork. And as gather.
    """
    return _gathered(log, policy, deadline, anew=True)


def _gathered(log: Log, policy: LogPolicy, deadline: float, *, anew: bool) -> Gathered:
    if log.key not in policy.logs:
        raise ConfigError(f"the log policy does not name the log {log.key.name}", hint="add a line: log VKEY")
    end = time.monotonic() + deadline
    while True:
        note = log.checkpoint(policy.witnesses.values())
        parsed = Note.parse(note)
        checkpoint = Checkpoint.parse(parsed.text)
        kept = {name for name, key in policy.witnesses.items() if parsed.signed_by(key)}
        left = max(0.0, end - time.monotonic())
        lines, missing, contradictions = _ask_all(log, policy, note, set() if anew else kept, kept, left)
        if not contradictions or _size(log) == checkpoint.size:
            break
        # Another process has appended, and gathered for it, since the head was read.
        if time.monotonic() >= end:
            raise RegistryError("the log grew while its witnesses were asked", hint="try again")
    missing |= {name: _judged(log, policy, name, said, anew=anew) for name, said in contradictions.items()}
    log.keep_cosignatures(checkpoint.size, {policy.witnesses[name]: line for name, line in lines.items()})
    note += "".join(lines[name] for name in policy.witnesses if name in lines and name not in kept).encode()
    signed = set(lines) if anew else {*kept, *lines}
    cosigned = tuple(name for name in policy.witnesses if name in signed)
    return Gathered(note, checkpoint, cosigned, missing, policy.satisfied(policy.quorum, signed))


def _size(log: Log) -> int:
    return Checkpoint.parse(Note.parse(log.checkpoint(())).text).size


def _judged(log: Log, policy: LogPolicy, name: str, said: Contradiction, *, anew: bool) -> str:
    """Judge what a witness says against the log by the head that it shows; returns why its word does not count.

    Raises:
        CorruptStoreError: It shows a head that the log has signed, and that the store has not grown to: proven.
        RegistryError: It shows none, and nothing is appended yet: in doubt nothing is.
    """
    try:
        if not Note.parse(said.head).signed_by(policy.witnesses[name]):
            raise SignatureError("not its own")
        log.verify_past(said.head)
    except CorruptStoreError as err:
        raise CorruptStoreError(
            f"the log {log.where} is behind what it has signed, or forked: the witness {name}: {said.says}",
            hint="append nothing more to this file: see specs/registry.md, Operating",
        ) from err
    except (FormatError, SignatureError) as err:
        if anew:
            raise RegistryError(
                f"the witness {name} says that {said.says}, and does not show it",
                hint="nothing was appended: ask its operator; if it is wrong, take it out of the policy",
            ) from err
        return f"{said.says}, and does not show it"
    return f"{said.says}; the head that it shows is the log's own"


def _ask_all(
    log: Log, policy: LogPolicy, note: bytes, spared: Collection[str], kept: Collection[str], deadline: float
) -> tuple[dict[str, str], dict[str, str], dict[str, Contradiction]]:
    """Ask in parallel; returns the lines of those who cosigned, why others did not, and who contradicts the log.

    Who is spared is not asked. If some are, those who are slow are not waited for once there is a quorum.
    """
    size = Checkpoint.parse(Note.parse(note).text).size
    answers: queue.SimpleQueue[tuple[str, str | Contradiction | Exception]] = queue.SimpleQueue()

    def one(name: str, url: str) -> None:
        # A witness that signed this head before is at it now; else probably at the one before.
        old = size if name in kept else max(size - 1, 0)
        prove = partial(log.consistency, new=size)
        try:
            answers.put((name, ask(url, policy.witnesses[name], note, old=old, prove=prove, deadline=deadline)))
        except Exception as err:  # handed on to the thread that waits
            answers.put((name, err))

    missing = {name: "the policy gives no URL for it" for name in policy.witnesses if name not in spared}
    lines: dict[str, str] = {}
    contradictions: dict[str, Contradiction] = {}
    asked = [name for name in missing if name in policy.urls]
    end = time.monotonic() + deadline
    for name in asked:
        missing[name] = "it has not answered in time"
        threading.Thread(target=one, args=(name, policy.urls[name]), daemon=True).start()
    for _ in asked:
        if spared is kept and policy.satisfied(policy.quorum, {*kept, *lines}):
            end = min(end, time.monotonic() + _GRACE_S)
        try:
            name, answer = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(answer, RegistryError) and not isinstance(answer, CorruptStoreError):
            missing[name] = str(answer)
        elif isinstance(answer, Exception):
            raise answer
        else:
            del missing[name]
            if isinstance(answer, str):
                lines[name] = answer
            else:
                contradictions[name] = answer
    return lines, missing, contradictions


class CosignedLog:
    """A log whose every checkpoint that is handed out has the quorum of a policy: what a dispute writes to.

    Args:
        log: The log, opened with its key.
        policy: The policy.
        deadline: Seconds that the witnesses have, each time.
    """

    def __init__(self, log: Log, policy: LogPolicy, *, deadline: float = DEADLINE_S) -> None:
        self._log, self._policy, self._deadline = log, policy, deadline

    @property
    def vkey(self) -> str:
        """The log's verifier key."""
        return self._log.vkey

    def entries(self, kind: str | None = None, subject: bytes | None = None) -> list[tuple[int, str, Envelope]]:
        """As Log.entries."""
        return self._log.entries(kind, subject)

    def checkpoint(self) -> bytes:
        """The latest signed checkpoint, cosigned; raises as gather, and RegistryError without a quorum."""
        return self._enough(gather(self._log, self._policy, deadline=self._deadline)).note

    def submit(self, kind: str, envelope: Envelope) -> bytes:
        """Have the head confirmed, then append; the receipt bears no cosignatures yet, see receipts.

        Raises:
            RegistryError: No quorum of witnesses confirms the head (CorruptStoreError: one knows a later head or
                another past); nothing is appended. And as Log.append.
        """
        self._enough(confirm_head(self._log, self._policy, deadline=self._deadline))
        return self._log.submit(kind, envelope)

    def receipts(self, leaves: Sequence[bytes], size: int | None = None) -> list[bytes]:
        """Receipts of several entries under one cosigned checkpoint: the latest, or an older one as it was cosigned.

        Raises:
            RegistryError: The latest checkpoint finds no quorum.
            TrustError: The older one had none.
            NotFoundError: See Log.receipts.
        """
        if size is None:
            size = self._enough(gather(self._log, self._policy, deadline=self._deadline)).checkpoint.size
        receipts = self._log.receipts(leaves, size, self._policy.witnesses.values())
        for receipt in receipts[:1]:
            self._policy.verify(Receipt.parse(receipt).note, strict=True)
        return receipts

    def _enough(self, gathered: Gathered) -> Gathered:
        if not gathered.quorum:
            missing = "; ".join(f"{name}: {why}" for name, why in gathered.missing.items())
            text = f"the checkpoint of {gathered.checkpoint.size} entries lacks the quorum {self._policy.quorum}"
            raise RegistryError(f"{text}; {missing}", hint="try again when these witnesses answer")
        return gathered
