"""A command that is cut off leaves nothing half written, and the same command, given again, goes on or starts anew."""

import errno
import json
import os
import signal
import stat
import time
from unittest import mock

import pytest
from town import PASS, check_error, dispute, run, snapshot, spawn

from wmproto.dispute.transcript import Transcript
from wmproto.registry.log import Log
from wmproto.wire import writing

STOPPED = b"wmproto: stopped\n"


def logged(home, kind):
    log = Log.open(home / "registry.db")
    try:
        return len(log.entries(kind))
    finally:
        log.close()


class CutOff:
    """``replace`` that stops the command at its n-th call: before the file is written, or after."""

    def __init__(self, at: int, *, before: bool) -> None:
        self.left, self.before, self.real = at, before, writing.replace

    def __call__(self, *args, **kw):
        self.left -= 1
        if self.left == 0 and self.before:
            raise KeyboardInterrupt
        self.real(*args, **kw)
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
def test_a_dispute_that_is_cut_off_at_each_step_goes_on_by_the_same_command(home, before):
    whole = dispute("new.json", "--release", "release.json", start=32, count=64)
    admits, steps, attempts = logged(home, "admit"), 0, 0
    while True:
        attempts += 1
        with mock.patch.object(writing, "replace", CutOff(2 if before else 1, before=before)):
            result = run(*whole, cwd=home)
        if result.code == 0:
            break
        assert (result.code, result.stdout) == (130, b"")
        assert result.stderr.endswith(STOPPED)
        transcript = Transcript.parse((home / "new.json").read_bytes())  # never half a file
        assert len(transcript.steps) >= steps
        steps = len(transcript.steps)
        assert run("dispute", "audit", "new.json", cwd=home).code == 15  # what is there so far is no false evidence
        assert logged(home, "admit") <= admits + 1
    assert attempts > 10
    assert (logged(home, "admit"), logged(home, "decide")) == (admits + 1, 2)
    asked = [s for s in Transcript.parse((home / "new.json").read_bytes()).steps if b":ask/1" in s.message.payload]
    assert len(asked) in (2, 3), "no round is asked twice"
    assert run("registry", "export", "registry.db", "log-copy.jsonl", cwd=home).code == 0
    audit = ("dispute", "audit", "new.json", "--trust", "trust.json", "--log-copy", "log-copy.jsonl", "--json")
    audited = run(*audit, cwd=home)
    assert audited.code == 0
    assert audited.json()["findings"] == []
    assert not list(home.rglob("*.tmp"))


def test_a_dispute_that_is_cut_off_while_the_model_answers_asks_no_leaf_twice(home):
    from wmproto.models import EscrowSuspect

    asked: list[bytes] = []
    real = EscrowSuspect.answer

    def answer(self, inputs):
        if len(asked) == 20:
            asked.append(b"")
            raise KeyboardInterrupt
        asked.append(inputs)
        return real(self, inputs)

    with mock.patch.object(EscrowSuspect, "answer", answer):
        assert run(*dispute("new.json", start=32), cwd=home).code == 130
        assert run(*dispute("new.json", start=32), cwd=home).code == 0
    answered = json.loads(run("dispute", "replay", "new.json", "--model", "marked.safetensors", "--json", cwd=home).out)
    # The round that was cut off is asked of the model again, the same leaves, before any of them is opened.
    assert answered["answered"] == len(asked) - 1 - 4
    assert len(set(asked) - {b""}) == answered["answered"]


def test_after_a_cut_off_another_range_is_not_taken_by_mistake(home):
    with mock.patch.object(writing, "replace", CutOff(2, before=False)):
        assert run(*dispute("new.json", start=32), cwd=home).code == 130
    before = snapshot(home)
    check_error(run(*dispute("new.json", start=48), cwd=home), 2, "filed with --start 32")
    check_error(run(*dispute("new.json", start=32, arbitrator="other.key"), cwd=home), 2, "no arbitrator key at")
    assert snapshot(home) == before
    assert run("key", "new", "other.key", "--role", "arbitrator", *PASS, cwd=home).code == 0
    check_error(run(*dispute("new.json", start=32, arbitrator="other.key"), cwd=home), 2, "another --arbitrator")
    assert run("key", "new", "other2.key", "--role", "respondent", *PASS, cwd=home).code == 0
    check_error(run(*dispute("new.json", start=32, respondent="other2.key"), cwd=home), 2, "another --respondent")
    check_error(
        run(*dispute("new.json", "--holder", "respondent", start=32), cwd=home), 2, "filed with --holder escrow"
    )
    # A dispute that was filed and not admitted holds no range: another one may take it.
    assert run(*dispute("second.json", start=32), cwd=home).code == 0
    check_error(run(*dispute("new.json", start=32), cwd=home), 4, "are taken")


# --- a full disk


class Fails:
    """os.fsync that fails for the n-th file, as on a full disk."""

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(self, fd: int) -> None:
        self.calls += stat.S_ISREG(os.fstat(fd).st_mode)
        if self.calls == self.at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


LOG = ("--registry", "registry.db", "--log-key", "log.key")
MODEL = ("--model", "stranger.safetensors")
#: what it writes, what it may have changed when it fails halfway, and the command
WRITERS = {
    "key new": ("new.key", (), ("key", "new", "new.key", "--role", "owner", *PASS)),
    "registry new": ("new.db", (), ("registry", "new", "new.db", "--origin", "n/1", "--key", "new.key", *PASS)),
    "commit create": (
        "new",
        ("owner.key",),  # a context that was given out is used up
        ("commit", "create", "new", "--key", "owner.key", "--leaves", 16, "--classes", "a,b", "--pictures", "own", *PASS),
    ),
    "registry submit": (
        "new.proof",
        ("registry.db",),  # submitted is submitted: the same command again finds the entry
        ("registry", "submit", "registry.db", "fresh/statement.json", "--key", "log.key", "--receipt", "new.proof", *PASS),
    ),
    "registry export": ("new.jsonl", (), ("registry", "export", "registry.db", "new.jsonl")),
    "mark train": (
        "new.safetensors",
        ("new.safetensors.savepoint",),  # what was trained is not lost
        ("mark", "train", "mykey", "--key", "owner.key", "--data", "data.npz", "--seed", 1, "--epochs", 1, "--out", "new.safetensors", *PASS),
    ),
    "release record": (
        "r.proof",
        ("registry.db", "r.json"),
        ("release", "record", "mykey", "--key", "owner.key", *MODEL, *LOG, "--out", "r.json", "--receipt", "r.proof", *PASS),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_nothing_half_written(home, name):
    written, may_change, command = WRITERS[name]
    for at in range(1, 20):
        before = snapshot(home)
        failing = Fails(at)
        with mock.patch.object(os, "fsync", failing):
            result = run(*command, cwd=home)
        if result.code == 0:
            break
        check_error(result, 2, "no space left on device")
        after = snapshot(home)
        assert not [p for p in after if p.endswith(".tmp")]
        kept = {p: v for p, v in after.items() if p not in may_change}
        assert kept == {p: v for p, v in before.items() if p not in may_change}
        if (home / "r.json").exists():  # logged and signed, only the receipt is missing: it can be had again
            submit = ("registry", "submit", "registry.db", "r.json", "--key", "log.key", "--receipt", "r.proof", *PASS)
            assert run(*submit, cwd=home).code == 0
            break
        result = run("key", "show", "owner.key", cwd=home)
        assert result.code == 0
    assert at > 1
    assert (home / written).exists()


def test_a_log_that_cannot_be_made_leaves_no_key_behind(home):
    with mock.patch("sqlite3.connect", side_effect=OSError(errno.EIO, os.strerror(errno.EIO))):
        result = run("registry", "new", "new.db", "--origin", "n/1", "--key", "new.key", *PASS, cwd=home)
    check_error(result, 2, "input/output error", hint=False)
    assert not (home / "new.db").exists()
    assert not (home / "new.key").exists()


def test_a_folder_that_cannot_be_made_is_told_kindly(home):
    create = ("--key", "owner.key", "--leaves", 16, "--classes", "a,b", "--shape", "2x2x1", *PASS)
    result = run("commit", "create", "pass.txt/new", *create, cwd=home)
    check_error(result, 2, "cannot make the folder pass.txt/new: not a directory")


# --- Ctrl-C, in processes of their own


def wait_for(happened, process, seconds=60):
    end = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def stop(process):
    """Ctrl-C; returns what the process had said."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (process.returncode, err)
    assert out == b""
    assert err.strip() + b"\n" == STOPPED
    assert b"Traceback" not in err


def test_ctrl_c_while_leaves_are_hashed(home):
    key, before = (home / "owner.key").read_bytes(), snapshot(home)
    create = (
        "commit",
        "create",
        "new",
        "--key",
        "owner.key",
        "--leaves",
        65536,
        "--classes",
        "a,b",
        "--shape",
        "64x64x3",
    )
    process = spawn(*create, *PASS, cwd=home)
    wait_for(lambda: (home / "owner.key").read_bytes() != key, process)
    time.sleep(0.2)
    stop(process)
    after = snapshot(home)
    del before["owner.key"], after["owner.key"]  # it remembers a context that was never used
    assert after == before
    assert (
        run(
            "commit",
            "create",
            "new",
            *create[3:5],
            "--leaves",
            16,
            "--classes",
            "a,b",
            "--shape",
            "2x2x1",
            *PASS,
            cwd=home,
        ).code
        == 0
    )


@pytest.mark.slow
def test_ctrl_c_while_the_demo_plays(tmp_path):
    process = spawn("demo", "--fast", "--out", "out", cwd=tmp_path)
    wait_for((tmp_path / "out" / "registry.db").exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.count(b"\n") <= 3
    assert err.strip() + b"\n" == STOPPED
    assert not list(tmp_path.iterdir())
