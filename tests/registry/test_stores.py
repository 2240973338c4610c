"""The same contract over SQLite and PostgreSQL: one history, found again, proved, whole, refused in doubt."""

import os
import subprocess
import sys
import threading
from multiprocessing import get_context

import pgserver
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_samples import LOG, NAME, OWNER, STRANGER, naive_path, naive_root, signed, signed_again
from stores import NAMES, Place

from wmproto.crypto.consistency import verify_consistency
from wmproto.errors import (
    ConfigError,
    ConflictError,
    CorruptStoreError,
    FormatError,
    NotFoundError,
    RegistryError,
    SignatureError,
)
from wmproto.registry import postgres
from wmproto.registry.appending import append_verified
from wmproto.registry.checkpoint import Checkpoint, verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.fsck import fsck
from wmproto.registry.log import Log
from wmproto.registry.nodes import consistency_spans, cover, inclusion_spans, new_nodes
from wmproto.registry.note import LogKey
from wmproto.registry.receipt import Receipt, verify_receipt
from wmproto.registry.rows import Rows
from wmproto.registry.writing import sign_cosignature, sign_note
from wmproto.wire.compose import compose_envelope
from wmproto.wire.profile import WMPROTO_1

KEY = LogKey(NAME, LOG.public)
WITNESS = WitnessKey("witness.example", STRANGER.public)


def leaf(envelope, kind="key"):
    return entry_leaf(WMPROTO_1, kind, envelope)


def keys(*numbers):
    return [("key", signed(n)) for n in numbers]


@pytest.fixture
def log(place):
    log = Log.create(place.where, NAME, LOG)
    yield log
    log.close()


def filled(place, n=7):
    log = Log.create(place.where, NAME, LOG)
    for i in range(n):
        log.submit("key", signed(i))
    log.close()
    return place


def size_of(note):
    return verify_checkpoint(note, KEY).size


# --- starting and opening ------------------------------------------------------------------------------------------


def test_a_new_log_is_empty_and_found_again(log, place):
    assert size_of(log.checkpoint()) == 0
    assert log.entries() == log.receipts([]) == []
    assert log.where == str(place.where)
    again = Log.open(place.where)
    assert again.checkpoint() == log.checkpoint()
    assert fsck(again).entries == 0
    again.close()


def test_a_log_is_never_started_over_another(log, place):
    log.submit("key", signed(1))
    with pytest.raises(ConflictError):
        Log.create(place.where, NAME, LOG)
    assert len(log.entries()) == 1


def test_what_is_not_there_is_not_made(place, tmp_path):
    missing = place.where if place.kind == "sqlite" else place.where.replace("/log_", "/none_")
    for _ in range(2):
        with pytest.raises(NotFoundError) as err:
            Log.open(missing, LOG)
        assert err.value.hint


def test_another_key_or_profile_is_refused(log, place):
    with pytest.raises(ConfigError, match="key"):
        Log.open(place.where, OWNER)


def test_a_reader_cannot_append(log, place):
    log.submit("key", signed(1))
    reader = Log.open(place.where)
    for envelope in (signed(1), signed(2)):
        with pytest.raises(ConfigError):
            reader.submit("key", envelope)
    assert reader.find(leaf(signed(1))) == 0
    reader.close()


# --- one history ---------------------------------------------------------------------------------------------------


def test_every_tree_and_every_proof_is_the_rfcs(log):
    leaves = []
    for n in range(24):
        appended = log.append("key", signed(n))
        leaves.append(leaf(signed(n)))
        found = verify_receipt(appended.receipt, leaves[-1], KEY)
        assert (appended.index, appended.new, found.index, found.checkpoint.size) == (n, True, n, n + 1)
        assert found.checkpoint.root == naive_root(leaves)
        for index, receipt in enumerate(log.receipts(leaves)):
            assert list(Receipt.parse(receipt).path) == naive_path(index, leaves)
    for old in range(25):
        for new in range(old, 25):
            roots = {"old_root": naive_root(leaves[:old]), "new_root": naive_root(leaves[:new])}
            verify_consistency(old=old, new=new, proof=log.consistency(old, new), **roots)


def test_entries_are_found_by_type_subject_and_leaf(log):
    about = b"k" * 32
    log.append_all(
        [
            ("key", signed(0)),
            ("admit", signed(1, "admit", subject=about)),
            ("decide", signed(2, "decide", subject=about)),
            ("admit", signed(3, "admit", by=STRANGER, subject=about)),
        ]
    )
    assert [i for i, _, _ in log.entries()] == [0, 1, 2, 3]
    assert [(i, k) for i, k, _ in log.entries(subject=about)] == [(1, "admit"), (2, "decide"), (3, "admit")]
    assert [i for i, _, _ in log.entries("admit", about)] == [1, 3]
    assert log.entries("nothing") == log.entries(subject=bytes(32)) == []
    assert log.find(leaf(signed(2, "decide", subject=about), "decide")) == 2
    for bad in (b"", bytes(32), leaf(signed(0), "decide")):
        with pytest.raises(NotFoundError):
            log.find(bad)


def test_receipts_of_an_old_checkpoint(log):
    for n in range(6):
        log.submit("key", signed(n))
    with pytest.raises(NotFoundError, match="entry 3"):
        log.receipts([leaf(signed(3))], 3)
    with pytest.raises(NotFoundError, match="9 entries"):
        log.receipts([leaf(signed(3))], 9)
    [receipt] = log.receipts([leaf(signed(2))], 3)
    assert verify_receipt(receipt, leaf(signed(2)), KEY).checkpoint.size == 3


def test_a_batch_is_one_transaction_under_one_checkpoint(log):
    log.append_all(keys(0, 1, 2))
    batch = log.append_all(keys(*range(3, 40)))
    assert [a.index for a in batch] == list(range(3, 40))
    assert all(a.new for a in batch)
    found = [verify_receipt(a.receipt, leaf(a.envelope), KEY) for a in batch]
    assert {f.checkpoint.size for f in found} == {40}
    assert found[0].checkpoint.root == naive_root([leaf(signed(n)) for n in range(40)])
    for size in (4, 20, 39):
        with pytest.raises(NotFoundError, match="checkpoint"):
            log.receipts([leaf(signed(0))], size)
    assert fsck(log).checkpoints == 3
    assert log.append_all([]) == []
    assert size_of(log.checkpoint()) == 40


def test_in_a_batch_duplicates_are_found_again(log):
    log.append_all(keys(0, 1))
    before = log.checkpoint()
    assert [(a.index, a.new) for a in log.append_all(keys(1, 0, 1))] == [(1, False), (0, False), (1, False)]
    assert log.checkpoint() == before, "nothing was new, nothing was signed"
    other = signed_again(signed(2), OWNER, b"nonce")
    batch = log.append_all([*keys(5, 1, 2), ("key", other), *keys(5), ("key", signed(2, by=STRANGER))])
    assert [(a.index, a.new) for a in batch] == [(2, True), (1, False), (3, True), (3, False), (2, False), (4, True)]
    assert batch[3].envelope == signed(2), "the first signature stands"
    for a in batch:
        assert verify_receipt(a.receipt, leaf(a.envelope), KEY).index == a.index
    assert log.append("key", other).envelope == signed(2)
    assert len(log.entries()) == 5


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (("key", signed(8, "admit")), FormatError),
        (("digest", signed(8)), FormatError),
        (("key", compose_envelope(signed(8).payload, OWNER.public, signed(9).signature)), SignatureError),
    ],
)
def test_one_bad_item_and_nothing_is_appended(log, bad, error):
    log.submit("key", signed(0))
    before = log.checkpoint()
    for at in range(3):
        items = keys(1, 2)
        items.insert(at, bad)
        with pytest.raises(error):
            log.append_all(items)
    assert log.checkpoint() == before
    assert len(log.entries()) == 1


@pytest.mark.parametrize("kind", NAMES)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_a_log_is_the_list_of_first_submissions(kind, tmp_path_factory, data):
    place, model = Place(kind, tmp_path_factory.mktemp("log")), []
    log = Log.create(place.where, NAME, LOG)
    one = st.tuples(st.integers(0, 12), st.sampled_from(["key", "admit"]), st.booleans())
    for batch in data.draw(st.lists(st.lists(one, max_size=9), max_size=6)):
        items = [(k, signed(n, k, by=STRANGER if strange else OWNER)) for n, k, strange in batch]
        for (k, envelope), appended in zip(items, log.append_all(items), strict=True):
            assert appended.new == ((k, envelope) not in model)
            if appended.new:
                model.append((k, envelope))
            assert model[appended.index] == (k, envelope)
            assert verify_receipt(appended.receipt, leaf(envelope, k), KEY).index == appended.index
    assert [(k, e) for _, k, e in log.entries()] == model
    assert verify_checkpoint(log.checkpoint(), KEY).root == naive_root([leaf(e, k) for k, e in model])
    assert fsck(log).entries == len(model)
    log.close()


# --- several writers -----------------------------------------------------------------------------------------------


def test_threads_share_a_log(log):
    receipts = {}

    def work(k):
        for n in range(k, 24, 4):
            receipts[n] = log.submit("key", signed(n))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(verify_receipt(data, leaf(signed(n)), KEY).index for n, data in receipts.items()) == list(range(24))


def submit_some(where, numbers, results):
    log = Log.open(where, LOG)
    results.put([(n, a.index, a.new) for n in numbers for a in [log.append("key", signed(n))]])
    log.close()


def test_processes_append_without_a_gap_and_nothing_twice(place):
    Log.create(place.where, NAME, LOG).close()
    context = get_context("fork")
    results = context.Queue()
    ranges = (range(30), range(15, 45), range(45, 60))
    processes = [context.Process(target=submit_some, args=(place.where, numbers, results)) for numbers in ranges]
    for process in processes:
        process.start()
    seen = [found for _ in processes for found in results.get(timeout=60)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sorted(n for n, _, new in seen if new) == list(range(60))
    log = Log.open(place.where)
    assert all(log.find(leaf(signed(n))) == index for n, index, _ in seen)
    assert fsck(log).entries == 60
    log.close()


def test_a_reader_sees_one_state_while_writers_go_on(log):
    log.append_all(keys(*range(5)))
    with log.reading() as view:
        before = view.head()
        log.append_all(keys(*range(5, 9)))
        assert view.rows.size() == 5
        assert view.head() == before
    with log.reading() as view:
        assert view.head().checkpoint.size == 9


def test_a_writer_that_waits_sees_what_the_other_wrote(log, place):
    """The snapshot is taken after the lock, and not before."""
    other, appended = Log.open(place.where, LOG), []
    with log._store.write() as rows:
        thread = threading.Thread(target=lambda: appended.append(other.append("key", signed(1))))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive(), "it waits"
        append_verified(log._view(rows), LOG, [log.verified("key", signed(0))])
    thread.join()
    assert appended[0].index == 1
    other.close()


# --- doubt and the past ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["DELETE FROM statements WHERE idx=6", "DELETE FROM entries WHERE idx=6"], "6 entries.* 7"),
        (["DELETE FROM checkpoints WHERE size=7"], "7 entries.* 6"),
        (["DELETE FROM checkpoints"], "None"),
        (["DELETE FROM statements WHERE idx=3", "DELETE FROM entries WHERE idx=3"], "gap"),
        (["UPDATE nodes SET hash={zeros} WHERE level=2 AND idx=0"], "root"),
        (["DELETE FROM nodes WHERE level=1 AND idx=2"], "node 2 of level 1"),
        (["UPDATE checkpoints SET note=(SELECT note FROM checkpoints WHERE size=6) WHERE size=7"], "root"),
        (["UPDATE checkpoints SET note={zeros} WHERE size=7"], "not its own"),
        (["UPDATE meta SET value='log.test/2' WHERE name='origin'"], "not its own"),
        (["UPDATE meta SET value='2' WHERE name='schema'"], "version"),
        (["DROP TABLE nodes"], "table"),
    ],
)
def test_a_store_in_doubt_is_not_opened(place, statements, says):
    filled(place).execute(*(s.format(zeros=place.zeros(32)) for s in statements))
    for signer in (None, LOG):
        with pytest.raises(CorruptStoreError, match=says):
            Log.open(place.where, signer)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE nodes SET hash={zeros} WHERE level=2 AND idx=0",
        "DELETE FROM checkpoints WHERE size=7",
        "INSERT INTO nodes VALUES (0, 7, {zeros})",
        "INSERT INTO checkpoints VALUES (8, {zeros})",
    ],
)
def test_a_log_that_falls_into_doubt_while_it_is_open_signs_no_more(place, statement):
    log = Log.open(filled(place).where, LOG)
    log.receipts([leaf(signed(0))])  # whatever it remembers of its nodes
    place.execute(statement.format(zeros=place.zeros(32)))
    for items in (keys(7), keys(7, 8, 9)):
        with pytest.raises(CorruptStoreError):
            log.append_all(items)
    log.close()


def test_an_entry_whose_name_alone_was_changed_is_not_taken_for_another(place):
    other = signed(9)
    filled(place).execute(f"UPDATE entries SET payload_hash={bytes_of(place, other.payload_hash)} WHERE idx=3")
    log = Log.open(place.where, LOG)
    with pytest.raises(CorruptStoreError, match="entry 3"):
        log.append("key", other)
    log.close()


def bytes_of(place, data):
    return f"x'{data.hex()}'" if place.kind == "sqlite" else f"decode('{data.hex()}', 'hex')"


def test_damage_further_left_makes_no_false_receipt(place):
    filled(place).execute(f"UPDATE nodes SET hash={place.zeros(32)} WHERE level=0 AND idx=1")
    log = Log.open(place.where, LOG)
    with pytest.raises(CorruptStoreError, match="entry 0"):
        log.receipts([leaf(signed(0))])
    with pytest.raises(CorruptStoreError, match="entry 0"):
        log.append("key", signed(0))
    assert log.receipts([leaf(signed(4))])
    log.close()


def test_a_restored_backup_is_refused_with_a_checkpoint_that_was_kept(place):
    filled(place, 5)
    backup = place.backup()
    log = Log.open(place.where, LOG)
    kept = [log.checkpoint(), Receipt.parse(log.submit("key", signed(5))).note]
    log.submit("key", signed(6))
    log.close()
    Log.open(place.where, LOG, held=kept).close()
    Log.open(backup, LOG, held=kept[:1]).close()
    for held in (kept, kept[1:]):
        with pytest.raises(CorruptStoreError, match=r"5 entries .* 6"):
            Log.open(backup, LOG, held=held)
    old = Log.open(backup, LOG)  # nothing in it can tell that it is old
    with pytest.raises(CorruptStoreError, match=r"5 entries .* 6"):
        old.verify_past(kept[1])
    old.append_all(keys(7, 8))
    old.close()
    with pytest.raises(CorruptStoreError, match="another root"):
        Log.open(backup, LOG, held=kept)
    forged = sign_note(Checkpoint(NAME, 2, bytes(32)).text, NAME, STRANGER)
    with pytest.raises(SignatureError):
        Log.open(place.where, LOG, held=[forged])


def test_cosignatures_are_kept_for_their_checkpoint(log, place):
    log.append_all(keys(0, 1))
    text = verify_checkpoint(log.checkpoint(), KEY).text
    lines = [sign_cosignature(text, WITNESS, STRANGER, time) for time in (5, 6)]
    log.keep_cosignatures(2, {WITNESS: lines[0]})
    log.keep_cosignatures(2, {WITNESS: lines[1]})
    assert log.checkpoint().endswith(lines[0].encode())
    with pytest.raises(SignatureError):
        log.keep_cosignatures(0, {WITNESS: lines[0]})
    with pytest.raises(NotFoundError):
        log.keep_cosignatures(1, {WITNESS: lines[0]})
    assert log.checkpoint([]).count(b"\xe2\x80\x94") == 1
    again = Log.open(place.where)
    assert again.checkpoint() == log.checkpoint()
    assert fsck(again).cosignatures == 1
    again.close()


def test_a_log_that_is_replayed_into_another_store_is_the_same_log(place, tmp_path):
    """As docs/scaling.md moves a log from its file to PostgreSQL."""
    old = Log.create(tmp_path / "old.db", NAME, LOG)
    kept = [old.append("key", signed(n)).receipt for n in range(5)]
    old.append_all([("admit", signed(n, "admit", by=STRANGER)) for n in range(6)])
    new = Log.create(place.where, old.key.name, LOG)
    new.append_all([(kind, envelope) for _, kind, envelope in old.entries()])
    assert new.verify_past(old.checkpoint()).size == 11
    assert new.entries() == old.entries()
    assert new.checkpoint() == old.checkpoint()
    assert all(new.verify_past(Receipt.parse(receipt).note).size == n + 1 for n, receipt in enumerate(kept))
    old.close()
    new.close()


# --- nodes -----------------------------------------------------------------------------------------------------------


def test_spans_are_those_of_the_rfc():
    leaves = [bytes([n]) * 32 for n in range(40)]
    nodes = {}
    for n, one in enumerate(leaves):
        for level, index in new_nodes(n):
            nodes[level, index] = naive_root(leaves[index << level : (index + 1) << level])
        assert nodes[0, n] == one
    for size in range(1, 41):
        assert sorted(set(cover(0, size)) - nodes.keys()) == []
        for index in range(size):
            path = [naive_root(leaves[start:end]) for start, end in inclusion_spans(index, size)]
            assert path == naive_path(index, leaves[:size])
        for old in range(size + 1):
            for start, end in consistency_spans(old, size):
                assert set(cover(start, end)) <= nodes.keys()
    assert cover(0, 13) == [(3, 0), (2, 2), (0, 12)]
    assert new_nodes(7) == [(0, 7), (1, 3), (2, 1), (3, 0)]


# --- PostgreSQL alone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@host/db",
        "postgresql://me@host/db?password=secret",
        "postgresql://me@host/db?sslpassword=secret",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url):
    with pytest.raises(ConfigError, match="password") as err:
        Log.open(url)
    assert "secret" not in f"{err.value} {err.value.hint} {err.value.__cause__}"
    assert "pgpass" in err.value.hint


def test_what_is_no_url_is_refused():
    with pytest.raises(ConfigError):
        Log.open("postgresql://me@host/db?colour=red")


def test_no_server_no_database_no_tables(tmp_path):
    with pytest.raises(RegistryError, match="reached") as err:
        Log.open(f"postgresql://postgres@/x?host={tmp_path}")
    assert type(err.value) is RegistryError
    assert err.value.hint
    with pytest.raises(NotFoundError, match="no log"):
        Log.open(pgserver.new_database())
    url = pgserver.new_database()
    pgserver.execute(url, "CREATE TABLE somebody (s text)")
    with pytest.raises(ConflictError, match="tables"):
        Log.create(url, NAME, LOG)
    with pytest.raises(NotFoundError, match="no log"):
        Log.open(url, LOG)


def test_another_programs_tables_are_refused():
    url = pgserver.new_database()
    pgserver.execute(url, "CREATE TABLE meta (name text, value text)", "INSERT INTO meta VALUES ('schema', '1')")
    with pytest.raises(CorruptStoreError):
        Log.open(url, LOG)


def test_a_session_commits_to_the_disk():
    url = pgserver.new_database()
    pgserver.execute(url, f"ALTER DATABASE {url.split('/')[3].split('?')[0]} SET synchronous_commit = off")
    log = Log.create(url, NAME, LOG)
    with log._store.write() as rows:
        shown = [
            rows.connection.exec_driver_sql(f"SHOW {n}").scalar()
            for n in ("synchronous_commit", "transaction_isolation")
        ]
    with log.reading() as view:
        read = [
            view.rows.connection.exec_driver_sql(f"SHOW {n}").scalar()
            for n in ("transaction_isolation", "transaction_read_only")
        ]
    log.close()
    assert shown == ["on", "read committed"]
    assert read == ["repeatable read", "on"]


def test_a_server_that_does_not_sync_is_refused():
    server = pgserver.started()
    for name in ("fsync", "full_page_writes"):
        pgserver.execute(server.url(), f"ALTER SYSTEM SET {name} = off", "SELECT pg_reload_conf()")
        wait_for(server.url(), name, "off")
        with pytest.raises(ConfigError, match=f"{name} off"):
            Log.create(server.url(), NAME, LOG)
        pgserver.execute(server.url(), f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")
        wait_for(server.url(), name, "on")
    Log.create(server.url(), NAME, LOG).close()


def wait_for(url, name, value):
    for _ in range(200):
        with psycopg.connect(url) as db:
            if db.execute(f"SHOW {name}").fetchone() == (value,):
                return
    raise AssertionError(name)


def test_a_locked_log_says_so_and_can_be_read(monkeypatch):
    place = filled(Place("postgres", None))
    log = Log.open(place.where, LOG)
    with psycopg.connect(place.where) as db:
        db.execute(f"SELECT pg_advisory_xact_lock({postgres._LOCK})")
        with log._store._engine.connect() as mine:
            mine.connection.dbapi_connection.execute("SET lock_timeout = 50")
        with pytest.raises(RegistryError, match="locked") as err:
            log.submit("key", signed(7))
        assert err.value.hint
        assert log.receipts([leaf(signed(3))])
    assert log.append("key", signed(7)).index == 7
    log.close()


def test_a_read_only_log_says_so_and_can_be_read():
    place = filled(Place("postgres", None))
    name = place.where.split("/")[3].split("?")[0]
    pgserver.execute(
        place.where, f"CREATE ROLE r_{name} LOGIN", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO r_{name}"
    )
    log = Log.open(place.where.replace("postgres@", f"r_{name}@"), LOG)
    assert len(log.entries()) == 7
    with pytest.raises(RegistryError, match="does not allow") as err:
        log.submit("key", signed(7))
    assert err.value.hint
    log.close()


def test_a_server_that_goes_away_is_named_and_found_again():
    place = filled(Place("postgres", None))
    log = Log.open(place.where, LOG)

    def lose():
        with log._store.write() as rows:
            pid = rows.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            pgserver.execute(pgserver.server().url(), f"SELECT pg_terminate_backend({pid})")
            rows.size()

    with pytest.raises(RegistryError, match="connection") as err:
        lose()
    assert "again" in err.value.hint
    assert log.append("key", signed(7)).index == 7
    log.close()


def test_a_server_that_crashed_between_is_no_error():
    place = filled(Place("postgres", None))
    log = Log.open(place.where, LOG)
    pgserver.server().crash()
    assert log.append("key", signed(7)).index == 7
    assert fsck(log).entries == 8
    log.close()


def test_after_an_input_or_output_error_nothing_is_written_until_the_log_is_opened_again(monkeypatch):
    place = filled(Place("postgres", None))
    log = Log.open(place.where, LOG)
    real = Rows.sign

    def failing(self, size, note):
        real(self, size, note)
        raise psycopg.errors.IoError("could not fsync file")

    monkeypatch.setattr(Rows, "sign", failing)
    with pytest.raises(RegistryError, match="could not fsync"):
        log.submit("key", signed(7))
    monkeypatch.undo()
    with pytest.raises(RegistryError, match="failed before"):
        log.submit("key", signed(7))
    log.close()
    log = Log.open(place.where, LOG)
    assert log.append("key", signed(7)).index == 7
    log.close()


def test_without_the_extra_it_says_which(tmp_path):
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from wmproto.registry.log import Log\n"
        "from wmproto.errors import MissingExtraError\n"
        "try: Log.open('postgresql://me@host/db')\n"
        "except MissingExtraError as err: print(err.extra)\n"
        f"try: Log.open({str(tmp_path / 'none.db')!r})\n"
        "except Exception as err: print(type(err).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert done.stdout.split() == ["postgres", "NotFoundError"], done.stderr
