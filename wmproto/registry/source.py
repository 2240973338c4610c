"""Where a reader gets a log's files: a folder, or a web server (c2sp.org/tlog-tiles). Nothing of it is believed.

Every answer is bounded by what it may hold, and what has another form is refused. Whether it belongs to a checkpoint,
the reader computes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from wmproto.errors import ConfigError, FormatError, NotFoundError, RegistryError
from wmproto.registry.note import NOTE_LIMIT
from wmproto.registry.tiles import WIDTH, Tile, parse_bundle, parse_tile, statement_path
from wmproto.wire.dsse import ENVELOPE_LIMIT
from wmproto.wire.files import read_file
from wmproto.wire.framing import sha256

__all__ = ["FolderSource", "Source", "open_source"]


class Source(ABC):
    """Files of one log.

    Attributes:
        where: The folder or URL, for messages.
    """

    where: str

    @abstractmethod
    def read(self, path: str, limit: int) -> bytes:
        """Read one file of at most ``limit`` bytes.

        Raises:
            NotFoundError: There is none.
            RegistryError: It cannot be read, or is larger.
        """

    def close(self) -> None:  # noqa: B027  a folder holds nothing open
        """Give back what reading holds open."""

    def checkpoint(self) -> bytes:
        """The latest checkpoint's note; raises RegistryError."""
        return self.read("checkpoint", NOTE_LIMIT)

    def tile(self, level: int, index: int, width: int = WIDTH) -> list[bytes]:
        """The first ``width`` hashes, 32 bytes each, of a tile; raises RegistryError."""
        return self._parts(Tile(level, index, width))

    def entries(self, index: int, width: int = WIDTH) -> list[bytes]:
        """The first ``width`` entries of a bundle; raises RegistryError."""
        return self._parts(Tile(None, index, width))

    def statement(self, payload_hash: bytes) -> bytes:
        """The payload with that SHA-256 (32 bytes).

        Raises:
            NotFoundError: There is none.
            RegistryError: It cannot be read.
            FormatError: It has another hash.
        """
        data = self.read(statement_path(payload_hash), ENVELOPE_LIMIT)
        if sha256(data) != payload_hash:
            raise FormatError(f"{self.where}: a statement has another hash than its name")
        return data

    def _parts(self, tile: Tile) -> list[bytes]:
        """Read a tile; where a partial one is gone, the beginning of the full one (a log may delete those)."""
        try:
            data = self.read(tile.path, tile.limit)
        except NotFoundError:
            if tile.width == WIDTH:
                raise
            missing, full = tile, Tile(tile.level, tile.index)
            try:
                data, tile = self.read(full.path, full.limit), full
            except NotFoundError:
                raise NotFoundError(f"{self.where} lacks {missing.path}") from None
            return self._parsed(tile, data)[: missing.width]
        return self._parsed(tile, data)

    def _parsed(self, tile: Tile, data: bytes) -> list[bytes]:
        try:
            return (parse_bundle if tile.level is None else parse_tile)(data, tile.width)
        except FormatError as err:
            raise RegistryError(f"{self.where}: {tile.path} is damaged ({err})") from err


class FolderSource(Source):
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self.where, self._folder = str(folder), folder

    def read(self, path: str, limit: int) -> bytes:
        """See Source.read."""
        try:
            return read_file(self._folder / path, what="file", limit=limit)
        except NotFoundError:
            raise NotFoundError(f"{self.where} lacks {path}", hint="is it an export --tiles of a log?") from None
        except (ConfigError, FormatError) as err:
            raise RegistryError(str(err), hint=err.hint) from err


def open_source(place: str) -> Source:
    """A folder's path or an http(s) URL as a source; raises ConfigError. Nothing is read yet."""
    if place.startswith(("http://", "https://")):
        from wmproto.registry.fetch import WebSource

        return WebSource(place)
    if "://" in place:
        raise ConfigError(f"{place} is no source", hint="a folder of export --tiles, or an http or https URL")
    if not place or not Path(place).is_dir():
        raise ConfigError(f"{place} is no folder", hint="a folder of export --tiles, or an http or https URL")
    return FolderSource(Path(place))
