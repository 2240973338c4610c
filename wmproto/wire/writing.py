"""Files, written whole or not at all.

A new file appears under its name only when all its bytes are on the disk, and never in the place of another one; to
overwrite is a function of its own. Trusts the operating system; says nothing about what the bytes mean.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from wmproto.errors import ConfigError
from wmproto.wire.files import told

_NO_HARD_LINKS = (errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM)


def write_new(path: str | os.PathLike[str], data: bytes, mode: int = 0o644) -> None:
    """Write a file that does not exist yet.

    Args:
        path: The new file; its folder must exist.
        data: All its bytes.
        mode: Its permissions, less those that the umask takes away; 0o600 for secrets.

    Raises:
        ConfigError: A file of that name exists, or it cannot be written; then nothing was. Or, and the message says
            so, the file is there and whole, but its folder cannot be synced.
    """
    with told("write", path):
        target = Path(path)
        if os.path.lexists(target):  # the common case, told before any work; the link below decides
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        _install(target, data, mode, _link_new)


def replace(path: str | os.PathLike[str], data: bytes, mode: int = 0o644) -> None:
    """Write a file, in the place of one that may be there: whoever reads it sees the old bytes or the new ones.

    Args:
        path: The file; where it is a symbolic link, the file that it points to.
        data: All its bytes.
        mode: See write_new.

    Raises:
        ConfigError: It cannot be written; then the old file is untouched. Or, and the message says so, the new file is
            there and whole, but its folder cannot be synced.
    """
    with told("write", path):
        _install(Path(os.path.realpath(path)), data, mode, os.replace)


def _install(target: Path, data: bytes, mode: int, into_place: Callable[[Path, Path], None]) -> None:
    temporary = target.parent / f".wmproto-{os.urandom(8).hex()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(fd, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            file.write(data)
            file.flush()
            os.fsync(fd)
        into_place(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    sync_folder(target)


def _link_new(temporary: Path, target: Path) -> None:
    try:
        os.link(temporary, target)  # unlike a rename, refuses an existing name
    except OSError as err:
        if err.errno not in _NO_HARD_LINKS:
            raise
        # A file system without hard links (FAT, some network ones): reserve the name, then rename over the empty file.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            temporary.replace(target)
        except OSError:
            target.unlink()
            raise


def sync_folder(path: Path) -> None:
    """Make a new name survive a power cut, where the file system can sync a folder and we may open it.

    Args:
        path: What was just written or renamed; the folder that it stands in is synced.

    Raises:
        ConfigError: It cannot be synced. What was written stays: it is whole, and may have been read already.
    """
    try:
        fd = os.open(path.parent, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(fd)
    except OSError as err:
        if err.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise ConfigError(
                f"{str(path)!r} is written, but may not outlive a power cut: {(err.strerror or '').lower()}",
                hint="it is whole: look at the disk, and copy it to another one",
            ) from err
    finally:
        os.close(fd)
