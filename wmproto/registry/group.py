"""Group commit: threads that append at the same time share one transaction, one checkpoint and one sync of the disk.

Nobody waits for company: the first thread commits what there is, and those that come meanwhile are the next group.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Lock

from wmproto.errors import RegistryError, WmprotoError
from wmproto.registry.appending import Appended
from wmproto.registry.log import Log
from wmproto.registry.submission import Submission
from wmproto.wire.dsse import ENVELOPE_LIMIT, Envelope

__all__ = ["GroupCommit"]

_ENTRIES = 256  # of one group; more would keep its first one waiting for no gain
_BYTES = ENVELOPE_LIMIT  # of one group's signed objects, or a single one


@dataclass(eq=False)
class _Waiting:
    """A thread's submission; woken when it has an outcome, or when it is to lead the next group."""

    submission: Submission
    woken: Event = field(default_factory=Event)
    outcome: Appended | WmprotoError | None = None


class GroupCommit:
    """Appends for many threads of one process.

    Args:
        log: Opened with its key. Other processes may append to it as well.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = Lock()
        self._queue: deque[_Waiting] = deque()
        self._led = False  # whether a thread leads a group; if so, it will wake the first of those that wait

    def append(self, kind: str, envelope: Envelope) -> Appended:
        """Append one signed object; as Log.append.

        Raises:
            WmprotoError: What is wrong with this object, before it joins a group; or why its whole group failed.
        """
        own = _Waiting(self._log.verified(kind, envelope))
        with self._lock:
            self._queue.append(own)
            follows, self._led = self._led, True
        if follows:
            own.woken.wait()
        if own.outcome is None:
            self._lead()
        if isinstance(own.outcome, Appended):
            return own.outcome
        raise own.outcome or RegistryError("the group was not committed")

    def _lead(self) -> None:
        """Commit the group at the head of the queue, which the calling thread is in, and wake the next leader."""
        with self._lock:
            group = self._group()
        outcomes: Sequence[Appended | WmprotoError] = [_broken_off() for _ in group]
        try:
            outcomes = self._log.commit([waiting.submission for waiting in group])
        except WmprotoError as err:
            outcomes = [_same(err) for _ in group]
        finally:  # also if the leader is interrupted: nobody may wait for ever
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._led = following is not None
            for waiting, outcome in zip(group, outcomes, strict=True):
                waiting.outcome = outcome
                waiting.woken.set()
            if following is not None:
                following.woken.set()

    def _group(self) -> list[_Waiting]:
        group, size = [self._queue.popleft()], 0
        while self._queue and len(group) < _ENTRIES:
            size += len(group[-1].submission.data)
            if size + len(self._queue[0].submission.data) > _BYTES:
                break
            group.append(self._queue.popleft())
        return group


def _same(err: WmprotoError) -> WmprotoError:
    """An error of its own for each thread: raising one in several would mix up where it was raised."""
    if not isinstance(err, RegistryError):
        return err
    own = type(err)(str(err), hint=err.hint)
    own.__cause__ = err
    return own


def _broken_off() -> WmprotoError:
    return RegistryError(
        "appending was broken off; what was submitted may or may not be in the log",
        hint="submit it again, an entry is never doubled",
    )
