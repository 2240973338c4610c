"""Four processes append to one log until some or all of them are killed, again and again; then the log is looked at.

By default as `make soak` runs it: 200 rounds over SQLite, then over PostgreSQL. The moments come from a fixed seed.
What is looked for: an acknowledged entry that is lost, a receipt that the log has not grown from, a size with two roots,
a gap, a node that is not its children's. SIGKILL tests that nothing is half done, and a crash of the PostgreSQL server
that what was committed comes back; only cutting the power would test the disk.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from multiprocessing import connection, get_context
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "registry"))
sys.path.insert(0, str(Path(__file__).parents[1] / "postgres"))

import pgserver
from log_samples import LOG, NAME, signed
from stores import Place

from wmproto.crypto.consistency import verify_consistency
from wmproto.crypto.merkle import node_hash
from wmproto.errors import CorruptStoreError, RegistryError
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.fsck import fsck
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import verify_receipt
from wmproto.wire.profile import WMPROTO_1

WRITERS = 4
KEY = LogKey(NAME, LOG.public)
_FORK = get_context("fork")  # the killed ones need not load anything first


def _write(
    where: Path | str, seed: str, first: int, told: list[int], stop: RawValue, crash: bool, pipe: connection.Connection
) -> None:
    """Append one by one and in batches, at times what stands or another writer appends, and tell each receipt."""
    rng = random.Random(seed)
    try:
        log = Log.open(where, LOG)
        while not stop.value:
            numbers = [first + rng.randrange(2000) for _ in range(rng.choice([1, 1, 2, 5, 20]))]
            numbers[-1] = rng.choice(told) if told and rng.random() < 0.2 else numbers[-1]
            envelopes = [signed(n) for n in numbers]
            many = log.append_all([("key", e) for e in envelopes]) if len(numbers) > 1 else None
            for n, appended in zip(numbers, many or [log.append("key", envelopes[0])], strict=True):
                pipe.send((n, appended.index, appended.receipt))
        log.close()
    except RegistryError as err:  # of a server that crashes; nobody relies on what was not told
        if not crash or isinstance(err, CorruptStoreError):
            raise


class Soak:
    """One log, and everything that anybody was ever told about it.

    Attributes:
        acknowledged: Number of receipts.
        killed: Number of writers.
        entries: Of the log.
    """

    def __init__(self, kind: str, folder: Path, seed: int) -> None:
        self._place, self._rng = Place(kind, folder), random.Random(seed)
        self.acknowledged = self.killed = self.entries = 0
        self._told: list[tuple[int, int, bytes]] = []
        self._roots: dict[int, bytes] = {}
        self._index: dict[int, int] = {}
        self._notes: list[bytes] = []
        Log.create(self._place.where, NAME, LOG).close()

    def round(self, number: int) -> None:
        """Let writers append, kill them, and look at what is there."""
        stop, writers = RawValue("b", 0), {}
        told = self._rng.sample(sorted(self._index), min(50, len(self._index)))
        crash = self._place.kind == "postgres" and number % 5 == 4
        for k in range(WRITERS):
            ours, theirs = _FORK.Pipe(duplex=False)
            first = 10_000 * number + 1000 * k  # every second number is another writer's too
            args = (self._place.where, self._rng.random().hex(), first, told, stop, crash, theirs)
            process = _FORK.Process(target=_write, args=args)
            process.start()
            theirs.close()
            writers[ours] = process
        self._listen(writers, self._rng.uniform(0.03, 0.3))
        if crash:
            pgserver.server().crash()
        dying = list(writers.values()) if self._rng.random() < 0.5 else self._rng.sample(list(writers.values()), 2)
        for process in dying:
            process.kill()
        if len(dying) < WRITERS:
            self._listen(writers, 0.05)  # those that were not killed go on
        stop.value = 1
        self._listen(writers, 30, to_the_end=True)
        for process in writers.values():
            process.join()
            assert process.exitcode == (-signal.SIGKILL if process in dying and process.exitcode else 0)
            self.killed += process.exitcode != 0
        self._look()

    def _listen(self, pipes: dict, seconds: float, *, to_the_end: bool = False) -> None:
        end, open_ = time.monotonic() + seconds, [p for p in pipes if not p.closed]
        while open_ and (left := end - time.monotonic()) > 0:
            for pipe in connection.wait(open_, left):
                try:
                    self._told.append(pipe.recv())
                except (EOFError, OSError):  # ended, perhaps in the middle of telling
                    pipe.close()
                    open_.remove(pipe)
        assert not (to_the_end and open_), "a writer does not end"

    def _look(self) -> None:
        log = Log.open(self._place.where, LOG, held=self._notes[-50:])
        with log.reading() as view:
            head = view.head()
            size, root = head.checkpoint.size, head.checkpoint.root
            leaves = level = view.rows.nodes(0, 0, size)
            at = 0
            while level:
                assert view.rows.nodes(at, 0, len(level)) == level, "a node is not its children's"
                level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
                at += 1
            for row in view.rows.raw("checkpoints", "size", self.entries + 1, 1 << 62):
                found = verify_checkpoint(row.note, KEY)
                assert found.size == row.size
                assert self._roots.setdefault(found.size, found.root) == found.root, "a size has two roots"
        assert len(leaves) == size >= self.entries
        for n, index, receipt in self._told:
            leaf = entry_leaf(WMPROTO_1, "key", signed(n))
            found = verify_receipt(receipt, leaf, KEY)
            assert leaves[index : index + 1] == [leaf], "an acknowledged entry is lost"
            assert self._index.setdefault(n, index) == index, "one submission, two entries"
            old = found.checkpoint
            assert self._roots.setdefault(old.size, old.root) == old.root, "a size has two roots"
            proof = log.consistency(old.size, size)
            verify_consistency(old=old.size, new=size, proof=proof, old_root=old.root, new_root=root)
        self.acknowledged += len(self._told)
        self._notes += [found.note] if self._told else []
        self._told.clear()
        self.entries = size
        log.close()

    def end(self) -> None:
        """Check everything there is once more, from the signed objects upwards."""
        log = Log.open(self._place.where)
        assert fsck(log, self._notes).entries == self.entries
        log.close()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for kind in ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory() as folder:
            soak = Soak(kind, Path(folder), seed=1)
            for number in range(rounds):
                soak.round(number)
            soak.end()
            print(f"{kind}: {rounds} rounds, {soak.killed} writers killed, {soak.entries} entries, "
                  f"{soak.acknowledged} receipts: whole", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
