"""At a terminal: progress bars, passphrase prompts, Ctrl-C; and what happens to a reader who leaves early."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
from town import PASS, WMPROTO, dispute, run, run_process, spawn

HASH = ("commit", "create", "new", "--key", "owner.key", "--leaves", 16384, "--classes", "a,b", "--shape", "16x16x3")


class Terminal:
    """A command whose stdin and stderr are a terminal; stdout is a pipe, as in ``wmproto ... > file``."""

    def __init__(self, *args, cwd, env=None) -> None:
        self.master, slave = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_PROGRESS": "", **(env or {})}
        self.process = spawn(*args, cwd=cwd, stdin=slave, stderr=slave, env=env, start_new_session=True)
        os.close(slave)
        self.seen = ""

    def read_until(self, words: str, seconds: float = 60) -> str:
        """Read until the words appear, or (for no words) until the command ends."""
        end = time.monotonic() + seconds
        while not (words and re.search(words, self.seen)):
            assert time.monotonic() < end, self.seen
            if not select.select([self.master], [], [], 0.1)[0]:
                assert self.process.poll() is None or not words, self.seen
                if self.process.poll() is not None:
                    break
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:  # the other side is closed
                break
            self.seen += data.decode(errors="replace")
        return self.seen

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> tuple[int, str, str]:
        """(exit code, stdout, everything on the terminal)."""
        seen = self.read_until("")
        out, _ = self.process.communicate(timeout=60)
        os.close(self.master)
        return self.process.returncode, out.decode(), seen


def test_a_progress_bar_shows_the_time_left_and_vanishes(home):
    code, out, seen = Terminal(*HASH, *PASS, cwd=home).end()
    assert code == 0
    assert re.fullmatch(r"key [0-9a-f]{64}\nnow: .*\n", out)
    assert "hashing the leaves" in seen
    assert re.search(r"\d+/16384", seen)
    assert re.search(r"\d:\d\d:\d\d", seen), "the time left"
    assert "\x1b[2K" in seen.split("16384/16384")[-1], "the line is wiped"


def test_there_is_no_progress_bar_without_a_terminal(home):
    result = run_process(*HASH, *PASS, cwd=home)
    assert (result.code, result.err) == (0, "")


def test_there_is_no_progress_bar_if_nobody_wants_one(home):
    code, _, seen = Terminal(*HASH, *PASS, cwd=home, env={"NO_PROGRESS": "1"}).end()
    assert (code, seen) == (0, "")


def test_ctrl_c_stops_a_progress_bar(home):
    terminal = Terminal(
        "commit", "create", "new", "--key", "owner.key", "--leaves", 65536, *HASH[7:-1], "99x99x3", *PASS, cwd=home
    )
    terminal.read_until(r"hashing the leaves.*\d/65536")
    terminal.process.send_signal(signal.SIGINT)
    code, out, seen = terminal.end()
    assert (code, out) == (130, "")
    assert seen.rstrip().endswith("wmproto: stopped")
    assert "\x1b[?25h" in seen, "the cursor is back"
    assert "Traceback" not in seen
    assert not (home / "new").exists()
    assert not list(home.rglob("*.tmp"))


def test_a_new_passphrase_is_asked_twice_and_never_shown(tmp_path):
    terminal = Terminal("key", "new", "new.key", "--role", "owner", cwd=tmp_path)
    terminal.read_until("new passphrase for new.key: ")
    terminal.type("open sesame\n")
    terminal.read_until(r"(?i)repeat for confirmation: ")
    terminal.type("open sesam\n")
    terminal.read_until("(?s)match.*new passphrase for new.key: ")
    terminal.type("open sesame\n")
    terminal.read_until(r"(?is)repeat.*repeat for confirmation: ")
    terminal.type("open sesame\n")
    code, out, seen = terminal.end()
    assert code == 0
    assert re.fullmatch(r"[0-9a-f]{64}\n", out)
    assert "sesam" not in seen
    (tmp_path / "pass.txt").write_text("open sesame\n")
    create = (
        "commit",
        "create",
        "k",
        "--key",
        "new.key",
        "--leaves",
        16,
        "--classes",
        "a,b",
        "--shape",
        "2x2x1",
        *PASS,
    )
    assert run(*create, cwd=tmp_path).code == 0


def test_a_wrong_passphrase_at_a_prompt(home):
    terminal = Terminal("commit", "create", "new", *HASH[3:5], "--leaves", 16, *HASH[7:], cwd=home)
    terminal.read_until("passphrase of owner.key: ")
    terminal.type("open sesame\n")
    code, out, seen = terminal.end()
    assert (code, out) == (2, "")
    assert "wmproto: error: owner.key: wrong passphrase" in seen
    assert "sesame" not in seen


@pytest.mark.parametrize("key", ["\x04", "\x03"], ids=["ctrl-d", "ctrl-c"])
def test_a_prompt_can_be_left(tmp_path, key):
    terminal = Terminal("key", "new", "new.key", "--role", "owner", cwd=tmp_path)
    terminal.read_until("new passphrase for new.key: ")
    if key == "\x03":
        terminal.process.send_signal(signal.SIGINT)
    else:
        terminal.type(key)
    code, out, seen = terminal.end()
    assert (code, out) == (130, "")
    assert seen.rstrip().endswith("wmproto: stopped")
    assert not list(tmp_path.iterdir())


def test_each_key_file_is_asked_for_by_name(home):
    args = dispute("new.json", start=32)
    at = args.index("--passphrase-file")
    terminal = Terminal(*args[:at], *args[at + 2 :], cwd=home)
    for name in ("log", "owner", "respondent", "arbitrator"):
        terminal.read_until(f"passphrase of {name}.key: ")
        terminal.type("correct horse battery staple\n" if name != "arbitrator" else "wrong\n")
    code, out, seen = terminal.end()
    assert (code, out) == (2, "")
    assert "wmproto: error: arbitrator.key: wrong passphrase" in seen
    assert not (home / "new.json").exists()


# --- pipes


def test_a_reader_who_leaves_early_is_no_error(home):
    process = spawn("dispute", "audit", "first.json", cwd=home)
    process.stdout.close()
    err = process.stderr.read()
    assert (process.wait(), err) == (141, b"")


def test_a_reader_who_leaves_the_help_early_is_no_error(home):
    process = spawn("dispute", "run", "--help", cwd=home)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait()


def test_what_cannot_be_written_is_one_line(home):
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [WMPROTO, "dispute", "audit", "first.json"], cwd=home, stdout=full, stderr=subprocess.PIPE
        )
    assert process.returncode == 2
    assert process.stderr == b"wmproto: error: cannot write the output: no space left on device\n"


def test_an_old_terminal_shows_what_it_can(home):
    create = ("commit", "create", "日本", *HASH[3:5], "--leaves", 16, "--classes", "猫,größe", *HASH[9:], *PASS)
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    process = subprocess.run([WMPROTO, *map(str, create)], cwd=home, env=env, capture_output=True)
    assert (process.returncode, process.stderr) == (0, b"")
    assert b"\\u65e5\\u672c/statement.json" in process.stdout
    shown = subprocess.run([WMPROTO, "key", "show", "日本", "--json"], cwd=home, env=env, capture_output=True)
    assert json.loads(shown.stdout)["classes"] == ["猫", "größe"]
    wrong = subprocess.run([WMPROTO, "key", "show", "日"], cwd=home, env=env, capture_output=True)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(b"wmproto: error: there is no key file at '\\u65e5'\n")


def test_names_of_bytes_that_are_no_text(home):
    name = os.fsdecode(b"schl\xfcssel")
    (home / name).write_bytes(b"x")
    shown = subprocess.run([WMPROTO, "key", "show", os.fsencode(name)], cwd=home, capture_output=True)
    assert shown.returncode == 3
    assert b"Traceback" not in shown.stderr
    new = subprocess.run(
        [WMPROTO, "key", "new", b"\xfc.key", "--role", "owner", *PASS, "--json"], cwd=home, capture_output=True
    )
    assert (new.returncode, new.stderr) == (0, b"")
    assert json.loads(new.stdout)["role"] == "owner"
