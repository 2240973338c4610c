"""The commands around tiles, monitors, forks and fsck."""

import json
import shutil
import signal
import sqlite3
import time
from contextlib import closing

import pytest
from log_samples import LOG, NAME, STRANGER, signer
from published import KEY, grow, head, log_of, naive_files, objects, put, read, sample
from serving import serve_static
from town import check_error, run, spawn

from wmproto.crypto.merkle import leaf_hash
from wmproto.registry.cosignature import WitnessKey
from wmproto.registry.fork import make_fork
from wmproto.registry.log import Log
from wmproto.registry.note import Note
from wmproto.registry.writing import sign_note

POLICY = f"log {KEY}\nquorum none\n"


@pytest.fixture
def home(tmp_path):
    """A log of five entries, its files, and a policy."""
    log_of(tmp_path / "log.db", range(5)).close()
    (tmp_path / "policy").write_text(POLICY)
    return tmp_path


def extend(home, *numbers):
    log = Log.open(home / "log.db", LOG)
    grow(log, [sample(n) for n in numbers])
    log.close()


def export(home, out="out", code=0):
    result = run("registry", "export", "log.db", out, "--tiles", cwd=home)
    assert result.code == code, result.err
    return result


def monitor(home, source="out", *more):
    return run("registry", "monitor", source, "--policy", "policy", "--state", "state", *more, cwd=home)


def test_a_log_is_exported_served_and_followed(home):
    assert export(home).out.strip() == str(KEY)
    assert read(home / "out").keys() == naive_files(objects(range(5))).keys()
    with serve_static(home / "out") as url:
        first = monitor(home, url)
        assert (first.code, first.err) == (0, "")
        for word in ("log.test/1", "first look", "5 entries with root", "new     5 entries", "policy"):
            assert word in first.out
        extend(home, 5, 6)
        assert run("registry", "export", "log.db", "out", "--tiles", "--json", cwd=home).json()["entries"] == 7
        second = monitor(home, url, "--json").json()
    assert (second["old"]["size"], second["seen"]["size"], second["new"]) == (5, 7, 2)
    assert (second["bad"], second["stale"], second["unwitnessed"], second["log"]) == ([], False, None, NAME)
    assert len(second["policy"]) == 64


def test_a_fork_is_said_loudly_and_anybody_can_check_it(home):
    export(home)
    monitor(home)
    log_of(home / "two.db", (0, 1, 9)).close()
    run("registry", "export", "two.db", "two", "--tiles", cwd=home)
    result = monitor(home, "two")
    check_error(
        result, 1, "FORK: the log log.test/1 has signed two pasts: 5 entries with root .* and 3 entries with root"
    )
    assert "rule: reg-monitor-2; at fault: registry" in result.err
    [path] = (home / "state").glob("fork-*.json")
    assert path.name in result.err
    told = run("registry", "check-fork", path, "--log", KEY, cwd=home)
    assert (told.code, told.err) == (0, "")
    for word in ("has forked", "older  3 entries", "newer  5 entries", "nothing about anybody else"):
        assert word in told.out
    data = run("registry", "check-fork", path, "--log", KEY, "--json", cwd=home).json()
    assert (data["older"]["size"], data["newer"]["size"], data["log"]) == (3, 5, NAME)


def test_false_evidence(home):
    leaves = [leaf_hash(entry) for entry, _ in objects(range(9))]
    other = [leaf_hash(entry) for entry, _ in objects((0, 1, 50))]
    good = make_fork(KEY, head(other), head(leaves), leaves)
    value = json.loads(good)
    value["older"] = head(leaves[:3]).decode()
    cases = {"honest": (json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode(), 1),
             "cut": (good[:-9], 3), "proof": (good.replace(b'"proof":["', b'"proof":["AAAA'), 3)}  # fmt: skip
    for name, (data, code) in cases.items():
        (home / name).write_bytes(data)
        check_error(run("registry", "check-fork", name, "--log", KEY, cwd=home), code, ".", hint=False)
    check_error(run("registry", "check-fork", "none", "--log", KEY, cwd=home), 2, "there is no fork evidence")
    check_error(run("registry", "check-fork", "cut", "--log", "x", cwd=home), 2, "--log")


def test_a_stale_log(home):
    extend(home, 5, 6)
    export(home)
    monitor(home)
    put(home / "old", naive_files(objects(range(5))))
    result = monitor(home, "old")
    assert result.code == 5
    assert "shows 5 entries and has shown 7: it is stale" in result.err
    assert "the log has signed more than it shows" in result.out
    assert monitor(home, "old", "--json").json()["stale"] is True


def test_bad_entries_and_a_missing_quorum(home):
    put(home / "bad", naive_files([*objects([0]), (b"gossip", None), *objects([1]), (b"more", None)]))
    result = monitor(home, "bad")
    assert result.code == 5
    lines = result.err.splitlines()
    assert [line.split(":")[2].strip() for line in lines] == ["entry 1 counts for nobody", "entry 3 counts for nobody"]
    (home / "policy").write_text(f"log {KEY}\nwitness w w.example+e4c5ea1e+BHx\nquorum none\n")
    check_error(monitor(home, "bad"), 3, "log policy, line 2")
    from wmproto.registry.cosignature import WitnessKey

    (home / "policy").write_text(f"log {KEY}\nwitness w {WitnessKey('w.example', sample(0).signer)}\nquorum w\n")
    result = monitor(home, "bad")
    assert (result.code, "lacks the quorum" in result.err) == (5, True)
    assert "entries of earlier looks that count for nobody: 2; move them out of state/bad" in result.err
    assert monitor(home, "bad", "--json").json()["bad_before"] == 2
    (home / "state" / "bad").rename(home / "seen")
    result = monitor(home, "bad")
    assert (result.code, "count for nobody" in result.err) == (15, False)
    assert monitor(home, "bad", "--json").json()["unwitnessed"]


def test_wrong_calls(home):
    export(home)
    check_error(monitor(home, "nowhere"), 2, "nowhere is no folder")
    check_error(monitor(home, "ftp://x"), 2, "is no source")
    check_error(monitor(home, "out", "--policy", "none"), 2, "there is no log policy")
    (home / "policy").write_text("quorum none\n")
    check_error(monitor(home), 2, "names no log")
    assert not (home / "state").exists()
    (home / "empty").mkdir()
    (home / "policy").write_text(POLICY)
    check_error(monitor(home, "empty"), 5, "lacks checkpoint")
    check_error(
        run("registry", "serve-static", "empty", "--listen", "127.0.0.1:0", cwd=home), 2, "holds no files of a log"
    )
    check_error(run("registry", "serve-static", "out", "--listen", "nonsense", cwd=home), 2, "listen")
    check_error(run("registry", "export", "log.db", "policy", "--tiles", cwd=home), 2, "policy")


def test_damaged_files_are_no_fork(home):
    export(home)
    path = home / "out" / "tile" / "0" / "000.p" / "5"
    path.write_bytes(bytes(160))
    check_error(monitor(home), 5, "do not hash to the checkpoint of 5 entries")
    assert not list((home / "state").glob("fork*"))


def test_a_monitor_that_goes_on_until_it_is_stopped_or_the_log_forks(home):
    export(home)
    process = spawn("registry", "monitor", "out", "--policy", "policy", "--state", "state", "--every", 1, cwd=home)
    wait_for(lambda: size_in(home) == 5)
    (home / "out" / "checkpoint").rename(home / "away")
    time.sleep(1.2)  # a look that fails, and is told
    (home / "away").rename(home / "out" / "checkpoint")
    extend(home, 5, 6)
    export(home)
    wait_for(lambda: size_in(home) == 7)
    put(home / "out", naive_files(objects((0, 1, 50))))
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"lacks checkpoint" in err
    assert b"FORK" in err
    assert b"new     2 entries" in out
    for path in (home / "state").glob("fork-*.json"):
        path.unlink()
    put(home / "out", naive_files(objects(range(7))))
    shutil.rmtree(home / "state" / "pending")
    process = spawn("registry", "monitor", "out", "--policy", "policy", "--state", "state", "--every", 1, cwd=home)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


def size_in(home):
    path = home / "state" / "checkpoint"
    return int(path.read_bytes().split(b"\n")[1]) if path.exists() else None


def wait_for(there):
    for _ in range(400):
        if there():
            return
        time.sleep(0.05)
    raise TimeoutError


def test_fsck(home):
    whole = run("registry", "fsck", "log.db", cwd=home)
    assert (whole.code, whole.err) == (0, "")
    assert whole.out.startswith("whole: 5 entries, 8 nodes, 2 checkpoints")
    export(home)
    extend(home, 5, 6)
    kept = run("registry", "fsck", "log.db", "--past", "out/checkpoint", "--json", cwd=home).json()
    assert (kept["entries"], kept["past"], kept["vkey"]) == (7, 1, str(KEY))
    (home / "receipt").write_text(run("registry", "prove", "log.db", 3, cwd=home).out)
    log_of(home / "old.db", range(6)).close()
    check_error(
        run("registry", "fsck", "old.db", "--past", "receipt", cwd=home),
        5,
        "6 entries and has signed a checkpoint of 7",
    )
    check_error(run("registry", "fsck", "old.db", "--past", "policy", cwd=home), 3, "note", hint=False)
    check_error(run("registry", "fsck", "none.db", cwd=home), 5, "there is no log")
    with closing(sqlite3.connect(home / "log.db")) as db:
        db.execute("UPDATE nodes SET hash = zeroblob(32) WHERE level = 1 AND idx = 1")
        db.commit()
    check_error(
        run("registry", "fsck", "log.db", cwd=home), 5, "node 1 of level 1 of its tree is not what stands below it"
    )


@pytest.mark.parametrize("says", ["another key", "not a note", "another log"])
def test_exit_code_1_means_a_fork_and_nothing_else(home, says):
    """Any server in between can show other bytes: that is its fault, and proves nothing."""
    export(home)
    command = ("registry", "monitor", "out", "--policy", "policy", "--state", "state")
    assert run(*command, cwd=home).code == 0
    path = home / "out" / "checkpoint"
    other = {
        "another key": sign_note(Note.parse(path.read_bytes()).text, NAME, STRANGER),
        "not a note": b"hello\n",
        "another log": sign_note("other/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", "other/1", STRANGER),
    }
    path.write_bytes(other[says])
    check_error(run(*command, cwd=home), 5, "what is shown is no checkpoint to follow: ", hint=False)


def test_witnesses_are_asked_and_named(home):
    """One that does not answer is a warning; one that has seen more makes the files stale."""
    export(home)
    policy = (home / "policy").read_text()
    key = WitnessKey("w.test", signer("w").public)
    (home / "asking").write_text(f"{policy}witness w {key} http://127.0.0.1:1\n")
    result = run("registry", "monitor", "out", "--policy", "asking", "--state", "state", "--json", cwd=home)
    assert (result.code, list(result.json()["silent"])) == (0, ["w"])
    assert "warning: the witness w does not show its head: it cannot be reached" in result.err


def test_a_host_that_is_no_name(home):
    for url in ("http://a..b/", f"http://{'a' * 70}.example/"):
        command = ("registry", "monitor", url, "--policy", "policy", "--state", "state")
        check_error(run(*command, cwd=home), 5, "does not give checkpoint")
