"""A witness: checks that logs only grow, and cosigns what it saw (specs/registry.md, reg-witness-*).

Opens no connection: service.py carries requests to it. Trusts no log and no sender, and of its own state only what it
has signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from wmproto.crypto.consistency import verify_consistency
from wmproto.crypto.signer import Signer
from wmproto.errors import ConfigError, FormatError, InclusionError, SignatureError
from wmproto.registry.add_checkpoint import ADD_CHECKPOINT_LIMIT, SIZE_TYPE, AddCheckpoint
from wmproto.registry.heads import Heads
from wmproto.registry.note import LogKey, Note
from wmproto.registry.writing import sign_cosignature, signature_line
from wmproto.wire.framing import sha256

_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, content type and body."""

    status: int
    content_type: str
    body: bytes


class Witness:
    """A witness of some logs; threads may share it.

    Args:
        heads: Its state.
        signer: Its key.
        logs: The logs that it follows; requests about others are refused.
        clock: POSIX time in seconds.

    Raises:
        ConfigError: The key is not that of the state, or a log is followed under another key already.
    """

    def __init__(self, heads: Heads, signer: Signer, logs: Collection[LogKey], clock: Callable[[], int]) -> None:
        if signer.public != heads.key.public:
            raise ConfigError(f"this is not the key of the witness {heads.key.name}", hint="each state has its own")
        heads.follow(logs)
        self.key, self._heads, self._signer, self._clock = heads.key, heads, signer, clock
        self._logs = {log.name: log for log in logs}
        self._by_hash = {sha256(log.name.encode()).hex(): log for log in logs}

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a log's request for a cosignature; what is cosigned is durable before this returns.

        Args:
            body: The request, see AddCheckpoint.

        Returns:
            200 and one cosignature line; 409 and the size of the last checkpoint that was cosigned; or a status from
            400 on and a line that says what is wrong. Unless it is 200, nothing has changed.

        Raises:
            RegistryError: The state cannot be read or written (CorruptStoreError: it is damaged); nothing is signed.
        """
        try:
            request = AddCheckpoint.parse(body)
        except FormatError as err:
            return _refusal(413 if len(body) > ADD_CHECKPOINT_LIMIT else 400, str(err))
        new = request.checkpoint
        log = self._logs.get(new.origin)
        if log is None:
            return _refusal(404, "this witness follows no log of this origin")
        try:
            signed = request.note.signed_by(log)
        except SignatureError as err:
            return _refusal(403, f"a signature of the log is wrong: {err}")
        if not signed:
            return _refusal(403, "not signed by the key of the log that this witness follows")
        if request.old > new.size:
            return _refusal(400, "the old size is larger than the checkpoint's")
        with self._heads.change() as change:
            last = change.last(log)
            if request.old != last.size:
                return Answer(409, SIZE_TYPE, b"%d\n" % last.size)
            try:
                verify_consistency(
                    old=last.size, new=new.size, proof=request.proof, old_root=last.root, new_root=new.root
                )
            except InclusionError as err:
                return _refusal(422, f"not an extension of what this witness cosigned: {err}")
            time = max(self._clock(), last.time, 1)
            line = sign_cosignature(request.note.text, self.key, self._signer, time)
            change.store(log, _kept(request.note, log, line))
        return Answer(200, _TEXT, line.encode())

    def checkpoint(self, origin_hash: str) -> Answer:
        """Show the last checkpoint of a log that this witness cosigned, to monitors.

        Args:
            origin_hash: SHA-256 of the origin, hexadecimal in lower case.

        Returns:
            200 and the note with the log's line and the witness's own, or 404.

        Raises:
            RegistryError: The state cannot be read (CorruptStoreError: it is damaged).
        """
        log = self._by_hash.get(origin_hash)
        note = self._heads.last(log).note if log else b""
        return Answer(200, _TEXT, note) if note else _refusal(404, "this witness has cosigned no such log")


def _kept(note: Note, log: LogKey, line: str) -> bytes:
    """The note with the log's first line and our own only: nothing verifies the others."""
    raw = next(raw for name, raw in note.lines if (name, raw[:4]) == (log.name, log.key_id))
    return f"{note.text}\n{signature_line(log.name, raw)}{line}".encode()


def _refusal(status: int, reason: str) -> Answer:
    return Answer(status, _TEXT, f"{reason}\n".encode())
