"""Every kind of damage to a log's database is found, and named by its index."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from log_samples import LOG, NAME, OWNER, STRANGER, signed, signer
from published import grow, head, log_of, sample

from wmproto.errors import CorruptStoreError, FormatError, RegistryError, SignatureError, UnsupportedError
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.entry import entry_leaf
from wmproto.registry.fsck import Totals, fsck, note_in
from wmproto.registry.log import Log
from wmproto.registry.note import Note
from wmproto.registry.writing import sign_cosignature
from wmproto.wire.profile import WMPROTO_1

SIZE = 21
KINDS = ("key", "release", "admit", "decide")
WITNESSES = [(WitnessKey(f"{n}.example", signer(n).public), signer(n)) for n in ("w1", "w2")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A log with a checkpoint for every size but three, and cosignatures of two heads by two witnesses."""
    path = tmp_path_factory.mktemp("fsck") / "log.db"
    log = Log.create(path, NAME, LOG)
    for n in range(SIZE - 3):
        log.submit(KINDS[n % 4], signed(n, KINDS[n % 4], by=(OWNER, STRANGER)[n % 2]))
        if n in (4, 9):
            text = Note.parse(log.checkpoint()).text
            log.keep_cosignatures(n + 1, {key: sign_cosignature(text, key, secret, 7) for key, secret in WITNESSES})
    grow(log, [sample(n) for n in range(SIZE - 3, SIZE)])
    log.close()
    return path


def opened(path):
    return Log.open(path, checked=False)


def check(path, **more):
    log = opened(path)
    try:
        return fsck(log, **more)
    finally:
        log.close()


@pytest.fixture
def path(whole, tmp_path):
    return shutil.copy(whole, tmp_path / "log.db")


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as db:
        for sql in statements:
            assert db.execute(sql).rowcount != 0, sql
        db.commit()


NODES = sum(SIZE >> level for level in range(5))


def test_a_whole_log_is_whole(path):
    said = []
    assert check(path, progress=lambda *at: said.append(at)) == Totals(SIZE, NODES, SIZE - 3 + 2, 4)
    assert said == [(n, SIZE + NODES) for n in range(1, SIZE + NODES + 1)]


def test_an_empty_log_is_whole(tmp_path):
    Log.create(tmp_path / "log.db", NAME, LOG).close()
    assert check(tmp_path / "log.db") == Totals(0, 0, 1, 0)


def test_logs_of_many_sizes_are_whole(tmp_path):
    log = Log.create(tmp_path / "log.db", NAME, LOG)
    for size, after in ((0, 1), (1, 2), (2, 3), (3, 8), (8, 255), (255, 256), (256, 300)):
        grow(log, [sample(n) for n in range(size, after)])
        assert fsck(log).entries == after
    log.close()


BLOBS = {
    "entries": ("payload_hash", "signer", "signature", "leaf", "subject"),
    "statements": ("envelope",),
    "checkpoints": ("note",),
    "nodes": ("hash",),
}
DAMAGE = {
    "a type": ("UPDATE entries SET kind = 'release' WHERE idx = 4", "entry 4 "),
    "a type that is none": ("UPDATE entries SET kind = 'gossip' WHERE idx = 4", "entry 4 "),
    "a type that is no text": ("UPDATE entries SET kind = x'00ff' WHERE idx = 4", "entry 4 "),
    "an index": ("UPDATE entries SET idx = 99 WHERE idx = 4", "entry 4 is missing"),
    "an entry gone": ("DELETE FROM entries WHERE idx = 4", "entry 4 is missing"),
    "the first entry gone": ("DELETE FROM entries WHERE idx = 0", "entry 0 is missing"),
    "the last entry gone": (f"DELETE FROM entries WHERE idx = {SIZE - 1}", f"checkpoint of {SIZE}"),
    "all entries gone": ("DELETE FROM entries", "0 entries and a checkpoint of 1"),
    "an object gone": ("DELETE FROM statements WHERE idx = 4", "object of entry 4 is missing"),
    "the last object gone": (f"DELETE FROM statements WHERE idx = {SIZE - 1}", f"object of entry {SIZE - 1} is missing"),
    "an object moved": ("UPDATE statements SET idx = 99 WHERE idx = 4", "object of entry 4 is missing"),
    "an object too many": ("INSERT INTO statements VALUES (99, x'00')", f"{SIZE + 1} statements"),
    "an object before the first": ("INSERT INTO statements VALUES (-1, x'00')", f"{SIZE + 1} statements"),
    "an entry before the first": (
        "INSERT INTO entries SELECT -1, kind, x'00', signer, signature, x'00', subject FROM entries WHERE idx = 0",
        f"entry {SIZE} is missing",
    ),
    "a node's index": ("UPDATE nodes SET idx = 99 WHERE level = 1 AND idx = 3", "node 3 of level 1 of its tree is missing"),
    "a node's level": ("UPDATE nodes SET level = 9 WHERE level = 1 AND idx = 3", "node 3 of level 1 of its tree is missing"),
    "a node too many": ("INSERT INTO nodes VALUES (1, 10, zeroblob(32))", "node 10 of level 1 of its tree is too much"),
    "a node of a level too many": ("INSERT INTO nodes VALUES (5, 0, zeroblob(32))", f"{NODES + 1} nodes"),
    "a node before the first": ("INSERT INTO nodes VALUES (1, -1, zeroblob(32))", "node 0 of level 1 of its tree is missing"),
    "a node of no level": ("INSERT INTO nodes VALUES ('x', 0, zeroblob(32))", f"{NODES + 1} nodes"),
    "the first checkpoint gone": ("DELETE FROM checkpoints WHERE size = 0", "no checkpoint of 0"),
    "the last checkpoint gone": (f"DELETE FROM checkpoints WHERE size = {SIZE}", f"{SIZE} entries and no checkpoint"),
    "a checkpoint too many": ("INSERT INTO checkpoints SELECT 99, note FROM checkpoints WHERE size = 5", "checkpoint of 99"),
    "a checkpoint before the first": ("INSERT INTO checkpoints SELECT -1, note FROM checkpoints WHERE size = 0", "no checkpoint of 0"),
    "another size's checkpoint": (
        "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 7) WHERE size = 6", "checkpoint of 6 .* is one of 7",
    ),
    "a checkpoint's size": ("UPDATE checkpoints SET size = 20 WHERE size = 6", "checkpoint of 20 .* is one of 6"),
    "a checkpoint that is text": ("UPDATE checkpoints SET note = 'x' WHERE size = 6", "checkpoint of 6 "),
    "a cosigned checkpoint gone": ("DELETE FROM checkpoints WHERE size = 5", "cosignature of 5 "),
    "a cosignature of another size": ("UPDATE cosignatures SET size = 6 WHERE witness LIKE 'w1%' AND size = 5", "cosignature of 6 "),
    "a cosignature of no checkpoint": ("UPDATE cosignatures SET size = 19 WHERE size = 10", "cosignature of 19 "),
    "a cosignature too early": ("UPDATE cosignatures SET size = -1 WHERE size = 10", "cosignature of -1 "),
    "another witness's name": ("UPDATE cosignatures SET witness = replace(witness, 'w1.', 'w3.') WHERE size = 5", "cosignature of 5 "),
    "a witness that is none": ("UPDATE cosignatures SET witness = 'x' WHERE witness LIKE 'w1%' AND size = 5", "cosignature of 5 "),
    "another witness's line": (
        "UPDATE cosignatures SET line = (SELECT line FROM cosignatures WHERE witness LIKE 'w2%' AND size = 5) "
        "WHERE witness LIKE 'w1%' AND size = 5", "cosignature of 5 ",
    ),
    "a line twice": ("UPDATE cosignatures SET line = line || line WHERE witness LIKE 'w1%' AND size = 10", "cosignature of 10 "),
    "a line without its end": ("UPDATE cosignatures SET line = rtrim(line, char(10)) WHERE witness LIKE 'w1%' AND size = 10", "cosignature of 10 "),
    "no line": ("UPDATE cosignatures SET line = '' WHERE witness LIKE 'w1%' AND size = 10", "cosignature of 10 "),
    "a line that is bytes": ("UPDATE cosignatures SET line = x'00' WHERE witness LIKE 'w1%' AND size = 10", "cosignature of 10 "),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_named(path, name):
    sql, words = DAMAGE[name]
    execute(path, sql)
    with pytest.raises(CorruptStoreError, match=words) as err:
        check(path)
    assert "\n" not in str(err.value)


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in BLOBS.items() for column in columns]
)
@pytest.mark.parametrize("value", ["zeroblob(32)", "x''", "'text'", "7", "flipped"])
def test_each_column_of_each_row_is_checked(path, table, column, value):
    """The first row, the last one, and some between; the whole value, or one bit of it."""
    with closing(sqlite3.connect(path)) as db:
        keys = {"entries": "idx", "statements": "idx", "checkpoints": "size", "nodes": "level, idx"}[table]
        rows = db.execute(f"SELECT {column}, {keys} FROM {table} ORDER BY {keys}").fetchall()
    for data, *key in (rows[0], rows[1], rows[len(rows) // 2], rows[-1]):
        where = " AND ".join(f"{name} = {at}" for name, at in zip(keys.split(", "), key, strict=True))
        new = value
        if value == "flipped":
            new = f"x'{data[:-9].hex()}{data[-9] ^ 1:02x}{data[-8:].hex()}'"
        execute(path, f"UPDATE {table} SET {column} = {new} WHERE {where}")
        named = {"nodes": "node {1} of level {0} "}.get(table, "{0}").format(*key)
        with pytest.raises(CorruptStoreError, match=named):
            check(path)
        execute(path, f"UPDATE {table} SET {column} = x'{data.hex()}' WHERE {where}")
    assert check(path).entries == SIZE


def test_two_rows_exchanged(path):
    swap = (
        "UPDATE statements SET idx = CASE idx WHEN 4 THEN -8 ELSE -4 END WHERE idx IN (4, 8)",
        "UPDATE statements SET idx = -idx WHERE idx < 0",
    )
    execute(path, *swap)
    with pytest.raises(CorruptStoreError, match="entry 4"):
        check(path)
    execute(path, *swap)
    assert check(path).entries == SIZE
    execute(
        path,
        "UPDATE nodes SET idx = CASE idx WHEN 2 THEN -3 ELSE -2 END WHERE level = 1 AND idx IN (2, 3)",
        "UPDATE nodes SET idx = -idx WHERE idx < 0",
    )
    with pytest.raises(CorruptStoreError, match="node 2 of level 1"):
        check(path)


def test_an_object_that_was_replaced_with_everything_that_hangs_on_it(path):
    """Object, columns and nodes agree with each other: only what the log signed tells."""
    log = opened(path)
    other = Log.create(path.parent / "other.db", NAME, LOG)
    kinds = [(kind, envelope) for _, kind, envelope in log.entries()]
    kinds[4] = (KINDS[0], signed(777))
    for kind, envelope in kinds:
        other.submit(kind, envelope)
    log.close()
    other.close()
    execute(
        path,
        f"ATTACH '{path.parent / 'other.db'}' AS other",
        *(f"DELETE FROM main.{table}" for table in ("entries", "statements", "nodes")),
        *(f"INSERT INTO main.{table} SELECT * FROM other.{table}" for table in ("entries", "statements", "nodes")),
    )
    with pytest.raises(CorruptStoreError, match="first 5 entries do not hash"):
        check(path)


def test_an_entry_whose_signature_does_not_hold(path):
    """The log itself took it, and signed: only fsck, monitors and readers see."""
    from wmproto.wire.compose import compose_envelope

    bad = compose_envelope(sample(50).payload, OWNER.public, STRANGER.sign(b"whatever"))
    log = Log.open(path, LOG)
    with pytest.raises(SignatureError):
        log.submit("key", bad)
    import wmproto.registry.submission as module

    real = module.verify_envelope
    module.verify_envelope = lambda envelope: envelope.payload
    try:
        log.submit("key", bad)
    finally:
        module.verify_envelope = real
        log.close()
    with pytest.raises(CorruptStoreError, match=f"entry {SIZE} does not hold"):
        check(path)


@pytest.mark.parametrize("sql", ["UPDATE meta SET value = 'log.test/2' WHERE name = 'origin'",
                                 "UPDATE meta SET name = 'x' WHERE name = 'origin'",
                                 f"UPDATE meta SET value = '{STRANGER.public.hex()}' WHERE name = 'public'",
                                 "UPDATE meta SET value = 'zz' WHERE name = 'public'",
                                 "UPDATE meta SET value = '9' WHERE name = 'schema'",
                                 "DELETE FROM meta",
                                 "DROP TABLE nodes", "DROP TABLE entries", "DROP TABLE checkpoints", "DROP TABLE meta"])  # fmt: skip
def test_a_log_that_does_not_know_itself(path, sql):
    with closing(sqlite3.connect(path)) as db:
        db.execute(sql)
        db.commit()
    with pytest.raises(CorruptStoreError):
        check(path)


# --- checkpoints that were kept elsewhere ------------------------------------------------------------------------


def test_a_log_must_have_grown_from_what_was_kept(path, tmp_path):
    log = opened(path)
    leaf = entry_leaf(WMPROTO_1, "key", signed(4, by=OWNER))
    kept = [log.checkpoint(), log.receipts([leaf], 9)[0], log.receipts([leaf], 5)[0]]
    notes = [note_in(data) for data in kept]
    assert fsck(log, notes).entries == SIZE
    log.close()
    execute(path, f"DELETE FROM checkpoints WHERE size = {SIZE - 3}")
    assert check(path, past=notes).checkpoints == SIZE - 2, "a checkpoint that is not there any more is as good"
    other = log_of(tmp_path / "other.db", range(4))
    with pytest.raises(CorruptStoreError, match="4 entries and has signed a checkpoint of 5"):
        fsck(other, notes[2:])
    grow(other, [sample(n) for n in range(4, 30)])
    with pytest.raises(CorruptStoreError, match="another root for its first 5 entries"):
        fsck(other, notes[2:])
    with pytest.raises(SignatureError):
        fsck(other, [head([], signer=STRANGER)])
    for bad in (b"", b"x", note_in(b"")):
        with pytest.raises(FormatError):
            fsck(other, [bad])
    other.close()


def test_a_file_that_is_no_receipt():
    with pytest.raises(FormatError):
        note_in(b"c2sp.org/tlog-proof@v1\nnonsense\n\n")
    with pytest.raises(UnsupportedError):
        note_in(b"c2sp.org/tlog-proof@v1\nextra x\nindex 0\n\n")


def test_a_file_cut_in_the_middle(path):
    data = path.read_bytes()
    for at in (len(data) // 4 * 1, len(data) // 4 * 3, len(data) - 4096):
        path.write_bytes(data[:at])
        with pytest.raises(RegistryError):
            check(path)
