"""What is left of a key: its disputes in a log, and which leaves they took (specs/dispute.md, dis-taken-*).

dispute/admission.py says what counts and what is taken; here that is only put in order for the owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wmproto.commitment.statement import VerifiedKey
from wmproto.dispute.admission import counted, counted_admit, first_free
from wmproto.dispute.messages import Decide, File, VerdictName
from wmproto.errors import FormatError
from wmproto.registry.entry import entry_leaf
from wmproto.registry.submission import first_subject
from wmproto.wire.dsse import Envelope


@dataclass(frozen=True, slots=True)
class End:
    """How a dispute ended: index of decide's entry, the verdict that was decided, and the rounds that were asked."""

    entry: int
    verdict: VerdictName
    rounds: int


@dataclass(frozen=True, slots=True)
class Held:
    """A dispute of the key that counts: index of admit's entry, the claimant's file, and its end or None."""

    entry: int
    file: File
    end: End | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """An admit or decide about the key that does not count: its index, type and signer (32 bytes), and why not."""

    entry: int
    kind: str
    signer: bytes
    why: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What is left of a key.

    Attributes:
        taken: The first free leaf; all below it are taken.
        next_start: Where the next dispute may start, on the grid; None if nowhere.
        left: Leaves from there on.
        disputes: Those that count, in the order of the log.
        ignored: What does not count, in the order of the log.
    """

    taken: int
    next_start: int | None
    left: int
    disputes: tuple[Held, ...]
    ignored: tuple[Ignored, ...]


def usage(key: VerifiedKey, entries: Sequence[tuple[str, Envelope]], log: str) -> Usage:
    """Read a whole log for one key.

    Args:
        key: The key.
        entries: (type, signed object) of every entry, in the order of the log; entry i stands at place i.
        log: vkey of the log.
    """
    found = counted(entries, key=key, log=log)
    at: dict[bytes, int] = {}
    ignored = []
    for index, (kind, envelope) in enumerate(entries):
        leaf = entry_leaf(key.profile, kind, envelope)
        at.setdefault(leaf, index)
        if leaf not in found and _is_about(key, kind, envelope):
            ignored.append(Ignored(index, kind, envelope.signer, _why_not(kind, envelope, key, log)))
    ends = {
        said.admit: End(at[leaf], said.verdict, said.rounds) for leaf, said in found.items() if isinstance(said, Decide)
    }
    held = [Held(at[leaf], said, ends.get(leaf)) for leaf, said in found.items() if isinstance(said, File)]
    taken, grid = first_free(found, key.profile), key.profile.start_grid(key.z.N)
    start = -(-taken // grid) * grid
    left = max(0, key.z.N - start)
    return Usage(taken, start if left else None, left, tuple(held), tuple(ignored))


def _is_about(key: VerifiedKey, kind: str, envelope: Envelope) -> bool:
    if kind not in ("admit", "decide"):
        return False
    try:
        return first_subject(kind, envelope.payload) == key.key_id
    except FormatError:
        return False


def _why_not(kind: str, envelope: Envelope, key: VerifiedKey, log: str) -> str:
    """In words why counted() passed an entry over."""
    if kind == "decide":
        return "it ends no open dispute that its signer admitted"
    if counted_admit(envelope, key=key, log=log) is not None:
        return "its file was admitted before"
    return "a stranger's: no file in it that the owner signed for this arbitrator and this log"
