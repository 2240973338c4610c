"""Both stores, for tests that hold over either: where a new log can stand, and what a store's enemies can do there."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pgserver

NAMES = ["sqlite", "postgres"]


class Place:
    """A place for one log.

    Attributes:
        where: A path, or the URL of a database.
    """

    def __init__(self, kind, folder):
        self.kind, self._folder = kind, folder
        self.where = folder / "log.db" if kind == "sqlite" else pgserver.new_database()

    def execute(self, *statements):
        """Change the database behind the log's back."""
        if self.kind == "postgres":
            pgserver.execute(self.where, *statements)
            return
        with closing(sqlite3.connect(self.where)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    def zeros(self, length):
        """That many zero bytes in SQL."""
        return f"zeroblob({length})" if self.kind == "sqlite" else f"decode(repeat('00', {length}), 'hex')"

    def backup(self):
        """A copy of the log, which nobody may have open, as it is now."""
        if self.kind == "postgres":
            return pgserver.server().copy(self.where)
        return Path(shutil.copy(self.where, self._folder / "backup.db"))
