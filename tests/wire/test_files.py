"""Files are written whole or not at all, never over another one by accident."""

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from wmproto.errors import ConfigError, FormatError, NotFoundError
from wmproto.wire import files
from wmproto.wire.files import read_file
from wmproto.wire.writing import replace, write_new

OLD, NEW = b"old bytes", b"new bytes" * 1000


def listing(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("write", [write_new, replace])
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_new_file(tmp_path, write, mode):
    before = os.umask(0o022)
    try:
        write(tmp_path / "f", NEW, mode)
    finally:
        os.umask(before)
    assert read_file(tmp_path / "f", what="thing", limit=1 << 20) == NEW
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == mode
    assert listing(tmp_path) == ["f"]
    assert (tmp_path / "f").stat().st_nlink == 1


def test_a_secret_is_never_readable_by_others_even_under_a_lax_umask(tmp_path, monkeypatch):
    modes = []
    link, before = os.link, os.umask(0)
    monkeypatch.setattr(os, "link", lambda a, b: (modes.append(stat.S_IMODE(a.stat().st_mode)), link(a, b)))
    try:
        write_new(tmp_path / "f", NEW, 0o600)
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_write_new_overwrites_nothing(tmp_path):
    (tmp_path / "f").write_bytes(OLD)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    for name in ("f", "dangling", "folder"):
        with pytest.raises(ConfigError, match="file exists") as err:
            write_new(tmp_path / name, NEW)
        assert "overwritten" in err.value.hint
    assert (tmp_path / "f").read_bytes() == OLD
    assert listing(tmp_path) == ["dangling", "f", "folder"]


@pytest.mark.parametrize("hard_links", [True, False])
def test_of_two_that_write_the_same_name_one_wins(tmp_path, monkeypatch, hard_links):
    monkeypatch.setattr(os.path, "lexists", lambda _: False)  # both have looked, and seen nothing
    if not hard_links:
        monkeypatch.setattr(os, "link", raising(errno.EPERM))
    outcome = []

    def write(n):
        try:
            write_new(tmp_path / "f", bytes([n]) * 100_000)
            outcome.append(n)
        except ConfigError:
            outcome.append(None)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    winners = [n for n in outcome if n is not None]
    assert len(winners) == 1
    assert (tmp_path / "f").read_bytes() == bytes(winners) * 100_000
    assert listing(tmp_path) == ["f"]


def test_replace_overwrites_and_says_so_by_its_name(tmp_path):
    (tmp_path / "f").write_bytes(OLD)
    (tmp_path / "f").chmod(0o644)
    reader = (tmp_path / "f").open("rb")
    replace(tmp_path / "f", NEW, 0o600)
    assert (tmp_path / "f").read_bytes() == NEW
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
    assert reader.read() == OLD  # whoever had it open reads the old one to its end
    reader.close()
    assert listing(tmp_path) == ["f"]


def test_replace_follows_a_link_instead_of_putting_a_file_in_its_place(tmp_path):
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick/f").write_bytes(OLD)
    (tmp_path / "f").symlink_to(tmp_path / "stick/f")
    replace(tmp_path / "f", NEW)
    assert (tmp_path / "f").is_symlink()
    assert (tmp_path / "stick/f").read_bytes() == NEW


def raising(code):
    def fails(*_, **__):
        raise OSError(code, os.strerror(code))

    return fails


@pytest.mark.parametrize("write", [write_new, replace])
@pytest.mark.parametrize("call", ["open", "fsync"])
@pytest.mark.parametrize(
    ("code", "hint"),
    [(errno.ENOSPC, "full"), (errno.EROFS, "read-only"), (errno.EACCES, "permissions"), (errno.EIO, "")],
)
def test_nothing_is_left_of_a_write_that_fails(tmp_path, monkeypatch, write, call, code, hint):
    if write is replace:
        (tmp_path / "f").write_bytes(OLD)
    before = listing(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, raising(code))
        with pytest.raises(ConfigError, match="cannot write") as err:
            write(tmp_path / "f", NEW)
    assert hint in (err.value.hint or "")
    assert os.strerror(code).lower() in str(err.value)
    assert listing(tmp_path) == before
    if write is replace:
        assert (tmp_path / "f").read_bytes() == OLD


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_nothing_is_left_where_the_last_step_fails(tmp_path, monkeypatch, code):
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", raising(code))
        with pytest.raises(ConfigError):
            write_new(tmp_path / "f", NEW)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", raising(errno.EPERM))
        patch.setattr(files.Path, "replace", raising(code))
        with pytest.raises(ConfigError):
            write_new(tmp_path / "f", NEW)
    (tmp_path / "g").write_bytes(OLD)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", raising(code))
        with pytest.raises(ConfigError):
            replace(tmp_path / "g", NEW)
    assert listing(tmp_path) == ["g"]
    assert (tmp_path / "g").read_bytes() == OLD


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_disk_that_is_full_while_the_bytes_are_written(tmp_path, monkeypatch):
    real = os.open

    def full(path, flags, *mode):
        if flags & os.O_CREAT:
            real(path, flags, *mode)
            return real("/dev/full", os.O_WRONLY)
        return real(path, flags, *mode)

    monkeypatch.setattr(os, "open", full)
    for write in (write_new, replace):
        with pytest.raises(ConfigError, match="no space left") as err:
            write(tmp_path / "f", NEW)
        assert "full" in err.value.hint
        assert listing(tmp_path) == []


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path / "f", NEW)
    assert listing(tmp_path) == []


def test_folders_that_cannot_be_synced_are_let_off_and_others_not(tmp_path, monkeypatch):
    real = os.fsync

    def fails_on_folders(code):
        return lambda fd: raising(code)() if stat.S_ISDIR(os.fstat(fd).st_mode) else real(fd)

    monkeypatch.setattr(os, "fsync", fails_on_folders(errno.EINVAL))
    write_new(tmp_path / "f", NEW)
    for code in (errno.EIO, errno.ENOSPC):
        monkeypatch.setattr(os, "fsync", fails_on_folders(code))
        for write, name in ((write_new, f"g{code}"), (replace, "f")):
            with pytest.raises(ConfigError, match="is written, but may not outlive a power cut") as err:
                write(tmp_path / name, NEW + b"!")
            assert os.strerror(code).lower() in str(err.value)
            assert "it is whole" in err.value.hint  # not: nothing was written
            assert (tmp_path / name).read_bytes() == NEW + b"!"
    assert listing(tmp_path) == sorted(["f", f"g{errno.EIO}", f"g{errno.ENOSPC}"])


@pytest.mark.parametrize("write", [write_new, replace])
def test_where_nothing_can_be_written(tmp_path, write):
    (tmp_path / "f").write_bytes(OLD)
    with pytest.raises(ConfigError) as err:
        write(tmp_path / "missing" / "f", NEW)
    assert err.value.hint == "make the folder first"
    with pytest.raises(ConfigError, match="not a directory"):
        write(tmp_path / "f" / "g", NEW)
    with pytest.raises(ConfigError):
        write(tmp_path / ("x" * 300), NEW)
    with pytest.raises(ConfigError, match="not a path"):
        write(str(tmp_path / "a\x00b"), NEW)
    with pytest.raises(ConfigError):
        write(tmp_path, NEW)
    assert listing(tmp_path) == ["f"]


def test_read_file(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert read_file(tmp_path / "f", what="thing", limit=5) == b"12345"
    assert read_file(str(tmp_path / "f"), what="thing", limit=5) == b"12345"
    with pytest.raises(FormatError, match="more than the 4 bytes"):
        read_file(tmp_path / "f", what="thing", limit=4)
    with pytest.raises(NotFoundError, match="no thing at"):
        read_file(tmp_path / "g", what="thing", limit=4)
    with pytest.raises(ConfigError, match="cannot read the thing") as err:
        read_file(tmp_path, what="thing", limit=4)
    assert err.value.hint == "this is a folder"
    with pytest.raises(ConfigError, match="not a path"):
        read_file("a\x00b", what="thing", limit=4)
    with pytest.raises(ConfigError):
        read_file(tmp_path / "f" / "g", what="thing", limit=4)
    with pytest.raises(FormatError):
        read_file("/dev/zero", what="thing", limit=1000)


def test_messages_are_one_line_whatever_the_name(tmp_path):
    for name in ("a\nb", "a\x1b[2Jb", os.fsdecode(b"\xff")):
        with pytest.raises(NotFoundError) as err:
            read_file(tmp_path / name, what="thing", limit=4)
        assert str(err.value).isprintable()
