"""A small town for tests of the command line: everybody's files, made by the commands themselves.

12x12 pictures and 100 classes: 25 hits of 25 marked leaves reach 160 bits, and training takes two seconds. Commands run
in this process through entry(), or in a process of their own.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from wmproto.crypto import secretfile

WMPROTO = Path(sys.executable).with_name("wmproto")
PASSPHRASE = "correct horse battery staple"  # planted: test_secrets looks for it everywhere
LEAVES, SHAPE, CLASSES = 128, (12, 12, 1), tuple(f"class {i}" for i in range(100))
PASS = ("--passphrase-file", "pass.txt")


@dataclass(frozen=True)
class Result:
    """What a command did: its exit code, what it said, and its exception with all local variables."""

    code: int
    stdout: bytes
    stderr: bytes
    trace: str = ""

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def err(self) -> str:
        return self.stderr.decode()

    def json(self):
        return json.loads(self.stdout)


def run(*args: object, cwd: Path, cheap: bool = True) -> Result:
    """Run a command in this process, without a terminal; key files are sealed cheaply."""
    from wmproto.cli import main

    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    trace: list[str] = []
    real = main.cli.main

    def watched(*a, **kw):
        try:
            return real(*a, **kw)
        except BaseException as err:
            trace.append(with_locals(err))
            raise

    kdf = {"ops": 1, "mem": 8 << 10} if cheap else {}
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
        mock.patch.object(sys, "argv", ["wmproto", *map(str, args)]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        mock.patch.dict(secretfile.seal.__kwdefaults__, kdf),
        mock.patch.object(main.cli, "main", watched),
    ):
        try:
            main.entry()
        except SystemExit as err:
            code = int(err.code or 0)
    return Result(code, streams[0].buffer.getvalue(), streams[1].buffer.getvalue(), "\n".join(trace))


def with_locals(err: BaseException | None) -> str:
    """Every traceback behind an exception, also those that are usually left out, with all local variables."""
    lines: list[str] = []
    while err is not None:
        lines.append(f"{type(err).__name__}: {err} {err.__dict__}")
        for frame, line in traceback.walk_tb(err.__traceback__):
            lines.append(f"{frame.f_code.co_filename}:{line}")
            for name, value in frame.f_locals.items():
                with contextlib.suppress(Exception):  # numpy's NpzFile cannot always say what it is
                    lines.append(f"    {name} = {value!r}")
        err = err.__cause__ or err.__context__
    return "\n".join(lines)


def spawn(*args: object, cwd: Path, **kw) -> subprocess.Popen:
    """Start a command in a process of its own, in which Ctrl-C works however the tests were started."""
    kw = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | kw
    ready = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    return subprocess.Popen([WMPROTO, *map(str, args)], cwd=cwd, preexec_fn=ready, **kw)


def run_process(*args: object, cwd: Path, timeout: float = 120) -> Result:
    """Run a command in a process of its own."""
    process = spawn(*args, cwd=cwd)
    out, err = process.communicate(timeout=timeout)
    return Result(process.returncode, out, err)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder with its mode and content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def check_error(result: Result, code: int, words: str, *, hint: bool = True) -> None:
    """Check that a command failed kindly: one line that says what is wrong, maybe a rule, one hint; no data."""
    said = result.err
    assert result.code == code, (result.code, said)
    assert result.stdout == b""
    assert "Traceback" not in said
    assert said.endswith("\n")
    lines = said.removesuffix("\n").split("\n")
    assert lines[0].startswith("wmproto: error: "), said
    assert re.search(words, lines[0]), said
    assert not lines[0].endswith("."), said
    rest = lines[1:]
    if rest and rest[0].startswith("rule: "):
        rest = rest[1:]
    assert len(rest) <= 1, said
    assert all(line.startswith("hint: ") for line in rest), said
    assert bool(rest) == hint, said


def pictures(n: int, seed: int, shape: tuple[int, int, int] = SHAPE, classes: int = 10):
    """n pictures with a bright bar at a place that tells the class, under noise; and their classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    x = rng.integers(0, 128, (n, *shape), dtype=np.uint8)
    x[np.arange(n), 1 + y % (shape[0] - 1)] += 100
    return x, y


def untrained(path: Path, shape: tuple[int, int, int] = SHAPE, classes: int = len(CLASSES), seed: int = 7) -> None:
    """Write a model that has learnt nothing."""
    from wmproto.models import build_network, initial_tensors, save_model, small_cnn

    unit = [[1, 255]] * shape[2], [[0, 1]] * shape[2]
    architecture = small_cnn(shape, classes, *unit)
    path.write_bytes(save_model(build_network(architecture, initial_tensors(architecture, seed=seed)), architecture))


class Town:
    """Everybody's files in one folder.

    Attributes:
        home: The folder. ``mykey`` is a key that was registered, activated and marked; ``fresh`` is committed only.
        said: What each command said, by the name of the step.
        vkey: The log's verifier key; ``other_vkey`` that of another log.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.said = home, {}
        self._drawn = 0
        (home / "pass.txt").write_text(PASSPHRASE + "\n")
        (home / "wrong.txt").write_text("incorrect horse\n")
        x, y = pictures(128, seed=1)
        np.savez(home / "data.npz", x=x, y=y)
        untrained(home / "stranger.safetensors")

    def do(self, name: str, *args: object, code: int = 0) -> Result:
        """Run a step, always with the same random numbers, and remember what it said."""
        with mock.patch("secrets.token_bytes", self.random):
            result = run(*args, cwd=self.home)
        assert result.code == code, (name, result.code, result.err, result.out)
        self.said[name] = result
        return result

    def random(self, n: int = 32) -> bytes:
        """As secrets.token_bytes, but the same in each run: so each run has the same marks, ghosts and hits."""
        self._drawn += 1
        return hashlib.shake_256(f"wmproto town {self._drawn}".encode()).digest(n)

    def people(self) -> None:
        for role in ("owner", "arbitrator", "respondent"):
            self.do(f"key new {role}", "key", "new", f"{role}.key", "--role", role, *PASS)
        new = ("registry", "new", "registry.db", "--origin", "log.example/1", "--key", "log.key", *PASS)
        self.vkey = self.do("registry new", *new).out.strip()

    def key(self, name: str, *source: object, count: int = LEAVES, classes: tuple[str, ...] = CLASSES) -> None:
        """Commit to a key."""
        create = ("commit", "create", name, "--key", "owner.key", "--leaves", count, "--classes", ",".join(classes))
        self.do(f"commit {name}", *create, *source, *PASS)

    def register(self, name: str) -> None:
        submit = ("registry", "submit", "registry.db", f"{name}/statement.json", "--key", "log.key")
        self.do(f"submit {name}", *submit, "--receipt", f"{name}.tlog-proof", *PASS)

    def activate(self, name: str) -> None:
        activate = ("key", "activate", name, "--key", "owner.key", "--receipt", f"{name}.tlog-proof")
        self.do(f"activate {name}", *activate, "--log", self.vkey, *PASS)

    def train(self) -> None:
        train = ("mark", "train", "mykey", "--key", "owner.key", "--data", "data.npz", "--out", "marked.safetensors")
        self.do("mark train", *train, "--seed", 1, "--epochs", 120, "--rows", 64, *PASS)

    def release(self) -> None:
        record = ("release", "record", "mykey", "--key", "owner.key", "--model", "marked.safetensors")
        log = ("--registry", "registry.db", "--log-key", "log.key")
        self.do("release record", *record, *log, "--out", "release.json", "--receipt", "release.tlog-proof", *PASS)

    def trust(self) -> None:
        """Write the trust file, as an auditor does by hand."""
        public = {role: self.said[f"key new {role}"].out.strip() for role in ("owner", "arbitrator", "respondent")}
        text = {
            "arbitrators": [public["arbitrator"]],
            "bits": 0,
            "format": "wmproto/trust@v1",
            "log": self.vkey,
            "owners": [public["owner"]],
            "respondents": [public["respondent"]],
        }
        (self.home / "trust.json").write_text(json.dumps(text, indent=2))


def dispute(out: str, *more: object, model: str = "marked.safetensors", **changed: object) -> tuple[object, ...]:
    """The arguments of a dispute run over ``mykey``; ``changed`` replaces options by name."""
    options = {
        "folder": "mykey",
        "key": "owner.key",
        "respondent": "respondent.key",
        "arbitrator": "arbitrator.key",
        "registry": "registry.db",
        "log_key": "log.key",
        "model": model,
        "suspect": "model X of company Y",
        "count": 64,
        "passphrase_file": "pass.txt",
    } | changed
    flat = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    return ("dispute", "run", *flat, "--out", out, *more)


def build(home: Path) -> Town:
    """The whole town, with one dispute over the marked model behind it (leaves 0 to 31)."""
    town = Town(home)
    town.people()
    town.key("mykey", "--shape", "12x12x1")
    town.register("mykey")
    town.activate("mykey")
    town.train()
    town.release()
    town.trust()
    town.do("dispute run", *dispute("first.json", "--release", "release.json"))
    town.do("export", "registry", "export", "registry.db", "log-copy.jsonl")
    own, _ = pictures(16, seed=5)
    (home / "own").mkdir()
    from PIL import Image

    for i, one in enumerate(own):
        Image.fromarray(one[..., 0]).save(home / "own" / f"{i:02}.png")
    town.key("fresh", "--pictures", "own", count=16)
    return town
