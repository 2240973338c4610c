"""A monitor: follows a log by its files, believes only what extends all it believed before (reg-monitor-*).

What convicts a log is its own signature: so a fork is looked for whatever else is wrong, be it the witnesses' lines or
what the log withholds. Evidence of one is on the disk before it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from wmproto.crypto.frontier import Frontier
from wmproto.crypto.merkle import leaf_hash, tree_root
from wmproto.errors import CorruptStoreError, FormatError, InclusionError, RegistryError, VerificationError
from wmproto.registry.bad_entry import BadEntry, flaw
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.fork import FORK_LIMIT, make_fork, verify_fork
from wmproto.registry.memory import Memory
from wmproto.registry.note import LogKey
from wmproto.registry.policy import LogPolicy
from wmproto.registry.seen import Seen, look
from wmproto.registry.source import Source
from wmproto.registry.tiles import Tile, bundles, lead_up
from wmproto.registry.witness_heads import witness_heads
from wmproto.wire.files import read_file
from wmproto.wire.profile import WMPROTO_1, Profile
from wmproto.wire.schema import encode_b64

__all__ = ["Monitor", "Update"]

_MOST_NEW = 1 << 22  # entries of one look; their leaves are in memory at once, in about 400 MB


@dataclass(frozen=True, slots=True)
class Update:
    """What one look at the log has shown; never a fork, which is an error.

    Attributes:
        old: What was believed before; None at the first look.
        seen: What the log shows.
        bad: New entries that do not hold.
        unwitnessed: Why the policy's witnesses do not vouch for ``seen``; None if they do.
        ahead: Witnesses that have cosigned a larger tree of this log than its files show -> its size.
        silent: Witnesses that did not show their last head -> why.
    """

    old: Checkpoint | None
    seen: Checkpoint
    bad: tuple[BadEntry, ...]
    unwitnessed: str | None
    ahead: Mapping[str, int]
    silent: Mapping[str, str]

    @property
    def stale(self) -> bool:
        """Whether the log's files show less than it has signed, as was seen before or as a witness shows."""
        return bool(self.ahead) or (self.old is not None and self.seen.size < self.old.size)

    @property
    def new(self) -> int:
        """Number of new entries."""
        return max(0, self.seen.size - (self.old.size if self.old else 0))


class Monitor:
    """Follows one log.

    Args:
        source: Its files.
        policy: Names the log, and whose cosignatures its checkpoints need.
        memory: What is remembered.
        profile: Under whose tags entries are hashed.
        ask: Asks the policy's witnesses for their last heads.
        progress: Called with entries checked and to check.
    """

    def __init__(
        self,
        source: Source,
        policy: LogPolicy,
        memory: Memory,
        *,
        profile: Profile = WMPROTO_1,
        ask: Callable[[LogPolicy, LogKey], tuple[Mapping[str, bytes], Mapping[str, str]]] = witness_heads,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self._ask = ask
        self._source, self._policy, self._memory = source, policy, memory
        self._profile, self._progress = profile, progress

    def update(self) -> Update:
        """Look at the log once, and remember what it shows if that extends what is remembered.

        A checkpoint that lacks only the policy's quorum is believed too, and reported: the log has signed it. A head
        that cannot be followed is kept all the same, so a log that has forked once stays convicted.

        Raises:
            InclusionError: The log has forked (rules reg-monitor-2 and 3, fault ``registry``); the hint names the
                file with the evidence.
            TrustError: The policy does not name the log.
            FormatError, SignatureError: The checkpoint, or a line of a witness whom the policy names, does not verify.
            ConfigError: The source has another log than the one that is remembered.
            RegistryError: The files are missing, damaged, or not to be had; or there are more heads than can be kept.
                What is believed is as it was, unless the files of the last of these heads hold.
            CorruptStoreError: What the state keeps is damaged.
        """
        self._stay_convicted()
        memory, old = self._memory, self._memory.checkpoint
        pending = memory.pending
        pending.unkept.clear()
        seen = look(self._source, self._policy, memory.key)
        pending.keep(seen.note, seen.checkpoint)
        notes, silent = self._ask(self._policy, seen.key)
        heads = {name: verify_checkpoint(note, seen.key, extended=True) for name, note in notes.items()}
        for name, head in heads.items():
            pending.keep(notes[name], head)
        self._compare(seen.key)
        bad: list[BadEntry] = []
        if old is None or seen.checkpoint.size > old.size:
            try:
                bad = self._follow(seen)
            except RegistryError:
                pending.check()  # a head that is lost is worse than one that cannot be followed
                raise
        pending.check()
        seen.check()
        ahead = {name: head.size for name, head in heads.items() if head.size > seen.checkpoint.size}
        return Update(old, seen.checkpoint, tuple(bad), seen.unwitnessed, ahead, silent)

    def _stay_convicted(self) -> None:
        """Say again that the log has forked if there is evidence, whatever it shows now, be it nothing."""
        if (path := self._memory.evidence()) is None:
            return
        data = read_file(path, what="fork evidence", limit=FORK_LIMIT)
        for key in self._policy.logs:
            try:
                fork = verify_fork(data, key)
            except (FormatError, VerificationError):
                continue
            self._convict(key, fork.older, fork.newer, path, "reg-monitor-4")
        raise CorruptStoreError(f"{path} is damaged, or about a log that the policy does not name")

    def _follow(self, seen: Seen) -> list[BadEntry]:
        """Believe a larger head, once its files hold; returns the new entries that do not."""
        frontier, fresh = self._grow(seen)
        seen.check()
        bad = self._check(seen.checkpoint, fresh)
        self._memory.remember(seen.key, seen.note, fresh, frontier)
        self._compare(seen.key)
        return bad

    def _compare(self, key: LogKey) -> None:
        """Compare every signed head with the remembered tree, if that is large enough, and with each other."""
        memory = self._memory
        if memory.checkpoint is not None:
            for note, head in memory.pending.heads(key):
                if head.size <= memory.size and memory.root(head.size) != head.root:
                    evidence = make_fork(key, memory.note, note, memory.leaves(0, memory.size))
                    self._convict(key, memory.checkpoint, head, memory.keep_evidence(evidence), "reg-monitor-2")
            memory.pending.settle(memory.size)
        if twins := memory.pending.twins(key):
            one, other = (verify_checkpoint(note, key, extended=True) for note in twins)
            path = memory.keep_evidence(make_fork(key, *twins, None))
            self._convict(key, one, other, path, "reg-monitor-2")

    def _grow(self, seen: Seen) -> tuple[Frontier, list[bytes]]:
        """The tree of a larger checkpoint, out of the remembered leaves and new ones; and the new ones."""
        memory, size = self._memory, seen.checkpoint.size
        if size - memory.size > _MOST_NEW:
            raise RegistryError(
                f"{self._source.where} shows {size - memory.size} new entries: more than {_MOST_NEW} at once",
                hint="its head is kept; look at a copy of its files with a smaller head first",
            )
        frontier, fresh, same = memory.frontier.copy(), [], True
        try:
            for tile, hashes in lead_up(size, memory.size, seen.checkpoint.root, self._tile):
                if tile.level == 0:
                    known = max(0, memory.size - tile.start)
                    same &= hashes[:known] == memory.leaves(tile.start, tile.start + known)
                    for leaf in hashes[known:]:
                        frontier.push(leaf)
                        fresh.append(leaf)
        except InclusionError as err:
            raise self._damaged(size, str(err)) from err
        if not same or frontier.root() != seen.checkpoint.root:
            leaves = [leaf for b in bundles(size) for leaf in self._source.tile(0, b.index, b.width)]
            older = memory.checkpoint
            whole = tree_root(leaves) == seen.checkpoint.root
            if older is not None and whole and tree_root(leaves[: older.size]) != older.root:
                evidence = make_fork(seen.key, memory.note, seen.note, leaves)
                self._convict(seen.key, older, seen.checkpoint, memory.keep_evidence(evidence), "reg-monitor-3")
            raise self._damaged(size, "the older ones are not those of the head")
        return frontier, fresh

    def _tile(self, tile: Tile) -> list[bytes]:
        return self._source.tile(tile.level or 0, tile.index, tile.width)

    def _damaged(self, size: int, why: str) -> RegistryError:
        return RegistryError(
            f"{self._source.where}: the tiles do not hash to the checkpoint of {size} entries: {why}",
            hint="they are damaged, which proves nothing; what is believed is as it was: try again later",
        )

    def _check(self, checkpoint: Checkpoint, fresh: list[bytes]) -> list[BadEntry]:
        """Check that the entries are those of the new leaves, and what they say; the bad ones are written down."""
        known, bad = self._memory.size, []

        def leaf(index: int) -> bytes:
            return fresh[index - known] if index >= known else self._memory.leaves(index, index + 1)[0]

        for bundle in bundles(checkpoint.size, known):
            entries = self._source.entries(bundle.index, bundle.width)
            for index, entry in enumerate(entries, bundle.start):
                if leaf_hash(entry) != leaf(index):
                    raise RegistryError(f"{self._source.where}: entry {index} in {bundle.path} is not the tree's")
                if index >= known and (reason := flaw(self._source, self._profile, entry)):
                    self._memory.keep_bad(index, reason, entry)
                    bad.append(BadEntry(index, reason))
            self._progress(bundle.end - known, len(fresh))
        return bad

    def _convict(self, key: LogKey, one: Checkpoint, other: Checkpoint, path: Path, rule: str) -> NoReturn:
        """Say that the log has forked; the evidence is on the disk."""
        heads = " and ".join(f"{c.size} entries with root {encode_b64(c.root)}" for c in (one, other))
        raise InclusionError(
            f"FORK: the log {key.name} has signed two pasts: {heads}",
            rule=rule,
            fault="registry",
            hint=f"the evidence is in {path}: keep it; anybody can check it with wmproto registry check-fork",
        )
