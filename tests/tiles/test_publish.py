"""A log as files: what is written, that it is the same log, and that nothing else ever stands there."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from log_samples import LOG, NAME, OWNER, STRANGER, naive_root, signed
from published import KEY, grow, log_of, naive_files, objects, read, sample
from tlog_scales import reader as scales
from tlog_scales.backend import LocalBackend

from wmproto.crypto.merkle import leaf_hash
from wmproto.errors import ConfigError, CorruptStoreError, RegistryError
from wmproto.registry.checkpoint import verify_checkpoint
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.log import Log
from wmproto.registry.note import Note
from wmproto.registry.publish import publish
from wmproto.registry.receipt import Receipt
from wmproto.registry.tiles import is_path
from wmproto.registry.writing import sign_cosignature
from wmproto.wire import writing

SIZES = (0, 1, 255, 256, 257, 511)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Size -> (a fresh export of that size, a copy of the one that grew so far), as (folder, files)."""
    home = tmp_path_factory.mktemp("exports")
    log, found = Log.create(home / "log.db", NAME, LOG), {}
    size = 0
    for size, after in zip((0, *SIZES), SIZES, strict=False):
        if after > size:
            grow(log, [sample(n) for n in range(size, after)])
        publish(log, home / f"fresh {after}")
        publish(log, home / "grown")
        found[after] = (home / f"fresh {after}", read(home / f"fresh {after}"), read(home / "grown"))
    log.close()
    return found


@pytest.mark.parametrize("size", SIZES)
def test_the_files_are_those_of_the_specification(exports, size):
    _, files, _ = exports[size]
    assert files == naive_files(objects(range(size)), files["checkpoint"])
    assert all(map(is_path, files))
    assert verify_checkpoint(files["checkpoint"], KEY).size == size


@pytest.mark.parametrize("size", SIZES)
def test_an_export_that_grew_holds_every_file_of_a_fresh_one(exports, size):
    _, fresh, grown = exports[size]
    assert fresh.items() <= grown.items()
    assert all(".p/" in name for name in grown.keys() - fresh.keys())


@pytest.mark.parametrize("size", SIZES[1:])
def test_an_independent_reader_reads_the_same_tree(exports, size):
    folder, _, _ = exports[size]
    tree = scales.TilesReader(LocalBackend(folder))
    tree.set_size(size)
    leaves = [leaf_hash(entry) for entry, _ in objects(range(size))]
    assert tree.calculate_root_hash() == naive_root(leaves)
    for index in {0, size // 2, size - 1}:
        assert tree.get_entry(index) == objects([index])[0][0]
        tree.get_inclusion_proof(index, size).check(leaves[index], naive_root(leaves))
        tree.get_consistency_proof(index + 1, size).check(naive_root(leaves[: index + 1]), naive_root(leaves))


def test_receipts_of_the_log_lead_to_the_checkpoint_of_the_files(exports, tmp_path):
    log = log_of(tmp_path / "log.db", range(5))
    publish(log, tmp_path / "out")
    [receipt] = log.receipts([leaf_hash(objects([3])[0][0])])
    assert Receipt.parse(receipt).note == (tmp_path / "out" / "checkpoint").read_bytes()
    log.close()


def test_cosignatures_are_published_and_come_later_too(tmp_path):
    log = log_of(tmp_path / "log.db", range(3))
    publish(log, tmp_path / "out")
    witness = WitnessKey("w.example", STRANGER.public)
    text = Note.parse(log.checkpoint()).text
    log.keep_cosignatures(3, {witness: sign_cosignature(text, witness, STRANGER, 7)})
    publish(log, tmp_path / "out")
    assert Note.parse((tmp_path / "out" / "checkpoint").read_bytes()).signed_by(witness)
    log.close()


def test_one_statement_signed_by_two_is_one_file(tmp_path):
    log = Log.create(tmp_path / "log.db", NAME, LOG)
    grow(log, [signed(0, by=OWNER), signed(0, by=STRANGER)])
    publish(log, tmp_path / "out")
    assert len([name for name in read(tmp_path / "out") if name.startswith("statement/")]) == 1
    log.close()


# --- interruptions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_export_goes_on_after_every_interruption(tmp_path, monkeypatch, when):
    """Each write fails in turn, before its effect or after; no head ever stands without its tiles."""
    log = log_of(tmp_path / "log.db", range(3))
    whole = None
    for failing in range(100):
        out, count = tmp_path / f"out {failing}", 0

        def broken(*args, real, failing=failing):
            nonlocal count
            count += 1
            if count - 1 == failing and when == "before":
                raise ConfigError("the disk is full")
            real(*args)
            if count - 1 == failing and when == "after":
                raise ConfigError("the disk is full")

        with monkeypatch.context() as patch:
            real = writing._install
            patch.setattr(writing, "_install", lambda *args, broken=broken, real=real: broken(*args, real=real))
            try:
                publish(log, out)
                whole = read(out)
            except ConfigError:
                if (out / "checkpoint").exists():
                    assert when == "after"
                    assert len(read(out)) == count
        if whole is not None:
            break
        publish(log, out)
        assert read(out) == naive_files(objects(range(3)), read(out)["checkpoint"])
    assert whole is not None
    assert failing >= 5
    log.close()


def test_a_killed_export_goes_on(tmp_path):
    log = log_of(tmp_path / "log.db", range(300))
    code = (
        "import sys; from pathlib import Path; from wmproto.registry.log import Log;"
        "from wmproto.registry.publish import publish;"
        "publish(Log.open(Path(sys.argv[1])), Path(sys.argv[2]))"
    )
    for seconds in (0.02, 0.08):
        run = subprocess.Popen([sys.executable, "-c", code, tmp_path / "log.db", tmp_path / "out"])
        wait_for(tmp_path / "out" / "tile")
        time.sleep(seconds)
        run.kill()
        run.wait()
    publish(log, tmp_path / "out")
    files = {
        name: data for name, data in read(tmp_path / "out").items() if not name.rpartition("/")[2].startswith(".wm")
    }
    assert files == naive_files(objects(range(300)), files["checkpoint"])
    log.close()


def wait_for(path):
    for _ in range(2000):
        if path.exists():
            return
        time.sleep(0.01)
    raise TimeoutError(path)


def test_two_exports_at_once_are_not_let_in(tmp_path):
    log = log_of(tmp_path / "log.db", range(2))
    hits = []

    def inside(done, total):
        with pytest.raises(RegistryError, match="another process"):
            publish(log, tmp_path / "out")
        hits.append((done, total))

    publish(log, tmp_path / "out", inside)
    assert hits == [(2, 2)]
    publish(log, tmp_path / "out")
    log.close()


# --- what is refused --------------------------------------------------------------------------------------------


def refused(log, out, kind=CorruptStoreError, match=""):
    before = read(out)
    with pytest.raises(kind, match=match):
        publish(log, out)
    assert read(out) == before


def test_a_smaller_log_or_another_past_never_replaces_a_checkpoint(tmp_path):
    log = log_of(tmp_path / "log.db", range(5))
    publish(log, tmp_path / "out")
    log.close()
    for name, numbers in (("rolled back", range(4)), ("forked", (0, 1, 2, 3, 9, 10)), ("same size", (0, 1, 2, 3, 9))):
        other = log_of(tmp_path / f"{name}.db", numbers)
        refused(other, tmp_path / "out", match="has not grown from the checkpoint of 5")
        other.close()


def test_another_logs_or_peoples_folders_are_left_alone(tmp_path):
    log = log_of(tmp_path / "log.db", range(2))
    other = log_of(tmp_path / "other.db", range(2), signer=STRANGER)
    publish(other, tmp_path / "out")
    refused(log, tmp_path / "out", ConfigError, "no checkpoint of this log")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    refused(log, tmp_path / "mine", ConfigError, "other files")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError):
        publish(log, tmp_path / "file")
    with pytest.raises(ConfigError):
        publish(log, tmp_path / "no" / "parent")
    log.close()
    other.close()


def test_a_changed_file_is_named_and_not_replaced(tmp_path):
    log = log_of(tmp_path / "log.db", range(3))
    publish(log, tmp_path / "whole")
    for name in read(tmp_path / "whole"):
        if name == "checkpoint":
            continue
        for change in (lambda data: data + b"x", lambda data: data[:-1], lambda data: bytes([data[0] ^ 1]) + data[1:]):
            out = tmp_path / "out"
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(tmp_path / "whole", out)
            (out / "checkpoint").unlink()  # as if interrupted: so everything is compared
            path = out / name
            path.write_bytes(change(path.read_bytes()))
            refused(log, out, match=path.name)
    log.close()


@pytest.mark.parametrize(
    "sql",
    ["UPDATE statements SET envelope = (SELECT envelope FROM statements WHERE idx = 1) WHERE idx = 2",
     "UPDATE statements SET envelope = x'7b7d' WHERE idx = 0",
     "UPDATE entries SET kind = 'release' WHERE idx = 1",
     "DELETE FROM statements WHERE idx = 2",
     "UPDATE nodes SET hash = zeroblob(32) WHERE level = 0 AND idx = 1",
     "UPDATE nodes SET hash = zeroblob(32) WHERE level = 0 AND idx = 258",
     "UPDATE nodes SET hash = zeroblob(32) WHERE level = 8 AND idx = 0",
     "DELETE FROM nodes WHERE level = 0 AND idx = 7"],
)  # fmt: skip
def test_a_damaged_log_publishes_no_head(tmp_path, sql):
    path = tmp_path / "log.db"
    log = log_of(path, range(260))
    with closing(sqlite3.connect(path)) as db:
        db.execute(sql)
        db.commit()
    with pytest.raises(CorruptStoreError):
        publish(log, tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint").exists()
    whole = naive_files(objects(range(260)))
    assert all(whole[name] == data for name, data in read(tmp_path / "out").items()), "what was written is right"
    log.close()


def test_modes_are_those_of_files_for_everybody(tmp_path):
    log = log_of(tmp_path / "log.db", range(1))
    publish(log, tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.name != ".lock":
            assert path.stat().st_mode & 0o777 == 0o644 & ~umask()
    log.close()


def umask():
    old = os.umask(0)
    os.umask(old)
    return old


def test_statements_are_found_by_their_hash(exports):
    _, files, _ = exports[257]
    statements = {name: data for name, data in files.items() if name.startswith("statement/")}
    assert len(statements) == 257
    assert all(Path(name).name == sha256(data).hexdigest() for name, data in statements.items())
