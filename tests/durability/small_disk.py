"""A real disk of a few megabytes: mocks fail where we thought of it, a full disk fails where it likes."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

BLOCK = 4096


@dataclass
class SmallDisk:
    """A tmpfs.

    Attributes:
        path: Where it is mounted.
    """

    path: Path

    @classmethod
    def mounted(cls, path: Path, size: str = "4m") -> SmallDisk:
        """Mount one, or skip the test where that is not permitted."""
        if shutil.which("mount") is None:
            pytest.skip("no disk of our own can be mounted here: there is no mount")
        path.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"no disk of our own can be mounted here: {done.stderr.strip()}")
        return cls(path)

    @property
    def home(self) -> Path:
        return self.path / "home"

    @property
    def _filler(self) -> Path:
        return self.path / "filler"

    def fill(self, leave: int = 0) -> None:
        """Use up all space but ``leave`` bytes, a multiple of BLOCK."""
        self.free()
        fd = os.open(self._filler, os.O_CREAT | os.O_WRONLY)
        try:
            while True:
                os.write(fd, bytes(16 * BLOCK))
        except OSError:
            os.truncate(fd, os.fstat(fd).st_size - leave)
        finally:
            os.close(fd)

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    def read_only(self, on: bool) -> None:
        subprocess.run(["mount", "-o", f"remount,{'ro' if on else 'rw'}", self.path], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", self.path], check=True)
