"""Key files on the day after: another passphrase, shares, and what came back from them acts as the key did."""

import errno
import os
import shutil
import signal
import stat
import sys
import threading
from unittest import mock

import pytest
from test_secrets import search, secrets_of
from test_terminal import Terminal
from town import PASS, PASSPHRASE, check_error, dispute, run, snapshot

from wmproto.cli import key_backup
from wmproto.commitment.leaf import inputs_hash
from wmproto.commitment.opening import verify_opening
from wmproto.crypto import backup as backups
from wmproto.crypto import secretfile
from wmproto.crypto.secret import new_secret
from wmproto.crypto.secretfile import cost, open_secret, seal
from wmproto.owner import KeyFolder
from wmproto.wire import writing
from wmproto.wire.profile import WMPROTO_1

NEW = ("--new-passphrase-file", "new.txt")
PASSWD = ("key", "passwd", "owner.key", *PASS, *NEW)
BACKUP = ("key", "backup", "owner.key", "--threshold", 2, "--shares", 3, "--out-dir", "shares", *PASS)
ONE, TWO, THREE = (f"shares/share-0{n}-of-03.txt" for n in (1, 2, 3))


def restore(*shares, out="restored.key"):
    return ("key", "restore", *shares, "--out", out, "--passphrase-file", "new.txt")


@pytest.fixture
def home(home):
    (home / "new.txt").write_text("another passphrase\n")
    return home


@pytest.fixture
def backed_up(home):
    assert run(*BACKUP, cwd=home).code == 0
    return home


def opened(path, passphrase):
    return open_secret(path.read_bytes(), passphrase.encode())


# --- passwd


def test_a_new_passphrase_opens_the_same_secrets(home):
    before, public = opened(home / "owner.key", PASSPHRASE), run("key", "show", "owner.key", cwd=home).out
    result = run(*PASSWD, cwd=home)
    assert (result.code, result.err) == (0, "")
    assert "owner.key has a new passphrase" in result.out
    assert opened(home / "owner.key", "another passphrase") == before
    assert run("key", "show", "owner.key", cwd=home).out == public
    check_error(run(*PASSWD, cwd=home), 2, "owner.key: wrong passphrase")
    assert not list(home.rglob("*.tmp"))


@pytest.mark.parametrize("role", ["arbitrator", "respondent", "log"])
def test_every_role_has_a_passphrase_to_change(home, role):
    result = run("key", "passwd", f"{role}.key", *PASS, *NEW, "--json", cwd=home)
    secret = opened(home / f"{role}.key", "another passphrase")
    assert result.json() == {"path": f"{role}.key", "public": secret.signer().public.hex(), "role": role}


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o600, 0o600), (0o400, 0o400), (0o660, 0o600), (0o644, 0o600), (0o750, 0o600), (0o444, 0o400)],
)
@pytest.mark.parametrize("umask", [0o077, 0o000, 0o777])
def test_the_file_is_its_owners_alone_afterwards(home, before, after, umask):
    (home / "owner.key").chmod(before)
    umask = os.umask(umask)
    try:
        result = run(*PASSWD, cwd=home)
    finally:
        os.umask(umask)
    assert result.code == 0
    assert stat.S_IMODE((home / "owner.key").stat().st_mode) == after
    told = f"wmproto: owner.key had mode {before:04o}: it has {after:04o} now, and is its owner's alone\n"
    assert result.err == ("" if before == after else told)


def test_a_link_stays_a_link(home):
    (home / "owner.key").rename(home / "real.key")
    (home / "owner.key").symlink_to("real.key")
    assert run(*PASSWD, cwd=home).code == 0
    assert (home / "owner.key").is_symlink()
    assert opened(home / "real.key", "another passphrase").role == "owner"


def test_a_guess_never_gets_cheaper(home):
    secret = opened(home / "owner.key", PASSPHRASE)
    for before, default, after in (
        ((2, 64 << 10), (1, 8 << 10), (2, 64 << 10)),
        ((1, 8 << 10), (3, 64 << 10), (3, 64 << 10)),
        ((4, 8 << 10), (3, 64 << 10), (4, 64 << 10)),
    ):
        data = seal(secret, PASSPHRASE.encode(), random=os.urandom, ops=before[0], mem=before[1])
        (home / "owner.key").write_bytes(data)
        with mock.patch.dict(secretfile.seal.__kwdefaults__, {"ops": default[0], "mem": default[1]}):
            assert run(*PASSWD, cwd=home, cheap=False).code == 0
        assert cost((home / "owner.key").read_bytes()) == after


def test_a_new_key_does_not_make_a_guess_cheaper(home):
    """commit create writes the owner's file again: to remember the context."""
    secret = opened(home / "owner.key", PASSPHRASE)
    (home / "owner.key").write_bytes(seal(secret, PASSPHRASE.encode(), random=os.urandom, ops=2, mem=64 << 10))
    create = ("commit", "create", "another", "--key", "owner.key", "--leaves", "16", "--shape", "2x2x3")
    assert run(*create, "--classes", "a,b", "--passphrase-file", "pass.txt", cwd=home).code == 0
    assert cost((home / "owner.key").read_bytes()) == (2, 64 << 10)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("owner.key", "--passphrase-file", "wrong.txt", *NEW), 2, "owner.key: wrong passphrase"),
        (("owner.key", *PASS, "--new-passphrase-file", "pass.txt"), 2, "the new passphrase is the old one"),
        (("owner.key", *PASS, "--new-passphrase-file", "no.txt"), 2, "no passphrase file at 'no.txt'"),
        (("owner.key", *PASS, "--new-passphrase-file", "empty.txt"), 2, "empty.txt has an empty first line"),
        (("owner.key", *PASS), 2, "no terminal to ask for a passphrase"),
        (("owner.key", *NEW), 2, "no terminal to ask for a passphrase"),
        (("no.key", *PASS, *NEW), 2, "there is no key file at 'no.key'"),
        (("mykey", *PASS, *NEW), 2, "cannot read the key file 'mykey': is a directory"),
        (("trust.json", *PASS, *NEW), 3, "trust.json: secret file: "),
        (("cut.key", *PASS, *NEW), 3, "cut.key: secret file: not JSON"),
        (("edited.key", *PASS, *NEW), 3, "edited.key: secret file: damaged"),
        ((), 2, "missing argument 'FILE'"),
    ],
)
def test_passwd_on_bad_input(home, args, code, words):
    data = (home / "owner.key").read_bytes()
    (home / "empty.txt").write_bytes(b"\n")
    (home / "cut.key").write_bytes(data[:200])
    (home / "edited.key").write_bytes(data.replace(b'"role":"owner"', b'"role":"log"'))
    before = snapshot(home)
    check_error(run("key", "passwd", *args, cwd=home), code, words)
    assert snapshot(home) == before


def test_a_full_disk_keeps_the_old_file(home):
    before = snapshot(home)
    with mock.patch.object(os, "fsync", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
        result = run(*PASSWD, cwd=home)
    check_error(result, 2, "no space left on device")
    assert search(result.stderr + result.trace.encode(), secrets_of(home).hidden) == []
    assert snapshot(home) == before


def test_at_a_terminal_the_old_one_is_asked_for_first(home):
    terminal = Terminal("key", "passwd", "owner.key", cwd=home)
    terminal.read_until("passphrase of owner.key: ")
    terminal.type(PASSPHRASE + "\n")
    terminal.read_until("new passphrase for owner.key: ")
    terminal.type("open sesame\n")
    terminal.read_until(r"(?i)repeat for confirmation: ")
    terminal.type("open sesame\n")
    code, out, seen = terminal.end()
    assert (code, out) == (0, "owner.key has a new passphrase; old copies of it keep the old one\n")
    assert "sesame" not in seen
    assert opened(home / "owner.key", "open sesame").role == "owner"


# --- backup and restore


def test_two_of_three_shares_are_the_key(backed_up):
    home = backed_up
    files = [ONE, TWO, THREE]
    assert [str(p.relative_to(home)) for p in sorted((home / "shares").iterdir())] == files
    assert {stat.S_IMODE((home / name).stat().st_mode) for name in files} == {0o600}
    assert stat.S_IMODE((home / "shares").stat().st_mode) == 0o700
    (home / "owner.key").rename(home / "lost.key")
    result = run(*restore(THREE, ONE), cwd=home)
    assert (result.code, result.err) == (0, "")
    assert stat.S_IMODE((home / "restored.key").stat().st_mode) == 0o600
    before, after = opened(home / "lost.key", PASSPHRASE), opened(home / "restored.key", "another passphrase")
    assert after == before
    assert result.out.splitlines()[0] == f"owner {before.signer().public.hex()}"
    assert [line.strip() for line in result.out.splitlines()[2:]] == [c.hex() for c in before.contexts]


def test_the_restored_key_opens_leaves_and_signs(town, backed_up):
    home = backed_up
    assert run(*restore(TWO, THREE), cwd=home).code == 0
    for name in ("owner.key", *(p.name for p in (home / "shares").iterdir())):
        (home / name).unlink(missing_ok=True)
    folder = KeyFolder(home / "mykey", profile=WMPROTO_1)
    active = folder.activated(opened(home / "restored.key", "another passphrase"))
    opening = active.commitment.open(77)
    verify_opening(opening, key=active.key, asked=inputs_hash(opening.inputs))
    (home / "pass.txt").write_text("another passphrase\n")
    for role in ("respondent", "arbitrator", "log"):  # one passphrase file for all parties of a dispute on one machine
        data = seal(opened(home / f"{role}.key", PASSPHRASE), b"another passphrase", random=os.urandom, ops=1, mem=8192)
        (home / f"{role}.key").write_bytes(data)
    result = run(*dispute("second.json", "--release", "release.json", key="restored.key", start=32), cwd=home)
    assert result.code == 0, result.err
    audited = run("dispute", "audit", "second.json", "--trust", "trust.json", cwd=home)  # it names the old public key
    assert (audited.code, audited.out.splitlines()[0]) == (0, "DEPENDENT")


def test_a_backup_older_than_a_key_acts_for_it_and_learns_its_context(backed_up):
    home = backed_up
    create = ("commit", "create", "young", "--key", "owner.key", "--leaves", 16, "--classes", "a,b", "--shape", "2x2x1")
    assert run(*create, *PASS, cwd=home).code == 0
    newest = opened(home / "owner.key", PASSPHRASE)
    result = run(*restore(ONE, TWO), "--json", cwd=home)
    told = result.json()
    assert told["contexts"] == [c.hex() for c in newest.contexts[:-1]]
    assert (told["shares"], told["role"], told["path"]) == ([1, 2], "owner", "restored.key")
    old = opened(home / "restored.key", "another passphrase")
    assert KeyFolder(home / "young", profile=WMPROTO_1).commitment(old).count == 16
    again = (*restore(ONE, TWO, out="newest.key"), "--folder", "young", "--folder", "mykey", "--json")
    told = run(*again, cwd=home).json()
    assert (told["contexts_in_backup"], told["contexts"]) == (2, [c.hex() for c in newest.contexts])
    assert opened(home / "newest.key", "another passphrase") == newest


def test_backup_says_what_it_made(home):
    result = run(*BACKUP, "--json", cwd=home)
    public = opened(home / "owner.key", PASSPHRASE).signer().public.hex()
    want = {"contexts": 2, "public": public, "role": "owner", "shares": [ONE, TWO, THREE], "threshold": 2}
    assert result.json() == want
    log = run("key", "backup", "log.key", "--threshold", 1, "--shares", 1, "--out-dir", "one", *PASS, cwd=home)
    assert log.out.startswith("one/share-01-of-01.txt\nit alone restores, without a passphrase, the log key ")
    assert run(*restore("one/share-01-of-01.txt", out="log2.key"), cwd=home).out.startswith("log ")


def test_a_share_that_was_typed_in_from_paper(backed_up):
    home = backed_up
    lines = (home / ONE).read_text().splitlines()
    (home / "typed.txt").write_text("\r\n".join(line.strip() for line in lines if line))
    assert run(*restore("typed.txt", TWO), cwd=home).code == 0


def change(name, old, new):
    def prepare(home):
        data = (home / name).read_text()
        assert old in data
        (home / name).write_text(data.replace(old, new, 1))

    return prepare


def word(at, new):
    """Put another word in the place of word ``at`` of share 1."""

    def prepare(home):
        head, rest = (home / ONE).read_text().split("words:\n")
        words, tail = rest.split("check:")
        listed = words.split()
        listed[at - 1] = new if new != "SWAP" else listed[at]
        (home / ONE).write_text(f"{head}words:\n {' '.join(listed)}\ncheck:{tail}")

    return prepare


def other_backup(home):
    args = [a if a != "shares" else "other" for a in BACKUP]
    assert run(*args, cwd=home).code == 0


def other_owner(home):
    assert run("key", "new", "owner2.key", "--role", "owner", *PASS, cwd=home).code == 0
    args = [{"owner.key": "owner2.key", "shares": "other"}.get(a, a) for a in BACKUP]
    assert run(*args, cwd=home).code == 0
    create = (
        "commit",
        "create",
        "theirs",
        "--key",
        "owner2.key",
        "--leaves",
        16,
        "--classes",
        "a,b",
        "--shape",
        "2x2x1",
    )
    assert run(*create, *PASS, cwd=home).code == 0


OTHER = "other/share-02-of-03.txt"
BAD_RESTORES = {
    "a wrong word": (word(9, "SWAP"), restore(ONE, TWO), 3, f"{ONE}: a word is wrong: the checksum"),
    "a word of no list": (word(9, "watermark"), restore(ONE, TWO), 3, f"{ONE}: word 9 is none of the SLIP-39 list"),
    "a capital letter": (word(9, "Academic"), restore(ONE, TWO), 3, f"{ONE}: word 9 is none of the SLIP-39 list"),
    "a word too many": (word(9, "academic academic"), restore(ONE, TWO), 3, "a share has 33 words, not 34"),
    "another backup": (other_backup, restore(ONE, OTHER), 2, f"{OTHER} is a share of another backup than {ONE}"),
    "another key": (other_owner, restore(ONE, OTHER), 2, "is a share of another backup"),
    "too few": (None, restore(TWO), 2, "1 more share is needed: it takes 2, and here is 1"),
    "none": (None, restore(), 2, "missing argument 'SHARES'"),
    "twice": (None, restore(TWO, TWO), 2, "are the same share, number 2"),
    "a copy beside it": (
        lambda h: (h / "copy.txt").write_bytes((h / TWO).read_bytes()),
        restore(TWO, "copy.txt"),
        2,
        f"{TWO} and copy.txt are the same share, number 2",
    ),
    "header edited": (change(ONE, "share 1 of 3:", "share 2 of 3:"), restore(ONE, TWO), 3, "damaged or edited"),
    "number edited": (change(ONE, "share: 1 of 3", "share: 3 of 3"), restore(ONE, TWO), 3, "damaged or edited"),
    "contexts edited": (change(ONE, "contexts: 2", "contexts: 3"), restore(ONE, TWO), 3, "damaged or edited"),
    "cut short": (
        lambda h: (h / ONE).write_text((h / ONE).read_text()[:600]),
        restore(ONE, TWO),
        3,
        "no share of a backup",
    ),
    "a later version": (
        change(ONE, "share@v1", "share@v2"),
        restore(ONE, TWO),
        3,
        f"{ONE}: this is no share of a backup",
    ),
    "the key file": (None, restore("owner.key", TWO), 3, "owner.key: this is no share of a backup"),
    "a model": (None, restore("marked.safetensors", TWO), 3, "marked.safetensors: this is no share of a backup"),
    "the folder": (None, restore("shares"), 2, "cannot read the share 'shares': is a directory"),
    "no such file": (None, restore("no.txt", TWO), 2, "there is no share at 'no.txt'"),
    "over a file": (None, restore(ONE, TWO, out="owner.key"), 2, "owner.key exists already"),
    "into no folder": (None, restore(ONE, TWO, out="no/new.key"), 2, "no is no folder"),
    "no passphrase": (None, restore(ONE, TWO)[:-2], 2, "no terminal to ask for a passphrase"),
    "no key folder": (None, (*restore(ONE, TWO), "--folder", "own"), 2, "own is no whole key folder"),
    "another owner's": (other_owner, (*restore(ONE, TWO), "--folder", "theirs"), 2, "theirs belongs to another owner"),
}


@pytest.mark.parametrize(("prepare", "args", "code", "words"), BAD_RESTORES.values(), ids=BAD_RESTORES)
def test_restore_on_bad_input(backed_up, prepare, args, code, words):
    secrets = secrets_of(backed_up)
    if prepare is not None:
        prepare(backed_up)
    before = snapshot(backed_up)
    result = run(*args, cwd=backed_up)
    check_error(result, code, words)
    assert snapshot(backed_up) == before
    assert search(result.stderr + result.trace.encode(), secrets.hidden) == []
    text = (backed_up / TWO).read_text().split("words:\n")[1].split("check:")[0].split()
    for at in range(4, 31):  # the first four are the backup's number and the share's
        assert " ".join(text[at : at + 3]) not in result.err + result.trace
        assert repr(text[at : at + 3])[1:-1] not in result.err + result.trace


def backup(*changed, file="owner.key", out="shares", passphrase=PASS):
    return ("key", "backup", file, *(changed or ("--threshold", 2, "--shares", 3)), "--out-dir", out, *passphrase)


BAD_BACKUPS = {
    "threshold above the shares": (backup("--threshold", 4, "--shares", 3), 2, "4 of 3 shares can never come together"),
    "one of many": (backup("--threshold", 1, "--shares", 3), 2, "SLIP-39 forbids"),
    "no threshold": (backup("--threshold", 0, "--shares", 3), 2, "a threshold cannot be 0"),
    "17 shares": (backup("--threshold", 2, "--shares", 17), 2, "a backup cannot have 17 shares"),
    "no shares": (backup("--threshold", 0, "--shares", 0), 2, "a backup cannot have 0 shares"),
    "half a share": (backup("--threshold", 2, "--shares", "2.5"), 2, "'2.5' is not a valid integer"),
    "nothing said": (("key", "backup", "owner.key", *PASS), 2, "missing option '--threshold'"),
    "folder exists": (backup(out="own"), 2, "own exists already"),
    "no folder for the folder": (backup(out="no/shares"), 2, "no is no folder"),
    "no key": (backup(file="no.key"), 2, "there is no key file at 'no.key'"),
    "a key folder": (backup(file="mykey"), 2, "cannot read the key file 'mykey'"),
    "no key file": (backup(file="trust.json"), 3, "trust.json: secret file: "),
    "wrong passphrase": (backup(passphrase=("--passphrase-file", "wrong.txt")), 2, "owner.key: wrong passphrase"),
}


@pytest.mark.parametrize(("args", "code", "words"), BAD_BACKUPS.values(), ids=BAD_BACKUPS)
def test_backup_on_bad_input(home, args, code, words):
    before = snapshot(home)
    check_error(run(*args, cwd=home), code, words)
    assert snapshot(home) == before


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_full_disk_leaves_no_share(home, at):
    calls = []

    def full(fd):
        calls.append(fd)
        if len(calls) >= at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = snapshot(home)
    with mock.patch.object(os, "fsync", full):
        result = run(*BACKUP, cwd=home)
    check_error(result, 2, "no space left on device")
    assert search(result.stderr + result.trace.encode(), secrets_of(home).hidden) == []
    assert snapshot(home) == before


def test_shares_that_do_not_restore_are_not_kept(home):
    """What is on the disk is read again before anybody relies on it."""
    real, before = writing.write_new, snapshot(home)

    def bad_disk(path, data, mode=0o644):
        real(path, data.replace(b"share 1 of", b"share 7 of"), mode)

    with mock.patch.object(writing, "write_new", bad_disk):
        check_error(run(*BACKUP, cwd=home), 2, "the shares read back otherwise: none was kept")
    assert snapshot(home) == before


def test_shares_that_do_not_restore_are_not_even_written(home):
    """Before anything is on the disk: there it would lie in the clear."""
    before, real = snapshot(home), backups.make_shares

    def wrong(secret, *args, **kw):
        return real(new_secret("log", os.urandom), *args, **kw)

    written = mock.patch.object(writing, "write_new", side_effect=AssertionError)
    with mock.patch.object(backups, "make_shares", wrong), written:
        check_error(run(*BACKUP, cwd=home), 2, "the shares do not restore the key: none was written")
    assert snapshot(home) == before


class Stopped:
    """``write_new`` that sends this process a signal, once or twice, when the second share is written."""

    def __init__(self, number):
        self.number, self.calls, self.real = number, 0, writing.write_new

    def __call__(self, *args, **kw):
        self.real(*args, **kw)
        self.calls += 1
        if self.calls == 2:
            signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_backup_that_is_stopped_leaves_no_share(home, number, request):
    kept = signal.signal(number, signal.SIG_DFL)  # under nohup it would be ignored
    request.addfinalizer(lambda: signal.signal(number, kept))
    before, real = snapshot(home), shutil.rmtree
    removed = []

    def remove(path, **kw):
        removed.extend(p.name for p in path.iterdir())
        signal.raise_signal(number)  # an impatient second one
        real(path, **kw)

    with mock.patch.object(writing, "write_new", Stopped(number)), mock.patch.object(shutil, "rmtree", remove):
        result = run(*BACKUP, cwd=home)
    assert (result.code, result.stdout) == (128 + number, b"")
    assert len(removed) == 2
    assert snapshot(home) == before
    assert signal.getsignal(number) == signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_ignored(home):
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with mock.patch.object(writing, "write_new", Stopped(signal.SIGHUP)):
            assert run(*BACKUP, cwd=home).code == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_signals_are_left_alone():
    seen = []

    def body():
        with key_backup._stopping_raises():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_a_folder_that_a_killed_backup_left_is_named(home):
    (home / ".wmproto-00ff.tmp").mkdir()
    (home / ".wmproto-aaaa.tmp").write_text("a file is none")
    result = run(*BACKUP, cwd=home)
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert ".wmproto-00ff.tmp was left by a command that was killed" in result.err
    assert "may hold shares in the clear" in result.err
    assert "aaaa" not in result.err


@pytest.mark.parametrize("args", [BACKUP, restore("a", "b")], ids=["backup", "restore"])
def test_without_the_extra_it_is_named_before_any_work(tmp_path, monkeypatch, args):
    monkeypatch.setitem(sys.modules, "shamir_mnemonic", None)
    result = run(*args, cwd=tmp_path)
    check_error(result, 2, "this needs the extra 'backup'")
    assert "hint: pip install 'wmproto[backup]'" in result.err
    assert not list(tmp_path.iterdir())


def test_no_share_file_holds_a_secret(backed_up):
    secrets = secrets_of(backed_up)
    for path in sorted((backed_up / "shares").iterdir()):
        assert search(path.read_bytes(), secrets.hidden) == []
