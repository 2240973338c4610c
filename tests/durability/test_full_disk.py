"""On a disk that is full nothing is half written or lost, and the same command succeeds when there is room again.

Each command is given block by block a little more space until it succeeds: so it fails at each of its writes.
"""

import pytest
from small_disk import BLOCK
from town import check_error, run, snapshot
from whole import COMMIT, DISPUTE, NEW_KEY, NEW_LOG, SUBMIT, TRAIN, check_whole, entries, in_log, leftovers, steps

pytestmark = [pytest.mark.torch, pytest.mark.slow]

SQLITE = {"registry.db-wal", "registry.db-shm"}  # SQLite's own: cleared away when the log is next opened
FULL = r"no space left on device$|the disk is full|\(disk I/O error\)$"
#: command -> (the command, its exit code when it succeeds, blocks more each time, what it may change when it fails)
CASES = {
    "key new": (NEW_KEY, 0, 1, set()),
    "registry new": (NEW_LOG, 0, 1, set()),
    "commit create": (COMMIT, 0, 1, {"owner.key"}),  # a context that was given out is used up
    "registry submit": (SUBMIT, 0, 1, SQLITE | {"registry.db"}),
    "mark train": ((*TRAIN, "--epochs", 3), 0, 16, {"new.model.savepoint"}),
    "dispute run": (DISPUTE, 10, 2, SQLITE | {"registry.db", "new.json"}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_full_disk_costs_nothing_but_time(disk, name):
    command, success, step, may_change = CASES[name]
    failures, done, logged = 0, 0, entries(disk.home)
    for leave in range(0, 3 << 20, step * BLOCK):
        disk.fill(leave)
        before = snapshot(disk.home)
        result = run(*command, cwd=disk.home)
        if result.code == success:
            break
        failures += 1
        check_error(result, 5 if "the log" in result.err else 2, FULL)
        assert ".tmp" not in result.err
        after = snapshot(disk.home)
        changed = {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
        assert changed <= may_change
        assert not leftovers(disk.home)
        disk.free()
        check_whole(disk.home)
        assert entries(disk.home) >= logged, "an entry is lost"
        logged = entries(disk.home)
        if name == "dispute run":
            assert steps(disk.home) >= done, "a message is lost"
            done = steps(disk.home)
    assert failures
    assert result.err == "" or name == "mark train"
    disk.free()
    check_whole(disk.home)


def test_what_a_full_disk_left_of_a_new_log_is_not_taken_for_the_next_one(disk):
    for leave in range(0, 32 * BLOCK, BLOCK):
        disk.fill(leave)
        if run(*NEW_LOG, cwd=disk.home).code == 0:
            break
        assert not list(disk.home.glob("new*"))
    disk.free()
    assert entries(disk.home, database="new.db") == 0


def test_a_receipt_that_found_no_room_can_be_had_later(disk):
    for leave in range(0, 64 * BLOCK, BLOCK):
        disk.fill(leave)
        result = run(*SUBMIT, cwd=disk.home)
        disk.free()
        if in_log(disk.home, "fresh/statement.json"):
            break
    check_error(result, 2, "cannot write 'new.proof': no space left on device")
    assert not (disk.home / "new.proof").exists()
    logged = entries(disk.home)
    assert run(*SUBMIT, cwd=disk.home).code == 0
    assert entries(disk.home) == logged, "submitted is submitted"
    check_whole(disk.home)


@pytest.mark.parametrize("name", CASES)
def test_a_disk_that_is_mounted_read_only(disk, name):
    command, success, _, _ = CASES[name]
    before = snapshot(disk.home)
    disk.read_only(on=True)
    result = run(*command, cwd=disk.home)
    disk.read_only(on=False)
    check_error(result, 5 if "the log" in result.err else 2, "read-only file system|cannot be opened")
    assert "read-only" in result.err
    assert snapshot(disk.home) == before
    assert run(*command, cwd=disk.home).code == success
    check_whole(disk.home)
