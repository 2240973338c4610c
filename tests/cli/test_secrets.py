"""Nothing that a session writes or says holds a secret: not the files, not the streams, not a traceback's variables."""

import base64
import contextlib
import errno
import gc
import json
import os
import re
import sqlite3
import sys
import types
from collections import Counter
from dataclasses import dataclass
from unittest import mock

import pytest
from town import LEAVES, PASS, PASSPHRASE, dispute, run, spawn

from wmproto.commitment.labels import Labels
from wmproto.crypto.secret import Content, new_secret
from wmproto.crypto.secretfile import open_secret
from wmproto.owner import KeyFolder
from wmproto.wire.profile import WMPROTO_1

ROLES = ("owner", "arbitrator", "respondent", "log")


@dataclass
class Secrets:
    """What must not be found (name -> bytes), and what an opening shows on purpose."""

    hidden: dict[str, bytes]
    shown: dict[str, bytes]


def secrets_of(home, asked: int = 32) -> Secrets:
    """All secrets of the town, known because the passphrase is."""
    hidden, shown = {"passphrase": PASSPHRASE.encode()}, {}
    for role in ROLES:
        secret = open_secret((home / f"{role}.key").read_bytes(), PASSPHRASE.encode())
        hidden[f"seed of {role}"] = secret.seed
        if secret.master is not None:
            hidden["master secret"] = secret.master
            owner = secret
    folder = KeyFolder(home / "mykey", profile=WMPROTO_1)
    leaves, labels = folder.commitment(owner), Labels(folder.key())
    for i in range(LEAVES):
        k, into = leaves.leaf_key(i), (shown if i < asked else hidden)
        into[f"key of leaf {i}"] = k
        into[f"input of leaf {i}"] = leaves.input(i)
    y = [labels.label(i, leaves.leaf_key(i)) for i in range(asked, LEAVES)]
    ghosts = [labels.is_ghost(i, leaves.leaf_key(i)) for i in range(asked, LEAVES)]
    for n, part in enumerate(zip(*[iter(y)] * 8, strict=False)):  # eight labels of closed leaves in a row
        hidden[f"labels {n} in bytes"] = bytes(part)
        hidden[f"labels {n} in words"] = b"".join(v.to_bytes(8, "little") for v in part)
        hidden[f"labels {n} in JSON"] = json.dumps(part, separators=(",", ":"))[1:-1].encode()
        hidden[f"labels {n} in Python"] = repr(list(part))[1:-1].encode()
    marked = [v for v, ghost in zip(y, ghosts, strict=True) if not ghost]
    for n, part in enumerate(zip(*[iter(marked)] * 8, strict=False)):
        hidden[f"marked labels {n} in words"] = b"".join(v.to_bytes(8, "little") for v in part)
        hidden[f"marked labels {n} in Python"] = repr(list(part))[1:-1].encode()
    hidden["ghosts in JSON"] = json.dumps(ghosts, separators=(",", ":"))[1:40].encode()
    return Secrets(hidden, shown)


def disguises(secret: bytes) -> list[bytes]:
    """A secret as raw bytes, hexadecimal, base64 at any alignment, and as Python or JSON would print it."""
    secret = bytes(secret)  # not Hidden: its repr is what we look for
    found = [secret, secret[::-1], secret.hex().encode(), secret.hex().upper().encode()]
    found += [repr(secret)[2:-1].encode(), repr(list(secret))[1:-1].encode(), ",".join(map(str, secret)).encode()]
    for shift in range(3):
        for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(shift) + secret).rstrip(b"=")
            found.append(text[-(-8 * shift // 6) : len(text) - 1])
    return [f for f in found if len(f) >= 8]


_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{32,}")


def layers(data: bytes, depth: int = 5) -> list[bytes]:
    """Data, and what is packed in it as base64, again and again: envelopes hold messages, which hold envelopes."""
    found = [data]
    for text in _BASE64.findall(data) if depth else ():
        text = text.translate(bytes.maketrans(b"-_", b"+/"))
        text = text[: len(text) - (len(text) % 4 == 1)]
        found += layers(base64.b64decode(text + b"=" * (-len(text) % 4)), depth - 1)
    return found


def search(data: bytes, secrets: dict[str, bytes]) -> list[str]:
    """Names of the secrets that stand in the data in any disguise."""
    everything = b"\n\n".join(layers(data))
    return [name for name, secret in secrets.items() if any(form in everything for form in disguises(secret))]


def files(home):
    """(name, content) of every file, the database also as text: a page boundary hides nothing."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.name != "pass.txt":
            yield str(path.relative_to(home)), path.read_bytes()
    db = sqlite3.connect(home / "registry.db")
    yield (
        "registry.db as text",
        repr(
            [
                db.execute(f"SELECT * FROM {name}").fetchall()
                for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
            ]
        ).encode(),
    )
    db.close()


def test_the_search_finds_what_is_hidden_well():
    secret = {"s": bytes(range(7, 39))}
    raw = secret["s"]
    for text in (raw, raw.hex(), repr(raw), str(list(raw)), base64.b64encode(b"ab" + raw + b"c")):
        data = text if isinstance(text, bytes) else text.encode()
        assert search(b"x" + data + b"y", secret)
        assert search(base64.b64encode(b'{"payload":"' + base64.b64encode(data) + b'"}'), secret)
    assert not search(os.urandom(10_000), secret)


def test_no_file_holds_a_secret_but_openings_show_their_leaves(town):
    secrets = secrets_of(town.home)
    assert len(secrets.hidden) > 200
    for name, data in files(town.home):
        assert search(data, secrets.hidden) == [], name
        shown = search(data, secrets.shown)
        if name == "first.json":
            assert set(shown) == set(secrets.shown), "each leaf that was asked is opened in the transcript"
        else:
            assert shown == [], name


def test_no_command_says_a_secret(town):
    secrets = secrets_of(town.home)
    for name, result in town.said.items():
        assert search(result.stdout + result.stderr, secrets.hidden) == [], name


def test_no_report_and_no_reader_shows_a_secret(home):
    """What is made for arbitrators, auditors and the owner's desk; share files by themselves, too."""
    trusting = ("--trust", "trust.json", "--log-copy", "log-copy.jsonl")
    secrets = secrets_of(home)
    for command in (
        ("dispute", "audit", "first.json", *trusting, "--json"),
        ("dispute", "show", "first.json"),
        ("dispute", "show", "first.json", "--json"),
        ("dispute", "report", "first.json", *trusting, "--out", "report.html"),
        ("dispute", "replay", "first.json", "--model", "marked.safetensors"),
        ("commit", "inspect", "mykey", "--json"),
        ("key", "show", "mykey"),
        ("key", "backup", "owner.key", "--threshold", 2, "--shares", 3, "--out-dir", "shares", *PASS),
        ("mark", "check", "mykey", "--key", "owner.key", "--model", "marked.safetensors", *PASS),
        ("release", "verify", "release.json", "--model", "marked.safetensors"),
        ("status", "mykey", "--registry", "registry.db", "--json"),
    ):
        result = run(*command, cwd=home)
        assert result.code == 0, (command, result.err)
        assert search(result.stdout + result.stderr, secrets.hidden) == [], command
    written = [home / "report.html", *(home / "shares").iterdir()]
    assert len(written) == 4
    for path in written:
        assert search(path.read_bytes(), secrets.hidden) == [], path


def failures(vkey):
    """Commands that fail with secrets at hand: after a key file was opened, or while one is."""
    wrong, noise = ("--passphrase-file", "wrong.txt"), ("--leaves", 16, "--classes", "a,b", "--shape", "2x2x1")
    log = ("--registry", "registry.db", "--log-key", "log.key")
    fresh = ("key", "activate", "fresh", "--key", "owner.key", "--receipt", "fresh.proof", "--log", vkey, *PASS)
    return {
        "wrong passphrase": ("commit", "create", "new", "--key", "owner.key", *noise, *wrong),
        "another role": ("commit", "create", "new", "--key", "log.key", *noise, *PASS),
        "edited key": ("commit", "create", "new", "--key", "edited.key", *noise, *PASS),
        "pictures changed": fresh,
        "another log": ("registry", "submit", "other.db", "fresh/statement.json", "--key", "log.key", "--receipt", "n", *PASS),
        "another owner": ("mark", "check", "mykey", "--key", "owner2.key", "--model", "marked.safetensors", *PASS),
        "range taken": dispute("new.json"),
        "another transcript": dispute("first.json", start=32),
        "a false release": dispute("new.json", "--release", "fresh/statement.json", start=32),
        "record exists": ("release", "record", "mykey", "--key", "owner.key", "--model", "marked.safetensors", *log, "--out", "first.json", "--receipt", "n", *PASS),
    }  # fmt: skip


def spoil(home):
    """Make what the failures need: another owner and log, an edited key, a key whose pictures have changed."""
    run("key", "new", "owner2.key", "--role", "owner", *PASS, cwd=home)
    run("registry", "new", "other.db", "--origin", "other/1", "--key", "other-log.key", *PASS, cwd=home)
    submit = (
        "registry",
        "submit",
        "registry.db",
        "fresh/statement.json",
        "--key",
        "log.key",
        "--receipt",
        "fresh.proof",
    )
    run(*submit, *PASS, cwd=home)
    data = (home / "owner.key").read_bytes()
    (home / "edited.key").write_bytes(data.replace(b'"role":"owner"', b'"role":"log"'))
    pictures = (home / "fresh/pictures.npz").read_bytes()
    (home / "fresh/pictures.npz").write_bytes(pictures[:-300] + bytes(100) + pictures[-200:])


def test_no_failure_shows_a_secret_even_with_all_local_variables(town, home):
    secrets = secrets_of(home)
    spoil(home)
    for name, args in failures(town.vkey).items():
        result = run(*args, cwd=home)
        assert result.code not in (0, 10), name
        assert "wmproto/cli" in result.trace
        assert search(result.stdout + result.stderr + result.trace.encode(), secrets.hidden) == [], name


class DiskFull:
    """os.fsync that fails at the n-th call."""

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(self, _fd: int) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def writers(vkey):
    log = ("--registry", "registry.db", "--log-key", "log.key")
    return {
        "commit create": ("commit", "create", "new", "--key", "owner.key", "--leaves", 16, "--classes", "a,b", "--shape", "2x2x1", *PASS),
        "registry submit": ("registry", "submit", "registry.db", "fresh/statement.json", "--key", "log.key", "--receipt", "n.proof", *PASS),
        "key activate": ("key", "activate", "fresh", "--key", "owner.key", "--receipt", "n.proof", "--log", vkey, *PASS),
        "mark train": ("mark", "train", "mykey", "--key", "owner.key", "--data", "data.npz", "--seed", 1, "--epochs", 1, "--out", "n", *PASS),
        "release record": ("release", "record", "mykey", "--key", "owner.key", "--model", "stranger.safetensors", *log, "--out", "r", "--receipt", "p", *PASS),
        "dispute run": dispute("new.json", start=32),
    }  # fmt: skip


@pytest.mark.parametrize("name", writers(""))
def test_a_full_disk_shows_no_secret(town, home, name):
    secrets = secrets_of(home, asked=LEAVES if name == "dispute run" else 32)
    if name == "key activate":
        assert run(*writers(town.vkey)["registry submit"], cwd=home).code == 0
    with mock.patch.object(os, "fsync", DiskFull(1)):
        result = run(*writers(town.vkey)[name], cwd=home)
    assert result.code == 2, result.err
    assert "no space left on device" in result.err
    assert search(result.stdout + result.stderr + result.trace.encode(), secrets.hidden) == []


def test_to_stop_a_command_shows_no_secret(home):
    secrets = secrets_of(home)
    check = ("mark", "check", "mykey", "--key", "owner.key", "--model", "marked.safetensors", *PASS)
    with mock.patch("wmproto.commitment.builder.inputs_hash", side_effect=KeyboardInterrupt):
        result = run(*check, cwd=home)
    assert result.code == 130
    assert "builder.py" in result.trace
    assert search(result.stdout + result.stderr + result.trace.encode(), secrets.hidden) == []


@pytest.mark.slow
def test_no_secret_stands_in_arguments_or_environment(home):
    """While a command runs, /proc shows everybody how it was called."""
    args = ("commit", "create", "new", "--key", "owner.key", "--leaves", 65536, "--classes", "a,b", "--shape", "2x2x1")
    process = spawn(*args, *PASS, cwd=home)
    try:
        seen = b"".join((home.__class__(f"/proc/{process.pid}") / part).read_bytes() for part in ("cmdline", "environ"))
    finally:
        process.kill()
        process.communicate()
    assert b"commit" in seen
    assert search(seen, secrets_of(home).hidden) == []


def test_key_files_of_one_secret_share_no_bytes(home):
    """Sealed again, even by the same passphrase: salt, nonce and box are drawn anew."""
    before = json.loads((home / "owner.key").read_bytes())
    create = ("commit", "create", "new", "--key", "owner.key", "--leaves", 16, "--classes", "a,b", "--shape", "2x2x1")
    assert run(*create, *PASS, cwd=home).code == 0
    after = json.loads((home / "owner.key").read_bytes())
    assert before["public"] == after["public"]
    assert before["nonce"] != after["nonce"]
    assert before["kdf"]["salt"] != after["kdf"]["salt"]
    assert before["box"][:40] != after["box"][:40]


# --- objects, and every moment of a command


def innermost(secrets: Secrets) -> dict[str, bytes]:
    """Passphrase, seeds, master secret and all leaf keys: what shows a label, or makes a signature."""
    found = secrets.hidden | secrets.shown
    return {name: s for name, s in found.items() if name.startswith(("passphrase", "seed", "master", "key of leaf"))}


def reachable(*roots: object) -> list[object]:
    """All objects behind some objects, but no modules, classes and loggers, and of functions their closures alone."""
    found, left = {}, list(roots)
    while left:
        one = left.pop()
        if id(one) in found or isinstance(one, type | types.ModuleType | str | int | float | None):
            continue
        found[id(one)] = one
        if isinstance(one, types.FunctionType):
            left += [*(one.__closure__ or ()), *(one.__defaults__ or ())]
        elif not type(one).__module__.startswith(("torch", "sqlalchemy", "logging", "sqlite3")):
            left += gc.get_referents(one)
    return list(found.values())


def test_no_object_that_holds_secrets_shows_one(home):
    from wmproto.crypto.secretfile import passphrase_from_text
    from wmproto.dispute.messages import Policy
    from wmproto.dispute.roles import Arbitrator, Claimant, Respondent
    from wmproto.dispute.session import Session
    from wmproto.marking import MarkedLeaves, MarkedLoader
    from wmproto.registry.log import Log

    secrets = {r: open_secret((home / f"{r}.key").read_bytes(), PASSPHRASE.encode()) for r in ROLES}
    owner = secrets["owner"]
    active = KeyFolder(home / "mykey", profile=WMPROTO_1).activated(owner)
    leaves = MarkedLeaves.of(active)
    log = Log.open(home / "registry.db", secrets["log"].signer())
    try:
        objects = {
            "secrets": secrets,
            "another context": owner.with_context(bytes(32)),
            "a new secret": new_secret("owner", lambda n: bytes(range(100 + n, 100, -1))),
            "plaintext": Content.of(owner),
            "passphrase": passphrase_from_text(PASSPHRASE),
            "signers": {r: s.signer() for r, s in secrets.items()},
            "commitment": active.commitment,
            "opening": active.commitment.open(40),
            "active": active,
            "claimant": Claimant(active.key, active.commitment, owner.signer()),
            "respondent": Respondent(secrets["respondent"].signer(), "escrow"),
            "arbitrator": Arbitrator(secrets["arbitrator"].signer(), Policy(bits=0, suspects_log2=24)),
            "log": log,
            "session": Session(print),
            "leaves": leaves,
            "loader": MarkedLoader([], leaves, seed=1),
        }
        hidden = innermost(secrets_of(home)) | {"a new seed": bytes(range(132, 100, -1))}
        seen = reachable(objects)
        assert {type(o).__name__ for o in seen} >= {
            "Secret",
            "Signer",
            "Commitment",
            "ActivatedKey",
            "Claimant",
            "Hidden",
        }
        for one in seen:
            for text in (repr(one), str(one), f"{one}"):
                assert search(text.encode(), hidden) == [], (type(one), search(text.encode(), hidden))
    finally:
        log.close()


def test_the_search_behind_objects_finds_what_is_not_hidden(home):
    secrets = secrets_of(home)
    master = bytes(innermost(secrets)["master secret"])
    inner = {"deep": [lambda: master]}
    assert any(search(repr(one).encode(), innermost(secrets)) == ["master secret"] for one in reachable(inner))


class Watch:
    """A trace that looks at the variables of wmproto's frames at every line, as Ctrl-C right there would show them.

    Args:
        secrets: What must not be seen.
        often: How many calls of a function are looked at, and how often each line in one call.
    """

    def __init__(self, secrets: dict[str, bytes], often: int = 4) -> None:
        self._forms = [form.decode("latin-1") for s in secrets.values() for form in disguises(s)]
        self._often, self._seen, self._clean = often, Counter(), set()
        self.lines, self.found = set(), set()

    def __call__(self, frame, _event, _arg):
        code = frame.f_code
        if "/wmproto/" not in code.co_filename or "/tests/" in code.co_filename:
            return None
        self._seen[code] += 1
        return self._look if self._seen[code] <= self._often else None

    def _look(self, frame, _event, _arg):
        code = frame.f_code
        self._seen[id(frame), frame.f_lineno] += 1
        if self._seen[id(frame), frame.f_lineno] > self._often:
            return self._look
        function = code.co_filename.rpartition("/wmproto/")[2], code.co_qualname
        self.lines.add((*function, frame.f_lineno))
        for variable, value in list(frame.f_locals.items()):
            if isinstance(value, bytes | bytearray) and len(value) > 4096:
                continue  # models and logs: other tests look into them
            with contextlib.suppress(AttributeError):  # a repr of what is only half made
                text = repr(value)
                if len(text) > 1 << 16 or text in self._clean:
                    continue
                if any(form in text for form in self._forms):
                    self.found.add((*function, variable))
                else:
                    self._clean.add(text)
        return self._look


#: Variables that hold a secret for the length of one call, because the code around it knows nothing of secrets.
MOMENTS = {
    ("wire/files.py", "read_file", "data"),  # the passphrase file: it is read as any other file
    ("wire/canonical.py", "canonical_json", "value"),  # a secret on its way into or out of its box
    ("wire/canonical.py", "_refuse_floats", "value"),  # likewise
    ("wire/canonical.py", "_refuse_floats", "inner"),  # likewise
    ("crypto/merkle.py", "leaf_hash", "data"),  # one leaf on its way into its hash: an audit runs this, too
    ("wire/profile.py", "Profile.draw", "seed"),  # one label on its way out of its hash: likewise
    ("wire/profile.py", "draw_from", "seed"),  # likewise
}


@pytest.mark.slow
def test_at_no_moment_of_a_command_a_traceback_would_show_a_secret(town, home):
    """Master secret, seeds, passphrase and the keys of leaves that are not asked: at no line of any function."""
    hidden = innermost(secrets_of(home))
    commands = {
        **{n: c for n, c in writers(town.vkey).items() if n != "mark train"},
        "key new": ("key", "new", "new.key", "--role", "owner", *PASS),
        "mark check": ("mark", "check", "mykey", "--key", "owner.key", "--model", "marked.safetensors", *PASS),
    }
    for name, command in commands.items():
        asked = {f"key of leaf {i}" for i in range(32, 96)} if name == "dispute run" else set()
        watch = Watch({n: s for n, s in hidden.items() if n not in asked})
        before = sys.gettrace()
        sys.settrace(watch)
        try:
            result = run(*command, cwd=home)
        finally:
            sys.settrace(before)
        assert result.code == 0, (name, result.err)
        assert len(watch.lines) > 100, name
        assert watch.found <= MOMENTS, name


def test_a_training_that_was_cut_off_holds_no_secret(home):
    train = (
        "mark",
        "train",
        "mykey",
        "--key",
        "owner.key",
        "--data",
        "data.npz",
        "--seed",
        1,
        "--epochs",
        2,
        "--out",
        "n",
    )
    with mock.patch("wmproto.models.save_model", side_effect=KeyboardInterrupt):
        result = run(*train, *PASS, cwd=home)
    assert result.code == 130
    assert (home / "n.savepoint").stat().st_size > 100_000
    hidden = secrets_of(home).hidden
    assert search((home / "n.savepoint").read_bytes(), hidden) == []
    assert search(result.stdout + result.stderr + result.trace.encode(), innermost(secrets_of(home))) == []
