"""Many at once, and death in the middle: no size gets two roots, nothing that was answered is forgotten."""

import os
import random
import signal
import sys
import threading
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from log_samples import naive_root
from witness_samples import (
    FORKED,
    LEAVES,
    LOG_KEY,
    NOW,
    WITNESS,
    WITNESS_KEY,
    Clock,
    b64,
    note,
    request,
    rows,
    size_of,
    text_of,
    time_of,
    verify_line,
    witness_at,
)

from wmproto.errors import RegistryError
from wmproto.registry.heads import Heads
from wmproto.registry.witness import Witness

sys.path.append(str(Path(__file__).parents[1] / "durability"))
from small_disk import BLOCK, SmallDisk

FORK = get_context("fork")
END = len(LEAVES)


def opened(path):
    return Witness(Heads.open(path), WITNESS, [LOG_KEY], Clock())


def climb(witness, leaves, wins, upto=END):
    """Take a log up step by step against all others; notes (size, root, line) of each step that was won."""
    size = 0
    while size < upto:
        answer = witness.add_checkpoint(request(size, size + 1, leaves))
        if answer.status == 200:
            wins.append((size + 1, b64(naive_root(leaves[: size + 1])), answer.body.decode()))
            size += 1
        elif answer.status == 409:
            size = int(answer.body)
        else:  # another past has won
            assert answer.status == 422
            return


def check_one_past(path, wins):
    """Every step was won once, and all of them lie in one past, whose end is what is kept."""
    roots = {}
    for size, root, line in wins:
        assert roots.setdefault(size, root) == root, f"two roots for {size}"
        leaves = LEAVES if b64(naive_root(LEAVES[:size])) == root else FORKED
        verify_line(line, text_of(note(size, leaves)))
    pasts = [all(b64(naive_root(x[:size])) == root for size, root in roots.items()) for x in (LEAVES, FORKED)]
    assert any(pasts)
    kept = rows(path)["logs"][0][2].split(b"\n")
    assert int(kept[1]) >= max(roots)
    if int(kept[1]) in roots:
        assert kept[2].decode() == roots[int(kept[1])]
    return roots


def test_of_many_threads_exactly_one_wins_each_size(tmp_path):
    witness, wins = witness_at(tmp_path / "state"), []
    threads = [threading.Thread(target=climb, args=(witness, LEAVES, wins)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(size for size, *_ in wins) == list(range(1, END + 1))
    check_one_past(tmp_path / "state", wins)


def in_processes(path, pasts):
    def work(leaves, pipe):
        wins = []
        climb(opened(path), leaves, wins)
        pipe.send(wins)

    ends = [FORK.Pipe(duplex=False) for _ in pasts]
    processes = [FORK.Process(target=work, args=(leaves, pipe)) for leaves, (_, pipe) in zip(pasts, ends, strict=True)]
    for process in processes:
        process.start()
    for _, pipe in ends:
        pipe.close()  # so that a process that failed is not waited for
    wins = [win for ours, _ in ends for win in ours.recv()]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return wins


def test_of_many_processes_exactly_one_wins_each_size(tmp_path):
    witness_at(tmp_path / "state", [LOG_KEY])
    wins = in_processes(tmp_path / "state", [LEAVES] * 4)
    assert sorted(size for size, *_ in wins) == list(range(1, END + 1))
    check_one_past(tmp_path / "state", wins)


def test_two_pasts_race_and_one_of_them_ends(tmp_path):
    for n in range(5):
        path = tmp_path / f"state{n}"
        witness_at(path, [LOG_KEY])
        wins = in_processes(path, [LEAVES, FORKED, LEAVES, FORKED])
        roots = check_one_past(path, wins)
        assert sorted(roots) == list(range(1, END + 1))
        assert len(wins) == END


def test_killed_at_random_moments_it_forgets_nothing_that_it_answered(tmp_path):
    """Children die in the middle of a climb, two pasts at a time; each answer that got out must bind for ever."""
    path, rng, told = tmp_path / "state", random.Random(7), []
    witness_at(path, [LOG_KEY])

    def work(leaves, pipe):
        witness, size = opened(path), 0
        while True:
            answer = witness.add_checkpoint(request(size, min(END, size + 1), leaves))
            if answer.status == 200:
                size = min(END, size + 1)
                os.write(pipe, f"{size} {b64(naive_root(leaves[:size]))} {answer.body.decode()}".encode())
            elif answer.status == 409:
                size = int(answer.body)
            time.sleep(0.001)  # so that a climb takes many lives

    kills, lowest = 0, 0
    while (kills < 60 and lowest < END) or kills <= 10:
        ours, theirs = os.pipe()
        children = [FORK.Process(target=work, args=(leaves, theirs)) for leaves in rng.sample([LEAVES, FORKED], 2)]
        for child in children:
            child.start()
        os.close(theirs)
        time.sleep(rng.uniform(0.0, 0.03))
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
            child.join()
        kills += 2
        said = b""
        while chunk := os.read(ours, 65536):
            said += chunk
        os.close(ours)
        for line in said.decode().splitlines(keepends=True):
            size, root, cosigned = line.split(" ", 2)
            told.append((int(size), root, cosigned))
        assert size_of(path) >= max([lowest, *(size for size, *_ in told)]), "a size went back"
        lowest = size_of(path)
    assert told
    assert kills > 10
    assert lowest > 5, "the two pasts never met"
    check_one_past(path, told)
    assert Heads.open(path).last(LOG_KEY).size == lowest


def test_time_goes_one_way_among_threads_with_other_clocks(tmp_path):
    """Each thread's clock says something else; by size, the times of the lines never fall."""
    path, wins = tmp_path / "state", []
    witness_at(path)
    witnesses = [Witness(Heads.open(path), WITNESS, [LOG_KEY], Clock(NOW + n * 7)) for n in (5, 0, 3, 9)]
    threads = [threading.Thread(target=climb, args=(one, LEAVES, wins)) for one in witnesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [time_of(line) for _, _, line in sorted(wins)]
    assert times == sorted(times)


# --- the disk -----------------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    disk = SmallDisk.mounted(tmp_path / "disk", "1m")
    try:
        yield disk
    finally:
        disk.unmount()


def test_a_full_disk_stops_it_and_costs_nothing(disk):
    """What could not be stored was not signed; with room again, and opened again, it goes on where it was."""
    path = disk.path / "state"
    witness, refused, size = witness_at(path), 0, 0
    for leave in (0, BLOCK, 2 * BLOCK, 4 * BLOCK, 8 * BLOCK, 16 * BLOCK):
        disk.fill(leave)
        for _ in range(6):
            try:
                answer = witness.add_checkpoint(request(size, size + 1))
            except RegistryError:
                refused += 1
                break
            assert answer.status == 200
            size += 1
        disk.free()
        witness = opened(path)
        told = witness.add_checkpoint(request(size + 1, size + 1, proof=[]))
        assert (told.status, int(told.body)) == (409, size), "it answered nothing that it did not keep"
    assert refused
    assert witness.add_checkpoint(request(size, size + 1)).status == 200


def test_on_a_full_disk_no_half_state_is_left(disk):
    for leave in range(0, 32 * BLOCK, BLOCK):
        disk.fill(leave)
        try:
            Heads.create(disk.path / "state", WITNESS_KEY).close()
            break
        except RegistryError:
            assert not list(disk.path.glob("state*"))
    assert leave
    disk.free()
    assert opened(disk.path / "state").add_checkpoint(request(0, 1)).status == 200
