"""The tree and its entries as files: paths, contents, and which of them a tree has (c2sp.org/tlog-tiles, reg-tile-*).

Pure functions. A tile is up to 256 hashes of one level, each the root of a full tile of the level below (of a leaf in
level 0); a bundle is up to 256 entries. Believes nothing: that a tile belongs to a checkpoint, its readers compute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from wmproto.crypto.merkle import tree_root
from wmproto.errors import FormatError, InclusionError

WIDTH = 256  # hashes of a full tile, entries of a full bundle
ENTRY_LIMIT = 65_535  # bytes of an entry: its length is a u16
_NUMBER = r"(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
_FILE = re.compile(
    rf"checkpoint|tile/(?:[0-9]|[1-5][0-9]|6[0-3]|entries)/{_NUMBER}|statement/(?P<two>[0-9a-f]{{2}})/(?P=two)[0-9a-f]{{62}}"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """Name of a tile or bundle.

    Attributes:
        level: 0 to 63; None for a bundle of entries.
        index: Number within its level, from 0.
        width: Hashes or entries in it, 1 to 256.
    """

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it stands below the log's prefix: three digits an element, all but the last with an x before."""
        digits = f"{self.index:03}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        number = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{number}{partial}"

    @property
    def start(self) -> int:
        """Number, in its level, of its first hash; of a bundle, the index of its first entry."""
        return self.index * WIDTH

    @property
    def end(self) -> int:
        """Number behind its last hash or entry."""
        return self.start + self.width

    @property
    def limit(self) -> int:
        """Most bytes that it can have."""
        return self.width * (ENTRY_LIMIT + 2 if self.level is None else 32)


def statement_path(payload_hash: bytes) -> str:
    """Where the payload with that SHA-256 (32 bytes) stands; wmproto's own, not C2SP's."""
    name = payload_hash.hex()
    return f"statement/{name[:2]}/{name}"


def is_path(path: str) -> bool:
    """Whether a log's files can have that path; no other one does, so none leads out of their folder."""
    return _FILE.fullmatch(path) is not None


def tiles(size: int, old: int = 0) -> Iterator[Tile]:
    """Tiles of hashes that the tree of that size has and that of ``old`` has not, level by level from the leaves."""
    level = 0
    while size:
        yield from _new(level, size, old)
        level, size, old = level + 1, size // WIDTH, old // WIDTH


def bundles(size: int, old: int = 0) -> Iterator[Tile]:
    """Bundles of entries that the log of that size has and that of ``old`` has not."""
    yield from _new(None, size, old)


def _new(level: int | None, size: int, old: int) -> Iterator[Tile]:
    for index in range(old // WIDTH, -(-size // WIDTH) if size > old else 0):
        yield Tile(level, index, min(WIDTH, size - index * WIDTH))


def right_edge(size: int) -> list[Tile]:
    """The partial tiles of the tree of that size, from the leaves upwards: together they decide its root."""
    edge, level = [], 0
    while size:
        if width := size % WIDTH:
            edge.append(Tile(level, size // WIDTH, width))
        level, size = level + 1, size // WIDTH
    return edge


def edge_root(edge: Iterable[Sequence[bytes]]) -> bytes:
    """Root (32 bytes) of a tree, from the hashes of the tiles that right_edge lists for its size."""
    rest: list[bytes] = []  # what stands right of the complete subtrees of a level, as one hash
    for hashes in edge:
        rest = [tree_root([*hashes, *rest])]
    return rest[0] if rest else tree_root([])


def lead_up(
    size: int, old: int, root: bytes, read: Callable[[Tile], list[bytes]]
) -> Iterator[tuple[Tile, list[bytes]]]:
    """Read the tiles that are new since ``old``, from the root downwards, and yield each once it leads up to the root.

    The right edge decides the root; a full tile must have the hash that stands for it in the level above.

    Args:
        size: Of the tree; at least ``old``.
        old: Size of a tree whose tiles were checked before.
        root: The tree's root, 32 bytes, from a verified checkpoint.
        read: Gives a tile's hashes; asked once for each.

    Raises:
        InclusionError: A tile does not lead up to the root; names it. All that was yielded before does.
    """
    edge = {tile: read(tile) for tile in right_edge(size)}
    if edge_root(edge.values()) != root:
        raise InclusionError("the tiles of the right edge do not hash to the root", rule="reg-tile-3")
    levels: dict[int, list[Tile]] = {}
    for tile in tiles(size, old):
        levels.setdefault(tile.level or 0, []).append(tile)
    above: dict[int, bytes] = {}
    for level in sorted(levels, reverse=True):
        here: dict[int, bytes] = {}
        for tile in levels[level]:
            hashes = edge[tile] if tile in edge else read(tile)
            if tile not in edge and tree_root(hashes) != above[tile.index]:
                raise InclusionError(f"{tile.path} does not hash to what stands for it above", rule="reg-tile-3")
            if level:
                here.update(enumerate(hashes, tile.start))
            yield tile, hashes
        above = here


def join_hashes(hashes: Iterable[bytes]) -> bytes:
    """Content of a tile of these hashes."""
    return b"".join(hashes)


def parse_tile(data: bytes, width: int) -> list[bytes]:
    """Read a tile of exactly that many hashes; raises FormatError."""
    if len(data) != 32 * width:
        raise FormatError(f"tile: {len(data)} bytes, and {width} hashes have {32 * width}")
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def join_entries(entries: Iterable[bytes]) -> bytes:
    """Content of a bundle of these entries, each at most 65,535 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """Read a bundle of exactly that many entries; raises FormatError."""
    entries: list[bytes] = []
    at = 0
    for _ in range(width):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data):  # beyond its end, if an entry is cut off
        raise FormatError(f"bundle: not exactly {width} entries")
    return entries
