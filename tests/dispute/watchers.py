"""Witnesses on paper, and a log that shows its checkpoints to them: each cosigns what extends all that it cosigned."""

from __future__ import annotations

from collections.abc import Sequence

from forge import LOG, PaperLog
from world import seed

from wmproto.crypto.signer import Signer
from wmproto.registry.cosignature import WitnessKey, cosigned_message
from wmproto.registry.note import LogKey
from wmproto.registry.policy import LogPolicy
from wmproto.wire.dsse import Envelope
from wmproto.wire.schema import encode_b64


class Watcher:
    """A witness that remembers every leaf it cosigned; ``lies``: cosigns anything."""

    def __init__(self, name: str, lies: bool = False) -> None:
        self.signer, self.lies, self.seen = Signer(seed(f"watcher {name}")), lies, list[bytes]()
        self.key, self.given = WitnessKey(f"{name}.test/1", self.signer.public), dict[str, str]()

    def cosign(self, text: str, leaves: Sequence[bytes]) -> str:
        """Its line, the one it gave before for the same text, or nothing."""
        if text not in self.given:
            if not self.lies and (len(leaves) < len(self.seen) or list(leaves[: len(self.seen)]) != self.seen):
                return ""
            self.seen = list(leaves)
            self.given[text] = self.line(text, 1_700_000_000 + len(leaves))
        return self.given[text]

    def line(self, text: str, time: int) -> str:
        signature = time.to_bytes(8, "big") + self.signer.sign(cosigned_message(text, time))
        return f"\u2014 {self.key.name} {encode_b64(self.key.key_id + signature)}\n"


class WatchedLog(PaperLog):
    """A log that has every checkpoint cosigned by whoever will."""

    def __init__(self, watchers: Sequence[Watcher], kept: Sequence[tuple[str, Envelope]] = ()) -> None:
        super().__init__(LOG, kept=kept)
        self.watchers = list(watchers)

    def fork(self, size: int | None = None) -> WatchedLog:
        return WatchedLog(self.watchers, self.kept[:size])

    def checkpoint(self, size: int | None = None) -> bytes:
        note = super().checkpoint(size)
        text = note.decode().rpartition("\n\n")[0] + "\n"
        return note + "".join(watcher.cosign(text, self.leaves(size)) for watcher in self.watchers).encode()


def policy(watchers: Sequence[Watcher], k: int, log: LogKey) -> LogPolicy:
    """k of the watchers, or none."""
    lines = [f"log {log}", *(f"witness w{i} {watcher.key}" for i, watcher in enumerate(watchers))]
    if k:
        lines.append(f"group g {k} " + " ".join(f"w{i}" for i in range(len(watchers))))
    return LogPolicy.parse(("\n".join([*lines, f"quorum {'g' if k else 'none'}"]) + "\n").encode())
