"""The file under the log: damage, rollback, locks, full disks, and crashes in the middle of everything."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import pytest
from log_samples import LOG, NAME, OWNER, STRANGER, naive_root, signed, signed_again

from wmproto.errors import ConfigError, CorruptStoreError, NotFoundError, RegistryError, SignatureError
from wmproto.registry import sqlite
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.entry import entry_leaf
from wmproto.registry.log import Log
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.registry.rows import Rows
from wmproto.registry.sqlite_store import SqliteStore
from wmproto.registry.writing import sign_note
from wmproto.wire.profile import WMPROTO_1

LOG_KEY = LogKey(NAME, LOG.public)
FORK_CONTEXT = get_context("fork")  # without starting an interpreter: quick


def leaf(envelope, kind="key"):
    return entry_leaf(WMPROTO_1, kind, envelope)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.db"


def filled(path, n=7):
    log = Log.create(path, NAME, LOG)
    for i in range(n):
        log.submit("key", signed(i))
    log.close()
    return path


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as db:
        for sql, *args in statements:
            db.execute(sql, args)
        db.commit()


# --- files that are no log ----------------------------------------------------------------------------------------


def test_a_typo_does_not_start_a_log(path):
    with pytest.raises(NotFoundError) as err:
        Log.open(path, LOG)
    assert err.value.hint
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b"", b"x", b"SQLite format 3\x00", os.urandom(5000)], ids=["empty", "x", "head", "junk"]
)
def test_garbage_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    for signer in (None, LOG):
        with pytest.raises(CorruptStoreError):
            Log.open(path, signer)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_another_programs_database_is_refused_and_left_alone(path):
    execute(path, ("CREATE TABLE meta (name, value)",), ("INSERT INTO meta VALUES ('schema', '1')",))
    before = path.read_bytes()
    with pytest.raises(CorruptStoreError, match="no database of wmproto"):
        Log.open(path, LOG)
    assert path.read_bytes() == before


def test_a_file_that_vanishes_is_not_made_again(path):
    with pytest.raises(RegistryError, match="opened"), SqliteStore(path).read():
        pass
    assert not path.exists()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(RegistryError):
        Log.open(tmp_path, LOG)
    with pytest.raises(RegistryError):
        Log.create(tmp_path / "no" / "log.db", NAME, LOG)


def used_fully(path, n):
    """Read and prove everything in a log of n entries, and append one more."""
    log = Log.open(path, LOG)
    try:
        assert [e for _, _, e in log.entries()] == [signed(i) for i in range(n)]
        for i, receipt in enumerate(log.receipts([leaf(signed(i)) for i in range(n)])):
            assert verify_receipt(receipt, leaf(signed(i)), LOG_KEY).index == i
        assert [i for i in range(n) if log.entries(subject=sha256(b"subject %d" % i).digest())[0][0] != i] == []
        assert verify_receipt(log.submit("key", signed(n)), leaf(signed(n)), LOG_KEY).checkpoint.size == n + 1
    finally:
        log.close()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_truncated_file_is_refused(path, share):
    data = filled(path, 30).read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CorruptStoreError):
        used_fully(path, 30)


def test_any_flipped_bit_is_harmless_or_an_error_by_name(path, tmp_path):
    good, rng, refused = filled(path, 5).read_bytes(), random.Random(5), 0
    for n in range(40):
        data = bytearray(good)
        data[rng.choice([rng.randrange(200), rng.randrange(len(data))])] ^= 1 << rng.randrange(8)
        bad = tmp_path / f"bad{n}.db"
        bad.write_bytes(data)
        try:
            used_fully(bad, 5)
        except (RegistryError, ConfigError):  # the latter: another key in the file
            refused += 1
    assert refused > 3


# --- a store that contradicts what was signed ---------------------------------------------------------------------

FORK = sign_note(Checkpoint(NAME, 7, bytes(32)).text, NAME, LOG)
FORGED = sign_note(Checkpoint(NAME, 7, bytes(32)).text, NAME, STRANGER)


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ([("DELETE FROM statements WHERE idx=6",), ("DELETE FROM entries WHERE idx=6",)], "6 entries.* 7"),
        ([("DELETE FROM checkpoints WHERE size=7",)], "7 entries.* 6"),
        ([("DELETE FROM checkpoints",)], "None"),
        ([("DELETE FROM entries WHERE idx=3",)], "gap"),
        ([("UPDATE nodes SET hash=zeroblob(32) WHERE level=2 AND idx=0",)], "root"),
        ([("UPDATE nodes SET hash=zeroblob(32) WHERE level=0 AND idx=6",)], "root"),
        ([("DELETE FROM nodes WHERE level=1 AND idx=2",)], "node 2 of level 1"),
        ([("UPDATE checkpoints SET note=? WHERE size=7", FORK)], "root"),
        ([("UPDATE checkpoints SET note=? WHERE size=7", FORGED)], "not its own"),
        ([("UPDATE checkpoints SET note=(SELECT note FROM checkpoints WHERE size=6) WHERE size=7",)], "root"),
        ([("UPDATE checkpoints SET note=zeroblob(9) WHERE size=7",)], "not its own"),
        ([("UPDATE meta SET value='log.test/2' WHERE name='origin'",)], "not its own"),
        ([("UPDATE meta SET value='2' WHERE name='schema'",)], "version"),
        ([("UPDATE meta SET value='xx' WHERE name='public'",)], "key"),
        ([("DELETE FROM meta WHERE name='origin'",)], "key"),
        ([("DROP TABLE nodes",)], "table"),
    ],
)
def test_a_store_in_doubt_is_not_opened(path, statements, says):
    execute(filled(path), *statements)
    for signer in (None, LOG):
        with pytest.raises(CorruptStoreError, match=says):
            Log.open(path, signer)


@pytest.mark.parametrize(
    "statements",
    [
        [("DELETE FROM statements WHERE idx=6",), ("DELETE FROM entries WHERE idx=6",)],
        [("UPDATE nodes SET hash=zeroblob(32) WHERE level=2 AND idx=0",)],
        [("DELETE FROM checkpoints WHERE size=7",)],
        [("UPDATE checkpoints SET note=? WHERE size=7", FORGED)],
        [("INSERT INTO nodes VALUES (0, 7, zeroblob(32))",)],
        [("INSERT INTO checkpoints VALUES (8, zeroblob(32))",)],
    ],
)
def test_a_log_that_falls_into_doubt_while_it_is_open_signs_no_more(path, statements):
    log = Log.open(filled(path), LOG)
    execute(path, *statements)
    with pytest.raises(CorruptStoreError):
        log.submit("key", signed(7))
    assert not [e for _, _, e in log.entries() if e == signed(7)]
    log.close()


def test_a_checkpoint_of_another_size_is_not_taken_for_this_one(path):
    log = Log.open(filled(path))
    root = verify_checkpoint(log.checkpoint(), LOG_KEY).root
    log.close()
    execute(path, ("UPDATE checkpoints SET note=? WHERE size=7", sign_note(Checkpoint(NAME, 8, root).text, NAME, LOG)))
    with pytest.raises(CorruptStoreError, match="root"):
        Log.open(path)


def test_the_database_itself_refuses_an_entry_twice(path):
    twice = "INSERT INTO entries SELECT 7, kind, payload_hash, signer, signature, zeroblob(32), subject FROM entries"
    with pytest.raises(sqlite3.IntegrityError, match="payload_hash"):
        execute(filled(path), (twice + " WHERE idx=3",))


def test_damage_further_left_makes_no_false_receipt(path):
    execute(filled(path), ("UPDATE nodes SET hash=zeroblob(32) WHERE level=0 AND idx=1",))
    log = Log.open(path, LOG)
    with pytest.raises(CorruptStoreError, match="entry 0"):
        log.receipts([leaf(signed(0))])
    assert log.receipts([leaf(signed(4))])
    log.close()


@pytest.mark.parametrize(
    "statement",
    [
        ("UPDATE statements SET envelope=(SELECT envelope FROM statements WHERE idx=2) WHERE idx=1",),
        ("UPDATE statements SET envelope=zeroblob(40) WHERE idx=1",),
        ("UPDATE entries SET kind='admit' WHERE idx=1",),
        ("UPDATE statements SET envelope=? WHERE idx=1", signed_again(signed(1), OWNER, b"nonce").to_bytes()),
        ("UPDATE entries SET subject=zeroblob(32) WHERE idx=1",),
        ("DELETE FROM statements WHERE idx=1",),
    ],
)
def test_a_changed_or_lost_statement_is_named(path, tmp_path, statement):
    execute(filled(path), statement)
    log = Log.open(path)
    with pytest.raises(CorruptStoreError, match="entry 1"):
        log.entries()
    with pytest.raises(CorruptStoreError, match="entry 1"):
        log.export(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    log.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE nodes SET hash='abc'",
        "UPDATE nodes SET hash=5",
        "UPDATE checkpoints SET note='text'",
        "UPDATE checkpoints SET note=7.5",
        "UPDATE meta SET value=x'ff' WHERE name='public'",
        "UPDATE meta SET value=x'00'",
        "UPDATE statements SET envelope=5",
        "UPDATE statements SET envelope='x'",
        "UPDATE entries SET kind=x'6b6579'",
        "UPDATE entries SET subject='s'",
        "UPDATE entries SET idx=idx+10",
        "UPDATE entries SET idx=-1 WHERE idx=0",
        "DROP TABLE statements",
    ],
)
def test_values_that_we_never_wrote_are_an_error_by_name(path, statement):
    execute(filled(path, 5), (statement,))
    with pytest.raises(CorruptStoreError):
        used_fully(path, 5)


def test_a_statement_changed_together_with_its_leaf_is_not_exported(path, tmp_path):
    other = signed(99)
    execute(
        filled(path),
        ("UPDATE statements SET envelope=? WHERE idx=1", other.to_bytes()),
        ("UPDATE entries SET leaf=? WHERE idx=1", leaf(other)),
    )
    log = Log.open(path)
    with pytest.raises(CorruptStoreError, match="root"):
        log.export(tmp_path / "copy")
    with pytest.raises(CorruptStoreError, match="entry 1"):
        log.receipts([leaf(other)])
    log.close()


# --- rollback -----------------------------------------------------------------------------------------------------


def test_a_restored_backup_is_known_by_a_checkpoint_kept_elsewhere(path, tmp_path):
    shutil.copy(filled(path, 5), tmp_path / "backup.db")
    log = Log.open(path, LOG)
    kept = Receipt.parse(log.submit("key", signed(5))).note
    assert log.verify_past(kept).size == 6
    log.submit("key", signed(6))
    assert log.verify_past(kept).size == 6
    log.close()
    old = Log.open(tmp_path / "backup.db", LOG)  # nothing in the file can tell that it is old
    with pytest.raises(CorruptStoreError, match=r"5 entries .* 6"):
        old.verify_past(kept)
    for n in (7, 8):
        old.submit("key", signed(n))
    with pytest.raises(CorruptStoreError, match="another root"):
        old.verify_past(kept)
    with pytest.raises(SignatureError):
        old.verify_past(FORGED)
    old.close()


# --- failures of the database -------------------------------------------------------------------------------------


def test_a_locked_log_says_so_and_can_be_read(path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    log = Log.open(filled(path), LOG)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RegistryError, match="locked") as err:
            log.submit("key", signed(7))
        assert err.value.hint
        assert type(err.value) is RegistryError
        assert len(log.entries()) == 7
        assert log.receipts([leaf(signed(3))])
    assert log.append("key", signed(7)).index == 7
    log.close()


def test_a_full_disk_says_so_and_nothing_is_appended(path):
    log = Log.open(filled(path), LOG)
    note, big = log.checkpoint(), OWNER.envelope(signed(7).payload.replace(b'"n":7', b'"n":"' + b"7" * 100_000 + b'"'))
    with log._store.read() as rows:
        pages = rows.connection.exec_driver_sql("PRAGMA page_count").scalar()
        rows.connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(RegistryError, match="disk is full"):
        log.submit("key", big)
    assert log.checkpoint() == note
    log.close()
    log = Log.open(path, LOG)
    assert log.append("key", big).index == 7
    log.close()


READ_ONLY = """
import os, sys
from pathlib import Path
from wmproto.errors import RegistryError
from wmproto.registry.log import Log
from log_samples import LOG, signed
Log.open(Path(sys.argv[1])).entries()  # so that everything is imported
if os.geteuid() == 0:
    os.setuid(65534)
log = Log.open(Path(sys.argv[1]), LOG)
print(len(log.entries()))
try:
    log.submit("key", signed(7))
except RegistryError as err:
    print(err, "|", err.hint)
"""


def test_a_read_only_log_says_so_and_can_be_read():
    path = Path(tempfile.mkdtemp(prefix="wmproto-read-only-")) / "log.db"  # pytest's own folders are closed to others
    try:
        filled(path)
        path.parent.chmod(0o777)  # the folder may be written (SQLite needs that), the file not
        path.chmod(0o444)
        code = f"import sys; sys.path[:0] = {sys.path!r}\n" + READ_ONLY
        out = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
        assert out.returncode == 0, out.stderr
    finally:
        shutil.rmtree(path.parent)
    assert out.stdout.startswith("7\n")
    assert "read-only" in out.stdout
    assert "permissions" in out.stdout


def test_after_an_input_or_output_error_nothing_is_written_until_the_log_is_opened_again(path, monkeypatch):
    log = Log.open(filled(path), LOG)
    real = Rows.sign

    def failing(self, size, note):
        real(self, size, note)
        err = sqlite3.OperationalError("disk I/O error")
        err.sqlite_errorcode = sqlite3.SQLITE_IOERR | 4 << 8
        raise err

    monkeypatch.setattr(Rows, "sign", failing)
    with pytest.raises(RegistryError, match="disk I/O"):
        log.submit("key", signed(7))
    monkeypatch.undo()
    with pytest.raises(RegistryError, match="failed before"):
        log.submit("key", signed(7))
    log.close()
    log = Log.open(path, LOG)
    assert log.append("key", signed(7)).index == 7
    log.close()


@pytest.mark.parametrize("call", ["append", "sign"])
@pytest.mark.parametrize("after", [False, True])
def test_an_append_that_breaks_off_anywhere_changes_nothing(path, monkeypatch, call, after):
    log = Log.open(filled(path), LOG)
    note, real = log.checkpoint(), getattr(Rows, call)

    def failing(self, *args, **kwargs):
        if after:
            real(self, *args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(Rows, call, failing)
    with pytest.raises(KeyboardInterrupt):
        log.submit("key", signed(7))
    monkeypatch.undo()
    assert log.checkpoint() == note
    assert len(log.entries()) == 7
    assert log.append("key", signed(8)).index == 7
    log.close()


def test_a_log_that_cannot_be_started_leaves_no_file(path, monkeypatch):
    def failing(self, size, note):
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr(Rows, "sign", failing)
    with pytest.raises(RegistryError):
        Log.create(path, NAME, LOG)
    monkeypatch.undo()
    assert list(path.parent.iterdir()) == []
    Log.create(path, NAME, LOG).close()


def test_the_rules_of_storage_are_kept(path):
    log = Log.open(filled(path), LOG)
    with log._store.read() as rows:
        pragmas = [
            rows.connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    log.close()


# --- several processes, and crashes -------------------------------------------------------------------------------


def submit_some(path, numbers, pipe):
    """Submit each number and tell what was acknowledged: (number, size, root, index, new)."""
    log = Log.open(path, LOG)
    for n in numbers:
        appended = log.append("key", signed(n))
        found = verify_receipt(appended.receipt, leaf(signed(n)), log.key)
        pipe.send((n, found.checkpoint.size, found.checkpoint.root, found.index, appended.new))
    log.close()


def started(path, numbers):
    ours, theirs = FORK_CONTEXT.Pipe(duplex=False)
    process = FORK_CONTEXT.Process(target=submit_some, args=(path, numbers, theirs))
    process.start()
    theirs.close()
    return process, ours


def told(pipe):
    """Everything that a process told before it ended."""
    with suppress(EOFError):
        while True:
            yield pipe.recv()


def check_history(path, acknowledged):
    """Every acknowledged entry stands where it was said to, and no size has two roots."""
    log = Log.open(path, LOG)
    leaves = [leaf(e) for _, _, e in log.entries()]
    assert [i for i, _, _ in log.entries()] == list(range(len(leaves)))
    roots = {}
    for number, size, root, index, _ in acknowledged:
        assert leaves[index] == leaf(signed(number)), "an acknowledged entry is lost"
        assert roots.setdefault(size, root) == root == naive_root(leaves[:size])
    head = verify_checkpoint(log.checkpoint(), log.key)
    assert (head.size, head.root) == (len(leaves), naive_root(leaves))
    log.close()
    return len(leaves)


def test_two_processes_append_without_a_gap(path):
    Log.create(path, NAME, LOG).close()
    both = [started(path, numbers) for numbers in (range(40), range(20, 60))]  # the middle is submitted by both
    seen = [found for _, pipe in both for found in told(pipe)]
    for process, _ in both:
        process.join()
        assert process.exitcode == 0
    assert check_history(path, seen) == 60
    assert len(seen) == 80
    assert sorted(n for n, *_, new in seen if new) == list(range(60)), "one of two equal submissions is new"


def test_a_kill_in_the_middle_of_submitting_loses_nothing_acknowledged(path):
    Log.create(path, NAME, LOG).close()
    seen, rng = [], random.Random(7)
    for round_ in range(6):
        process, pipe = started(path, range(1000 * round_, 1000 * (round_ + 1)))
        seen.append(pipe.recv())  # it is running
        time.sleep(rng.uniform(0.01, 0.12))
        process.kill()
        seen += told(pipe)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        total = check_history(path, seen)
        assert len(seen) <= total <= len(seen) + round_ + 1, "at most the one in flight was not acknowledged"
    assert len(seen) > 12
