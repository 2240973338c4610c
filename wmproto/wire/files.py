"""Files, read within bounds and written whole or not at all.

A new file appears under its name only when all its bytes are on the disk, and never in the place of another one; to
overwrite is a function of its own. Trusts the operating system; says nothing about what the bytes mean.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wmproto.errors import ConfigError, FormatError, NotFoundError, WmprotoError

_HINTS = {
    errno.EACCES: "look at the permissions of the file and its folder",
    errno.EDQUOT: "your quota is used up; nothing was written",
    errno.EEXIST: "nothing is overwritten: choose another name, or move the old file away",
    errno.EISDIR: "this is a folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "make the folder first",
    errno.ENOSPC: "the disk is full; nothing was written",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EPERM: "look at the permissions of the file and its folder",
    errno.EROFS: "the disk is mounted read-only",
}
_NO_HARD_LINKS = (errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM)


def read_file(path: str | os.PathLike[str], *, what: str, limit: int) -> bytes:
    """Read a whole file.

    Args:
        path: The file; also a pipe or a device.
        what: Name of its content, for messages.
        limit: Size cap in bytes; not more than one byte beyond it is read.

    Raises:
        NotFoundError: There is no such file.
        ConfigError: It cannot be read.
        FormatError: It is larger than the limit.
    """
    with _told(f"read the {what}", path):
        try:
            with Path(path).open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError as err:
            raise NotFoundError(f"there is no {what} at {str(path)!r}") from err
    if len(data) > limit:
        raise FormatError(f"{what}: the file {str(path)!r} has more than the {limit} bytes allowed")
    return data


def write_new(path: str | os.PathLike[str], data: bytes, mode: int = 0o644) -> None:
    """Write a file that does not exist yet.

    Args:
        path: The new file; its folder must exist.
        data: All its bytes.
        mode: Its permissions, less those that the umask takes away; 0o600 for secrets.

    Raises:
        ConfigError: A file of that name exists, or it cannot be written; then nothing was.
    """
    with _told("write", path):
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
        ConfigError: It cannot be written; then the old file is untouched.
    """
    with _told("write", path):
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
    _sync_folder(target.parent)


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


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut, where the file system can sync a folder and we may open it."""
    try:
        fd = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(fd)
    except OSError as err:
        if err.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


@contextmanager
def _told(doing: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the operating system says about a path into a ConfigError with a hint."""
    try:
        yield
    except WmprotoError:
        raise
    except (OSError, ValueError) as err:  # ValueError: a zero byte in the path
        code = err.errno if isinstance(err, OSError) else None
        reason = os.strerror(code).lower() if code else "not a path"
        raise ConfigError(f"cannot {doing} {str(path)!r}: {reason}", hint=_HINTS.get(code or 0)) from err
