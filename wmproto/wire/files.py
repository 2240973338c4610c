"""Files, read within bounds; writing.py writes them. Trusts the operating system, says nothing of what bytes mean."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    with told(f"read the {what}", path):
        try:
            with Path(path).open("rb") as file:
                data = file.read(limit + 1)
        except FileNotFoundError as err:
            raise NotFoundError(f"there is no {what} at {str(path)!r}") from err
    if len(data) > limit:
        raise FormatError(f"{what}: the file {str(path)!r} has more than the {limit} bytes allowed")
    return data


@contextmanager
def told(doing: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the operating system says about a path into a ConfigError with a hint."""
    try:
        yield
    except WmprotoError:
        raise
    except (OSError, ValueError) as err:  # ValueError: a zero byte in the path
        code = err.errno if isinstance(err, OSError) else None
        reason = os.strerror(code).lower() if code else "not a path"
        raise ConfigError(f"cannot {doing} {str(path)!r}: {reason}", hint=_HINTS.get(code or 0)) from err
