"""Group commit: threads share transactions; a bad submission fails alone, a failed commit fails its whole group."""

import threading

import pytest
from log_samples import LOG, NAME, OWNER, naive_root, signed

from wmproto.errors import ConfigError, CorruptStoreError, FormatError, RegistryError, SignatureError
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.fsck import fsck
from wmproto.registry.group import GroupCommit
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import verify_receipt
from wmproto.wire.compose import compose_envelope
from wmproto.wire.profile import WMPROTO_1

KEY = LogKey(NAME, LOG.public)


def leaf(envelope, kind="key"):
    return entry_leaf(WMPROTO_1, kind, envelope)


@pytest.fixture
def log(place):
    log = Log.create(place.where, NAME, LOG)
    yield log
    log.close()


class Slow:
    """A log whose commits wait for a sign, so that groups form; remembers their sizes."""

    def __init__(self, log):
        self._log, self.go, self.groups = log, threading.Event(), []
        self.verified = log.verified

    def commit(self, submissions):
        self.groups.append([s.envelope for s in submissions])
        assert self.go.wait(10)
        return self._log.commit(submissions)


def together(group, slow, items):
    """Append each item in a thread, in this order, while the first commit waits; results or errors, in order."""
    results = [None] * len(items)

    def work(at, kind, envelope):
        try:
            results[at] = group.append(kind, envelope)
        except BaseException as err:
            results[at] = err

    threads = []
    for at, (kind, envelope) in enumerate(items):
        before = len(group._queue) + sum(map(len, slow.groups))
        threads.append(threading.Thread(target=work, args=(at, kind, envelope), daemon=True))
        threads[-1].start()
        while results[at] is None and len(group._queue) + sum(map(len, slow.groups)) == before:
            pass
    slow.go.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "somebody waits for ever"
    assert not group._queue
    assert not group._led
    return results


def test_who_comes_meanwhile_is_the_next_group(log):
    slow = Slow(log)
    group = GroupCommit(slow)
    results = together(group, slow, [("key", signed(n)) for n in range(12)])
    assert [len(g) for g in slow.groups] == [1, 11]
    assert [r.index for r in results] == list(range(12))
    found = [verify_receipt(r.receipt, leaf(signed(n)), KEY) for n, r in enumerate(results)]
    assert [f.checkpoint.size for f in found] == [1] + [12] * 11
    assert verify_checkpoint(log.checkpoint(), KEY).root == naive_root([leaf(signed(n)) for n in range(12)])
    assert fsck(log).checkpoints == 3
    assert group.append("key", signed(12)).index == 12
    assert group.append("key", signed(3)).new is False


def test_a_group_has_a_limit_of_entries_and_of_bytes(log, monkeypatch):
    monkeypatch.setattr("wmproto.registry.group._ENTRIES", 4)
    slow = Slow(log)
    results = together(GroupCommit(slow), slow, [("key", signed(n)) for n in range(11)])
    assert [len(g) for g in slow.groups] == [1, 4, 4, 2]
    assert [r.index for r in results] == list(range(11))
    monkeypatch.setattr("wmproto.registry.group._BYTES", 3 * len(signed(20).to_bytes()))
    slow = Slow(log)
    together(GroupCommit(slow), slow, [("key", signed(n)) for n in range(20, 28)])
    assert [len(g) for g in slow.groups] == [1, 3, 3, 1]
    monkeypatch.setattr("wmproto.registry.group._BYTES", 1)
    slow = Slow(log)
    together(GroupCommit(slow), slow, [("key", signed(n)) for n in range(30, 33)])
    assert [len(g) for g in slow.groups] == [1, 1, 1]


def test_a_bad_submission_fails_alone(log):
    slow = Slow(log)
    forged = compose_envelope(signed(2).payload, OWNER.public, signed(3).signature)
    items = [("key", signed(0)), ("key", forged), ("digest", signed(1)), ("key", signed(1)), ("admit", signed(4))]
    results = together(GroupCommit(slow), slow, items)
    assert [type(r) for r in results[1:3]] == [SignatureError, FormatError]
    assert type(results[4]) is FormatError
    assert [r.index for r in (results[0], results[3])] == [0, 1]
    assert len(log.entries()) == 2


def test_equal_submissions_in_one_group_are_one_entry(log):
    slow = Slow(log)
    results = together(GroupCommit(slow), slow, [("key", signed(n)) for n in (0, 1, 1, 0, 1)])
    assert [r.index for r in results] == [0, 1, 1, 0, 1]
    assert [r.new for r in results] == [True, True, False, False, False]


def test_a_failed_commit_fails_its_whole_group_and_no_other(log):
    slow, real = Slow(log), log.commit

    def failing(submissions):
        if len(submissions) == 4:
            raise CorruptStoreError("doubt", hint="look")
        return real(submissions)

    slow._log = type("L", (), {"commit": staticmethod(failing)})
    group = GroupCommit(slow)
    results = together(group, slow, [("key", signed(n)) for n in range(5)])
    assert results[0].index == 0
    assert [(type(r), str(r), r.hint) for r in results[1:]] == [(CorruptStoreError, "doubt", "look")] * 4
    assert len({id(r) for r in results[1:]}) == 4
    assert len(log.entries()) == 1
    assert group.append("key", signed(9)).index == 1


def test_a_leader_that_is_interrupted_leaves_nobody_waiting(log):
    slow, real, calls = Slow(log), log.commit, []

    def failing(submissions):
        calls.append(len(submissions))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(submissions)

    slow._log = type("L", (), {"commit": staticmethod(failing)})
    group = GroupCommit(slow)
    results = together(group, slow, [("key", signed(n)) for n in range(4)])
    assert results[0].index == 0
    assert type(results[1]) is KeyboardInterrupt
    assert [type(r) for r in results[2:]] == [RegistryError] * 2
    assert "again" in results[2].hint
    assert group.append("key", signed(2)).index == 1


def test_a_reader_cannot_append(place, log):
    reader = Log.open(place.where)
    with pytest.raises(ConfigError):
        GroupCommit(reader).append("key", signed(1))
    reader.close()


def test_many_threads_of_two_logs_make_one_history(place, log):
    other = Log.open(place.where, LOG)
    groups, receipts = [GroupCommit(log), GroupCommit(other)], {}

    def work(k):
        for n in range(k, 200, 10):
            receipts[n] = groups[k % 2].append("key", signed(n)).receipt

    threads = [threading.Thread(target=work, args=(k,)) for k in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    found = [verify_receipt(receipts[n], leaf(signed(n)), KEY) for n in range(200)]
    assert sorted(f.index for f in found) == list(range(200))
    leaves = [leaf(e) for _, _, e in log.entries()]
    assert all(f.checkpoint.root == naive_root(leaves[: f.checkpoint.size]) for f in found)
    assert fsck(log).entries == 200
    assert len({f.checkpoint.size for f in found}) < 200, "no transaction was shared"
