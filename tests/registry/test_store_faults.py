"""Every call of the database is broken in turn, once before and once after its effect (a lost answer), on both stores.

Afterwards a log that is opened anew is whole, nothing acknowledged is lost, the same submission gets the same index, and
no size has two roots.
"""

import sqlite3

import psycopg
import pytest
from log_samples import LOG, NAME, STRANGER, signed
from stores import NAMES, Place

from wmproto.errors import NotFoundError, RegistryError
from wmproto.registry import log as log_module
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.fsck import fsck
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import verify_receipt
from wmproto.registry.store import store_at
from wmproto.registry.writing import sign_cosignature
from wmproto.wire.profile import WMPROTO_1

KEY = LogKey(NAME, LOG.public)
WITNESS = WitnessKey("witness.example", STRANGER.public)
CALLS = ("do_execute", "do_executemany", "do_commit")  # of SQLAlchemy's dialect: all that it asks of a driver


class Fault:
    """The ``at``-th call of a store's driver fails; ``hit`` says whether there were so many."""

    def __init__(self, store, at, *, after):
        self._left, self._after, self.hit = at, after, False
        dialect = store._engine.dialect
        for name in CALLS:
            setattr(dialect, name, self._counted(getattr(dialect, name)))

    def _counted(self, real):
        def call(first, *args, **kwargs):
            self._left -= 1
            if self._left:
                return real(first, *args, **kwargs)
            self.hit = True
            if self._after:
                real(first, *args, **kwargs)
            raise self._error(first)

        return call

    def _error(self, first):
        """The disk fails, or the server is gone; ``first`` is a cursor, or SQLAlchemy's wrapping of a connection."""
        connection = getattr(first, "dbapi_connection", None) or first.connection
        if isinstance(connection, psycopg.Connection):
            connection.close()
            return psycopg.OperationalError("server closed the connection unexpectedly")
        err = sqlite3.OperationalError("disk I/O error")
        err.sqlite_errorcode = sqlite3.SQLITE_IOERR
        return err


class History:
    """What was acknowledged of a log, and the root of every size that it ever signed."""

    def __init__(self):
        self.acknowledged, self.roots = {}, {}

    def learn(self, appended):
        for one in appended:
            found = verify_receipt(one.receipt, entry_leaf(WMPROTO_1, "key", one.envelope), KEY)
            assert self.acknowledged.setdefault(one.envelope.payload_hash, one.index) == one.index
            self._root(found.checkpoint)

    def _root(self, checkpoint):
        assert self.roots.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, "two roots of one size"

    def check(self, where):
        log = Log.open(where)
        fsck(log)
        stand = {e.payload_hash: i for i, _, e in log.entries()}
        assert self.acknowledged.items() <= stand.items(), "an acknowledged entry is lost"
        with log.reading() as view:
            for row in view.rows.raw("checkpoints", "size", 0, 1 << 62):
                self._root(verify_checkpoint(row.note, KEY))
        log.close()


def broken(work, place, **options):
    """Break the first call of that work, then the second, until it is not broken any more; yields how each went."""
    for after in (False, True):
        for at in range(1, 99):
            log = Log.open(place.where, LOG)
            fault = Fault(log._store, at, after=after)
            try:
                result = work(log, 100 * at + 10_000 * after)
            except RegistryError as err:
                result, told = None, str(err)
                assert fault.hit
                assert str(place.where) in told
            log.close()
            yield 100 * at + 10_000 * after, result
            if not fault.hit:
                break
            assert result is None, "what failed was acknowledged"
        assert at > 5


def test_an_append(place):
    history = History()
    log = Log.create(place.where, NAME, LOG)
    history.learn(log.append_all([("key", signed(n)) for n in range(5)]))
    log.close()
    for number, result in broken(lambda log, n: [log.append("key", signed(n))], place):
        history.learn(result or [])
        history.check(place.where)
        log = Log.open(place.where, LOG)
        first = log.append("key", signed(number))
        assert log.append("key", signed(number)).index == first.index
        history.learn([first])
        log.close()
        history.check(place.where)


def test_a_batch_with_duplicates_in_it_and_in_the_log(place):
    history = History()
    log = Log.create(place.where, NAME, LOG)
    history.learn(log.append_all([("key", signed(n)) for n in range(3)]))
    log.close()

    def items(n):
        return [("key", signed(m)) for m in (n, 1, n + 1, n, n + 2)]

    for number, result in broken(lambda log, n: log.append_all(items(n)), place):
        history.learn(result or [])
        history.check(place.where)
        log = Log.open(place.where, LOG)
        entries = {e.payload_hash for _, _, e in log.entries()}
        have = [signed(number + k).payload_hash in entries for k in range(3)]
        assert len(set(have)) == 1, "half of a batch"
        history.learn(log.append_all(items(number)))
        assert [a.new for a in log.append_all(items(number))] == [False] * 5
        log.close()
        history.check(place.where)


def test_keeping_cosignatures(place):
    log = Log.create(place.where, NAME, LOG)
    log.append_all([("key", signed(n)) for n in range(3)])
    log.close()
    history = History()

    def keep(log, n):
        log.append("key", signed(n))
        checkpoint = verify_checkpoint(log.checkpoint([]), KEY)
        log.keep_cosignatures(checkpoint.size, {WITNESS: sign_cosignature(checkpoint.text, WITNESS, STRANGER, n)})
        return "kept"

    for number, _ in broken(keep, place):
        history.check(place.where)
        log = Log.open(place.where, LOG)
        keep(log, number)
        [_, line] = log.checkpoint().decode().rstrip("\n").split("\n")[-2:]
        assert line.startswith("\u2014 witness.example ")
        log.close()
        history.check(place.where)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("after", [False, True])
def test_starting_a_log(kind, after, tmp_path, monkeypatch):
    """There is a whole empty log, or none and room for one; where the answer was lost, one that was not told of."""
    for at in range(1, 99):
        folder = tmp_path / str(at)
        folder.mkdir()
        place = Place(kind, folder)
        faults = []

        def faulty(where, at=at, faults=faults):
            store = store_at(where)
            faults.append(Fault(store, at, after=after))
            return store

        monkeypatch.setattr(log_module, "store_at", faulty)
        try:
            Log.create(place.where, NAME, LOG).close()
        except RegistryError:
            assert faults[0].hit
        monkeypatch.undo()
        if not faults[0].hit:
            break
        try:
            log = Log.open(place.where, LOG)
        except NotFoundError:
            log = Log.create(place.where, NAME, LOG)
        assert fsck(log).checkpoints == 1
        assert log.append("key", signed(1)).index == 0
        log.close()
    assert at > 9
